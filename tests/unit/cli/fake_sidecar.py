"""A sidecar of one script: a real gRPC server on a loopback port that answers every call alike."""

import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import grpc

from sidecar.core.errors import SidecarError
from sidecar.edge.status import status_of
from sidecar.v1.call_pb2 import CallReport
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceServicer, add_GeminiServiceServicer_to_server
from sidecar.v1.generate_pb2 import (
    GenerateRequest,
    GenerateResponse,
    StreamGenerateRequest,
    StreamGenerateResponse,
)
from sidecar.v1.quota_pb2 import GetQuotaRequest, GetQuotaResponse, WatchQuotaRequest, WatchQuotaResponse
from sidecar.v1.quota_service_pb2_grpc import QuotaServiceServicer, add_QuotaServiceServicer_to_server

Request: TypeAlias = GenerateRequest | StreamGenerateRequest | GetQuotaRequest | WatchQuotaRequest


class FakeSidecar(GeminiServiceServicer, QuotaServiceServicer):
    """Answers with `replies`, or of QuotaService with `levels`, then `error` if there is one; with `hangs` it
    first waits for the caller to go.

    Listens on a free loopback port, or on a unix socket.
    """

    def __init__(self, socket: Path | None = None) -> None:
        self.replies: list[GenerateResponse] = []
        self.levels: list[GetQuotaResponse] = []
        self.error: SidecarError | grpc.StatusCode | None = None
        self.report: CallReport | None = None
        """Of the call that fails with `error`."""
        self.hangs = False
        self.requests: list[Request] = []
        self.metadata: dict[str, str | bytes] = {}
        self.remaining_s: float = 0
        self.called = threading.Event()
        self.abandoned = threading.Event()
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        add_GeminiServiceServicer_to_server(self, self._server)
        add_QuotaServiceServicer_to_server(self, self._server)
        address = f"unix:{socket}" if socket else "127.0.0.1:0"
        port = self._server.add_insecure_port(address)
        self.address = address if socket else f"127.0.0.1:{port}"

    def __enter__(self) -> "FakeSidecar":
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()

    def Generate(self, request: GenerateRequest, context: grpc.ServicerContext) -> GenerateResponse:
        self._note(request, context)
        self._end(context)
        return self.replies[0]

    def StreamGenerate(
        self, request: StreamGenerateRequest, context: grpc.ServicerContext
    ) -> Iterator[StreamGenerateResponse]:
        self._note(request, context)
        for reply in self.replies:
            yield StreamGenerateResponse.FromString(reply.SerializeToString())
        self._end(context)

    def GetQuota(self, request: GetQuotaRequest, context: grpc.ServicerContext) -> GetQuotaResponse:
        self._note(request, context)
        self._end(context)
        return self.levels[0]

    def WatchQuota(
        self, request: WatchQuotaRequest, context: grpc.ServicerContext
    ) -> Iterator[WatchQuotaResponse]:
        self._note(request, context)
        for levels in self.levels:
            yield WatchQuotaResponse(groups=levels.groups)
        self._end(context)

    def _note(self, request: Request, context: grpc.ServicerContext) -> None:
        self.requests.append(request)
        self.metadata = dict(context.invocation_metadata())
        self.remaining_s = context.time_remaining()
        context.add_callback(self.abandoned.set)
        self.called.set()

    def _end(self, context: grpc.ServicerContext) -> None:
        if self.hangs:
            self.abandoned.wait()
        if isinstance(self.error, SidecarError):
            context.abort_with_status(status_of(self.error, "req-1", self.report))
        elif self.error is not None:
            context.abort(self.error, "no details")


def reply(*texts: str, finish: str = "STOP") -> GenerateResponse:
    """An answer whose first candidate has these texts."""
    message = GenerateResponse()
    candidate = message.candidates.add(finish_reason=f"FINISH_REASON_{finish}" if finish else None)
    for text in texts:
        candidate.content.parts.add(text=text)
    return message
