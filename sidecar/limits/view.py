"""Where all limits stand, as this sidecar knows it. Pure: asks no ledger.

What is listed: every group that calls have used here, and from the Policy those that can be named before
anybody calls, which are its quotas and the budgets that all callers share. A budget for each principal or
tenant is listed from its first call on.
"""

from collections.abc import Iterable, Iterator, Sequence

from sidecar.core.levels import GroupState, LimitLevel, LimitsMode, LimitState
from sidecar.core.policy import Each, Policy
from sidecar.core.quota import LimitGroup, Unit
from sidecar.limits.group import Group
from sidecar.limits.message import Level
from sidecar.limits.meter import WHOLE
from sidecar.limits.mode import mode_of


def states(
    groups: Iterable[Group], policy: Policy, now: float, prefixes: Sequence[str] = ("",)
) -> Iterator[GroupState]:
    """The groups whose name begins with one of `prefixes`, in the order of their names, at `now` (ms). Which
    they are is fixed when the first is taken; each is looked at when it is taken.
    """
    found: dict[str, Group | LimitGroup] = {group.name: group for group in _nameable(policy)}
    found.update((group.definition.name, group) for group in groups)
    beginnings = tuple(prefixes)
    for name in sorted(found):
        if name.startswith(beginnings):
            group = found[name]
            yield state_of(group, now) if isinstance(group, Group) else _unused(group)


def state_of(group: Group, now: float) -> GroupState:
    """One group that calls have used."""
    holder, limits = group.holder, group.definition.limits
    denials = holder.denials
    levels: Sequence[LimitLevel | None] = list(map(_level, holder.levels)) or [None] * len(limits)
    return GroupState(
        name=group.definition.name,
        mode=mode_of(group, now),
        limits=tuple(map(LimitState, limits, levels, denials.counts, denials.shadow_counts)),
        trouble=group.trouble,
        holders=holder.holders if holder.levels else 0,
        waiting=holder.waiting,
        blocked_ms=holder.closure.opens_in_ms(now),
        age_ms=None if group.told_at is None else now - group.told_at,
    )


def spent(group: Group) -> float:
    """The share used up of the scarcest spend limit of a group that calls have used, as the ledger told it
    last: from 0.0 to 1.0.
    """
    levels = zip(group.definition.limits, group.holder.levels, strict=False)  # none before the first answer
    shares = (level.used / level.limit for limit, level in levels if limit.unit is Unit.MONEY and level.limit)
    return min(1.0, max(shares, default=0.0))


def _level(level: Level) -> LimitLevel:
    granted = level.limit * level.permille // WHOLE
    available = max(0, granted - level.used - level.held)
    return LimitLevel(level.used, level.held, available, level.limit, level.permille / WHOLE)


def _unused(definition: LimitGroup) -> GroupState:
    return GroupState(definition.name, LimitsMode.UNUSED, tuple(map(LimitState, definition.limits)))


def _nameable(policy: Policy) -> Iterator[LimitGroup]:
    """The groups of a Policy whose names do not depend on who calls."""
    yield from policy.quotas.values()
    for budget in policy.budgets:
        if budget.each is Each.ALL:
            yield budget.group("", "")
