"""Moments, exact to the microsecond."""

from datetime import UTC, datetime

import pytest

from sidecar.emulator.clock import ManualClock, SystemClock, parse_rfc3339, rfc3339, wall_us


@pytest.mark.parametrize("text", ["2026-11-22T23:15:27.000012Z", "1970-01-01T00:00:00.000000Z"])
def test_a_moment_survives_being_written_and_read(text):
    assert rfc3339(parse_rfc3339(text)) == text


def test_a_moment_may_have_an_offset_but_not_none():
    assert parse_rfc3339("2026-11-22T16:00:00-08:00") == wall_us(datetime(2026, 11, 23, tzinfo=UTC))
    with pytest.raises(ValueError, match="time zone"):
        parse_rfc3339("2026-11-22T16:00:00")


def test_a_manual_clock_stands_still_until_it_is_told_to_advance():
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    before = clock.now()
    clock.advance(1.5)
    assert clock.now().mono_us - before.mono_us == clock.now().wall_us - before.wall_us == 1_500_000
    assert repr(clock) == "<ManualClock 2026-11-22T00:00:01.500000Z>"


def test_the_system_clock_does_not_go_back():
    clock = SystemClock()
    assert clock.now().mono_us <= clock.now().mono_us
