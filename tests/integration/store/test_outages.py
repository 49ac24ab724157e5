"""Redis that is paused, killed, full, loading or not there: every command ends in time and says why."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from sidecar.config.redis import RedisSettings
from sidecar.store.client import Store, connected
from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.lane import WAITING_MAX
from tests.integration.store.conftest import patiently
from tests.support.redis.server import RedisServer, ReservedPort, standalone, wait_until

LIMIT_S = 0.2
SLACK_S = 2.0
"""For a machine that does other things as well."""
WRITE = "return redis.call('SET', KEYS[1], ARGV[1])"


async def write(store: Store, timeout_s: float = LIMIT_S) -> Any:
    return await store.script(WRITE).run(["gs:n"], ["x"], timeout_s)


def established(server: RedisServer) -> list[Any]:
    """Connections of this process to a server that it has not closed."""
    return [
        each
        for each in psutil.Process().net_connections()
        if each.raddr and each.raddr.port == server.port and each.status == psutil.CONN_ESTABLISHED
    ]


async def fails(asking: Awaitable[Any]) -> Outage:
    with pytest.raises(StoreUnavailable) as raised:
        await asking
    return raised.value.outage


async def meets(store: Store, outage: Outage) -> None:
    """It does, in the end: a server that has just become so may still be silent at first."""
    met: set[Outage] = set()
    async with asyncio.timeout(10):
        while outage not in met:
            met.add(await fails(write(store)))
    assert met <= {outage, Outage.TIMEOUT, Outage.OPEN}


async def works(store: Store) -> None:
    """It does, in the end; before that only StoreUnavailable is raised."""
    assert await patiently(partial(write, store)) == b"OK"


async def test_a_paused_server_costs_no_more_than_the_time_allowed(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        await works(store)
        redis_server.pause()
        for allowed_s in (0.05, LIMIT_S):
            began = time.perf_counter()
            assert await fails(write(store, allowed_s)) is Outage.TIMEOUT
            assert allowed_s / 2 < time.perf_counter() - began < allowed_s + SLACK_S
        redis_server.resume()
        await works(store)


async def test_no_time_allowed_is_longer_than_that_of_the_settings(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings(timeout="50ms")) as store:
        redis_server.pause()
        began = time.perf_counter()
        await fails(write(store, 60.0))
        assert time.perf_counter() - began < 0.1 + SLACK_S


async def test_after_two_failures_nothing_is_sent_until_the_backoff_has_passed(
    redis_server: RedisServer,
) -> None:
    async with connected(redis_server.settings(timeout="20ms")) as store:
        redis_server.pause()
        seen = [await fails(write(store)) for _ in range(4)]
        while Outage.OPEN not in seen:
            seen.append(await fails(write(store)))
        began = time.perf_counter()
        for _ in range(100):
            if await fails(write(store)) is not Outage.OPEN:
                break
        assert time.perf_counter() - began < SLACK_S
        assert store.outages[Outage.TIMEOUT] + store.outages[Outage.UNREACHABLE] >= 2


async def test_failures_that_nobody_waits_for_any_more_are_counted_too(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings(timeout="50ms")) as store:
        await works(store)
        redis_server.pause()
        while not store.outages:
            await fails(write(store, 0.001))
        assert set(store.outages) <= {Outage.TIMEOUT, Outage.UNREACHABLE}


async def test_a_killed_and_restarted_server_is_found_again(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        await works(store)
        redis_server.kill()
        assert await fails(write(store)) is Outage.UNREACHABLE
        redis_server.start()
        await works(store)


async def test_a_server_that_closed_an_idle_connection_costs_nothing(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        for _ in range(3):
            await works(store)
            redis_server.disconnect_clients()
            wait_until(lambda: not established(redis_server), "the connection is closed")
            for _ in range(3):  # rounds of the event loop, which reads that it is
                await asyncio.sleep(0)
        assert set(store.outages) <= {Outage.TIMEOUT}


async def test_a_store_opens_while_nobody_listens(tmp_path: Path) -> None:
    nobody = ReservedPort()
    settings = RedisSettings.model_validate({"addresses": [f"127.0.0.1:{nobody.number}"]})
    async with connected(settings) as store:
        assert await fails(write(store)) is Outage.UNREACHABLE
    nobody.free()


async def test_a_full_server_is_an_outage_with_a_word_of_its_own(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        redis_server.command("CONFIG", "SET", "maxmemory", "1")
        try:
            await meets(store, Outage.FULL)
        finally:
            redis_server.command("CONFIG", "SET", "maxmemory", "0")
        await works(store)


async def test_a_server_that_cannot_persist_is_an_outage_with_a_word_of_its_own(
    redis_server: RedisServer,
) -> None:
    async with connected(redis_server.settings()) as store:
        redis_server.command("CONFIG", "SET", "min-replicas-to-write", "1")
        try:
            await meets(store, Outage.MISCONFIGURED)
        finally:
            redis_server.command("CONFIG", "SET", "min-replicas-to-write", "0")
        await works(store)


async def test_a_busy_server_is_an_outage_with_a_word_of_its_own(redis_server: RedisServer) -> None:
    redis_server.command("CONFIG", "SET", "busy-reply-threshold", "1")
    async with (
        connected(redis_server.settings()) as blocking,
        connected(redis_server.settings()) as store,
    ):
        await works(blocking)
        await works(store)
        await fails(blocking.script("while true do end").run(["gs:n"], [], 0.05))
        try:
            await meets(store, Outage.BUSY)
        finally:
            redis_server.command("SCRIPT", "KILL")
            wait_until(redis_server.answers, "the script ends")
            redis_server.command("CONFIG", "SET", "busy-reply-threshold", "5000")
        await works(store)


async def test_a_replica_is_read_only(redis_server: RedisServer, tmp_path: Path) -> None:
    with standalone(tmp_path, {"replicaof": f"127.0.0.1 {redis_server.port}"}) as replica:
        async with connected(replica.settings()) as store:
            await meets(store, Outage.READ_ONLY)


async def test_no_more_commands_wait_than_there_is_room_for(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        await works(store)
        redis_server.pause()
        waiting = [asyncio.create_task(fails(write(store))) for _ in range(WAITING_MAX + 80)]
        outages = await asyncio.gather(*waiting)
        assert outages.count(Outage.OVERLOADED) >= 1


async def test_a_unix_socket_is_a_way_too(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings(addresses=[f"unix:{redis_server.socket}"])) as store:
        await works(store)


async def test_a_database_is_chosen(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings(database=3)) as store:
        await works(store)
    assert redis_server.admin.info("keyspace")["db3"]["keys"] == 1


async def test_one_connection_is_enough_for_many_at_once(redis_server: RedisServer) -> None:
    async with connected(redis_server.settings()) as store:
        await asyncio.gather(*(works(store) for _ in range(200)))
        assert redis_server.clients() == 1


async def test_a_server_that_is_a_node_of_a_cluster_says_so(redis_cluster: Any) -> None:
    other = next(node for node in redis_cluster.nodes if node is not redis_cluster.owner("gs:n"))
    async with connected(other.settings()) as store:
        assert await fails(write(store)) is Outage.CLUSTERED


async def test_the_beginning_and_the_end_of_an_outage_are_one_log_line_each(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sidecar.store.lane")
    async with connected(redis_server.settings()) as store:
        await works(store)
        redis_server.kill()
        for _ in range(20):
            await fails(write(store))
        redis_server.start()
        await works(store)
    assert [record.message for record in caplog.records] == [
        "Redis fails and is asked less",
        "Redis answers again",
    ]
