"""Calls as a client makes them and what they leave it with: replies, status, details, trailers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from sidecar.v1 import count_tokens_pb2, embed_content_pb2, generate_pb2, model_pb2
from tests.support.errors import Details, details_of, status_in

REQUESTS: Mapping[str, type[Message]] = {
    "Generate": generate_pb2.GenerateRequest,
    "StreamGenerate": generate_pb2.StreamGenerateRequest,
    "CountTokens": count_tokens_pb2.CountTokensRequest,
    "EmbedContent": embed_content_pb2.EmbedContentRequest,
    "ListModels": model_pb2.ListModelsRequest,
    "GetModel": model_pb2.GetModelRequest,
}
"""The request message of every RPC."""

PATIENCE_S = 20.0
"""The deadline of calls that are to end long before it."""

Metadata = Sequence[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended for its caller."""

    code: grpc.StatusCode
    message: str = ""
    replies: Sequence[Any] = ()
    """All that came before the end: at most one of a unary call."""
    details: Details = field(default_factory=dict)
    trailers: Mapping[str, str | bytes] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """`ErrorInfo.reason`, empty without one."""
        reason: str = self.details.get("ErrorInfo", {}).get("reason", "")
        return reason

    @property
    def facts(self) -> Mapping[str, str]:
        """`ErrorInfo.metadata`."""
        facts: Mapping[str, str] = self.details.get("ErrorInfo", {}).get("metadata", {})
        return facts

    @property
    def retry_after_s(self) -> float | None:
        """`RetryInfo.retry_delay`, None without one."""
        info = self.details.get("RetryInfo")
        return None if info is None else float(info["retry_delay"].removesuffix("s"))


async def ask(
    stub: Any, method: str, request: Message, *, timeout_s: float | None = PATIENCE_S, metadata: Metadata = ()
) -> Ended:
    """Make a call and wait for its end. Fails only when the same trailer comes twice."""
    call = getattr(stub, method)(request, timeout=timeout_s, metadata=tuple(metadata))
    return await end_of(call, is_stream=method == "StreamGenerate")


async def end_of(call: Any, *, is_stream: bool) -> Ended:
    """Read a call that was made to its end."""
    replies: list[Any] = []
    try:
        if is_stream:
            async for reply in call:
                replies.append(reply)  # noqa: PERF401 - what came before an error counts
        else:
            replies.append(await call)
    except grpc.aio.AioRpcError as error:
        return _ended(error.code(), error.details() or "", replies, error.trailing_metadata())
    return _ended(grpc.StatusCode.OK, "", replies, await call.trailing_metadata())


def _ended(
    code: grpc.StatusCode, message: str, replies: Sequence[Any], metadata: grpc.aio.Metadata | None
) -> Ended:
    pairs = list(metadata or ())
    trailers = dict(pairs)
    assert len(trailers) == len(pairs), f"a trailer is given twice: {[key for key, _ in pairs]}"
    return Ended(code, message, replies, details_of(status_in(pairs)), trailers)
