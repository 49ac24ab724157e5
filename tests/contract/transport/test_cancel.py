"""Cancelling an attempt closes its connection at once, whatever it is waiting for."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.ports import Transport
from tests.support import facts
from tests.support.upstream import (
    STREAM_HEAD,
    Script,
    ScriptedUpstream,
    chunk,
    event,
    head,
    plays,
    said,
    serving,
    streams,
)

AT_ONCE_S = 2.0
"""With room for a machine that does other things as well: how soon it really is, the soak tells."""


def asked(base_url: str, method: Method = Method.GENERATE) -> Attempt:
    return facts.attempt(facts.gemini(base_url), method)


async def cancel_when(
    asking: Coroutine[Any, Any, object], is_there: Awaitable[object], upstream: ScriptedUpstream
) -> None:
    """Run `asking`, cancel it when `is_there` is done, and see the connection close at once."""
    task = asyncio.ensure_future(asking)
    await is_there
    task.cancel()
    async with asyncio.timeout(AT_ONCE_S):
        await upstream.disconnected()
    await asyncio.wait({task})
    assert task.cancelled(), "cancellation is never turned into anything else"


async def consume(transport: Transport, attempt: Attempt, on_chunk: Callable[[], Awaitable[object]]) -> None:
    async with transport.stream(attempt) as chunks:
        async for _ in chunks:
            await on_chunk()


@pytest.mark.parametrize("method", [Method.GENERATE, Method.STREAM_GENERATE])
async def test_while_waiting_for_headers(transport: Transport, method: Method) -> None:
    async with serving(plays()) as upstream:
        attempt = asked(upstream.base_url, method)
        asking = (
            transport.send(attempt)
            if method is Method.GENERATE
            else consume(transport, attempt, asyncio.Event().wait)
        )
        await cancel_when(asking, upstream.requested(), upstream)


async def test_while_shaking_hands(transport: Transport) -> None:
    async with serving() as silent:
        attempt = asked(silent.base_url.replace("http:", "https:"))
        await cancel_when(transport.send(attempt), silent.connected(), silent)
    assert not facts.grant_of(attempt).is_sent


@pytest.mark.parametrize("status", [200, 503])
async def test_while_reading_an_answer(transport: Transport, status: int) -> None:
    played = asyncio.Event()

    async def half(exchange: Any) -> None:
        exchange.send(head(status, content_length=100) + b"{")
        played.set()

    async with serving(half) as upstream:
        await cancel_when(transport.send(asked(upstream.base_url)), _soon(played), upstream)


async def test_while_sending_a_large_request(transport: Transport) -> None:
    """The upstream reads nothing, so the request cannot leave whole."""
    stuck = asyncio.Event()

    class Deaf(asyncio.Protocol):
        def connection_made(self, made: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, made)
            self.transport.pause_reading()
            stuck.set()

        def connection_lost(self, error: Exception | None) -> None:
            gone.set()

    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    deaf = Deaf()
    async with await loop.create_server(lambda: deaf, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        body = {"contents": [{"parts": [{"text": "x" * 20_000_000}], "role": "user"}]}
        attempt = facts.attempt(facts.gemini(f"http://127.0.0.1:{port}"), body=body)
        task = asyncio.ensure_future(transport.send(attempt))
        await stuck.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        deaf.transport.resume_reading()  # a paused reader does not notice the end
        async with asyncio.timeout(5):
            await gone.wait()


BETWEEN: list[tuple[str, Script]] = [
    ("before-the-first-chunk", plays(STREAM_HEAD)),
    ("between-chunks", plays(STREAM_HEAD + chunk(event(said("a"))))),
    ("within-an-event", plays(STREAM_HEAD + chunk(b'data: {"candidates'))),
]


@pytest.mark.parametrize("script", [script for _, script in BETWEEN], ids=[name for name, _ in BETWEEN])
async def test_while_waiting_for_a_chunk(transport: Transport, script: Script) -> None:
    entered = asyncio.Event()

    async def wait_for_more(attempt: Attempt) -> None:
        async with transport.stream(attempt) as chunks:
            entered.set()
            async for _ in chunks:
                pass

    async with serving(script) as upstream:
        asking = wait_for_more(asked(upstream.base_url, Method.STREAM_GENERATE))
        await cancel_when(asking, _soon(entered), upstream)


async def test_while_the_consumer_is_blocked_elsewhere(transport: Transport) -> None:
    blocked = asyncio.Event()

    async def block() -> None:
        blocked.set()
        await asyncio.Event().wait()

    async with serving(plays(STREAM_HEAD + chunk(event(said("a"))))) as upstream:
        asking = consume(transport, asked(upstream.base_url, Method.STREAM_GENERATE), block)
        await cancel_when(asking, blocked.wait(), upstream)


async def test_while_the_consumer_is_blocked_and_the_stream_was_sent_whole(transport: Transport) -> None:
    """Unread chunks do not keep the connection."""
    blocked = asyncio.Event()

    async def block() -> None:
        blocked.set()
        await asyncio.Event().wait()

    async with serving(streams(said("a"), *[said("x" * 100_000)] * 20, said("b", "STOP"))) as upstream:
        asking = consume(transport, asked(upstream.base_url, Method.STREAM_GENERATE), block)
        await cancel_when(asking, blocked.wait(), upstream)


async def test_an_error_of_the_consumer_closes_the_connection_and_passes_through(
    transport: Transport,
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async with serving(plays(STREAM_HEAD + chunk(event(said("a"))))) as upstream:
        with pytest.raises(ZeroDivisionError):
            await consume(transport, asked(upstream.base_url, Method.STREAM_GENERATE), fail)
        async with asyncio.timeout(AT_ONCE_S):
            await upstream.disconnected()


async def test_a_transport_serves_on_after_a_cancel(transport: Transport) -> None:
    async with serving(plays(), streams(said("a", "STOP"))) as upstream:
        await cancel_when(transport.send(asked(upstream.base_url)), upstream.requested(), upstream)
        heard: list[str] = []

        async def hear() -> None:
            heard.append("chunk")

        await consume(transport, asked(upstream.base_url, Method.STREAM_GENERATE), hear)
    assert heard == ["chunk"]


async def test_many_cancelled_attempts_leave_no_connection(transport: Transport) -> None:
    async with serving(plays(STREAM_HEAD + chunk(event(said("a"))))) as upstream:
        tasks = [
            asyncio.ensure_future(
                consume(transport, asked(upstream.base_url, Method.STREAM_GENERATE), asyncio.Event().wait)
            )
            for _ in range(50)
        ]
        await upstream.requested(50)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await upstream.disconnected(50)
        assert upstream.open_connections == 0


async def _soon(event: asyncio.Event) -> None:
    """When `event` is set and the loop has gone round a few times, so that what it announces was read."""
    await event.wait()
    for _ in range(20):
        await asyncio.sleep(0)
