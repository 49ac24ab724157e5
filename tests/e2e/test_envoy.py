"""Sidecars behind a real Envoy, as in a pod: what passes through, what is repeated, and how one leaves."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from sidecar.emulator import Emulator
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import envoy, process, rpc

MODEL = "gemini-3.8-flash"
ASK = GenerateRequest(model=MODEL, prompt="hi")
CALLERS = 8


def asking(directive: str) -> GenerateRequest:
    return GenerateRequest(model=MODEL, prompt=f"hi [[emulate: {directive}]]")


class Pod:
    """Envoy before two sidecars, the local one and a peer, each with an upstream of its own."""

    def __init__(self, tmp_path: Path, **groups: dict[str, Any]) -> None:
        self._folders = [tmp_path / "local", tmp_path / "peer"]
        self._groups = groups
        self._stack = AsyncExitStack()
        self.upstreams: list[Emulator] = []
        self.sidecars: list[process.SidecarProcess] = []

    async def __aenter__(self) -> "Pod":
        enter = self._stack.enter_async_context
        sockets = []
        for folder in self._folders:
            folder.mkdir()
            self.upstreams.append(await enter(Emulator()))
            sockets.append(folder / "local.sock")
            flags = process.configured(folder, self.upstreams[-1].base_url, **self._groups)
            self.sidecars.append(await enter(process.serving(*flags, "--socket", str(sockets[-1]))))
        self.envoy = await enter(envoy.serving(self._folders[0], sockets))
        channel = await enter(grpc.aio.insecure_channel(self.envoy.address))
        self.gemini = GeminiServiceStub(channel)
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._stack.aclose()

    @property
    def received(self) -> list[int]:
        """How many requests each upstream got, the local sidecar's first."""
        return [upstream.observed.received for upstream in self.upstreams]

    async def direct(self) -> Any:
        """A client of the local sidecar that does not pass through Envoy."""
        channel = grpc.aio.insecure_channel(self.sidecars[0].address)
        return GeminiServiceStub(await self._stack.enter_async_context(channel))


async def test_answers_pass_through_unchanged(tmp_path: Path) -> None:
    async with Pod(tmp_path) as pod:
        direct = await pod.direct()
        request = asking("words=200 chunks=10")
        through = await rpc.ask(pod.gemini, "Generate", request)
        past = await rpc.ask(direct, "Generate", request)
        assert through.replies[0].candidates == past.replies[0].candidates
        assert through.replies[0].usage_metadata == past.replies[0].usage_metadata

        streamed = StreamGenerateRequest(model=MODEL, prompt=request.prompt)
        stream = await rpc.ask(pod.gemini, "StreamGenerate", streamed)
        assert stream.code is grpc.StatusCode.OK
        assert len(stream.replies) == 10
        assert pod.received == [3, 0]


async def test_chunks_pass_one_by_one(tmp_path: Path) -> None:
    """The first chunk arrives while the upstream stalls before the second."""
    async with Pod(tmp_path) as pod:
        prompt = "hi [[emulate: fault=stall after=1]]"
        stream = pod.gemini.StreamGenerate(StreamGenerateRequest(model=MODEL, prompt=prompt))
        assert (await stream.read()).candidates
        stream.cancel()
        await pod.upstreams[0].wait_for(lambda seen: seen.disconnected == 1)


async def test_errors_pass_through_with_details_and_trailers(tmp_path: Path) -> None:
    async with Pod(tmp_path) as pod:
        request = asking("fault=quota_rpm retry_after=7s")
        ended = await rpc.ask(pod.gemini, "Generate", request, metadata=[("x-request-id", "r-1")])
        assert ended.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert ended.reason == "UPSTREAM_QUOTA"
        assert ended.retry_after_s == 7
        assert ended.details["QuotaFailure"]["violations"]
        assert ended.trailers["x-request-id"] == "r-1"
        assert "requests" in ended.message

        streamed = StreamGenerateRequest(model=MODEL, prompt="hi [[emulate: fault=error_event after=2]]")
        broken_off = await rpc.ask(pod.gemini, "StreamGenerate", streamed)
        assert broken_off.code is grpc.StatusCode.ABORTED
        assert broken_off.facts["chunks_sent"] == str(len(broken_off.replies)) == "2"


async def test_a_refusal_that_says_so_is_repeated_at_the_peer(tmp_path: Path) -> None:
    async with Pod(tmp_path, listen={"max_in_flight": 1}) as pod:
        direct = await pod.direct()
        stalled = direct.Generate(asking("fault=stall"))
        await pod.upstreams[0].wait_for(lambda seen: seen.active == 1)

        refused = await rpc.ask(direct, "Generate", ASK)
        assert (refused.reason, refused.trailers["x-safe-retry"]) == ("OVERLOADED", "1")
        answered = await rpc.ask(pod.gemini, "Generate", ASK)
        assert answered.code is grpc.StatusCode.OK
        assert pod.received == [1, 1]
        assert await pod.envoy.counter("upstream_rq_retry") == 1
        stalled.cancel()


async def test_a_failure_of_what_was_sent_is_repeated_by_the_sidecar_alone(tmp_path: Path) -> None:
    async with Pod(tmp_path) as pod:
        ended = await rpc.ask(pod.gemini, "Generate", asking("fault=unavailable"))
        assert (ended.code, ended.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
        assert "x-safe-retry" not in ended.trailers
        assert pod.received == [3, 0]
        assert await pod.envoy.counter("upstream_rq_retry") == 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_sidecar_that_leaves_fails_no_call(tmp_path: Path, signum: signal.Signals) -> None:
    """Callers never pause; the local sidecar drains under them, and the peer takes over."""
    async with Pod(tmp_path) as pod:
        prompt = "hi [[emulate: chunks=20 gap=50ms]]"
        stream = aiter(pod.gemini.StreamGenerate(StreamGenerateRequest(model=MODEL, prompt=prompt)))
        await anext(stream)
        left = asyncio.Event()
        callers = [asyncio.create_task(call_until(left, pod.gemini)) for _ in range(CALLERS)]
        await pod.upstreams[0].wait_for(lambda seen: seen.finished > 10 * CALLERS)

        pod.sidecars[0].signal(signum)
        assert len([chunk async for chunk in stream]) == 19
        assert await pod.sidecars[0].ends() == 0
        before = pod.received
        await pod.upstreams[1].wait_for(lambda seen: seen.finished > before[1] + 10 * CALLERS)
        left.set()
        ends = [end for caller in callers for end in await caller]
        assert {(end.code, end.message) for end in ends} == {(grpc.StatusCode.OK, "")}
        assert pod.received[0] == before[0]
        assert pod.sidecars[0].noise == []


async def call_until(left: asyncio.Event, gemini: Any) -> list[rpc.Ended]:
    ends = []
    while not left.is_set():
        ends.append(await rpc.ask(gemini, "Generate", ASK))
    return ends
