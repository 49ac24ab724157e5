"""What a 429 of the upstream tells the ledger. Pure.

The quota id decides, never the delay alone: a spent day comes with a delay of some seconds that is useless,
and some refusals carry neither (facts: ai.google.dev "Rate limits" and observed bodies). A named value that
is lower than the limit is adopted, zero included; otherwise the limit is cut by a tenth, for others spend of
it too. A spent day is closed until it ends. A delay pauses the whole group. What is granted nothing of at all
is closed for good.
"""

import math
import re
from collections.abc import Sequence
from datetime import datetime

from sidecar.core.calendar import PACIFIC, Period, bounds
from sidecar.core.errors import QuotaViolation, UpstreamQuota
from sidecar.core.quota import Calendar, InFlight, Limit, Rolling, Unit
from sidecar.limits.message import Penalty

NEVER = math.inf
"""A pause that time does not end."""
_CUT_PERMILLE = 900
_NO_VALUE = -1
_UNKNOWN_PAUSE_S = 1.0
"""For a refusal that is of no use: one second for all, while the cut takes effect."""
_DAY_SLACK_S = 2.0
"""A day opens so late, for clocks differ."""
_LATE_WORD_S = 60.0
"""A refusal so soon after midnight may be about the day before."""
_TOKENS = re.compile(r"token", re.IGNORECASE)


def pause_s(refusal: UpstreamQuota, wall: datetime) -> float:
    """For how many seconds from `wall` (aware) on nothing may be asked that is counted together with what
    was refused; NEVER: for good.
    """
    delay_s = refusal.retry_after_s
    if delay_s is None:
        return NEVER
    if not any(_is_daily(violation) for violation in refusal.quota_violations):
        return delay_s
    day = bounds(Period.DAY, PACIFIC, wall)
    if wall.timestamp() < day.start_ms / 1000 + _LATE_WORD_S:
        return _UNKNOWN_PAUSE_S
    return day.end_ms / 1000 + _DAY_SLACK_S - wall.timestamp()


def penalties(refusal: UpstreamQuota, limits: Sequence[Limit], wall: datetime) -> list[Penalty]:
    """One for each violation that stands for a limit of the group; at least one in all."""
    pause = pause_s(refusal, wall)
    if pause == NEVER:
        return [Penalty(_lasting(limits), _CUT_PERMILLE, round(_UNKNOWN_PAUSE_S * 1000), 0)]
    found = [
        Penalty(number, _CUT_PERMILLE, 0, _NO_VALUE if violation.value is None else violation.value)
        for violation in refusal.quota_violations
        if (number := _limit_of(violation, limits)) is not None
    ]
    if not found:  # no id, or of a limit that the Policy does not have: slow down what spends fastest
        rolling = [number for number, limit in enumerate(limits) if isinstance(limit.window, Rolling)]
        found = [Penalty(rolling[0] if rolling else -1, _CUT_PERMILLE, 0, _NO_VALUE)]
    return [found[0]._replace(pause_ms=round(pause * 1000)), *found[1:]]


def _lasting(limits: Sequence[Limit]) -> int:
    """A limit that no calendar opens again."""
    return next((n for n, limit in enumerate(limits) if not isinstance(limit.window, Calendar)), 0)


def _is_daily(violation: QuotaViolation) -> bool:
    return "PerDay" in violation.quota_id


def _limit_of(violation: QuotaViolation, limits: Sequence[Limit]) -> int | None:
    """The limit of the group that a quota id stands for."""
    is_daily = _is_daily(violation)
    unit = Unit.INPUT_TOKENS if _TOKENS.search(violation.quota_id) else Unit.REQUESTS
    for number, limit in enumerate(limits):
        if limit.unit is unit and not isinstance(limit.window, InFlight):
            is_rolling = isinstance(limit.window, Rolling)
            if is_rolling is not is_daily:
                return number
    return None
