"""What a sidecar may spend when the ledger cannot be asked and its lease has run out. Pure.

`share`: an even part of each limit, paced without any burst, for as long as the licence lasts. The ledger
sets exactly that aside for every holder that vanished without signing off, so the fleet stays within the
limit. `closed` lets nothing go, `open` everything. One closed limit closes its group: a request needs all of
them.
"""

from collections.abc import Sequence

from sidecar.core.quota import OnLoss
from sidecar.limits.message import Level, Terms

_PACED_AHEAD_MS = 250
"""A share accumulates for so long at most, or until it covers one request."""


class Licence:
    """The right to go on from `since` until `until` with `part` of each limit. Made anew for every outage."""

    def __init__(
        self, terms: Sequence[Terms], levels: Sequence[Level], part: float, since: float, until: float
    ) -> None:
        self._terms = terms
        self._until = until
        self._is_closed = any(limit.on_loss is OnLoss.CLOSED for limit in terms)
        self._shares = [part * (level.limit * level.permille // 1000) for level in levels]
        self._left = [
            part * max(0, level.limit * level.permille // 1000 - level.used - level.held) for level in levels
        ]
        self._paced = [0.0] * len(terms)
        self._paced_at = since

    def __repr__(self) -> str:
        return f"<Licence until {self._until:.0f}{', closed' if self._is_closed else ''}>"

    def covers(self, amounts: Sequence[int], flying: Sequence[int], now: float) -> bool:
        """Spend `amounts`, of every limit or of none, while so many calls of each flight limit run."""
        if self._is_closed or now >= self._until:
            return False
        self._refill(amounts, now)
        if not all(self._has(number, amount, flying) for number, amount in enumerate(amounts)):
            return False
        for number, amount in enumerate(amounts):
            (self._left if self._terms[number].calendar else self._paced)[number] -= amount
        return True

    def _has(self, number: int, amount: int, flying: Sequence[int]) -> bool:
        terms = self._terms[number]
        if terms.on_loss is OnLoss.OPEN or terms.is_shadow or not amount:
            return True
        if terms.is_flight:
            return flying[number] + amount <= self._shares[number]
        return (self._left if terms.calendar else self._paced)[number] >= amount

    def _refill(self, amounts: Sequence[int], now: float) -> None:
        passed, self._paced_at = max(0.0, now - self._paced_at), now
        for number, terms in enumerate(self._terms):
            if terms.window_ms:
                rate = self._shares[number] / terms.window_ms
                most = max(amounts[number], rate * _PACED_AHEAD_MS)
                self._paced[number] = min(most, self._paced[number] + rate * passed)
