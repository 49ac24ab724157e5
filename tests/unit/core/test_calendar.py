from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.calendar import PACIFIC, Period, bounds

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from([PACIFIC, "UTC", "Asia/Kolkata", "Pacific/Apia", "Europe/Berlin"])


def pacific(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(PACIFIC))
    return round(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "hours", "next_hours"),
    [("2026-03-08T20:00", 23, 24), ("2026-11-01T20:00", 25, 24), ("2026-03-07T12:00", 24, 23)],
    ids=["clocks-go-forward", "clocks-go-back", "the-day-before"],
)
def test_a_day_is_as_long_as_the_zone_makes_it(now: str, hours: int, next_hours: int) -> None:
    day = bounds(Period.DAY, PACIFIC, datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(PACIFIC)))
    assert day.end_ms - day.start_ms == hours * 3_600_000
    assert day.next_end_ms - day.end_ms == next_hours * 3_600_000


def test_a_month_ends_where_the_next_begins_also_in_december() -> None:
    now = datetime(2026, 12, 31, 12, tzinfo=ZoneInfo(PACIFIC))
    month = bounds(Period.MONTH, PACIFIC, now)
    assert month == (pacific("2026-12-01"), pacific("2027-01-01"), pacific("2027-02-01"))


@given(now=MOMENTS, zone=ZONES, period=st.sampled_from(Period))
def test_now_lies_within_its_period_and_periods_follow_each_other(
    now: datetime, zone: str, period: Period
) -> None:
    found = bounds(period, zone, now)
    assert found.start_ms <= now.timestamp() * 1000 < found.end_ms < found.next_end_ms
    after = bounds(period, zone, datetime.fromtimestamp(found.end_ms / 1000, UTC))
    assert (after.start_ms, after.end_ms) == (found.end_ms, found.next_end_ms)
    before = bounds(period, zone, datetime.fromtimestamp(found.start_ms / 1000, UTC) - timedelta(seconds=1))
    assert before.end_ms == found.start_ms
