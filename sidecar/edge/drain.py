"""How a sidecar takes leave of its callers.

Everybody is told at once: health and readiness say no and the gate refuses new calls. When callers have
turned away the listeners send GOAWAY and wait for the calls in flight.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from sidecar.edge.health import Health
from sidecar.edge.server import Listener, drain_all
from sidecar.pipeline.gate import Gate

_QUIET_S = 0.1
"""So long without a new call means that callers have turned away."""
_TURN_AWAY_S = 5.0
"""Callers that heed health or a refusal have turned away by then; the others get no more time."""
_LAST_WORDS_S = 1.0
"""For answers and statuses to leave when no call is worked on any more."""


class Drain:
    """The drain of all listeners together; calls in flight may take `limit_s`."""

    def __init__(self, gate: Gate, health: Health, limit_s: float) -> None:
        self._gate = gate
        self._health = health
        self._limit_s = limit_s

    def __repr__(self) -> str:
        return f"<Drain of {self._gate!r} within {self._limit_s} s>"

    def turn_away(self) -> None:
        """Take no new calls, and say so. Idempotent."""
        self._health.drain()
        self._gate.drain()

    async def run(self, listeners: Sequence[Listener], hurry: asyncio.Event) -> None:
        """Take no new calls; let those in flight finish, within the limit or until `hurry` is set; tell the
        rest that they are cut.
        """
        self.turn_away()
        async with asyncio.TaskGroup() as group:
            hurried = group.create_task(hurry.wait())
            leaving = group.create_task(self._leave(listeners))
            await asyncio.wait({hurried, leaving}, timeout=self._limit_s, return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            if not leaving.done():
                self._gate.cut()
                await drain_all(listeners, _LAST_WORDS_S)
                leaving.cancel()

    async def _leave(self, listeners: Sequence[Listener]) -> None:
        """Stop the listeners once callers have turned away; done when no call is left.

        A stopped listener kills calls that are just arriving with a bare CANCELLED, which nobody may repeat.
        As long as it runs they are refused by the gate, so that a proxy repeats them elsewhere. Only calls
        that the gate knows are waited for: a tool may hold a stream of reflection open for hours.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_TURN_AWAY_S):
                await self._gate.quiet(_QUIET_S)
        async with asyncio.TaskGroup() as group:
            group.create_task(drain_all(listeners, self._limit_s + _LAST_WORDS_S))
            await self._gate.idle()
            await drain_all(listeners, _LAST_WORDS_S)
