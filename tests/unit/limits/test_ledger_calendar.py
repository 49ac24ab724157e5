"""Limits of a calendar period: the end of one day and the beginning of the next."""

from datetime import UTC, datetime

import pytest

from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.quota import Calendar, Limit, Unit
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Penalty, Terms
from sidecar.limits.terms import terms_of
from tests.support.ledger import HOUR_MS, NOON, Teller, daily, want

DAY_MS = 24 * HOUR_MS
NIGHTS = [
    pytest.param(datetime(2026, 11, 24, 8, tzinfo=UTC), Period.DAY, id="an ordinary night"),
    pytest.param(datetime(2026, 3, 8, 8, tzinfo=UTC), Period.DAY, id="before a day of 23 hours"),
    pytest.param(datetime(2026, 3, 9, 7, tzinfo=UTC), Period.DAY, id="after a day of 23 hours"),
    pytest.param(datetime(2026, 11, 1, 7, tzinfo=UTC), Period.DAY, id="before a day of 25 hours"),
    pytest.param(datetime(2026, 11, 2, 8, tzinfo=UTC), Period.DAY, id="after a day of 25 hours"),
    pytest.param(datetime(2026, 12, 1, 8, tzinfo=UTC), Period.MONTH, id="the end of a month"),
    pytest.param(datetime(2027, 1, 1, 8, tzinfo=UTC), Period.MONTH, id="the end of a year"),
]
"""Midnights in California."""


def teller(terms: Terms, ledger: Ledger | None = None, name: str = "a") -> Teller:
    return Teller(ledger or Ledger(listens=False), [terms], name, {"lease_ms": 9 * DAY_MS})


@pytest.mark.parametrize(("midnight", "period"), NIGHTS)
@pytest.mark.parametrize("skew_ms", [-2_000, 0, 2_000])
def test_no_period_is_overspent_however_the_clocks_are_off(
    midnight: datetime, period: Period, skew_ms: int
) -> None:
    """Around a midnight of the upstream somebody always wants more, and the server's clock is off."""
    limit = Limit("period", Unit.REQUESTS, 10, Calendar(period, PACIFIC))
    end = round(midnight.timestamp() * 1000)
    a = teller(terms_of(limit, midnight.fromtimestamp(end / 1000 - 3_600, UTC)))
    a.ask(end - HOUR_MS, 7)
    a.use(end - HOUR_MS, 7)
    sent = []
    for moment in range(end - 6_000, end + 8_000, 250):
        a.terms = [terms_of(limit, datetime.fromtimestamp(moment / 1000, UTC))]
        if moment % 1_000 == 0 and a.ask(moment + skew_ms, 1) == [1]:
            a.use(moment + skew_ms, 1)
            sent.append(moment)
    assert 7 + sum(moment < end for moment in sent) == 10
    assert 1 <= sum(moment >= end for moment in sent) <= 10


@pytest.mark.parametrize(("midnight", "period"), NIGHTS)
def test_a_spent_period_opens_within_three_seconds_of_its_end(midnight: datetime, period: Period) -> None:
    limit = Limit("period", Unit.REQUESTS, 10, Calendar(period, PACIFIC))
    end = round(midnight.timestamp() * 1000)
    a = teller(terms_of(limit, datetime.fromtimestamp(end / 1000 - 3_600, UTC)))
    a.ask(end - HOUR_MS, 10)
    a.use(end - HOUR_MS, 10)
    opened = next(moment for moment in range(end - 5_000, end + 60_000, 250) if a.ask(moment, 1) == [1])
    assert 0 <= opened - end <= 3_000


def test_a_spent_day_is_closed_until_its_end_and_says_how_long_that_is() -> None:
    a = teller(daily(10))
    a.ask(NOON, 10)
    a.use(NOON, 10)
    assert a.tell(a.report(want(1)), NOON + 1).blocked_ms == 12 * HOUR_MS + 2_000 - 1


def test_what_is_spent_around_midnight_counts_in_both_days() -> None:
    a = teller(daily(10))
    midnight = NOON + 12 * HOUR_MS
    a.ask(NOON, 10)
    a.use(midnight - 2_001, 3)
    a.use(midnight - 2_000, 4)
    a.use(midnight + 1_999, 2)
    assert a.levels(midnight + 1_999) == [(9, 1)]
    assert a.levels(midnight + 2_000) == [(6, 1)]


def test_a_refund_of_yesterday_does_not_enlarge_today() -> None:
    a = teller(daily(10))
    midnight = NOON + 12 * HOUR_MS
    a.ask(NOON, 10)
    a.use(midnight - 2_100, 9)
    a.levels(midnight + 3_000)
    a.ask(midnight + 3_000, 5)
    a.use(midnight + 3_000, 5)
    assert a.correct(midnight + 3_100, -4, age_ms=5_200).levels[0].used == 5
    assert a.correct(midnight + 3_100, -4, age_ms=5_000).levels[0].used == 5, (
        "so near the guard it may be of before"
    )
    assert a.correct(midnight + 3_200, -4, age_ms=200).levels[0].used == 1


def test_what_was_carried_over_midnight_is_not_carried_over_idle_days() -> None:
    a = teller(daily(10))
    midnight = NOON + 12 * HOUR_MS
    a.ask(NOON, 10)
    a.use(midnight - 1_000, 10)
    a.terms = [daily(10, midnight + 2 * DAY_MS)]
    assert a.levels(midnight + 2 * DAY_MS + HOUR_MS) == [(0, 0)]


def test_a_sidecar_whose_calendar_is_behind_does_not_keep_the_day_open() -> None:
    a = teller(daily(10))
    a.ask(NOON, 10)
    a.use(NOON, 10)
    assert a.ask(NOON + 12 * HOUR_MS + 2_000, 10) == [10], "it still says yesterday"


def test_a_day_that_the_upstream_calls_spent_is_closed_until_it_ends_whatever_the_delay_says() -> None:
    a = teller(daily(1_000))
    midnight = NOON + 12 * HOUR_MS
    answer = a.refused(NOON, Penalty(0, 900, 22_000, 1_000))
    assert answer.levels[0].permille == 0
    assert a.ask(NOON + 60_000, 1) == [0]
    assert a.ask(midnight + 1_999, 1) == [0]
    assert a.ask(midnight + 2_000, 1) == [1]


def test_a_refusal_of_yesterday_that_is_told_after_midnight_does_not_close_today() -> None:
    a = teller(daily(1_000))
    a.levels(NOON)
    a.refused(NOON + 12 * HOUR_MS + 5_000, Penalty(0, 900, 0, 1_000))
    assert a.ask(NOON + 12 * HOUR_MS + 6_000, 1) == [1]
