"""Limits of the Policy in the terms of the ledger. Pure."""

from datetime import datetime

from sidecar.core.calendar import bounds
from sidecar.core.quota import Calendar, InFlight, Limit, Rolling
from sidecar.limits.message import Terms

BUCKET_LEAST_MS = 250
_BUCKETS = 240
SLACK_MS = 250
"""How long a request may take from the first byte sent to its arrival upstream."""
_CALENDAR_SLACK_MS = 2_000
"""How far the upstream's midnight and ours may be apart."""
_FLIGHT_WINDOW_MS = 60_000
"""For how long the calls of a holder that vanished count as running."""
_BURST_LEAST = 5
"""A limit may always be spent in bursts of so many, or pacing would make tiny limits useless."""


def terms_of(limit: Limit, wall: datetime) -> Terms:
    """`limit` as the ledger needs to know it at `wall` (aware); the same Policy makes the same terms."""
    amount = burst = limit.amount
    window_ms, slack_ms = 0, SLACK_MS
    calendar: tuple[int, ...] = ()
    if isinstance(limit.window, Rolling):
        window_ms = limit.window.seconds * 1000
        burst = max(min(amount, _BURST_LEAST), int(amount * limit.burst))
    elif isinstance(limit.window, InFlight):
        window_ms = _FLIGHT_WINDOW_MS
    else:
        calendar, slack_ms = _calendar(limit.window, wall), _CALENDAR_SLACK_MS
    return Terms(
        name=limit.name,
        amount=amount,
        window_ms=window_ms,
        bucket_ms=max(BUCKET_LEAST_MS, window_ms // _BUCKETS),
        slack_ms=slack_ms,
        burst=burst,
        is_flight=isinstance(limit.window, InFlight),
        is_shadow=limit.is_shadow,
        on_loss=limit.on_loss,
        calendar=calendar,
    )


def _calendar(window: Calendar, wall: datetime) -> tuple[int, ...]:
    return tuple(bounds(window.period, window.zone, wall))
