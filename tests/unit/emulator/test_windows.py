"""The arithmetic of quotas, at its edges."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sidecar.emulator.clock import wall_us
from sidecar.emulator.windows import DailyCount, RollingWindow, next_midnight_us

_PACIFIC = ZoneInfo("America/Los_Angeles")
_HOUR_US = 3600 * 10**6


def _pacific_us(*date: int) -> int:
    return wall_us(datetime(*date, tzinfo=_PACIFIC))


def test_an_amount_leaves_the_window_sharp_after_its_span():
    window = RollingWindow(limit=1, span_us=60)
    window.book(100, 1)
    assert window.wait_us(159, 1) == 1
    assert window.wait_us(160, 1) == 0


def test_the_wait_ends_when_enough_of_the_oldest_amounts_have_left():
    window = RollingWindow(limit=10, span_us=100)
    for moment, amount in [(0, 3), (10, 3), (20, 4)]:
        window.book(moment, amount)
    assert [window.wait_us(30, amount) for amount in (1, 3, 4, 6, 7, 10)] == [70, 70, 80, 80, 90, 90]


def test_what_never_fits_waits_a_whole_span():
    window = RollingWindow(limit=10, span_us=100)
    window.book(0, 1)
    assert window.wait_us(50, 11) == 100
    assert RollingWindow(limit=0, span_us=100).wait_us(50, 1) == 100


def test_more_than_the_limit_may_be_booked():
    window = RollingWindow(limit=10, span_us=100)
    window.book(0, 25)
    assert window.wait_us(40, 1) == 60
    assert window.used(99) == 25


def test_nothing_fits_into_a_full_window_but_nothing():
    window = RollingWindow(limit=1, span_us=100)
    window.book(0, 1)
    assert window.wait_us(0, 0) == 0


def test_a_moment_that_goes_back_counts_as_the_latest():
    window = RollingWindow(limit=2, span_us=100)
    window.book(50, 1)
    window.book(40, 1)
    assert window.used(149) == 2
    assert window.used(150) == 0


def test_memory_is_one_entry_for_each_moment():
    window = RollingWindow(limit=10**9, span_us=100)
    for _ in range(1000):
        window.book(7, 2)
    assert window.used(7) == 2000
    assert window.used(107) == 0


@pytest.mark.parametrize(
    ("date", "hours"),
    [((2026, 3, 8), 23), ((2026, 11, 1), 25), ((2026, 11, 22), 24), ((2026, 12, 31), 24)],
    ids=["spring-forward", "fall-back", "ordinary", "new-year"],
)
def test_a_day_lasts_from_midnight_to_midnight_in_los_angeles(date, hours):
    begin = _pacific_us(*date)
    assert next_midnight_us(begin) - begin == hours * _HOUR_US
    assert next_midnight_us(begin - 1) == begin
    assert next_midnight_us(begin + hours * _HOUR_US - 1) == begin + hours * _HOUR_US


def test_midnight_is_not_that_of_utc():
    evening = wall_us(datetime(2026, 11, 22, 23, 59, tzinfo=UTC))
    assert next_midnight_us(evening) == wall_us(datetime(2026, 11, 23, 8, tzinfo=UTC))


def test_a_day_begins_anew_at_midnight_sharp():
    midnight = _pacific_us(2026, 11, 1) + 25 * _HOUR_US
    count = DailyCount(limit=1)
    count.book(midnight - 1, 1)
    assert not count.fits(midnight - 1, 1)
    assert count.fits(midnight, 1)


def test_a_clock_that_is_set_back_over_midnight_does_not_begin_a_new_day():
    midnight = _pacific_us(2026, 11, 22)
    count = DailyCount(limit=1)
    count.book(midnight, 1)
    assert not count.fits(midnight - 1, 1)
    assert not count.fits(midnight + 1, 1)
