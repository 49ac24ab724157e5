"""QuotaService over gRPC: shows where limits stand. Decides only when a watcher is told.

No call of it takes a place at the gate, so that a sidecar that sheds calls can still be looked into; watchers
are bounded apart. A watch ends as soon as the sidecar drains: its limits are then of no more interest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from sidecar.core.errors import Draining, FieldViolation, InvalidRequest, Overloaded
from sidecar.core.levels import GroupState
from sidecar.edge.context import REQUEST_ID, Context, request_id
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

WATCHES_MAX = 16
"""Watches at once; each looks at every group again and again."""
_INTERVAL_S, _INTERVAL_LEAST_S, _INTERVAL_MOST_S = 1.0, 0.1, 3600.0
_QUIET_S = 10.0
"""A watcher hears so often that nothing has changed."""
_WRITE_AT_ONCE = 64
"""Groups; each takes some 30 µs, and calls go first."""

States = Callable[[Sequence[str]], Awaitable[Sequence[GroupState]]]
"""Where the groups stand whose names begin with one of these."""
Asked = TypeVar("Asked", bound=Message)


class QuotaService(QuotaServiceServicer):
    """The service on every listener. `draining` returns when the sidecar begins to drain."""

    DESCRIPTOR: ClassVar[ServiceDescriptor] = quota_service_pb2.DESCRIPTOR.services_by_name["QuotaService"]

    def __init__(self, states: States, draining: Callable[[], Awaitable[None]]) -> None:
        self._states = states
        self._draining = draining
        self._watches = 0

    def __repr__(self) -> str:
        return f"<QuotaService with {self._watches} watches>"

    async def GetQuota(self, request: bytes, context: Context) -> GetQuotaResponse:
        """Where limits stand now."""
        name = _begun(context)
        try:
            prefixes = _read(GetQuotaRequest, request).group_prefixes or ("",)
            return GetQuotaResponse(groups=await _messages(await self._states(prefixes)))
        except Exception as error:
            await refuse(context, error, name, was_sent=False)

    async def WatchQuota(self, request: bytes, context: Context) -> None:
        """Where limits stand, whenever that changes."""
        name, writer = _begun(context), Writer(context)
        try:
            asked = _read(WatchQuotaRequest, request)
            with self._watching():
                await self._watch(asked.group_prefixes or ("",), _interval_s(asked), writer)
        except Exception as error:
            await writer.ready_to_end()
            await refuse(context, error, name, was_sent=False)

    async def _watch(self, prefixes: Sequence[str], interval_s: float, writer: Writer) -> None:
        told, now = Told(), asyncio.get_running_loop().time
        while True:
            states = await self._states(prefixes)
            if told.is_news(states, now()):
                await writer.write(WatchQuotaResponse(groups=await _messages(states)))
            if await self._drains_within(interval_s):
                raise Draining("this sidecar is shutting down")

    async def _drains_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._draining()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def _watching(self) -> Iterator[None]:
        if self._watches >= WATCHES_MAX:
            raise Overloaded(f"{WATCHES_MAX} watch already, as many as may: ask GetQuota now and then")
        self._watches += 1
        try:
            yield
        finally:
            self._watches -= 1


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
        if lasting == self._states and now < self._at + _QUIET_S:
            return False
        self._states, self._at = lasting, now
        return True


def _begun(context: Context) -> str:
    """The request id of a call that begins."""
    name = request_id(context)
    context.set_trailing_metadata(((REQUEST_ID, name),))
    return name


def _read(kind: type[Asked], raw: bytes) -> Asked:
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise InvalidRequest(FieldViolation("request", f"is no protobuf message: {error}")) from None


def _interval_s(asked: WatchQuotaRequest) -> float:
    if not asked.HasField("interval"):
        return _INTERVAL_S
    seconds = asked.interval.seconds + asked.interval.nanos / 1e9
    if not _INTERVAL_LEAST_S <= seconds <= _INTERVAL_MOST_S:
        raise InvalidRequest(FieldViolation("interval", "is out of range: take 100 ms to 1 h"))
    return seconds


async def _messages(states: Sequence[GroupState]) -> list[LimitGroup]:
    messages = []
    for state in states:
        messages.append(group_message(state))
        if len(messages) % _WRITE_AT_ONCE == 0:
            await asyncio.sleep(0)
    return messages
