"""The arithmetic of quotas: amounts within a rolling window, and counts within a Pacific day.

Decides what is used at a moment, whether more would fit, and when it will. Pure: moments are integers in
microseconds and come from the caller; so do limits.

Theory of operation. A rolling window of span S at moment t holds every amount booked at u with
t - S < u <= t. It is exact, not made of buckets: amounts are kept one by one until they leave, so the sum is
right at every position of the window. An amount that is booked at u leaves at u + S sharp. When something
fits again follows from walking the amounts from the oldest on.

A day lasts from midnight to midnight in America/Los_Angeles; the day on which clocks change has 23 or 25
hours.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sidecar.emulator.clock import wall_us

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PACIFIC = "America/Los_Angeles"


class RollingWindow:
    """Amounts of the last `span_us` microseconds, against a limit.

    Moments should not go back; an earlier one counts as the latest seen. Memory grows with the number of
    moments booked within one span.
    """

    def __init__(self, limit: int, span_us: int) -> None:
        self._limit = limit
        self._span_us = span_us
        self._booked: deque[tuple[int, int]] = deque()
        self._sum = 0
        self._latest_us = 0

    def __repr__(self) -> str:
        return f"<RollingWindow {self._sum} of {self._limit} in {self._span_us} us>"

    def used(self, now_us: int) -> int:
        """Return the sum of the window that ends now."""
        self._latest_us = max(self._latest_us, now_us)
        left_us = self._latest_us - self._span_us
        booked = self._booked
        while booked and booked[0][0] <= left_us:
            self._sum -= booked.popleft()[1]
        return self._sum

    def wait_us(self, now_us: int, amount: int) -> int:
        """Return how long to wait until `amount` fits, if nothing else is booked meanwhile; 0 if it fits now.

        An amount above the limit never fits: the answer is a whole span then.
        """
        excess = self.used(now_us) + amount - self._limit
        if excess <= 0:
            return 0
        for booked_us, booked in self._booked:
            excess -= booked
            if excess <= 0:
                return booked_us + self._span_us - self._latest_us
        return self._span_us

    def book(self, now_us: int, amount: int) -> None:
        """Add `amount` at this moment, whether or not it fits."""
        self.used(now_us)
        if not amount:
            return
        self._sum += amount
        if self._booked and self._booked[-1][0] == self._latest_us:
            amount += self._booked.pop()[1]
        self._booked.append((self._latest_us, amount))


class DailyCount:
    """A count against a limit that begins anew at midnight Pacific time.

    A clock that is set back does not begin a new day.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._ends_us = 0

    def __repr__(self) -> str:
        return f"<DailyCount {self._count} of {self._limit}>"

    def fits(self, now_us: int, amount: int) -> bool:
        """Whether `amount` fits today; `now_us` is wall time."""
        self._turn(now_us)
        return self._count + amount <= self._limit

    def book(self, now_us: int, amount: int) -> None:
        """Add `amount` to the day of this moment, whether or not it fits."""
        self._turn(now_us)
        self._count += amount

    def _turn(self, now_us: int) -> None:
        if now_us >= self._ends_us:
            self._count = 0
            self._ends_us = next_midnight_us(now_us)


def next_midnight_us(now_us: int) -> int:
    """Return the first midnight in Los Angeles after `now_us`, both as wall time."""
    # The zone is that of a date's midnight: adding 24 hours would be wrong on the days when clocks change.
    zone = ZoneInfo(_PACIFIC)
    today = (_EPOCH + timedelta(microseconds=now_us)).astimezone(zone).date()
    tomorrow = today + timedelta(days=1)
    return wall_us(datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone))
