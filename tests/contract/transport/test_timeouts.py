"""Four waits are bounded, each by its own setting, and each says which one it was."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.errors import Reason, UpstreamUnavailable
from sidecar.core.ports import Transport
from tests.contract.transport.conftest import Build
from tests.support import facts
from tests.support.upstream import (
    LAST_CHUNK,
    STREAM_HEAD,
    Exchange,
    Script,
    chunk,
    event,
    head,
    plays,
    said,
    serving,
    streams,
)


def asked(base_url: str, method: Method = Method.GENERATE) -> Attempt:
    return facts.attempt(facts.gemini(base_url), method)


async def drain(transport: Transport, attempt: Attempt) -> int:
    """Iterate a stream to its end; returns how many chunks it had."""
    async with transport.stream(attempt) as chunks:
        return len([reply async for reply in chunks])


async def consume(transport: Transport, base_url: str, act: Callable[[], Awaitable[object]]) -> None:
    """Do `act` with the first chunk of a stream in hand."""
    async with transport.stream(asked(base_url, Method.STREAM_GENERATE)) as chunks:
        await anext(chunks)
        await act()


@pytest.fixture
def deaf() -> Iterator[str]:
    """A base URL whose TCP backlog is full: connecting neither succeeds nor fails."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"
        for each in waiting:
            each.close()


async def test_connecting_is_bounded(build: Build, deaf: str) -> None:
    attempt = asked(deaf)
    with pytest.raises(
        UpstreamUnavailable, match=r"no connection within 0\.05 s \(connect_timeout\)"
    ) as error:
        await build(connect_timeout=0.05).send(attempt)
    assert error.value.reason == Reason.UPSTREAM_TIMEOUT
    assert not facts.grant_of(attempt).is_sent


async def test_a_handshake_is_part_of_connecting(build: Build) -> None:
    async with serving() as silent:
        attempt = asked(silent.base_url.replace("http:", "https:"))
        with pytest.raises(UpstreamUnavailable, match="connect_timeout") as error:
            await build(connect_timeout=0.05).send(attempt)
        await silent.disconnected()
    assert error.value.reason == Reason.UPSTREAM_TIMEOUT
    assert not facts.grant_of(attempt).is_sent


async def test_the_time_to_an_answer_is_bounded(build: Build) -> None:
    async with serving(plays()) as upstream:
        attempt = asked(upstream.base_url)
        with pytest.raises(UpstreamUnavailable, match=r"waited 0\.05 s .*\(first_content_timeout\)") as error:
            await build(first_content_timeout=0.05).send(attempt)
        await upstream.disconnected()
    assert error.value.reason == Reason.UPSTREAM_TIMEOUT
    assert facts.grant_of(attempt).is_sent


@pytest.mark.parametrize(
    "script",
    [plays(), plays(STREAM_HEAD), plays(STREAM_HEAD, chunk(b"data: {"))],
    ids=["no-head", "head", "part-of-an-event"],
)
async def test_the_time_to_the_first_content_of_a_stream_is_bounded(build: Build, script: Script) -> None:
    async with serving(script) as upstream:
        with pytest.raises(UpstreamUnavailable, match="first_content_timeout") as error:
            await drain(build(first_content_timeout=0.05), asked(upstream.base_url, Method.STREAM_GENERATE))
        await upstream.disconnected()
    assert error.value.reason == Reason.UPSTREAM_TIMEOUT


