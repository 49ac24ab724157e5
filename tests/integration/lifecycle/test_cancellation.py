"""A caller goes away: the upstream learns of it at once, whatever the call was doing, and nothing is left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import grpc
import grpc.aio
import pytest

from sidecar.emulator import Emulator
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import facts, google_account, relay, upstream
from tests.support.endings import call_log, connections_to, left_over
from tests.support.errors import details, reason_of
from tests.support.sidecar import Served, serving

AT_ONCE_S = 2.0
"""With room for a machine that does other things as well: how soon it really is, the soak tells."""
LOGGED = {"log_level": "info"}
BIG_CHUNKS = 5
BIG_CHUNK = upstream.chunk(upstream.event(upstream.said("x" * 1_000_000)))
BIG_STREAM = upstream.STREAM_HEAD + BIG_CHUNKS * BIG_CHUNK
SMALL_WINDOW = (("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0))
"""A caller that takes no more than it reads."""
NO_WARNING = pytest.mark.filterwarnings("ignore:The load_credentials_from_file method is deprecated")
"""google-auth means files of strangers; ours are the operator's."""


class Caller:
    """A caller with a channel of its own, behind a hop that can be cut."""

    def __init__(self, hop: relay.Relay, channel: grpc.aio.Channel) -> None:
        self.relay = hop
        self.channel = channel
        self.gemini = GeminiServiceStub(channel)


State: TypeAlias = Callable[..., Awaitable[Any]]
"""Brings a call to where it is to be when its caller goes."""
Way: TypeAlias = Callable[[Caller, Any], Awaitable[None]]
"""How the caller goes."""


def asking(kind: Any, directive: str = "") -> Any:
    return kind(model=facts.MODEL, prompt=f"hi [[emulate: {directive}]]" if directive else "hi")


async def waiting_for_the_answer(gemini: Any, **options: Any) -> Any:
    return gemini.Generate(asking(GenerateRequest, "fault=stall"), **options)


async def waiting_for_the_first_chunk(gemini: Any, **options: Any) -> Any:
    return gemini.StreamGenerate(asking(StreamGenerateRequest, "fault=stall after=0"), **options)


async def between_two_chunks(gemini: Any, **options: Any) -> Any:
    stream = gemini.StreamGenerate(asking(StreamGenerateRequest, "fault=stall after=2"), **options)
    await stream.read()
    await stream.read()
    return stream


STATES = [waiting_for_the_answer, waiting_for_the_first_chunk, between_two_chunks]


async def cancels(caller: Caller, call: Any) -> None:
    call.cancel()


async def closes_its_channel(caller: Caller, call: Any) -> None:
    await caller.channel.close()


async def is_cut_off(caller: Caller, call: Any) -> None:
    caller.relay.reset()


WAYS = [cancels, closes_its_channel, is_cut_off]


@asynccontextmanager
async def calling(served: Served, options: Sequence[tuple[str, int]] = ()) -> AsyncIterator[Caller]:
    async with (
        relay.serving(served.sidecar.addresses[0]) as hop,
        grpc.aio.insecure_channel(hop.address, options=options) as channel,
    ):
        yield Caller(hop, channel)


@asynccontextmanager
async def nothing_left(served: Served) -> AsyncIterator[None]:
    """Whatever happens in the block, the sidecar is afterwards as it was before."""
    before = asyncio.all_tasks()
    yield
    assert await left_over(before) == set()
    assert served.sidecar.gate.in_flight == 0
    assert served.sidecar.limits.open == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", STATES)
async def test_when_a_caller_goes_the_upstream_is_told_at_once(
    emulator: Emulator, state: State, way: Way
) -> None:
    policy = facts.policy(facts.gemini(emulator.base_url))
    with call_log() as calls:
        async with serving(policy, telemetry=LOGGED) as served, nothing_left(served):
            await served.gemini.Generate(asking(GenerateRequest))  # leaves a connection to be used again
            async with calling(served) as caller:
                call = await state(caller.gemini)
                await emulator.wait_for(lambda seen: seen.active == 1)
                await way(caller, call)
                await emulator.wait_for(lambda seen: seen.disconnected == 1, AT_ONCE_S)
                assert (await calls.ended(2))["ended"] == "CANCELLED"
            assert connections_to(emulator.base_url) == 0


@pytest.mark.parametrize("state", STATES)
async def test_when_the_deadline_of_a_caller_comes_the_upstream_is_told_at_once(
    emulator: Emulator, state: State
) -> None:
    policy = facts.policy(facts.gemini(emulator.base_url))
    with call_log() as calls:
        async with serving(policy, telemetry=LOGGED) as served, nothing_left(served):
            call = await state(served.gemini, timeout=0.4)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await (call if state is waiting_for_the_answer else call.read())
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            await emulator.wait_for(lambda seen: seen.disconnected == 1, AT_ONCE_S)
            assert (await calls.ended())["ended"] == "DEADLINE_EXCEEDED"
            assert connections_to(emulator.base_url) == 0


