"""GeminiService over gRPC: the one wrapper around the pipeline.

Every RPC goes the same way: the call arrives, its books are opened, its body is read, the pipeline answers,
the books are closed, and whatever went wrong becomes a status. Handlers are plain coroutines that write their
messages: an async generator would be left hanging at its `yield` when the caller goes away. CancelledError is
never caught: swallowing it leaks native memory in grpc.aio.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import ClassVar, NoReturn

from google.protobuf.descriptor import ServiceDescriptor

from sidecar.core.call import Call, Method
from sidecar.core.outcome import Reply
from sidecar.core.policy import Policy
from sidecar.core.ports import Observer
from sidecar.edge import report
from sidecar.edge.context import REQUEST_ID, Arrivals, Context
from sidecar.edge.convert import Face, ReplyMessage
from sidecar.edge.refusal import refuse
from sidecar.edge.writer import Writer
from sidecar.pipeline.generate import generate
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages
from sidecar.pipeline.stream import stream
from sidecar.upstream.judge import is_last_word
from sidecar.v1 import gemini_service_pb2
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceServicer


class GeminiService(GeminiServiceServicer):
    """The service as one listener serves it. Takes requests as they are on the wire: a message that cannot be
    read is refused like any other bad request, where grpc itself would answer UNKNOWN.
    """

    DESCRIPTOR: ClassVar[ServiceDescriptor] = gemini_service_pb2.DESCRIPTOR.services_by_name["GeminiService"]

    def __init__(
        self,
        arrivals: Arrivals,
        faces: Mapping[Method, Face],
        stages: Stages,
        policy: Callable[[], Policy],
        observer: Observer,
    ) -> None:
        self._arrivals = arrivals
        self._faces = faces
        self._stages = stages
        self._policy = policy
        self._observer = observer

    async def Generate(self, request: bytes, context: Context) -> ReplyMessage:
        """One answer to one request."""
        return await self._answered(Method.GENERATE, request, context)

    async def StreamGenerate(self, request: bytes, context: Context) -> None:
        """The answer in chunks, as the model makes them."""
        journal = self._opened(Method.STREAM_GENERATE, context)
        face = self._faces[Method.STREAM_GENERATE]
        writer = Writer(context)

        async def emit(chunk: Reply) -> None:
            message = await face.write_reply(chunk) if chunk.is_large else face.write_small(chunk)
            if not journal.chunks:  # no attempt follows the first chunk, so the report is complete
                report.fill(message.call, journal, chunk.service_tier)
            if is_last_word(chunk.json):
                report.fill_cost(message.call, journal)
            await writer.write(message)

        try:
            with journal:
                await stream(partial(self._read, request, journal), self._stages, journal, emit)
        except Exception as error:
            await writer.ready_to_end()
            await _refuse(context, error, journal)

    async def CountTokens(self, request: bytes, context: Context) -> ReplyMessage:
        """How many tokens a request has."""
        return await self._answered(Method.COUNT_TOKENS, request, context)

    async def EmbedContent(self, request: bytes, context: Context) -> ReplyMessage:
        """One vector for each content."""
        return await self._answered(Method.EMBED_CONTENT, request, context)

    async def ListModels(self, request: bytes, context: Context) -> ReplyMessage:
        """A page of the models upstream has."""
        return await self._answered(Method.LIST_MODELS, request, context)

    async def GetModel(self, request: bytes, context: Context) -> ReplyMessage:
        """One model as upstream describes it."""
        return await self._answered(Method.GET_MODEL, request, context)

    async def _answered(self, method: Method, request: bytes, context: Context) -> ReplyMessage:
        journal = self._opened(method, context)
        try:
            with journal:
                reply = await generate(partial(self._read, request, journal), self._stages, journal)
                message = await self._faces[method].write_reply(reply)
                report.fill(message.call, journal, reply.service_tier)
                report.fill_cost(message.call, journal)
                return message
        except Exception as error:
            await _refuse(context, error, journal)

    def _opened(self, method: Method, context: Context) -> Journal:
        arrival = self._arrivals.arrive(method, context)
        context.set_trailing_metadata(((REQUEST_ID, arrival.request_id),))
        return Journal(arrival, self._observer, time.perf_counter, _today)

    async def _read(self, request: bytes, journal: Journal) -> Call:
        asked = await self._faces[journal.arrival.method].read_request(request)
        journal.model = asked.model
        model, body, allow_fallback, project = asked
        return Call(journal.arrival, model, body, self._policy(), allow_fallback, project)


def _today() -> date:
    return datetime.now(UTC).date()


async def _refuse(context: Context, error: Exception, journal: Journal) -> NoReturn:
    request_id, was_sent = journal.arrival.request_id, journal.was_sent
    await refuse(context, error, request_id, was_sent=was_sent, report=report.of_failure(journal))
