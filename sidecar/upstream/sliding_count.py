"""How much happened in the last seconds: a sliding count in bounded memory. Pure."""

from collections import deque

_SLOTS = 10
_NONE = [-(2**63), 0]
"""Older than any slot; never counted in."""


class SlidingCount:
    """Counts what happened within `window_s`, exact to a tenth of it: the oldest tenth leaves as a whole."""

    __slots__ = ("_newest", "_slot_s", "_slots", "_sum")

    def __init__(self, window_s: float) -> None:
        self._slot_s = window_s / _SLOTS
        self._slots: deque[list[int]] = deque()
        """Each with its number and its count; the newest is at hand as well."""
        self._newest = _NONE
        self._sum = 0

    def __repr__(self) -> str:
        return f"<SlidingCount {self._sum} in {self._slot_s * _SLOTS:g} s>"

    def add(self, now: float) -> None:
        """Something happened."""
        slot = int(now / self._slot_s)
        newest = self._newest
        if newest[0] < slot:
            newest = self._newest = [slot, 0]
            self._slots.append(newest)
            self._forget(slot)
        newest[1] += 1
        self._sum += 1

    def count(self, now: float) -> int:
        """How often it did."""
        self._forget(int(now / self._slot_s))
        return self._sum

    def clear(self) -> None:
        """Forget everything."""
        self._slots.clear()
        self._newest = _NONE
        self._sum = 0

    def _forget(self, slot: int) -> None:
        while self._slots and self._slots[0][0] <= slot - _SLOTS:
            self._sum -= self._slots.popleft()[1]
        if not self._slots:
            self._newest = _NONE
