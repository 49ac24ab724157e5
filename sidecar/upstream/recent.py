"""How much happened in the last seconds: a sliding count in bounded memory. Pure."""

from collections import deque

_SLOTS = 10


class Recent:
    """Counts what happened within `window_s`, exact to a tenth of it: the oldest tenth leaves as a whole."""

    __slots__ = ("_slot_s", "_slots", "_sum")

    def __init__(self, window_s: float) -> None:
        self._slot_s = window_s / _SLOTS
        self._slots: deque[list[int]] = deque()
        self._sum = 0

    def __repr__(self) -> str:
        return f"<Recent {self._sum} in {self._slot_s * _SLOTS:g} s>"

    def add(self, now: float) -> None:
        """Something happened."""
        slot = int(now / self._slot_s)
        if not self._slots or self._slots[-1][0] < slot:
            self._slots.append([slot, 0])
            self._forget(slot)
        self._slots[-1][1] += 1
        self._sum += 1

    def count(self, now: float) -> int:
        """How often it did."""
        self._forget(int(now / self._slot_s))
        return self._sum

    def clear(self) -> None:
        """Forget everything."""
        self._slots.clear()
        self._sum = 0

    def _forget(self, slot: int) -> None:
        while self._slots and self._slots[0][0] <= slot - _SLOTS:
            self._sum -= self._slots.popleft()[1]
