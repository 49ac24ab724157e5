"""How many connections there are, and which one an attempt gets."""

import asyncio

import pytest

from sidecar.core.errors import UpstreamUnavailable
from tests.contract.transport.conftest import Build
from tests.support import facts
from tests.support.upstream import answers, plays, said, serving

GOOD = answers(said("hello", "STOP"))


async def test_a_connection_that_idles_too_long_is_closed(build: Build) -> None:
    async with serving(GOOD) as upstream:
        await build(keepalive=0.05).send(facts.attempt(facts.gemini(upstream.base_url)))
        await upstream.disconnected()


async def test_one_that_is_used_again_in_time_is_not(build: Build) -> None:
    transport = build(keepalive=0.2)
    loop = asyncio.get_running_loop()
    async with serving(GOOD) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        until = loop.time() + 0.5
        while loop.time() < until:
            await transport.send(attempt)
            later = asyncio.Event()
            loop.call_later(0.02, later.set)
            await later.wait()
        assert upstream.connections == 1


async def test_an_idle_connection_makes_way_for_one_to_another_host(build: Build) -> None:
    transport = build(max_connections=2)
    async with serving(GOOD) as first, serving(GOOD) as second, serving(GOOD) as third:
        for upstream in (first, second, third):
            await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
        await first.disconnected()
        assert [upstream.open_connections for upstream in (first, second, third)] == [0, 1, 1]


async def test_who_waits_in_line_gets_the_connection_that_becomes_free(build: Build) -> None:
    transport = build(max_connections=1)
    go = asyncio.Event()

    async def send(base_url: str) -> None:
        await transport.send(facts.attempt(facts.gemini(base_url)))

    body = b'{"candidates": []}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    async with serving(plays(go, reply)) as upstream, asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(send(upstream.base_url))
        await upstream.requested()
        assert upstream.connections == 1
        go.set()
        await upstream.requested(3)
        assert upstream.connections == 1


async def test_who_is_cancelled_in_line_takes_no_place_along(build: Build) -> None:
    transport = build(max_connections=1)
    async with serving(plays(), GOOD) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        holding = asyncio.ensure_future(transport.send(facts.attempt(endpoint)))
        await upstream.requested()
        waiting = asyncio.ensure_future(transport.send(facts.attempt(endpoint)))
        await asyncio.sleep(0)
        waiting.cancel()
        holding.cancel()
        await asyncio.wait({waiting, holding})
        await transport.send(facts.attempt(endpoint))
        assert len(upstream.requests) == 2


async def test_a_closed_transport_asks_nobody(build: Build) -> None:
    transport = build()
    async with serving(GOOD) as upstream:
        await transport.close()
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        with pytest.raises(UpstreamUnavailable):
            await transport.send(attempt)
        assert upstream.requests == []
    assert not facts.grant_of(attempt).is_sent
