"""The one timer of an exchange: it bounds the wait that is on, and all of them together.

Setting a timer for every wait would cost more than most waits do. So the timer is not moved when a wait
begins or ends: all that is noted is until when the wait may last. The timer looks at that note whenever it
fires, at the latest after the shortest time that any wait may be given, and so never comes late:

    a wait begins at `t` and may last `s` seconds; the timer was last set before `t`, to fire within
    `shortest_s <= s`; so it fires before `t + s`, finds the note, and sets itself to the end of the wait.

Waits that follow each other can be bounded together as well, by `narrow`, until `widen`.

What it ends is the task that made it.
"""

import asyncio
from typing import TypeAlias

from sidecar.core.alarm import Alarm

_Bound: TypeAlias = tuple[float, str, str]
"""Seconds, what was waited for, and the setting that says so."""


class Watch:
    """Bounds what the running task does from now on. Stop it in the same task."""

    def __init__(self, total_s: float, shortest_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm()
        self._shortest_s = min(shortest_s, total_s)
        self._end = self._until = self._total_end = self._loop.time() + total_s
        self._total_s = total_s
        self._stage: _Bound | None = None
        self._bound: _Bound | None = None
        self._timer = self._loop.call_later(self._shortest_s, self._look)

    def __repr__(self) -> str:
        return f"<Watch with {self._alarm!r}: {self.reason}>"

    @property
    def reason(self) -> str:
        """Which bound comes next; after the expiry, which one it was."""
        if self._bound is None:
            return f"not done within {self._total_s:g} s (total_timeout)"
        seconds, wait, setting = self._bound
        return f"waited {seconds:g} s for {wait} ({setting})"

    def bound(self, seconds: float, wait: str, setting: str) -> None:
        """A wait begins that may last `seconds`, which is no less than the shortest promised."""
        until = self._loop.time() + seconds
        if until < self._end:
            self._until, self._bound = until, (seconds, wait, setting)

    def unbound(self) -> None:
        """The wait is over; only what was bounded before it is bounded until the next."""
        self._until, self._bound = self._end, self._stage

    def narrow(self, seconds: float, wait: str, setting: str) -> None:
        """All waits from now on may last `seconds` together, no less than the shortest promised."""
        end = self._loop.time() + seconds
        if end < self._total_end:
            self._end, self._stage = end, (seconds, wait, setting)
            self.unbound()

    def widen(self) -> None:
        """What `narrow` bounded is done; only the whole is bounded. To be told between waits."""
        self._end, self._stage = self._total_end, None
        self.unbound()

    def stop(self, error: BaseException | None) -> bool:
        """End the watch; whether it caused `error`, which ends what it watched."""
        self._timer.cancel()
        return self._alarm.caused(error)

    def _look(self) -> None:
        now = self._loop.time()
        if now < self._until:
            self._timer = self._loop.call_at(min(self._until, now + self._shortest_s), self._look)
        else:
            self._alarm.ring()
