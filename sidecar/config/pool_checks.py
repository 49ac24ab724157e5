"""What projects, fallbacks, pools and tiers must be to each other and to the rest of a Policy file.

Pure and over the raw tree, for the reason that `policy_checks` gives. What could never have an effect is
refused, because nobody would notice.
"""

from collections.abc import Iterator

from sidecar.config.document import TreePath
from sidecar.config.faults import Fault, Unacceptable
from sidecar.config.policy_outline import Outline
from sidecar.config.units import format_duration, parse_duration
from sidecar.config.validation import Raw, near
from sidecar.core.pooling import BreakerRules, RetryRules

_SELECTORS = ("priorities", "least_deadline", "spend_used")
_RETRY, _BREAKER = RetryRules(), BreakerRules()


def check_pools(raw: Raw, known: Outline) -> Iterator[Fault]:
    """All that is said of projects, pools and tiers and contradicts itself or leads nowhere."""
    yield from _files(raw)
    for model in raw.below(("models",)):
        yield from _fallback(raw, model, known)
    yield from _durations(raw, ("pools", "retry"), "backoff", _RETRY.backoff_s, _RETRY.backoff_max_s)
    yield from _durations(raw, ("pools", "breaker"), "open", _BREAKER.open_s, _BREAKER.open_max_s)
    yield from _hedge(raw, known)
    yield from _quota_tiers(raw, known)
    rules = list(raw.below(("tiers",)))
    for rule in rules:
        yield from _tier_rule(raw, rule, known, is_last=rule == rules[-1])


def _files(raw: Raw) -> Iterator[Fault]:
    holders = [path for path in raw.below(("projects",)) if raw.at((*path, "files")) is True]
    for path in holders[1:]:
        reason = f"is true for projects[{holders[0][-1]}] too"
        yield raw.fault((*path, "files"), reason, "let one project hold what requests name without theirs")


def _fallback(raw: Raw, model: TreePath, known: Outline) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, name in raw.texts(raw.below((*model, "fallback"))):
        if name == model[-1]:
            yield raw.fault(path, "is the model itself", "name another listed model, or remove it")
        elif name in known.aliases:
            yield raw.fault(path, "is an alias", f"name the model: {known.aliases[name]}")
        elif name not in known.routes:
            remedy = near(name, known.routes) or "list it in `models`, or remove it"
            yield raw.fault(path, "is no listed model", remedy)
        elif name in seen:
            yield raw.fault(path, "is listed twice", "keep it once, where it ranks")
        seen.add(name)


def _durations(raw: Raw, group: TreePath, name: str, first_s: float, most_s: float) -> Iterator[Fault]:
    first, most = (*group, name), (*group, f"{name}_max")
    try:
        if raw.at(first) is not None:
            first_s = parse_duration(raw.at(first))
        if raw.at(most) is not None:
            most_s = parse_duration(raw.at(most))
    except Unacceptable:  # the schema's to refuse
        return
    if first_s > most_s:
        given = first if raw.at(first) is not None else most
        reason = f"{name} is {format_duration(first_s)}, above {name}_max, {format_duration(most_s)}"
        yield raw.fault(given, reason, f"lower {name} or raise {name}_max")


def _hedge(raw: Raw, known: Outline) -> Iterator[Fault]:
    path = ("pools", "hedge")
    if raw.at(path) is None:
        return
    if raw.at(("pools", "retry", "attempts")) == 1:
        yield raw.fault(path, "is a second attempt, and pools.retry.attempts allows one", "allow 2 or more")
    served = [] if known.denies_unlisted else [known.projects]
    if max(map(len, (*served, *known.routes.values())), default=2) < 2:
        yield raw.fault(
            path, "can never hedge: no model has two projects", "add a project, or remove the hedge"
        )


def _quota_tiers(raw: Raw, known: Outline) -> Iterator[Fault]:
    for entry in raw.below(("quotas",)):
        for path, tier in raw.texts([(*entry, "tier")]):
            for _, project in raw.texts([(*entry, "project")]):
                if not known.serves(project, tier):
                    remedy = f"add {tier} to the tiers of {project}, or remove this quota"
                    yield raw.fault(path, f"is not served by project {project}", remedy)


def _tier_rule(raw: Raw, rule: TreePath, known: Outline, is_last: bool) -> Iterator[Fault]:
    if not is_last and isinstance(raw.at(rule), dict) and not raw.at(rule).keys() & {*_SELECTORS}:
        yield raw.fault(
            rule, "decides for every call, so none after it can", "make it the last one, or give it selectors"
        )
    for path, priority in raw.texts(raw.below((*rule, "priorities"))):
        if known.priorities and priority not in known.priorities:
            remedy = near(priority, known.priorities) or f"take one of: {', '.join(known.priorities)}"
            yield raw.fault(path, "is no priority of this file", remedy)
    if raw.at((*rule, "spend_used")) is not None and not _has_spend_limit(raw):
        yield raw.fault(
            (*rule, "spend_used"), "no budget limits spend", "limit it in a budget, or remove this"
        )
    yield from _asked_tiers(raw, rule, known)


def _asked_tiers(raw: Raw, rule: TreePath, known: Outline) -> Iterator[Fault]:
    asked: set[str] = set()
    for path, tier in raw.texts(raw.below((*rule, "ask"))):
        if tier in asked:
            yield raw.fault(path, "is listed twice", "keep it once, where it ranks")
        elif not any(known.serves(project, tier) for project in known.projects):
            yield raw.fault(path, "is a tier that no project serves", "add it to the tiers of a project")
        asked.add(tier)
    for model, projects in known.routes.items() if asked else ():
        if not any(known.serves(project, tier) for project in projects for tier in asked):
            reason = f"leaves {model} unserved: none of its projects serves {' or '.join(sorted(asked))}"
            yield raw.fault((*rule, "ask"), reason, "add a tier that they serve")


def _has_spend_limit(raw: Raw) -> bool:
    return any(
        str(path[-1]).startswith("spend_") for budget in raw.below(("budgets",)) for path in raw.below(budget)
    )
