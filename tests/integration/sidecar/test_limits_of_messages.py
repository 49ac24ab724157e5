"""Messages up to the limit and past it, both ways; and what large ones do to the small ones beside them."""

import asyncio
import base64
import hashlib
import os
import threading
from contextlib import asynccontextmanager
from urllib.parse import quote

import grpc
import orjson
import pytest

from sidecar.v1 import generate_pb2, schema_pb2
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from tests.support import facts, upstream
from tests.support.rpc import REQUESTS, ask
from tests.support.sidecar import serving
from tests.support.sink import sinking

KIB, MIB = 1 << 10, 1 << 20
LIMIT = 32 * MIB
"""`listen.message_limit` as it is by default."""

RPCS = ["Generate", "StreamGenerate"]
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@pytest.fixture
async def sink():
    async with sinking() as sink:
        yield sink


@pytest.fixture
async def gemini(sink):
    """A client without limits of its own, of a sidecar before the sink."""
    async with serving(facts.policy(facts.gemini(sink.base_url))) as served, client_of(served) as gemini:
        yield gemini


@asynccontextmanager
async def client_of(served):
    async with grpc.aio.insecure_channel(served.sidecar.addresses[0], options=_ANY_SIZE) as channel:
        yield GeminiServiceStub(channel)


def request_with(rpc, data):
    message = generate_pb2.GenerateRequest if rpc == "Generate" else generate_pb2.StreamGenerateRequest
    return message(
        model="m", contents=[{"parts": [{"inline_data": {"mime_type": "image/png", "data": data}}]}]
    )


def request_of(rpc, size_bytes):
    """A request that has exactly this size on the wire."""
    data = os.urandom(size_bytes - 64)
    request = request_with(rpc, data + bytes(size_bytes - request_with(rpc, data).ByteSize()))
    assert request.ByteSize() == size_bytes
    return request


def answer_with(data):
    """The message that the sidecar will make of `json_with`."""
    part = {"inline_data": {"mime_type": "image/png", "data": data}}
    candidate = {"content": {"parts": [part]}, "finish_reason": "FINISH_REASON_STOP"}
    return generate_pb2.GenerateResponse(candidates=[candidate])


def json_with(data):
    part = {"inlineData": {"mimeType": "image/png", "data": base64_of(data)}}
    return orjson.dumps({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]})


def answer_data(size_bytes):
    """Data with which a reply has exactly this size, less the report that the sidecar adds."""
    data = os.urandom(size_bytes - 64)
    data += bytes(size_bytes - answer_with(data).ByteSize())
    assert answer_with(data).ByteSize() == size_bytes
    return data


def data_in(message):
    return message.candidates[0].content.parts[0].inline_data.data


