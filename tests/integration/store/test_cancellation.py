"""Callers that go away: no answer goes to another, no connection stays behind, and closing leaves nothing."""

import asyncio
import random
from functools import partial
from typing import Any

import psutil
import pytest

from sidecar.store.client import Store, connected
from sidecar.store.errors import Outage, StoreUnavailable
from tests.integration.store.conftest import Served, patiently
from tests.support.redis.server import RedisServer
from tests.support.relay import serving

ECHO = "return {KEYS[1], ARGV[1]}"
LIMIT_S = 0.25


async def echo(store: Store, number: int) -> Any:
    return await store.script(ECHO).run([f"k{number}"], [number], LIMIT_S)


async def test_after_a_cancelled_command_the_next_answer_is_its_own(redis_server: RedisServer) -> None:
    """The answer of the cancelled one is held back until after the next was asked for."""
    async with (
        serving(redis_server.address) as relay,
        connected(redis_server.settings(addresses=[relay.address])) as store,
    ):
        await patiently(partial(echo, store, 0))
        for number in range(1, 20):
            relay.freeze()
            gone = asyncio.create_task(echo(store, -number))
            await asyncio.sleep(0)
            gone.cancel()
            following = asyncio.create_task(echo(store, number))
            await asyncio.wait({gone})
            assert gone.cancelled()
            relay.thaw()
            assert await following == [f"k{number}".encode(), str(number).encode()]


async def test_cancelled_at_any_moment_no_answer_is_mixed_up(redis: Served) -> None:
    draw = random.Random(1)  # noqa: S311
    async with connected(redis.settings()) as store:
        await patiently(partial(echo, store, 0))
        for _ in range(100):
            tasks = [asyncio.create_task(echo(store, number)) for number in range(20)]
            for _ in range(draw.randrange(6)):
                await asyncio.sleep(0)
            for task in draw.sample(tasks, 10):
                task.cancel()
            for number, answer in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
                if not isinstance(answer, asyncio.CancelledError | StoreUnavailable):
                    assert answer == [f"k{number}".encode(), str(number).encode()]


async def test_a_command_whose_caller_left_before_it_was_sent_is_not_sent(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        task = asyncio.create_task(store.script("return redis.call('INCR', KEYS[1])").run(["n"], [], LIMIT_S))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await patiently(partial(echo, store, 1))
        assert redis_server.command("GET", "n") is None


async def test_closing_leaves_no_task_and_no_socket(redis: Served) -> None:
    process, tasks = psutil.Process(), asyncio.all_tasks()
    sockets = {(each.laddr, each.raddr) for each in process.net_connections()}
    async with connected(redis.settings()) as store:
        store.bulletin().put("kind", "key", "value", asyncio.get_running_loop().time() + 60)
        await asyncio.gather(*(patiently(partial(echo, store, number)) for number in range(20)))
        waiting = asyncio.create_task(echo(store, 1))
        await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable) as raised:
        await waiting
    assert raised.value.outage is Outage.CLOSED
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert {(each.laddr, each.raddr) for each in process.net_connections()} <= sockets


async def test_a_store_that_hangs_closes_at_once(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        await patiently(partial(echo, store, 0))
        redis_server.pause()
        waiting = asyncio.create_task(echo(store, 1))
        await asyncio.sleep(0)
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 2.0
    with pytest.raises(StoreUnavailable):
        await waiting


async def test_a_closed_store_says_so(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        await patiently(partial(echo, store, 0))
    with pytest.raises(StoreUnavailable) as raised:
        await echo(store, 1)
    assert raised.value.outage is Outage.CLOSED
    await store.close()
