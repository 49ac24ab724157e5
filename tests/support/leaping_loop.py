"""An event loop on made-up time: when all wait, it leaps to the moment that is due next."""

import asyncio
import selectors
from typing import Any


class NobodyGoesOn(Exception):
    """All wait for one another: no timer runs, so nothing will ever happen."""


class LeapingLoop(asyncio.SelectorEventLoop):
    """For code that waits only for timers and for itself, never for sockets or threads. Minutes of timers
    take as long as their steps take to compute, and the same steps come in the same order every time.
    """

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now

    def leap(self, seconds: float | None) -> None:
        """Let time pass. Raises NobodyGoesOn where it would pass for ever."""
        if seconds is None:
            raise NobodyGoesOn("every task waits, and no timer runs")
        self._now += seconds


class _Leaping(selectors.DefaultSelector):
    """A selector that never blocks."""

    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        """What is ready; if nothing is, the timeout has passed."""
        ready = super().select(0)
        if not ready and timeout != 0:
            self._loop.leap(timeout)
        return ready
