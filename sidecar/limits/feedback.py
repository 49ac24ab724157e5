"""What a 429 of the upstream tells the ledger. Pure.

The quota id decides, never the delay alone: a spent day comes with a delay of some seconds that is useless,
and some refusals carry neither (facts: ai.google.dev "Rate limits" and observed bodies). A named value that
is lower than the limit is adopted, zero included; otherwise the limit is cut by a tenth, for others spend of
it too. A spent day is closed until it ends. A delay pauses the whole group.
"""

import re
from collections.abc import Sequence

from sidecar.core.errors import QuotaViolation, UpstreamQuota
from sidecar.core.quota import InFlight, Limit, Rolling, Unit
from sidecar.limits.message import Penalty

_CUT_PERMILLE = 900
_NO_VALUE = -1
_UNKNOWN_PAUSE_MS = 1_000
"""For a refusal that says nothing: one second for all, while the cut takes effect."""
_TOKENS = re.compile(r"token", re.IGNORECASE)


def penalties(refusal: UpstreamQuota, limits: Sequence[Limit]) -> list[Penalty]:
    """One for each violation that stands for a limit of the group; at least one in all."""
    pause_ms = _UNKNOWN_PAUSE_MS if refusal.retry_after_s is None else round(refusal.retry_after_s * 1000)
    found = [
        Penalty(number, _CUT_PERMILLE, 0, _NO_VALUE if violation.value is None else violation.value)
        for violation in refusal.quota_violations
        if (number := _limit_of(violation, limits)) is not None
    ]
    if not found:  # no id, or of a limit that the Policy does not have: slow down what spends fastest
        rolling = [number for number, limit in enumerate(limits) if isinstance(limit.window, Rolling)]
        found = [Penalty(rolling[0] if rolling else -1, _CUT_PERMILLE, 0, _NO_VALUE)]
    return [found[0]._replace(pause_ms=pause_ms), *found[1:]]


def _limit_of(violation: QuotaViolation, limits: Sequence[Limit]) -> int | None:
    """The limit of the group that a quota id stands for."""
    is_daily = "PerDay" in violation.quota_id
    unit = Unit.INPUT_TOKENS if _TOKENS.search(violation.quota_id) else Unit.REQUESTS
    for number, limit in enumerate(limits):
        if limit.unit is unit and not isinstance(limit.window, InFlight):
            is_rolling = isinstance(limit.window, Rolling)
            if is_rolling is not is_daily:
                return number
    return None
