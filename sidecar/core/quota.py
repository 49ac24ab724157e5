"""Google's quota calendar."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def seconds_to_pacific_midnight(now: datetime) -> float:
    """Seconds from `now` (aware) until requests per day are counted anew; right also on the two days when
    clocks change.

    Source: ai.google.dev, "Rate limits": daily quotas reset at midnight Pacific time.
    """
    pacific = ZoneInfo("America/Los_Angeles")
    tomorrow = now.astimezone(pacific).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=pacific).timestamp() - now.timestamp()
