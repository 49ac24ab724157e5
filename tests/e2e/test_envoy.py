"""Sidecars behind a real Envoy, as in a pod: what passes through, what is repeated, and how one leaves."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import mesh, rpc

MODEL = "gemini-3.8-flash"
ASK = GenerateRequest(model=MODEL, prompt="hi")
CALLERS = 8


def asking(directive: str) -> GenerateRequest:
    return GenerateRequest(model=MODEL, prompt=f"hi [[emulate: {directive}]]")


@asynccontextmanager
async def direct_to(pod: mesh.Pod) -> AsyncIterator[Any]:
    """A client of a sidecar that does not pass through Envoy."""
    async with grpc.aio.insecure_channel(pod.sidecar.address) as channel:
        yield GeminiServiceStub(channel)


async def test_answers_pass_through_unchanged(tmp_path: Path) -> None:
    async with mesh.replicas(tmp_path) as both, direct_to(both.local) as direct:
        request = asking("words=200 chunks=10")
        through = await rpc.ask(both.gemini, "Generate", request)
        past = await rpc.ask(direct, "Generate", request)
        assert through.replies[0].candidates == past.replies[0].candidates
        assert through.replies[0].usage_metadata == past.replies[0].usage_metadata

        streamed = StreamGenerateRequest(model=MODEL, prompt=request.prompt)
        stream = await rpc.ask(both.gemini, "StreamGenerate", streamed)
        assert stream.code is grpc.StatusCode.OK
        assert len(stream.replies) == 10
        assert both.received == [3, 0]


async def test_chunks_pass_one_by_one(tmp_path: Path) -> None:
    """The first chunk arrives while the upstream stalls before the second."""
    async with mesh.replicas(tmp_path) as both:
        prompt = "hi [[emulate: fault=stall after=1]]"
        stream = both.gemini.StreamGenerate(StreamGenerateRequest(model=MODEL, prompt=prompt))
        assert (await stream.read()).candidates
        stream.cancel()
        await both.local.upstream.wait_for(lambda seen: seen.disconnected == 1)


async def test_errors_pass_through_with_details_and_trailers(tmp_path: Path) -> None:
    async with mesh.replicas(tmp_path) as both:
        streamed = StreamGenerateRequest(model=MODEL, prompt="hi [[emulate: fault=error_event after=2]]")
        broken_off = await rpc.ask(both.gemini, "StreamGenerate", streamed)
        assert broken_off.code is grpc.StatusCode.ABORTED
        assert broken_off.facts["chunks_sent"] == str(len(broken_off.replies)) == "2"

        request = asking("fault=quota_rpm retry_after=90s")
        ended = await rpc.ask(both.gemini, "Generate", request, metadata=[("x-request-id", "r-1")])
        assert ended.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert ended.reason == "UPSTREAM_QUOTA"
        assert ended.retry_after_s == 90
        assert ended.details["QuotaFailure"]["violations"]
        assert ended.trailers["x-request-id"] == "r-1"
        assert "requests" in ended.message


async def test_a_refusal_that_says_so_is_repeated_at_the_peer(tmp_path: Path) -> None:
    async with (
        mesh.replicas(tmp_path, listen={"max_in_flight": 1}) as both,
        direct_to(both.local) as direct,
    ):
        stalled = direct.Generate(asking("fault=stall"))
        await both.local.upstream.wait_for(lambda seen: seen.active == 1)

        refused = await rpc.ask(direct, "Generate", ASK)
        assert (refused.reason, refused.trailers["x-safe-retry"]) == ("OVERLOADED", "1")
        answered = await rpc.ask(both.gemini, "Generate", ASK)
        assert answered.code is grpc.StatusCode.OK
        assert both.received == [1, 1]
        assert await both.local.envoy.stat("cluster.(local|peers|local_then_peers).upstream_rq_retry") == 1
        stalled.cancel()


async def test_a_failure_of_what_was_sent_is_repeated_by_the_sidecar_alone(tmp_path: Path) -> None:
    async with mesh.replicas(tmp_path) as both:
        ended = await rpc.ask(both.gemini, "Generate", asking("fault=unavailable"))
        assert (ended.code, ended.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
        assert "x-safe-retry" not in ended.trailers
        assert both.received == [3, 0]
        assert await both.local.envoy.stat("cluster.(local|peers|local_then_peers).upstream_rq_retry") == 0


async def test_a_sidecar_that_leaves_fails_no_call(tmp_path: Path) -> None:
    """Callers never pause; the local sidecar drains under them, and the peer takes over."""
    async with mesh.replicas(tmp_path) as both:
        prompt = "hi [[emulate: chunks=20 gap=50ms]]"
        stream = aiter(both.gemini.StreamGenerate(StreamGenerateRequest(model=MODEL, prompt=prompt)))
        await anext(stream)
        left = asyncio.Event()
        callers = [asyncio.create_task(call_until(left, both.gemini)) for _ in range(CALLERS)]
        await both.local.upstream.wait_for(lambda seen: seen.finished > 10 * CALLERS)

        both.local.sidecar.signal(signal.SIGTERM)
        assert len([chunk async for chunk in stream]) == 19
        assert await both.local.sidecar.ends() == 0
        before = both.received
        await both.peer.upstream.wait_for(lambda seen: seen.finished > before[1] + 10 * CALLERS)
        left.set()
        ends = [end for caller in callers for end in await caller]
        assert {(end.code, end.message) for end in ends} == {(grpc.StatusCode.OK, "")}
        assert both.received[0] == before[0]
        assert both.local.sidecar.noise == []


async def call_until(left: asyncio.Event, gemini: Any) -> list[rpc.Ended]:
    ends = []
    while not left.is_set():
        ends.append(await rpc.ask(gemini, "Generate", ASK))
    return ends
