"""Scripts on every kind of Redis: answers, errors, and servers that forget."""

import asyncio
from functools import partial
from typing import Any

import pytest

from sidecar.store.client import Store, connected
from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.scripts import Script
from tests.integration.store.conftest import Served, patiently
from tests.support.redis.server import RedisServer

ECHO = "return {KEYS[1], ARGV[1], {1, {'two'}}, false}"
LIMIT_S = 0.25


async def answer(script: Script, key: str | bytes, value: str | bytes | int) -> Any:
    return await patiently(partial(script.run, [key], [value], LIMIT_S))


async def test_an_answer_comes_as_resp_has_it(store: Store) -> None:
    assert await answer(store.script(ECHO), "{a}k", b"\xff\r\n") == [
        b"{a}k",
        b"\xff\r\n",
        [1, [b"two"]],
        None,
    ]


async def test_text_bytes_and_numbers_may_be_given(store: Store) -> None:
    echo = store.script(ECHO)
    assert (await answer(echo, "k\xe9y", "\xe9"))[:2] == ["k\xe9y".encode(), "\xe9".encode()]
    assert (await answer(echo, b"\xff", -2))[:2] == [b"\xff", b"-2"]


async def test_keys_on_every_node_are_found(store: Store) -> None:
    echo = store.script(ECHO)
    for number in range(50):
        assert (await answer(echo, f"key-{number}", number))[1] == str(number).encode()


async def test_many_at_once_get_each_their_own_answer(store: Store) -> None:
    echo = store.script(ECHO)
    answers = await asyncio.gather(*(answer(echo, f"k{n}", n) for n in range(300)))
    assert [(key, value) for key, value, *_ in answers] == [
        (f"k{n}".encode(), str(n).encode()) for n in range(300)
    ]


async def test_a_script_that_fails_is_a_fault_and_hurts_no_other(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        bad, good = store.script("return redis.call('HGET', KEYS[1])"), store.script(ECHO)
        await answer(good, "n", 1)
        for _ in range(5):
            with pytest.raises(StoreUnavailable) as raised:
                await bad.run(["n"], [], LIMIT_S)
            assert raised.value.outage is Outage.FAULT
        assert await good.run(["n"], [1], LIMIT_S)


async def test_a_server_that_forgets_its_scripts_is_given_them_again(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        echo = store.script(ECHO)
        for number in range(5):
            assert (await answer(echo, "n", number))[1] == str(number).encode()
            redis_server.flush_scripts()
        assert set(store.outages) <= {Outage.TIMEOUT}


async def test_a_known_script_is_not_sent_again(redis_server: RedisServer) -> None:
    redis_server.flush_scripts()
    redis_server.command("CONFIG", "RESETSTAT")
    async with connected(redis_server.settings()) as store:
        echo = store.script(ECHO)
        for _ in range(10):
            await answer(echo, "n", 1)
    stats: Any = redis_server.admin.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] >= 10
    assert stats["cmdstat_eval"]["calls"] == 1


async def test_keys_of_several_slots_are_refused_where_that_matters(redis: Served) -> None:
    async with connected(redis.settings()) as store:
        script = store.script("return #KEYS")
        assert await patiently(partial(script.run, ["{t}1", "{t}2"], [], LIMIT_S)) == 2
        if redis.settings().mode == "cluster":
            with pytest.raises(ValueError, match="hash tag"):
                await script.run(["a", "b"], [], LIMIT_S)
