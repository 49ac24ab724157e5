"""QuotaService over gRPC: shows where limits stand. Decides only when a watcher is told.

A watch ends as soon as the sidecar drains: its limits are then of no more interest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from google.protobuf.descriptor import ServiceDescriptor

from sidecar.core.errors import Draining
from sidecar.core.levels import GroupState
from sidecar.edge.asked import QUIET_S, Watches, begun, interval_s, read
from sidecar.edge.context import Context
from sidecar.edge.guard import Guard
from sidecar.edge.levels import group_message
from sidecar.edge.refusal import refuse
from sidecar.edge.writer import Writer
from sidecar.v1 import quota_service_pb2
from sidecar.v1.quota_pb2 import (
    GetQuotaRequest,
    GetQuotaResponse,
    LimitGroup,
    WatchQuotaRequest,
    WatchQuotaResponse,
)
from sidecar.v1.quota_service_pb2_grpc import QuotaServiceServicer

_WRITE_AT_ONCE = 64
"""Groups; each takes some 30 µs, and calls go first."""

States = Callable[[Sequence[str]], Awaitable[Sequence[GroupState]]]
"""Where the groups stand whose names begin with one of these."""


class QuotaService(QuotaServiceServicer):
    """The service as one listener serves it. `draining` returns when the sidecar begins to drain."""

    DESCRIPTOR: ClassVar[ServiceDescriptor] = quota_service_pb2.DESCRIPTOR.services_by_name["QuotaService"]

    def __init__(self, states: States, draining: Callable[[], Awaitable[None]], guard: Guard) -> None:
        self._states = states
        self._draining = draining
        self._guard = guard
        self._watches = Watches("ask GetQuota now and then")

    def __repr__(self) -> str:
        return f"<QuotaService at {self._guard.listener}, {self._watches!r}>"

    async def GetQuota(self, request: bytes, context: Context) -> GetQuotaResponse:
        """Where limits stand now."""
        name = begun(context)
        try:
            await self._guard.admit(context, "QuotaService/GetQuota", name)
            prefixes = read(GetQuotaRequest, request).group_prefixes or ("",)
            return GetQuotaResponse(groups=await _messages(await self._states(prefixes)))
        except Exception as error:
            await refuse(context, error, name, was_sent=False)

    async def WatchQuota(self, request: bytes, context: Context) -> None:
        """Where limits stand, whenever that changes."""
        name, writer = begun(context), Writer(context)
        try:
            await self._guard.admit(context, "QuotaService/WatchQuota", name)
            asked = read(WatchQuotaRequest, request)
            every_s = interval_s(asked.interval if asked.HasField("interval") else None)
            with self._watches.one_more():
                await self._watch(asked.group_prefixes or ("",), every_s, writer)
        except Exception as error:
            await writer.ready_to_end()
            await refuse(context, error, name, was_sent=False)

    async def _watch(self, prefixes: Sequence[str], every_s: float, writer: Writer) -> None:
        told, now = Told(), asyncio.get_running_loop().time
        while True:
            states = await self._states(prefixes)
            if told.is_news(states, now()):
                await writer.write(WatchQuotaResponse(groups=await _messages(states)))
            if await self._drains_within(every_s):
                raise Draining("this sidecar is shutting down")

    async def _drains_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._draining()
        except TimeoutError:
            return False
        return True


class Told:
    """What a watcher has heard. Pure: time is passed in, in seconds."""

    def __init__(self) -> None:
        self._states: list[GroupState] | None = None
        self._at = 0.0

    def __repr__(self) -> str:
        return f"<Told {'nothing' if self._states is None else f'of {len(self._states)} groups'}>"

    def is_news(self, states: Sequence[GroupState], now: float) -> bool:
        """Whether to tell a watcher of these states now; if so, it counts as told."""
        lasting = [state.lasting for state in states]
        if lasting == self._states and now < self._at + QUIET_S:
            return False
        self._states, self._at = lasting, now
        return True


async def _messages(states: Sequence[GroupState]) -> list[LimitGroup]:
    messages = []
    for state in states:
        messages.append(group_message(state))
        if len(messages) % _WRITE_AT_ONCE == 0:
            await asyncio.sleep(0)
    return messages
