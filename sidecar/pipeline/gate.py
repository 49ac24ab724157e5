"""How many calls are inside, and whether more may come in.

Shedding is decided before anything else is done for a call, so that an overloaded sidecar spends nothing on
what it refuses.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.core.errors import Draining, Overloaded


class Gate:
    """Counts calls in flight; refuses above the limit and while draining."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_flight = 0
        self._is_draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __repr__(self) -> str:
        return (
            f"<Gate {self._in_flight} of {self._limit} in flight{', draining' if self._is_draining else ''}>"
        )

    @property
    def in_flight(self) -> int:
        """Calls inside now."""
        return self._in_flight

    @property
    def is_draining(self) -> bool:
        """Whether new calls are refused for good."""
        return self._is_draining

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a place while the call runs. Raises Draining or Overloaded."""
        if self._is_draining:
            raise Draining("this sidecar is shutting down")
        if self._in_flight >= self._limit:
            raise Overloaded(
                f"this sidecar holds {self._limit} calls, as many as it may (listen.max_in_flight)"
            )
        self._in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    def drain(self) -> None:
        """Refuse new calls from now on."""
        self._is_draining = True

    async def wait_idle(self) -> None:
        """Wait until no call is inside."""
        await self._idle.wait()
