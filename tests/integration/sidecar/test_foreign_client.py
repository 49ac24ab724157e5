"""A client of another make: `buf curl`, written in Go, knows the schema from server reflection alone."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.support import facts

BUF = Path(sys.executable).with_name("buf")
PATIENCE_S = 30
MODEL = facts.MODEL


@dataclass(frozen=True)
class Printed:
    """What `buf curl` leaves: its exit code (8 times the gRPC status) and its output as JSON values."""

    exit_code: int
    replies: list[dict[str, Any]]
    error: str


async def curl(served, method, request, *headers):
    arguments = [option for header in headers for option in ("--header", header)]
    process = await asyncio.create_subprocess_exec(
        BUF,
        "curl",
        "--protocol",
        "grpc",
        "--http2-prior-knowledge",
        *arguments,
        "--data",
        json.dumps(request),
        f"http://{served.sidecar.addresses[0]}/{method}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        output, error = await process.communicate()
    assert process.returncode is not None
    return Printed(process.returncode, list(values_in(output.decode())), error.decode())


def values_in(text):
    """The JSON values in a text, one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (at := at + len(text[at:]) - len(text[at:].lstrip())) < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value


HI = {"role": "user", "parts": [{"text": "hi"}]}
CALLS = {
    "Generate": ({"model": MODEL, "prompt": "hi"}, "generateContent"),
    "StreamGenerate": ({"model": MODEL, "contents": [HI]}, "streamGenerateContent"),
    "CountTokens": ({"model": MODEL, "prompt": "hi"}, "countTokens"),
    "EmbedContent": ({"model": "gemini-embedding-001", "prompt": "hi"}, "batchEmbedContents"),
    "ListModels": ({"pageSize": 2}, ""),
    "GetModel": ({"model": MODEL}, ""),
}


@pytest.mark.parametrize("method", CALLS)
async def test_every_rpc_can_be_called(emulator, served, method):
    request, verb = CALLS[method]
    printed = await curl(served, f"sidecar.v1.GeminiService/{method}", request, "x-request-id: from-go-1")

    assert printed.exit_code == 0, printed.error
    report = printed.replies[0]["call"]
    assert report["requestId"] == "from-go-1"
    assert report["served"]["project"] == "main"
    (said,) = emulator.observed.requests
    assert said.request_id == "from-go-1"
    assert said.path.endswith(f":{verb}") or not verb
    assert "error" not in printed.replies[-1]


async def test_the_answers_are_gemini_s(emulator, served):
    printed = await curl(served, "sidecar.v1.GeminiService/Generate", CALLS["Generate"][0])
    (reply,) = printed.replies
    (candidate,) = reply["candidates"]
    assert candidate["finishReason"] == "FINISH_REASON_STOP"
    assert 'You asked: "hi"' in candidate["content"]["parts"][0]["text"]

    streamed = await curl(served, "sidecar.v1.GeminiService/StreamGenerate", CALLS["StreamGenerate"][0])
    text = "".join(chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in streamed.replies)
    assert len(streamed.replies) > 1
    assert text == candidate["content"]["parts"][0]["text"]

    vectors = await curl(served, "sidecar.v1.GeminiService/EmbedContent", CALLS["EmbedContent"][0])
    assert len(vectors.replies[0]["embeddings"][0]["values"]) == 3072

    listed = await curl(served, "sidecar.v1.GeminiService/ListModels", CALLS["ListModels"][0])
    assert len(listed.replies[0]["models"]) == 2
    assert listed.replies[0]["nextPageToken"]

    model = await curl(served, "sidecar.v1.GeminiService/GetModel", CALLS["GetModel"][0])
    assert model.replies[0]["model"]["name"] == f"models/{MODEL}"


async def test_an_error_is_read_with_its_details(served):
    printed = await curl(served, "sidecar.v1.GeminiService/Generate", {"prompt": "hi"})
    assert printed.exit_code == 8 * grpc.StatusCode.INVALID_ARGUMENT.value[0]
    (error,) = values_in(printed.error)
    assert error["code"] == "invalid_argument"
    types = [detail["type"] for detail in error["details"]]
    assert types == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]


@pytest.mark.parametrize("service", ["", "sidecar.v1.GeminiService"])
async def test_health_is_serving_for_the_whole_and_for_the_service(served, service):
    printed = await curl(served, "grpc.health.v1.Health/Check", {"service": service})
    assert printed.replies == [{"status": "SERVING"}]


async def test_the_health_of_an_unknown_service_is_not_found(served):
    printed = await curl(served, "grpc.health.v1.Health/Check", {"service": "no.Such"})
    assert printed.exit_code == 8 * grpc.StatusCode.NOT_FOUND.value[0]


async def test_health_says_not_serving_from_the_begin_of_draining(served):
    watch = served.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
    assert await watch.read() == b"\x08\x01"
    drain = asyncio.create_task(served.sidecar.drain())
    assert await watch.read() == b"\x08\x02"
    assert await watch.read() is grpc.aio.EOF
    await drain


@pytest.mark.parametrize("path", ["/no.Such/Thing", "/sidecar.v1.GeminiService/Nothing"])
async def test_an_unknown_method_is_unimplemented(served, path):
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await served.channel.unary_unary(path)(b"", timeout=PATIENCE_S)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
