"""The end of a sidecar's life, in a process of its own: signals, what becomes of calls, what is left."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias, cast

import aiohttp
import grpc
import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import google_account, process, upstream
from tests.support.errors import details, reason_of

Scene: TypeAlias = tuple[upstream.ScriptedUpstream, process.SidecarProcess, grpc.aio.Channel]
"""An upstream, a sidecar process that asks it, and a channel to that."""

SIGNALS = [signal.SIGTERM, signal.SIGINT]
ASK = GenerateRequest(model="gemini-3.8-flash", prompt="hi")
ASK_STREAM = StreamGenerateRequest(model="gemini-3.8-flash", prompt="hi")
FIRST = upstream.event(upstream.said("one "))
LAST = upstream.event(upstream.said("two", "STOP"))


class Answers:
    """An upstream that holds back the end of every answer until `go` is set; streams begin at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, exchange: upstream.Exchange) -> None:
        is_stream = "stream" in exchange.request.target
        if is_stream:
            exchange.send(upstream.STREAM_HEAD + upstream.chunk(FIRST))
        await self.go.wait()
        if is_stream:
            exchange.send(upstream.chunk(LAST) + upstream.LAST_CHUNK)
        else:
            await upstream.answers(upstream.said("one two", "STOP"))(exchange)


@asynccontextmanager
async def serving(
    tmp_path: Path, *scripts: upstream.Script, **groups: dict[str, Any]
) -> AsyncIterator[Scene]:
    """A scene whose upstream answers by these scripts; `groups` are settings."""
    async with (
        upstream.serving(*scripts) as asked,
        process.serving(*process.configured(tmp_path, asked.base_url, **groups)) as sidecar,
        grpc.aio.insecure_channel(sidecar.address) as channel,
    ):
        yield asked, sidecar, channel


async def begin(channel: grpc.aio.Channel, asked: upstream.ScriptedUpstream) -> tuple[Any, Any]:
    """A unary call that waits for its answer, and a stream after its first chunk."""
    gemini = GeminiServiceStub(channel)
    unary = gemini.Generate(ASK)
    stream = gemini.StreamGenerate(ASK_STREAM)
    assert (await stream.read()).candidates[0].content.parts[0].text == "one "
    await asked.requested(2)
    return unary, stream


def watching(channel: grpc.aio.Channel) -> Any:
    """A call that is told the health of the sidecar whenever it changes."""
    health: Any = HealthStub(channel)
    return health.Watch(HealthCheckRequest())


async def failure(answer: Awaitable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer
    return caught.value


async def duration_s(awaitable: Awaitable[object]) -> float:
    began = perf_counter()
    await awaitable
    return perf_counter() - began


@pytest.mark.parametrize("signum", SIGNALS)
async def test_calls_in_flight_finish_and_the_process_ends_with_0(
    tmp_path: Path, signum: signal.Signals
) -> None:
    answers = Answers()
    async with serving(tmp_path, answers) as (asked, sidecar, channel):
        unary, stream = await begin(channel, asked)
        sidecar.signal(signum)
        assert (await sidecar.logs("draining"))["in_flight"] == 2
        answers.go.set()
        assert (await unary).candidates[0].content.parts[0].text == "one two"
        assert (await stream.read()).candidates[0].content.parts[0].text == "two"
        assert await stream.read() is grpc.aio.EOF
        assert await stream.code() is grpc.StatusCode.OK
        assert await sidecar.ends() == 0
        assert [call["ended"] for call in sidecar.calls()] == ["OK", "OK"]
        assert sidecar.noise == []


async def test_draining_is_told_by_health_readiness_goaway_and_refusals(tmp_path: Path) -> None:
    answers = Answers()
    async with serving(tmp_path, answers) as (asked, sidecar, channel):
        _, stream = await begin(channel, asked)
        watch = watching(channel)
        assert (await watch.read()).status == HealthCheckResponse.SERVING
        async with aiohttp.ClientSession(sidecar.telemetry_url) as http:
            async with http.get("/readyz") as response:
                assert response.status == 200

            sidecar.signal(signal.SIGTERM)
            assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
            assert await watch.read() is grpc.aio.EOF
            async with http.get("/readyz") as response:
                assert (response.status, await response.text()) == (503, "draining\nlimits: unused\n")
            async with http.get("/healthz") as response:
                assert response.status == 200

        await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)  # GOAWAY
        async with grpc.aio.insecure_channel(sidecar.address) as late:
            refused = await failure(GeminiServiceStub(late).Generate(ASK))
            assert refused.code() is grpc.StatusCode.UNAVAILABLE
        answers.go.set()
        assert (await stream.read()).candidates[0].content.parts[0].text == "two"
        assert await sidecar.ends() == 0


async def test_a_call_that_comes_while_callers_turn_away_is_refused_and_may_be_repeated(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, Answers()) as (asked, sidecar, channel):
        await begin(channel, asked)
        watch = watching(channel)
        await watch.read()
        sidecar.signal(signal.SIGTERM)
        assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
        refused = await failure(GeminiServiceStub(channel).Generate(ASK))
        assert refused.code() is grpc.StatusCode.UNAVAILABLE
        assert reason_of(refused) == "DRAINING"
        assert details(refused)["RetryInfo"] == {"retry_delay": "1s"}
        assert dict(refused.trailing_metadata())["x-safe-retry"] == "1"
        assert len(asked.requests) == 2


