"""What a sidecar may spend when the ledger cannot be asked and its lease has run out. Pure.

`share`: an even part of each limit, paced without any burst, for as long as the licence lasts. The ledger
sets exactly that aside for every holder that vanished without signing off, so the fleet stays within the
limit. When it is the ledger that vanished, what was spent before still counts for one window: so long nobody
spends more in a window than in the last one that the ledger saw, but for an even part of what that left.

`closed` lets nothing go, `open` everything. One closed limit closes its group: a request needs all of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sidecar.core.quota import OnLoss
from sidecar.limits.message import Level, Terms

LICENCE_MS = 300_000
SHARE = 0.9
"""Of a limit, what the fleet may spend on licences."""
_PACED_AHEAD_MS = 250
"""A share accumulates for so long at most, or until it covers one request."""


class Heard(NamedTuple):
    """What was known when the ledger was last heard."""

    at: float
    levels: Sequence[Level]
    own: Sequence[int]
    """What this sidecar itself had used in the window of each limit."""
    holders: int


def is_closed(terms: Sequence[Terms]) -> bool:
    """Whether a group with these limits lets nothing go without its ledger."""
    return any(limit.on_loss is OnLoss.CLOSED and not limit.is_shadow for limit in terms)


def is_open(terms: Sequence[Terms]) -> bool:
    """Whether a group with these limits lets everything go without its ledger, for however long."""
    return all(limit.on_loss is OnLoss.OPEN or limit.is_shadow for limit in terms)


class Licence:
    """The right to go on from `since`, for `LICENCE_MS`. Made anew for every outage."""

    def __init__(self, terms: Sequence[Terms], heard: Heard, since: float) -> None:
        self._terms = terms
        self._until = since + LICENCE_MS
        self._is_closed = is_closed(terms)
        self._heard_at = heard.at
        part = SHARE / max(1, heard.holders)
        granted = [level.limit * level.permille // 1000 for level in heard.levels]
        left = [
            part * max(0, limit - level.used - level.held)
            for limit, level in zip(granted, heard.levels, strict=True)
        ]
        self._shares = [part * limit for limit in granted]
        self._left = left
        self._most = [own + more for own, more in zip(heard.own, left, strict=True)]
        self._paced = [0.0] * len(terms)
        self._paced_at = since

    def __repr__(self) -> str:
        return f"<Licence until {self._until:.0f}{', closed' if self._is_closed else ''}>"

    def covers(self, amounts: Sequence[int], own: Sequence[int], now: float) -> bool:
        """Spend `amounts`, of every limit or of none. `own` is what this sidecar uses already: in the window
        that ends now, or of a flight limit the calls that run.
        """
        if self._is_closed or now >= self._until:
            return False
        self._refill(amounts, now)
        if not all(self._has(number, amount, own[number], now) for number, amount in enumerate(amounts)):
            return False
        for number, amount in enumerate(amounts):
            (self._left if self._terms[number].calendar else self._paced)[number] -= amount
        return True

    def _has(self, number: int, amount: int, own: int, now: float) -> bool:
        terms = self._terms[number]
        if terms.on_loss is not OnLoss.SHARE or terms.is_shadow or not amount:
            return True
        if terms.is_flight:
            return own + amount <= self._shares[number]
        if terms.calendar:
            return self._left[number] >= amount
        is_past = now - self._heard_at >= terms.window_ms + terms.slack_ms
        return self._paced[number] >= amount and (is_past or own + amount <= self._most[number])

    def _refill(self, amounts: Sequence[int], now: float) -> None:
        passed, self._paced_at = max(0.0, now - self._paced_at), now
        for number, terms in enumerate(self._terms):
            if terms.window_ms:
                rate = self._shares[number] / terms.window_ms
                most = max(amounts[number], rate * _PACED_AHEAD_MS)
                self._paced[number] = min(most, self._paced[number] + rate * passed)
