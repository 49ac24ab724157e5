"""The time as the emulator sees it: given from outside, in whole microseconds.

Decides what a point in time is. Quotas, expiry and the arrival log take their time from a `Clock`; scripted
waits are real. Microseconds are integers, so that sums and comparisons are exact.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

SECOND_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks: `mono_us` never goes back and has no meaning of its own, `wall_us` counts
    from 1970 in UTC."""

    mono_us: int
    wall_us: int


class Clock(Protocol):
    """Where the emulator takes its time from."""

    def now(self) -> Instant:
        """Return the present moment."""


class SystemClock:
    """The time of this machine."""

    def now(self) -> Instant:
        """Return the present moment."""
        return Instant(time.monotonic_ns() // 1000, time.time_ns() // 1000)


class ManualClock:
    """A clock for tests: stands still until it is told to advance. `start` must name its time zone."""

    def __init__(self, start: datetime) -> None:
        self._now = Instant(0, wall_us(start))

    def __repr__(self) -> str:
        return f"<ManualClock {rfc3339(self._now.wall_us)}>"

    def now(self) -> Instant:
        """Return the present moment."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks, rounded to the microsecond."""
        step_us = round(seconds * SECOND_US)
        self._now = Instant(self._now.mono_us + step_us, self._now.wall_us + step_us)


def wall_us(moment: datetime) -> int:
    """Return a moment with a time zone in microseconds since 1970; exact, unlike `timestamp()`."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def rfc3339(moment_us: int) -> str:
    """Return a wall time in the form of the API: `2026-11-22T23:15:27.000012Z`."""
    moment = _EPOCH + timedelta(microseconds=moment_us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> int:
    """Return the wall time that `text` names, in microseconds since 1970.

    Raises:
        ValueError: it is no moment, or names no time zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return wall_us(moment)
