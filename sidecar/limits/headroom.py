"""How much room a limit group has, for those who choose between groups before they reserve. Pure: time is
passed in, in milliseconds.

It is what the ledger said last, and what must have left the windows since if nobody spent. It reserves
nothing, so it may be wrong.
"""

import math
from collections.abc import Sequence

from sidecar.limits.message import Level, Terms
from sidecar.limits.meter import WHOLE


class Headroom:
    """The part of a group that is neither used nor held, of its scarcest limit."""

    __slots__ = ("_noted_at", "_part", "_window_ms")

    def __init__(self) -> None:
        self._part = 1.0
        self._noted_at = 0.0
        self._window_ms = math.inf

    def __repr__(self) -> str:
        return f"<Headroom {self._part:.3f}>"

    def note(self, terms: Sequence[Terms], levels: Sequence[Level], now: float) -> None:
        """The ledger told these levels."""
        self._part, self._noted_at = 1.0, now
        for term, level in zip(terms, levels, strict=True):
            granted = level.limit * level.permille // WHOLE
            left = max(0, granted - level.used - level.held)
            part = left / granted if granted else 0.0
            if part < self._part and not term.is_shadow:
                self._part = part
                self._window_ms = math.inf if term.calendar else term.window_ms

    def at(self, now: float) -> float:
        """From 0.0 for nothing to 1.0 for all."""
        left_ms = min(now - self._noted_at, self._window_ms)
        return self._part + (1.0 - self._part) * left_ms / self._window_ms