SIZES = [KIB, 256 * KIB - 1, 256 * KIB + 1, 5 * MIB, LIMIT]


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("size_bytes", SIZES)
async def test_a_request_up_to_the_limit_reaches_upstream_whole(gemini, sink, rpc, size_bytes):
    request = request_of(rpc, size_bytes)
    ended = await ask(gemini, rpc, request)

    assert ended.code is grpc.StatusCode.OK
    (body,) = sink.bodies
    inline = orjson.loads(body)["contents"][0]["parts"][0]["inlineData"]
    assert base64.b64decode(inline["data"]) == request.contents[0].parts[0].inline_data.data


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("size_bytes", [LIMIT + 1, LIMIT + MIB])
async def test_a_request_past_the_limit_is_refused_naming_both_sizes(gemini, sink, rpc, size_bytes):
    ended = await ask(gemini, rpc, request_of(rpc, size_bytes))
    assert ended.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert f"{size_bytes} vs. {LIMIT}" in ended.message
    assert not sink.bodies

    after = await ask(gemini, rpc, request_of(rpc, KIB))
    assert after.code is grpc.StatusCode.OK


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("size_bytes", SIZES)
async def test_a_reply_up_to_the_limit_reaches_the_caller_whole(gemini, sink, rpc, size_bytes):
    data = answer_data(size_bytes)
    sink.answer = json_with(data)
    ended = await ask(gemini, rpc, request_of(rpc, KIB))

    assert ended.code is grpc.StatusCode.OK
    (reply,) = ended.replies
    assert data_in(reply) == data
    assert reply.call.attempts[0].status == "OK"


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("size_bytes", [LIMIT + 1, LIMIT + MIB, 2 * LIMIT])
async def test_a_reply_past_the_limit_is_refused_and_waiting_does_not_help(gemini, sink, rpc, size_bytes):
    sink.answer = json_with(answer_data(size_bytes))
    ended = await ask(gemini, rpc, request_of(rpc, KIB))

    assert (ended.code, ended.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE")
    assert "listen.message_limit" in ended.message
    assert ended.retry_after_s is None
    assert "x-safe-retry" not in ended.trailers


@pytest.mark.parametrize("limit", [64 * KIB, MIB])
async def test_the_limit_is_the_one_of_the_settings(sink, limit):
    policy = facts.policy(facts.gemini(sink.base_url))
    async with serving(policy, listen={"message_limit": limit}) as served, client_of(served) as gemini:
        sink.answer = json_with(answer_data(limit))
        fits = await ask(gemini, "Generate", request_of("Generate", limit))
        too_long = await ask(gemini, "Generate", request_of("Generate", limit + 1))
        sink.answer = json_with(answer_data(limit + 1))
        too_much = await ask(gemini, "Generate", request_of("Generate", KIB))

    assert fits.code is grpc.StatusCode.OK
    assert too_long.code is too_much.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert f"{limit + 1} vs. {limit}" in too_long.message
    assert f"{limit + 1} bytes, more than listen.message_limit ({limit})" in too_much.message


async def test_an_image_of_20_mb_travels_up_and_down_unchanged(gemini, sink):
    up, down = os.urandom(20 * MIB), os.urandom(20 * MIB)
    sink.answer = json_with(down)
    reply = await gemini.Generate(request_with("Generate", up))
    inline = orjson.loads(sink.bodies[0])["contents"][0]["parts"][0]["inlineData"]
    assert digest(base64.b64decode(inline["data"])) == digest(up)
    assert digest(data_in(reply)) == digest(down)


def base64_of(data):
    return base64.b64encode(data).decode()


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "violations",
    [
        {"fieldViolations": [{"field": "f" * 500, "description": "d" * 480}] * 9},
        {
            "violations": [
                {"quotaId": "q" * 500, "quotaMetric": "m" * 480, "quotaDimensions": {"k": "v" * 9000}}
            ]
        },
        {"violations": [{"quotaId": "q" * 500, "quotaMetric": "m" * 480}] * 9},
    ],
    ids=["fields", "dimensions", "quotas"],
)
@pytest.mark.parametrize("status", [400, 429])
async def test_the_largest_error_fits_into_what_clients_take_as_trailers(status, violations):
    """8 KiB is the bound of grpc-java, and where grpc-core begins to refuse at random."""
    refusal = upstream.refusal(status, "漢" * 99, "漢" * 9999, violations)
    request, metadata = request_with("Generate", b"x"), [("x-request-id", "i" * 128)]
    async with (
        upstream.serving(upstream.answers(refusal, status)) as server,
        serving(facts.policy(facts.gemini(server.base_url))) as served,
    ):
        ended = await ask(served.gemini, "Generate", request, metadata=metadata)

    assert ended.facts["http_status"] == str(status)
    assert ended.facts["request_id"] == "i" * 128
    told = {"grpc-message": quote(ended.message), "grpc-status": "16", "content-type": "application/grpc"}
    told |= {
        key: value if isinstance(value, str) else base64_of(value) for key, value in ended.trailers.items()
    }
    assert sum(len(key) + len(value) + 32 for key, value in told.items()) <= 8 * KIB


@pytest.mark.parametrize("rpc", ["Generate", "CountTokens"])
async def test_what_protobuf_can_nest_can_be_said_upstream(sink, rpc):
    """As deep as protobuf goes, and JSON text as deep as it may go at the bottom of that."""
    schema = schema_pb2.Schema(extra_json='{"bottom": %s}' % ("[" * 49 + "]" * 49))
    for _ in range(98):
        schema = schema_pb2.Schema(any_of=[schema])
    request = REQUESTS[rpc](model="m", prompt="hi", generation_config={"response_schema": schema})
    policy = facts.policy(facts.gemini(sink.base_url), unknown_fields=True)
    async with serving(policy) as served:
        ended = await ask(served.gemini, rpc, request)
    assert ended.code is grpc.StatusCode.OK, ended
    assert sink.bodies[0].count(b'"anyOf"') == 98


WORK = {
    "request to JSON": (base64, "b64encode"),
    "JSON to text": (orjson, "dumps"),
    "text to JSON": (orjson, "loads"),
    "JSON to reply": (base64, "b64decode"),
}
"""What is done to 20 MB on their way up and down, and which function does it."""


@pytest.mark.parametrize("step", WORK)
async def test_small_calls_are_answered_while_20_mb_are_converted(gemini, sink, monkeypatch, step):
    """Each step is held up until a small call has come and gone: were it done on the event loop, that call
    would wait for the step and the step for that call.
    """
    module, name = WORK[step]
    sink.answer = json_with(bytes(20 * MIB))
    large = request_with("Generate", bytes(20 * MIB))
    held, small_done = threading.Event(), threading.Event()
    convert = getattr(module, name)

    def held_up(value, *args, **kwargs):
        result = convert(value, *args, **kwargs)
        if is_large(value) or is_large(result):
            held.set()
            small_done.wait(10)
        return result

    monkeypatch.setattr(module, name, held_up)
    call = asyncio.ensure_future(gemini.Generate(large))
    assert await asyncio.to_thread(held.wait, 10)
    sink.answer = b'{"candidates": [{"finishReason": "STOP"}]}'
    async with asyncio.timeout(5):
        await gemini.Generate(request_with("Generate", b"small"))
    assert not call.done()
    small_done.set()
    assert (await call).candidates[0].finish_reason


def is_large(value):
    return isinstance(value, bytes | str) and len(value) > MIB
