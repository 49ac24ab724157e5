"""What quotas must be to the rest of a Policy file, and what every entry of limits must be in itself.

Pure and over the raw tree, for the reason that `policy_checks` gives. A quota that matches nothing is refused
because it would not be noticed: calls would simply go unmetered.
"""

from collections.abc import Iterator, Mapping, Sequence

from sidecar.config.document import TreePath
from sidecar.config.faults import Fault
from sidecar.config.policy_outline import Outline
from sidecar.config.quota_schema import QUOTA_LIMITS
from sidecar.config.validation import Raw, near
from sidecar.core.policy import QuotaKey


def check_quotas(raw: Raw, known: Outline) -> Iterator[Fault]:
    """All quotas that limit nothing, or what another one limits."""
    taken: dict[QuotaKey, TreePath] = {}
    for entry in raw.below(("quotas",)):
        yield from check_limits(raw, entry, QUOTA_LIMITS)
        for path, project in raw.texts([(*entry, "project")]):
            if project not in known.projects:
                guess = near(project, known.projects)
                yield raw.fault(path, "is no project of this file", guess or "name a listed project")
        for key, path in quota_keys(raw, entry):
            yield from _model(raw, path, key, known)
            if key in taken:
                reason = f"is in {_place(taken[key], entry)} of the same project and tier already"
                yield raw.fault(path, reason, "name each model once per project and tier")
            taken.setdefault(key, entry)


def check_limits(raw: Raw, entry: TreePath, limits: Sequence[str]) -> Iterator[Fault]:
    """An entry must set a limit, and say more only of those that it sets."""
    if not isinstance(raw.at(entry), Mapping):
        return
    given = [str(path[-1]) for path in raw.below(entry) if path[-1] in limits]
    if not given:
        yield raw.fault(entry, "sets no limit", f"set at least one of: {', '.join(limits)}")
    modes = [(path, str(path[-1])) for path in raw.below((*entry, "on_redis_loss"))]
    for path, name in (*raw.texts(raw.below((*entry, "shadow"))), *modes):
        if name not in given:
            remedy = near(name, given) or "name a limit that is set beside it, or set this one"
            yield raw.fault(path, f"{name} is no limit that is set here", remedy)


def quota_keys(raw: Raw, entry: TreePath) -> Iterator[tuple[QuotaKey, TreePath]]:
    """What an entry meters, and where each model of it stands; nothing while its project is not text."""
    tier = next((text for _, text in raw.texts([(*entry, "tier")])), "")
    for _, project in raw.texts([(*entry, "project")]):
        for path, model in raw.texts(raw.below((*entry, "models"))):
            yield (project, model, tier), path


def _model(raw: Raw, path: TreePath, key: QuotaKey, known: Outline) -> Iterator[Fault]:
    project, model, _ = key
    if model in known.routes:
        if project in known.projects and project not in known.routes[model]:
            remedy = f"add {project} to the projects of {model}, or take the model off this quota"
            yield raw.fault(path, f"is not served by project {project}", remedy)
    elif model in known.aliases:
        yield raw.fault(path, "is an alias", f"name the model: {known.aliases[model]}")
    elif known.denies_unlisted:
        remedy = near(model, known.routes) or "list it in `models`, or take it off this quota"
        yield raw.fault(path, "is not a listed model, and unlisted ones are denied", remedy)


def _place(first: TreePath, entry: TreePath) -> str:
    return "this entry" if first == entry else f"another entry, quotas[{first[-1]}],"
