"""The bulletin over Redis when push is lost, when Redis forgets, and when its master dies."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, TypeAlias

import pytest

from sidecar.config.redis import RedisSettings
from sidecar.core.ports import Bulletin
from sidecar.store.client import connected
from tests.support.bulletin import confirmed, heard
from tests.support.redis.sentinel import RedisSentinel
from tests.support.redis.server import RedisServer, wait_until
from tests.support.relay import serving

KIND = "cooldown"
SOON_S = 3.0
"""The second that the bulletin promises while Redis answers, with room for a busy machine."""

Pair: TypeAlias = tuple[Bulletin, Bulletin]


def loop_time() -> float:
    return asyncio.get_running_loop().time()


class Fleet:
    """Two sidecars that are up to date and hear."""

    def __init__(self, closing: AsyncExitStack) -> None:
        self._closing = closing

    async def of(self, first: RedisSettings, second: RedisSettings | None = None) -> Pair:
        stores = [
            await self._closing.enter_async_context(connected(each)) for each in (first, second or first)
        ]
        here, there = (store.bulletin() for store in stores)
        for bulletin in (here, there):
            await confirmed(bulletin, KIND, loop_time())
        return here, there


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as closing:
        yield Fleet(closing)


async def told_soon(here: Bulletin, there: Bulletin, key: str) -> None:
    """Put here, and be heard there within a second."""
    began = time.perf_counter()
    here.put(KIND, key, "value", loop_time() + 60)
    await heard(there, KIND, key, "value")
    assert time.perf_counter() - began < SOON_S


def subscribers(server: RedisServer) -> int:
    return int(dict([server.command("PUBSUB", "NUMSUB", "gs:bulletin")])[b"gs:bulletin"])


async def test_a_notice_is_pushed(redis_server: RedisServer, fleet: Fleet) -> None:
    here, there = await fleet.of(redis_server.settings())
    began = time.perf_counter()
    for number in range(20):
        await told_soon(here, there, f"key-{number}")
    assert time.perf_counter() - began < SOON_S, "asking now and then is slower than that"


async def test_after_its_connection_was_killed_a_sidecar_still_learns_soon(
    redis_server: RedisServer, fleet: Fleet
) -> None:
    here, there = await fleet.of(redis_server.settings())
    for number in range(5):
        redis_server.disconnect_clients("pubsub")
        await told_soon(here, there, f"key-{number}")
    wait = asyncio.to_thread(wait_until, lambda: subscribers(redis_server) == 2, "both listen again")
    await wait


async def test_where_nothing_can_be_heard_it_is_asked_for(redis_server: RedisServer, fleet: Fleet) -> None:
    """Both are denied SUBSCRIBE, so push is lost for good."""
    redis_server.command("ACL", "SETUSER", "deaf", "on", "nopass", "~*", "&*", "+@all", "-subscribe")
    here, there = await fleet.of(redis_server.settings(username="deaf", password="any"))
    assert subscribers(redis_server) == 0
    for number in range(3):
        await told_soon(here, there, f"key-{number}")
    assert await confirmed(there, KIND, loop_time() - 1) > loop_time() - 1.5


async def test_a_connection_that_says_nothing_any_more_is_given_up(
    redis_server: RedisServer, fleet: Fleet
) -> None:
    """The listening connection is alive for the kernel and dead for us: nobody says that push is lost."""
    async with serving(redis_server.address) as relay:
        here, there = await fleet.of(
            redis_server.settings(), redis_server.settings(addresses=[relay.address])
        )
        relay.freeze()
        here.put(KIND, "key", "value", loop_time() + 60)
        await asyncio.to_thread(wait_until, lambda: repr(there).startswith("<RedisBulletin deaf"), "deaf")
        relay.reset()
        relay.thaw()
        await heard(there, KIND, "key", "value")


async def test_a_redis_that_has_lost_everything_is_told_again(
    redis_server: RedisServer, fleet: Fleet
) -> None:
    here, there = await fleet.of(redis_server.settings())
    await told_soon(here, there, "old")
    redis_server.restart_empty()
    here.put(KIND, "new", "value", loop_time() + 60)
    await heard(there, KIND, "new", "value")
    assert there.watch(KIND).value("old", loop_time()) == "value", "nobody forgets with it"
    async with connected(redis_server.settings()) as late:
        for key in ("old", "new"):
            await heard(late.bulletin(), KIND, key, "value")


async def test_what_is_put_while_redis_is_down_is_told_when_it_is_back(
    redis_server: RedisServer, fleet: Fleet
) -> None:
    here, there = await fleet.of(redis_server.settings())
    redis_server.kill()
    here.put(KIND, "key", "value", loop_time() + 60)
    assert here.watch(KIND).value("key", loop_time()) == "value"
    redis_server.start()
    await heard(there, KIND, "key", "value")


async def test_while_redis_is_down_nothing_is_confirmed(redis_server: RedisServer, fleet: Fleet) -> None:
    here, _ = await fleet.of(redis_server.settings())
    redis_server.kill()
    down_since = loop_time()
    await asyncio.sleep(0.3)
    assert here.watch(KIND).confirmed_at <= down_since
    redis_server.start()
    await confirmed(here, KIND, down_since + 0.3)


async def test_after_a_failover_notices_are_told_soon_again(
    redis_sentinel: RedisSentinel, fleet: Fleet
) -> None:
    here, there = await fleet.of(redis_sentinel.settings())
    await told_soon(here, there, "before")
    await asyncio.to_thread(redis_sentinel.failover)
    for bulletin in (here, there):
        await confirmed(bulletin, KIND, loop_time())
    await told_soon(here, there, "after")
    async with connected(redis_sentinel.settings()) as late:
        for key in ("before", "after"):
            await heard(late.bulletin(), KIND, key, "value")


async def test_what_others_publish_on_the_channel_does_no_harm(
    redis_server: RedisServer, fleet: Fleet
) -> None:
    here, there = await fleet.of(redis_server.settings())
    strange: list[Any] = [
        b"\xff",
        "{",
        "5",
        "[]",
        json.dumps([KIND, "key", "soon", "0", ""]),
        json.dumps([[], {}, "1", "1", 1]),
        json.dumps(["other", "key", "9999999999999", "0", ""]),
        json.dumps([KIND, 5, "9999999999999", "0", "value"]),
    ]
    for message in strange:
        redis_server.command("PUBLISH", "gs:bulletin", message)
    await told_soon(here, there, "key")
    assert list(there.watch(KIND).notices) == ["key"]


async def test_what_others_write_into_the_hash_does_no_harm(redis_server: RedisServer, fleet: Fleet) -> None:
    here, there = await fleet.of(redis_server.settings())
    redis_server.command("HSET", "gs:bulletin:cooldown", "", "1", "a", "no stamp", b"\xff", "1 x")
    redis_server.disconnect_clients("pubsub")
    await told_soon(here, there, "key")
    assert list(there.watch(KIND).notices) == ["key"]


async def test_the_hash_goes_with_its_last_notice(redis_server: RedisServer, fleet: Fleet) -> None:
    here, there = await fleet.of(redis_server.settings())
    here.put(KIND, "long", "value", loop_time() + 60)
    here.put(KIND, "short", "value", loop_time() + 1)
    await heard(there, KIND, "short", "value")
    assert 50_000 < redis_server.command("PTTL", "gs:bulletin:cooldown") <= 60_000


async def test_fleets_with_another_prefix_do_not_hear_each_other(
    redis_server: RedisServer, fleet: Fleet
) -> None:
    here, there = await fleet.of(redis_server.settings(), redis_server.settings(prefix="other"))
    here.put(KIND, "key", "value", loop_time() + 60)
    await confirmed(there, KIND, loop_time())
    assert there.watch(KIND).notices == {}


async def test_an_idle_bulletin_is_two_connections_and_hardly_any_commands(
    redis_server: RedisServer, fleet: Fleet
) -> None:
    await fleet.of(redis_server.settings())
    assert redis_server.clients() == 4
    redis_server.command("CONFIG", "RESETSTAT")
    await asyncio.sleep(1.0)
    calls = {name: stat["calls"] for name, stat in redis_server.admin.info("commandstats").items()}
    assert sum(calls.get(f"cmdstat_{name}", 0) for name in ("evalsha", "eval", "ping")) <= 4
