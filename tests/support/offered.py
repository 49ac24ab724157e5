"""A load that comes as it comes: so many calls a second, whether or not those before have ended.

Answers take a tenth of a second, so that there are always calls in flight: who is asked depends on that.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import grpc

from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support.rpc import Ended, ask

MODEL = "gemini-3.8-flash"


@dataclass(frozen=True, slots=True)
class Served:
    """One call: when it began on the event loop's clock, how long it took, how it ended."""

    began: float
    duration_s: float
    ended: Ended

    @property
    def is_good(self) -> bool:
        """Whether it was answered."""
        return self.ended.code is grpc.StatusCode.OK


@dataclass
class Load:
    """Calls at an even rate from entering until leaving; leaving waits for the last of them."""

    gemini: Any
    per_s: float
    deadline_s: float
    prompt: str = "hello [[emulate: words=5 latency=100ms]]"
    calls: list[Served] = field(default_factory=list)

    async def __aenter__(self) -> "Load":
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._offering = self._group.create_task(self._offer())
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._offering.cancel()
        await self._group.__aexit__(*error)

    def good(self, since: float, until: float) -> int:
        """Calls that began in that time and were answered."""
        return sum(call.is_good for call in self.calls if since <= call.began < until)

    async def _offer(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._group.create_task(self._call())
            due += 1 / self.per_s
            await asyncio.sleep(due - loop.time())  # late ones follow at once: the rate is kept

    async def _call(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        request = GenerateRequest(model=MODEL, prompt=self.prompt)
        ended = await ask(self.gemini, "Generate", request, timeout_s=self.deadline_s)
        self.calls.append(Served(began, loop.time() - began, ended))
