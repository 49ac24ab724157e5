"""Requests to what the pipeline understands, and its answers to replies: the mechanical part of the gRPC
face.

Each RPC has one Face. Beyond the mechanical conversion of `json_writer` and `json_reader` it knows four
things: what is no message at all, which fields are for the sidecar alone, that `prompt` is short for one user
turn, and that messages over 256 KiB are converted in a thread, because base64 of 10 MB would hold the event
loop for tens of milliseconds.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.message import DecodeError, Message

from sidecar.core.call import Body, Method, model_named
from sidecar.core.errors import FieldViolation, InvalidRequest, Reason, ReplyTooLarge, UpstreamUnavailable
from sidecar.core.outcome import Reply
from sidecar.edge.json_reader import JsonReader, Mismatch
from sidecar.edge.json_writer import JsonWriter, Written
from sidecar.v1 import count_tokens_pb2, embed_content_pb2, generate_pb2, model_pb2

LARGE_BYTES = 256 * 1024

ReplyMessage: TypeAlias = (
    generate_pb2.GenerateResponse
    | generate_pb2.StreamGenerateResponse
    | count_tokens_pb2.CountTokensResponse
    | embed_content_pb2.EmbedContentResponse
    | model_pb2.ListModelsResponse
    | model_pb2.GetModelResponse
)
"""Each has a field `call` for the report."""

_ID = r"[A-Za-z0-9][\w.@-]{0,127}"
_MODEL = re.compile(rf"(tunedModels/|publishers/{_ID}/models/)?{_ID}", re.ASCII)
"""What a caller may name. No path of other resources, which our credentials would open, and no other project
or location than the Policy's: those stand in the Policy, behind an alias.
"""
_FOR_THE_SIDECAR = {"allowFallback": "allow_fallback", "project": "project"}
"""JSON keys, with their fields, that say nothing to the upstream."""
_NEEDS_CONTENTS = (Method.GENERATE, Method.STREAM_GENERATE, Method.COUNT_TOKENS, Method.EMBED_CONTENT)


class Question(NamedTuple):
    """What a request asks, its own fields apart from what goes upstream."""

    model: str
    body: Body
    allow_fallback: bool = False
    project: str = ""


class Face:
    """How one RPC's messages become a Body, and a Reply becomes its message. Compile once."""

    def __init__(
        self, method: Method, request: type[Message], reply: type[ReplyMessage], reply_limit_bytes: int
    ) -> None:
        self._method = method
        self._request = request
        self._writer = JsonWriter(request)
        self._reader = JsonReader(reply)
        self._reply = reply
        self._reply_limit_bytes = reply_limit_bytes
        fields = request.DESCRIPTOR.fields_by_name
        self._own = frozenset(key for key, field in _FOR_THE_SIDECAR.items() if field in fields)
        self._needs_contents = method in _NEEDS_CONTENTS

    def __repr__(self) -> str:
        return f"<Face of {self._method}>"

    async def read_request(self, raw: bytes) -> Question:
        """What a serialized request asks. Raises InvalidRequest."""
        is_large = len(raw) > LARGE_BYTES
        written = await asyncio.to_thread(self._read, raw) if is_large else self._read(raw)
        json = written.json
        model = self._model(json.pop("model", ""))
        if self._needs_contents:
            _spell_out_prompt(json)
        body = Body(json, written.has_extra, is_large)
        if self._own.isdisjoint(json):
            return Question(model, body)
        own = {_FOR_THE_SIDECAR[key]: json.pop(key) for key in self._own if key in json}
        return Question(model, body, **own)

    async def write_reply(self, reply: Reply) -> ReplyMessage:
        """The typed reply. Raises UpstreamUnavailable (UPSTREAM_MALFORMED) or ReplyTooLarge."""
        return await asyncio.to_thread(self.write_small, reply) if reply.is_large else self.write_small(reply)

    def _read(self, raw: bytes) -> Written:
        try:
            request = self._request.FromString(raw)
        except DecodeError as error:
            raise InvalidRequest(FieldViolation("request", f"is no protobuf message: {error}")) from None
        return self._writer.write(request)

    def write_small(self, reply: Reply) -> ReplyMessage:
        """The same of a reply that is not large, at once."""
        message = self._reply()
        try:
            self._reader.read(reply.json, message)
        except Mismatch as mismatch:
            raise UpstreamUnavailable(
                f"the upstream's answer: {mismatch}", reason=Reason.UPSTREAM_MALFORMED
            ) from None
        if (size := message.ByteSize()) > self._reply_limit_bytes:
            limit = self._reply_limit_bytes
            raise ReplyTooLarge(
                f"the reply has {size} bytes, more than listen.message_limit ({limit}) allows"
            )
        return message

    def _model(self, model: str) -> str:
        if self._method is Method.LIST_MODELS:
            return ""
        name = model_named(model)
        if not name:
            raise InvalidRequest(FieldViolation("model", "is required: an alias of the Policy or a model id"))
        if not _MODEL.fullmatch(name):
            raise InvalidRequest(
                FieldViolation(
                    "model",
                    "is no model name: an alias, an id, tunedModels/{id}, publishers/{id}/models/{id}",
                )
            )
        return name


def faces(message_limit_bytes: int) -> Mapping[Method, Face]:
    """The Face of every RPC of GeminiService."""
    return {
        method: Face(method, request, reply, message_limit_bytes)
        for method, (request, reply) in _MESSAGES.items()
    }


_MESSAGES: Mapping[Method, tuple[type[Message], type[ReplyMessage]]] = {
    Method.GENERATE: (generate_pb2.GenerateRequest, generate_pb2.GenerateResponse),
    Method.STREAM_GENERATE: (generate_pb2.StreamGenerateRequest, generate_pb2.StreamGenerateResponse),
    Method.COUNT_TOKENS: (count_tokens_pb2.CountTokensRequest, count_tokens_pb2.CountTokensResponse),
    Method.EMBED_CONTENT: (embed_content_pb2.EmbedContentRequest, embed_content_pb2.EmbedContentResponse),
    Method.LIST_MODELS: (model_pb2.ListModelsRequest, model_pb2.ListModelsResponse),
    Method.GET_MODEL: (model_pb2.GetModelRequest, model_pb2.GetModelResponse),
}


def _spell_out_prompt(json: dict[str, Any]) -> None:
    prompt = json.pop("prompt", None)
    if prompt is None:
        if not json.get("contents"):
            raise InvalidRequest(FieldViolation("contents", "is required, or prompt in its place"))
    elif "contents" in json:
        raise InvalidRequest(
            FieldViolation("prompt", "excludes contents: it is short for one user turn of text")
        )
    else:
        json["contents"] = [{"parts": [{"text": prompt}], "role": "user"}]
