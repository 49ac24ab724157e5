"""What the parts of a Policy file must be to each other.

Pure, and over the raw tree: whatever is not of the right type is the schema's to refuse and passed over here,
so that one bad value does not hide the others.
"""

from collections.abc import Iterator

from sidecar.config.budget_checks import check_budgets
from sidecar.config.document import TreePath
from sidecar.config.faults import Fault
from sidecar.config.policy_outline import Outline, outline
from sidecar.config.pool_checks import check_pools
from sidecar.config.quota_checks import check_quotas
from sidecar.config.rule_checks import check_rules
from sidecar.config.validation import Raw, near


def cross_check(raw: Raw) -> list[Fault]:
    """All names that are taken twice or lead nowhere, and all limits that cannot mean anything."""
    known = outline(raw)
    return [
        *_repeated_names(raw, "projects", "project"),
        *_models(raw, known),
        *_tenants(raw, known),
        *check_quotas(raw, known),
        *_repeated_names(raw, "budgets", "budget"),
        *check_budgets(raw, known),
        *_repeated_names(raw, "rules", "rule"),
        *check_rules(raw, known),
        *check_pools(raw, known),
    ]


def _repeated_names(raw: Raw, section: str, kind: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, name in raw.texts((*entry, "name") for entry in raw.below((section,))):
        if name in seen:
            yield raw.fault(path, f"is the name of another {kind} too", f"give each {kind} a name of its own")
        seen.add(name)


def _models(raw: Raw, known: Outline) -> Iterator[Fault]:
    models = list(raw.below(("models",)))
    yield from _model_projects(raw, models, known)
    taken = {str(path[-1]): "is the id of a listed model" for path in models}
    for model in models:
        for path, alias in raw.texts(raw.below((*model, "aliases"))):
            if alias in taken:
                yield raw.fault(
                    path, taken[alias], "give each alias to one model, and to none that has its name"
                )
            taken.setdefault(alias, "is already an alias")
    if known.denies_unlisted and not models:
        yield raw.fault(
            ("unlisted_models",),
            "denies every model, because none is listed",
            "list models or allow unlisted ones",
        )


def _model_projects(raw: Raw, models: list[TreePath], known: Outline) -> Iterator[Fault]:
    for model in models:
        listed: set[str] = set()
        for path, name in raw.texts(raw.below((*model, "projects"))):
            if name not in known.projects:
                yield raw.fault(
                    path, "is no project of this file", near(name, known.projects) or "name a listed project"
                )
            elif name in listed:
                yield raw.fault(path, "is listed twice", "keep it once, where it ranks")
            listed.add(name)


def _tenants(raw: Raw, known: Outline) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for tenant in raw.below(("tenants",)):
        for path, principal in raw.texts(raw.below((*tenant, "principals"))):
            if principal in owner:
                reason = f"belongs to tenant {owner[principal]} already"
                yield raw.fault(path, reason, "let each principal belong to one tenant")
            owner.setdefault(principal, str(tenant[-1]))
        for path, priority in raw.texts([(*tenant, "priority")]):
            if known.priorities and priority not in known.priorities:
                remedy = near(priority, known.priorities) or f"take one of: {', '.join(known.priorities)}"
                yield raw.fault(path, "is no priority of this file", remedy)
