"""Calendar periods of a time zone: when one began, when it ends, when the next one ends. Pure.

Daylight saving makes days of 23 and 25 hours and one hour that comes twice; bounds are instants, so each of
them is exact.
"""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

PACIFIC = "America/Los_Angeles"
"""Where Google's days begin. Source: ai.google.dev, "Rate limits": requests per day are counted anew at
midnight Pacific time.
"""


class Period(StrEnum):
    """A stretch of the calendar after which a limit is counted anew."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Bounds(NamedTuple):
    """A period and the end of the next one, as Unix timestamps in milliseconds."""

    start_ms: int
    end_ms: int
    next_end_ms: int


def bounds(period: Period, zone: str, now: datetime) -> Bounds:
    """The period that `now` (aware) lies in, as the calendar of `zone` has it."""
    if (
        period is Period.HOUR
    ):  # no zone shifts its clock by part of a quarter of an hour: hours are cut in UTC
        start = int(now.timestamp()) // 3600 * 3600
        return Bounds(start * 1000, (start + 3600) * 1000, (start + 7200) * 1000)
    tz = ZoneInfo(zone)
    first = now.astimezone(tz).date()
    if period is Period.MONTH:
        first = first.replace(day=1)
    second = _after(period, first)
    return Bounds(_midnight_ms(first, tz), _midnight_ms(second, tz), _midnight_ms(_after(period, second), tz))


def seconds_to_pacific_midnight(now: datetime) -> float:
    """Seconds from `now` (aware) until requests per day are counted anew; right also on the two days when
    clocks change.
    """
    return bounds(Period.DAY, PACIFIC, now).end_ms / 1000 - now.timestamp()


def _after(period: Period, first: date) -> date:
    """The first day of the period after the one that begins with `first`."""
    if period is Period.DAY:
        return first + timedelta(days=1)
    return (first + timedelta(days=31)).replace(day=1)


def _midnight_ms(day: date, tz: ZoneInfo) -> int:
    return round(datetime.combine(day, time(), tzinfo=tz).timestamp() * 1000)