async def test_calls_longer_than_the_limit_are_cut_with_a_status_of_ours(tmp_path: Path) -> None:
    async with serving(tmp_path, Answers(), drain={"limit": "300ms"}) as (asked, sidecar, channel):
        unary, stream = await begin(channel, asked)
        sidecar.signal(signal.SIGTERM)
        cut, broken_off = await failure(unary), await failure(stream.read())
        assert (cut.code(), reason_of(cut)) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert "x-safe-retry" not in dict(cut.trailing_metadata())  # upstream may bill it
        assert broken_off.code() is grpc.StatusCode.ABORTED
        told = details(broken_off)["ErrorInfo"]["metadata"]
        assert (told["cause"], told["chunks_sent"]) == ("DRAINING", "1")
        await asked.disconnected(2)
        assert await sidecar.ends() == 0
        assert sidecar.noise == []


@pytest.mark.parametrize("signum", SIGNALS)
async def test_a_second_signal_cuts_at_once(tmp_path: Path, signum: signal.Signals) -> None:
    async with serving(tmp_path, Answers(), drain={"limit": "1h"}) as (asked, sidecar, channel):
        unary, stream = await begin(channel, asked)
        sidecar.signal(signum)
        await sidecar.logs("draining")
        sidecar.signal(signum)
        began = perf_counter()
        assert reason_of(await failure(unary)) == "DRAINING"
        assert reason_of(await failure(stream.read())) == "STREAM_INTERRUPTED"
        assert await sidecar.ends() == 0
        assert perf_counter() - began < 10


async def test_a_caller_who_does_not_read_cannot_outlast_the_limit(tmp_path: Path) -> None:
    flood = upstream.chunk(upstream.event(upstream.said("x" * 1_000_000)))
    never = asyncio.Event()
    script = upstream.plays(upstream.STREAM_HEAD + flood * 20, never)
    async with serving(tmp_path, script, drain={"limit": "300ms"}) as (asked, sidecar, channel):
        stream = GeminiServiceStub(channel).StreamGenerate(ASK_STREAM)
        await stream.read()
        sidecar.signal(signal.SIGTERM)
        assert await sidecar.ends() == 0
        assert asked.open_connections == 0
        stream.cancel()


async def test_an_idle_sidecar_ends_within_half_a_second(tmp_path: Path) -> None:
    """Also with idle connections of a caller, a watching health client and a scraper."""
    durations_s = []
    for _ in range(3):
        async with (
            serving(tmp_path, upstream.answers(upstream.said("one", "STOP"))) as (_, sidecar, channel),
            aiohttp.ClientSession(sidecar.telemetry_url) as http,
        ):
            await GeminiServiceStub(channel).Generate(ASK)
            watch = watching(channel)
            await watch.read()
            async with http.get("/metrics") as response:
                assert await response.text()
            sidecar.signal(signal.SIGTERM)
            durations_s.append(await duration_s(sidecar.ends()))
            assert await sidecar.ends() == 0
    assert min(durations_s) < 0.5, durations_s


async def test_an_open_stream_of_reflection_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """Tools with a screen keep one for as long as they run."""
    async with serving(tmp_path, Answers()) as (_, sidecar, channel):
        stub: Any = ServerReflectionStub(cast(Any, channel))  # it serves both kinds of channel
        reflection = stub.ServerReflectionInfo()
        await reflection.write(ServerReflectionRequest(list_services=""))
        await reflection.read()
        sidecar.signal(signal.SIGTERM)
        assert await duration_s(sidecar.ends()) < 3
        assert await sidecar.ends() == 0


async def test_a_hanging_token_fetch_does_not_delay_the_end(tmp_path: Path) -> None:
    """google-auth fetches tokens in a thread, which no cancellation reaches."""
    async with upstream.serving(upstream.plays()) as tokens:
        account = google_account.credentials_file(tmp_path, tokens.base_url)
        project = {
            "name": "cloud",
            "api": "vertex",
            "project": "acme",
            "location": "europe-west4",
            "base_url": tokens.base_url,
            "credentials": {"file": str(account)},
        }
        policy = process.written(tmp_path / "policy.yaml", {"projects": [project]})
        settings = process.written(
            tmp_path / "settings.yaml", {"limits": {"scope": "process"}, "drain": {"limit": "200ms"}}
        )
        async with (
            process.serving("--policy", str(policy), "--config", str(settings)) as sidecar,
            grpc.aio.insecure_channel(sidecar.address) as channel,
        ):
            answer = GeminiServiceStub(channel).Generate(ASK)
            await tokens.requested()
            sidecar.signal(signal.SIGTERM)
            cut = await failure(answer)
            assert reason_of(cut) == "DRAINING"
            assert dict(cut.trailing_metadata())["x-safe-retry"] == "1"  # the model was not asked
            assert await duration_s(sidecar.ends()) < 2
            assert await sidecar.ends() == 0


async def test_after_sigkill_the_same_port_and_socket_serve_again(tmp_path: Path) -> None:
    flags = ["--limits-scope", "process", "--emulator", "--socket", str(tmp_path / "local.sock")]
    async with process.serving(*flags) as killed:
        address = killed.address
        killed.signal(signal.SIGKILL)
        assert await killed.ends() == -signal.SIGKILL
    assert (tmp_path / "local.sock").is_socket()
    async with process.serving(*flags, "--listen", address):
        for target in (address, f"unix:{tmp_path}/local.sock"):
            async with grpc.aio.insecure_channel(target) as channel:
                assert (await GeminiServiceStub(channel).Generate(ASK)).candidates