@pytest.mark.parametrize("life", [b": still here\n", event({"usageMetadata": {"promptTokenCount": 3}})])
async def test_signs_of_life_are_no_content(build: Build, life: bytes) -> None:
    async def trickle(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        while not exchange.gone.is_set():
            exchange.send(chunk(life))
            with suppress(TimeoutError):
                await asyncio.wait_for(exchange.gone.wait(), 0.01)

    async with serving(trickle) as upstream:
        attempt = asked(upstream.base_url, Method.STREAM_GENERATE)
        with pytest.raises(UpstreamUnavailable, match="first_content_timeout"):
            await drain(build(first_content_timeout=0.1), attempt)
        await upstream.disconnected()


async def test_after_its_first_content_a_stream_may_take_longer(build: Build) -> None:
    loop = asyncio.get_running_loop()
    late = asyncio.Event()
    end = chunk(event(said("", "STOP"))) + LAST_CHUNK
    async with serving(plays(STREAM_HEAD + chunk(event(said("a"))), late, end)) as upstream:
        transport = build(first_content_timeout=0.5)
        loop.call_later(0.7, late.set)
        assert await drain(transport, asked(upstream.base_url, Method.STREAM_GENERATE)) == 2


@pytest.mark.parametrize(
    ("method", "script"),
    [
        (Method.GENERATE, plays(head(content_length=10) + b"{")),
        (Method.GENERATE, plays(head(503, content_length=10) + b"{")),
        (Method.STREAM_GENERATE, plays(STREAM_HEAD + chunk(event(said("a"))))),
        (Method.STREAM_GENERATE, plays(STREAM_HEAD + chunk(b"data: {"))),
    ],
    ids=["answer", "error-answer", "stream-between-events", "stream-within-an-event"],
)
async def test_silence_is_bounded(build: Build, method: Method, script: Script) -> None:
    transport = build(idle_timeout=0.05)
    async with serving(script) as upstream:
        attempt = asked(upstream.base_url, method)
        with pytest.raises(UpstreamUnavailable, match=r"waited 0\.05 s .*\(idle_timeout\)") as error:
            await (transport.send(attempt) if method is Method.GENERATE else drain(transport, attempt))
        await upstream.disconnected()
    assert error.value.reason == Reason.UPSTREAM_TIMEOUT


async def test_a_slow_stream_that_never_falls_silent_may_take_longer_than_the_idle_timeout(
    build: Build,
) -> None:
    """Each event comes only after the one before was read; together they take several idle timeouts."""
    loop = asyncio.get_running_loop()
    ticks = [asyncio.Event() for _ in range(6)]
    pieces: list[bytes | asyncio.Event] = [STREAM_HEAD]
    for tick in ticks:
        pieces += [tick, chunk(event(said("a")))]
    async with serving(plays(*pieces, chunk(event(said("", "STOP"))) + LAST_CHUNK)) as upstream:
        began = loop.time()
        for number, tick in enumerate(ticks, start=1):
            loop.call_later(0.1 * number, tick.set)
        transport = build(idle_timeout=0.5)
        assert await drain(transport, asked(upstream.base_url, Method.STREAM_GENERATE)) == 7
        assert loop.time() - began > 0.5


async def test_time_that_the_consumer_takes_is_no_silence_of_the_upstream(build: Build) -> None:
    both = chunk(event(said("a"))) + chunk(event(said("b", "STOP"))) + LAST_CHUNK
    loop = asyncio.get_running_loop()
    async with serving(plays(STREAM_HEAD + both)) as upstream:
        attempt = asked(upstream.base_url, Method.STREAM_GENERATE)
        async with build(idle_timeout=0.2).stream(attempt) as chunks:
            await anext(chunks)
            busy = asyncio.Event()
            loop.call_later(0.4, busy.set)
            await busy.wait()
            await anext(chunks)


@pytest.mark.parametrize("method", [Method.GENERATE, Method.STREAM_GENERATE])
async def test_the_whole_is_bounded_whatever_the_other_limits(build: Build, method: Method) -> None:
    transport = build(total_timeout=0.1)

    async def trickle(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        while not exchange.gone.is_set():
            exchange.send(chunk(b": still here\n"))
            with suppress(TimeoutError):
                await asyncio.wait_for(exchange.gone.wait(), 0.01)

    async with serving(trickle) as upstream:
        attempt = asked(upstream.base_url, method)
        with pytest.raises(UpstreamUnavailable, match=r"not done within 0\.1 s \(total_timeout\)") as error:
            await (transport.send(attempt) if method is Method.GENERATE else drain(transport, attempt))
        await upstream.disconnected()
    assert error.value.reason == Reason.UPSTREAM_TIMEOUT


async def test_the_whole_is_bounded_while_the_consumer_is_busy(build: Build) -> None:
    transport = build(total_timeout=0.1)
    async with serving(plays(STREAM_HEAD + chunk(event(said("a"))))) as upstream:
        with pytest.raises(UpstreamUnavailable, match="total_timeout"):
            await consume(transport, upstream.base_url, asyncio.Event().wait)
        await upstream.disconnected()


async def test_a_longer_bound_gives_way_to_the_whole(build: Build) -> None:
    async with serving(plays()) as upstream:
        with pytest.raises(UpstreamUnavailable, match="total_timeout"):
            await build(first_content_timeout=5, total_timeout=0.05).send(asked(upstream.base_url))


async def test_a_timeout_of_the_consumer_is_not_taken_for_one_of_the_upstream(transport: Transport) -> None:
    async def give_up() -> None:
        raise TimeoutError("mine")

    async with serving(streams(said("a", "STOP"))) as upstream:
        with pytest.raises(TimeoutError, match="mine"):
            await consume(transport, upstream.base_url, give_up)


async def test_a_transport_serves_on_after_a_timeout(build: Build) -> None:
    transport = build(first_content_timeout=0.5)
    async with serving(plays(), streams(said("a", "STOP"))) as upstream:
        with pytest.raises(UpstreamUnavailable):
            await transport.send(asked(upstream.base_url))
        assert await drain(transport, asked(upstream.base_url, Method.STREAM_GENERATE)) == 1
