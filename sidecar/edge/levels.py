"""Where limits stand, as messages of QuotaService."""

from collections.abc import Mapping
from typing import cast

from sidecar.core.calendar import Period
from sidecar.core.levels import GroupKind, GroupState, LimitLevel, LimitsMode, LimitState
from sidecar.core.quota import Calendar, Rolling, Unit
from sidecar.v1 import quota_pb2 as v1

KINDS: Mapping[GroupKind, v1.GroupKind] = {
    GroupKind.QUOTA: v1.GroupKind.GROUP_KIND_QUOTA,
    GroupKind.BUDGET: v1.GroupKind.GROUP_KIND_BUDGET,
}
UNITS: Mapping[Unit, v1.LimitUnit] = {
    Unit.REQUESTS: v1.LimitUnit.LIMIT_UNIT_REQUESTS,
    Unit.INPUT_TOKENS: v1.LimitUnit.LIMIT_UNIT_INPUT_TOKENS,
    Unit.TOKENS: v1.LimitUnit.LIMIT_UNIT_TOKENS,
    Unit.MONEY: v1.LimitUnit.LIMIT_UNIT_MONEY,
    Unit.CALLS: v1.LimitUnit.LIMIT_UNIT_CALLS,
}
PERIODS: Mapping[Period, v1.CalendarPeriod] = {
    Period.HOUR: v1.CalendarPeriod.CALENDAR_PERIOD_HOUR,
    Period.DAY: v1.CalendarPeriod.CALENDAR_PERIOD_DAY,
    Period.MONTH: v1.CalendarPeriod.CALENDAR_PERIOD_MONTH,
}


def mode_message(mode: LimitsMode) -> v1.LimitsMode:
    """The enum value for a mode: both count alike."""
    return cast(v1.LimitsMode, int(mode))


def group_message(state: GroupState) -> v1.LimitGroup:
    """The message for a group and its limits."""
    message = v1.LimitGroup(
        name=state.name,
        kind=KINDS[state.kind],
        mode=mode_message(state.mode),
        trouble=state.trouble,
        holders=state.holders,
        waiting_calls=state.waiting,
        limits=map(_limit, state.limits),
    )
    if state.blocked_ms:
        message.blocked_for.FromMilliseconds(round(state.blocked_ms))
    if state.age_ms is not None:
        message.age.FromMilliseconds(round(state.age_ms))
    return message


def _limit(state: LimitState) -> v1.Limit:
    limit = state.limit
    message = v1.Limit(
        name=limit.name,
        unit=UNITS[limit.unit],
        amount=limit.amount,
        is_shadow=limit.is_shadow,
        denials=state.denials,
        shadow_denials=state.shadow_denials,
        level=None if state.level is None else _level(state.level),
    )
    if isinstance(limit.window, Rolling):
        message.rolling.seconds = limit.window.seconds
    elif isinstance(limit.window, Calendar):
        message.calendar = PERIODS[limit.window.period]
    return message


def _level(level: LimitLevel) -> v1.LimitLevel:
    return v1.LimitLevel(**level._asdict())
