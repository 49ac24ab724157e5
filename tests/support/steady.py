"""Callers at a steady rate, who never wait for each other, and how each of their calls ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import facts, rpc

_OPEN_MAX = 256
"""A machine that cannot keep up makes fewer calls, rather than more and more that wait."""
_ASK = GenerateRequest(model=facts.MODEL, prompt="hi")


@dataclass(frozen=True, slots=True)
class Timed:
    """One call, with the event loop's times."""

    began: float
    ended: float
    end: rpc.Ended


@dataclass
class Load:
    """The calls so far."""

    calls: list[Timed] = field(default_factory=list)
    open: int = 0
    """Calls that have not ended."""

    @property
    def failed(self) -> list[Timed]:
        """Those that were not answered."""
        return [call for call in self.calls if call.end.code is not grpc.StatusCode.OK]

    async def ask(self, gemini: Any) -> None:
        """Make one call."""
        now = asyncio.get_running_loop().time
        began = now()
        self.open += 1
        end = await rpc.ask(gemini, "Generate", _ASK)
        self.open -= 1
        self.calls.append(Timed(began, now(), end))


@asynccontextmanager
async def load(gemini: Any, per_second: int) -> AsyncIterator[Load]:
    """Calls while the block runs; all have ended when it is left."""
    made = Load()
    async with asyncio.TaskGroup() as calls:
        calling = calls.create_task(_call(calls, made, gemini, 1 / per_second))
        yield made
        calling.cancel()


async def _call(calls: asyncio.TaskGroup, made: Load, gemini: Any, gap_s: float) -> None:
    now = asyncio.get_running_loop().time
    due = now()
    while True:
        if made.open < _OPEN_MAX:
            calls.create_task(made.ask(gemini))
        due += gap_s
        await asyncio.sleep(max(0.0, due - now()))
