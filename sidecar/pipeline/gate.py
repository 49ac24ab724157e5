"""How many calls are inside, and whether more may come in.

Shedding is decided before anything else is done for a call, so that an overloaded sidecar spends nothing on
what it refuses. The gate also ends what is inside, when draining lasts too long: from within, so that each
call still gets a status of ours.
"""

import asyncio
from contextlib import suppress
from types import TracebackType

from sidecar.core.alarm import Alarm
from sidecar.core.errors import Draining, Overloaded


class Gate:
    """Counts calls in flight; refuses above the limit and while draining."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside: set[Alarm] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._asked = 0
        self._draining = asyncio.Event()

    def __repr__(self) -> str:
        state = ", draining" if self.is_draining else ""
        return f"<Gate {self.in_flight} of {self._limit} in flight{state}>"

    @property
    def in_flight(self) -> int:
        """Calls inside now."""
        return len(self._inside)

    @property
    def is_draining(self) -> bool:
        """Whether new calls are refused for good."""
        return self._draining.is_set()

    def slot(self) -> "_Slot":
        """Hold a place while the call runs: a context manager of the running task.

        Entering it raises Draining or Overloaded; leaving it raises Draining when `cut` ended the call.
        """
        return _Slot(self)

    def enter(self) -> Alarm:
        """Take a place. Raises Draining or Overloaded."""
        self._asked += 1
        if self.is_draining:
            raise Draining("this sidecar is shutting down")
        if len(self._inside) >= self._limit:
            raise Overloaded(
                f"this sidecar holds {self._limit} calls, as many as it may (listen.max_in_flight)"
            )
        if not self._inside:
            self._idle.clear()
        alarm = Alarm()
        self._inside.add(alarm)
        return alarm

    def leave(self, alarm: Alarm) -> None:
        """Give the place back."""
        self._inside.discard(alarm)
        if not self._inside:
            self._idle.set()

    def drain(self) -> None:
        """Refuse new calls from now on."""
        self._draining.set()

    async def pause(self, pause_s: float) -> bool:
        """Wait for `pause_s`; False at once when draining begins or has begun: nobody should wait then."""
        if not self.is_draining:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._draining.wait()
        return not self.is_draining

    async def quiet(self, pause_s: float) -> None:
        """Wait until nobody has asked for a place for `pause_s`."""
        asked = -1
        while asked != self._asked:
            asked = self._asked
            await asyncio.sleep(pause_s)

    async def idle(self) -> None:
        """Wait until no call is inside."""
        await self._idle.wait()

    def cut(self) -> None:
        """End every call inside. May be repeated."""
        for call in self._inside:
            call.ring()


class _Slot:
    """One place in the gate, held by the task that enters it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __enter__(self) -> None:
        self._alarm = self._gate.enter()

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._gate.leave(self._alarm)
        if self._alarm.caused(error):
            raise Draining("this sidecar is shutting down and can wait for the answer no longer") from None
