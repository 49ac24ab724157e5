"""What a 429 means for the ledger, and for how long nothing may be asked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.errors import QuotaViolation, UpstreamQuota
from sidecar.core.quota import Calendar, InFlight, Limit, Unit
from sidecar.limits.feedback import NEVER, pause_s, penalties
from sidecar.limits.message import Penalty
from tests.unit.limits.world import rpm, tpm

MIDNIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)
"""In California."""
NOON = MIDNIGHT + timedelta(hours=12)
DAILY = Limit("requests_per_day", Unit.REQUESTS, 1_000, Calendar(Period.DAY, PACIFIC))
FLIGHT = Limit("concurrent_calls", Unit.CALLS, 10, InFlight())
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel"
TOKENS = "GenerateContentInputTokensPerModelPerMinute"


def refusal(*quota_ids: str, delay_s: float | None = 22.0, value: int | None = None) -> UpstreamQuota:
    error = UpstreamQuota("429")
    error.retry_after_s = delay_s
    error.quota_violations = tuple(QuotaViolation("", "", quota_id=each, value=value) for each in quota_ids)
    return error


@pytest.mark.parametrize(
    ("error", "at", "pause"),
    [
        (refusal(PER_MINUTE), NOON, 22.0),
        (refusal(), NOON, 22.0),
        (refusal(PER_DAY, delay_s=12 * 3600), NOON, 12 * 3600 + 2.0),
        (refusal(PER_MINUTE, PER_DAY, delay_s=5.0), NOON, 12 * 3600 + 2.0),
        (refusal(PER_DAY, delay_s=86_399), MIDNIGHT + timedelta(seconds=1), 1.0),
        (refusal(PER_DAY, delay_s=None, value=0), NOON, NEVER),
        (refusal(delay_s=None), NOON, NEVER),
    ],
    ids=["delay", "no id", "day", "day among others", "yesterday", "limit of zero", "zero, told in words"],
)
def test_a_refusal_pauses_as_long_as_its_limit_is_spent(
    error: UpstreamQuota, at: datetime, pause: float
) -> None:
    assert pause_s(error, at) == pause


@pytest.mark.parametrize(
    ("error", "limits", "told"),
    [
        (refusal(PER_MINUTE, value=50), (rpm(100), tpm(9)), [Penalty(0, 900, 22_000, 50)]),
        (refusal(TOKENS), (rpm(100), tpm(9)), [Penalty(1, 900, 22_000, -1)]),
        (
            refusal(PER_DAY, TOKENS),
            (tpm(9), DAILY),
            [Penalty(1, 900, 43_202_000, -1), Penalty(0, 900, 0, -1)],
        ),
        (refusal("Unheard", delay_s=3), (DAILY, tpm(9)), [Penalty(1, 900, 3_000, -1)]),
        (refusal("Unheard", delay_s=3), (DAILY,), [Penalty(-1, 900, 3_000, -1)]),
        (refusal(PER_DAY, delay_s=None, value=0), (DAILY, FLIGHT), [Penalty(1, 900, 1_000, 0)]),
        (refusal(PER_DAY, delay_s=None, value=0), (DAILY,), [Penalty(0, 900, 1_000, 0)]),
    ],
    ids=["value", "tokens", "day", "unknown", "unknown and no window", "zero", "zero of a day"],
)
def test_the_ledger_is_told_which_limit_was_hit_and_how(
    error: UpstreamQuota, limits: Sequence[Limit], told: list[Penalty]
) -> None:
    assert penalties(error, limits, NOON) == told
