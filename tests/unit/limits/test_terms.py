"""How a limit of the Policy is told to the ledger."""

from datetime import UTC, datetime

import pytest

from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.quota import Calendar, InFlight, Limit, OnLoss, Rolling, Unit, Window
from sidecar.limits.terms import terms_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def limit(amount: int, window: Window, **other: object) -> Limit:
    return Limit("name", Unit.REQUESTS, amount, window, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "bucket_ms"), [(6, 250), (60, 250), (600, 2_500)])
def test_a_window_has_at_most_240_buckets_of_at_least_a_quarter_of_a_second(
    seconds: int, bucket_ms: int
) -> None:
    terms = terms_of(limit(100, Rolling(seconds)), NOW)
    assert (terms.window_ms, terms.bucket_ms, terms.calendar) == (seconds * 1_000, bucket_ms, ())


@pytest.mark.parametrize(
    ("amount", "burst", "at_once"),
    [(6_000, 0.05, 300), (6_000, 1.0, 6_000), (40, 0.05, 5), (3, 0.05, 3), (0, 0.05, 0)],
)
def test_a_burst_is_a_part_of_the_limit_but_five_may_always_go_at_once(
    amount: int, burst: float, at_once: int
) -> None:
    assert terms_of(limit(amount, Rolling(60), burst=burst), NOW).burst == at_once


def test_a_calendar_limit_carries_this_period_and_the_end_of_the_next() -> None:
    terms = terms_of(limit(100, Calendar(Period.DAY, PACIFIC)), NOW)
    start, end, next_end = (datetime.fromtimestamp(moment / 1000, UTC) for moment in terms.calendar)
    assert (start, end, next_end) == tuple(datetime(2026, 11, day, 8, tzinfo=UTC) for day in (24, 25, 26))
    assert (terms.window_ms, terms.slack_ms, terms.burst) == (0, 2_000, 100)


def test_a_flight_limit_is_not_paced() -> None:
    terms = terms_of(limit(7, InFlight()), NOW)
    assert (terms.is_flight, terms.burst, terms.calendar) == (True, 7, ())


def test_what_the_policy_says_of_shadows_and_outages_is_passed_on() -> None:
    terms = terms_of(limit(7, Rolling(60), is_shadow=True, on_loss=OnLoss.OPEN), NOW)
    assert (terms.is_shadow, terms.on_loss) == (True, OnLoss.OPEN)