@pytest.mark.parametrize("way", WAYS)
async def test_a_caller_who_does_not_read_may_go_as_well(way: Way) -> None:
    """The sidecar is writing a chunk that the caller has no room for."""
    with call_log() as calls:
        async with (
            upstream.serving(upstream.plays(BIG_STREAM)) as asked,
            serving(facts.policy(facts.gemini(asked.base_url)), telemetry=LOGGED) as served,
            nothing_left(served),
        ):
            async with calling(served, SMALL_WINDOW) as caller:
                call = caller.gemini.StreamGenerate(asking(StreamGenerateRequest))
                await call.initial_metadata()  # the first chunk is on its way
                await way(caller, call)
                async with asyncio.timeout(AT_ONCE_S):
                    await asked.disconnected()
                ended = await calls.ended()
            assert ended["ended"] == "CANCELLED"
            assert ended["chunks"] < BIG_CHUNKS


@pytest.mark.parametrize("read", [0, 1, 2])
async def test_a_caller_who_reads_too_late_is_told_so(read: int) -> None:
    """At the deadline the upstream is left; the status has to wait behind the chunk that is on its way."""
    with call_log() as calls:
        async with (
            upstream.serving(upstream.plays(BIG_STREAM)) as asked,
            serving(
                facts.policy(facts.gemini(asked.base_url)),
                telemetry=LOGGED,
                deadline={"default": 0.3, "margin": 0.01},
            ) as served,
            nothing_left(served),
            calling(served, SMALL_WINDOW) as caller,
        ):
            call = caller.gemini.StreamGenerate(asking(StreamGenerateRequest))
            await call.initial_metadata()
            for _ in range(read):
                await call.read()
            began = perf_counter()
            await asked.disconnected()
            assert perf_counter() - began < 0.3 + AT_ONCE_S
            assert (await calls.ended())["ended"] == "DEADLINE_EXCEEDED"
            assert served.sidecar.gate.in_flight == 0
            async with asyncio.timeout(5):
                assert (await call.read()).candidates
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call.read()
            assert reason_of(caught.value) == "DEADLINE_EXCEEDED"
            assert details(caught.value)["ErrorInfo"]["metadata"]["chunks_sent"] == str(read + 1)


@NO_WARNING
async def test_a_caller_who_goes_while_a_token_is_fetched_leaves_it_to_the_others(tmp_path: Path) -> None:
    granted = asyncio.Event()
    tokens_script = google_account.grants("made-up-token")

    async def grant_late(exchange: upstream.Exchange) -> None:
        await granted.wait()
        await tokens_script(exchange)

    answers = upstream.answers(upstream.said("hello", "STOP"))
    async with (
        upstream.serving(grant_late) as tokens,
        upstream.serving(answers) as asked,
    ):
        account = google_account.credentials_file(tmp_path, tokens.base_url)
        policy = facts.policy(facts.vertex(asked.base_url, credentials_file=account))
        with call_log() as calls:
            async with serving(policy, telemetry=LOGGED) as served:
                async with nothing_left(served), calling(served) as caller:
                    leaving = caller.gemini.Generate(asking(GenerateRequest))
                    staying = served.gemini.Generate(asking(GenerateRequest))
                    await tokens.requested()
                    began = perf_counter()
                    leaving.cancel()
                    assert (await calls.ended())["ended"] == "CANCELLED"
                    assert perf_counter() - began < AT_ONCE_S
                    assert served.sidecar.gate.in_flight == 1
                    granted.set()
                    assert (await staying).candidates
                await served.gemini.Generate(asking(GenerateRequest))
        assert len(tokens.requests) == 1
        assert [request.headers["authorization"] for request in asked.requests] == [
            "Bearer made-up-token"
        ] * 2


@NO_WARNING
async def test_a_token_that_nobody_waits_for_any_more_serves_the_next_caller(tmp_path: Path) -> None:
    granted = asyncio.Event()
    tokens_script = google_account.grants("made-up-token")

    async def grant_late(exchange: upstream.Exchange) -> None:
        await granted.wait()
        await tokens_script(exchange)

    async with (
        upstream.serving(grant_late) as tokens,
        upstream.serving(upstream.answers(upstream.said("hello", "STOP"))) as asked,
    ):
        account = google_account.credentials_file(tmp_path, tokens.base_url)
        policy = facts.policy(facts.vertex(asked.base_url, credentials_file=account))
        async with serving(policy) as served, nothing_left(served):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await served.gemini.Generate(asking(GenerateRequest), timeout=0.3)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            next_call = served.gemini.Generate(asking(GenerateRequest))
            granted.set()
            assert (await next_call).candidates
        assert len(tokens.requests) == 1
