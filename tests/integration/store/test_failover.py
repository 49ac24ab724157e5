"""Masters that die, and slots that move: callers see an outage at most, and soon none."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sidecar.store.client import Store, connected
from sidecar.store.errors import StoreUnavailable
from tests.integration.store.conftest import patiently
from tests.support.redis.cluster import RedisCluster, cluster
from tests.support.redis.sentinel import RedisSentinel

COUNT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
LIMIT_S = 0.25
TAGS = ("{a}", "{b}", "{c}", "{d}", "{e}", "{f}")


async def count(store: Store, key: str = "n") -> Any:
    return await store.script(COUNT).run([key], [1], LIMIT_S)


async def settled(work: Any) -> Any:
    """What blocks, done in a thread, while the event loop goes on."""
    return await asyncio.to_thread(work)


async def test_after_a_sentinel_failover_the_new_master_is_used(redis_sentinel: RedisSentinel) -> None:
    async with connected(redis_sentinel.settings()) as store:
        assert await patiently(partial(count, store)) == 1
        master = await settled(redis_sentinel.failover)
        await patiently(partial(count, store))
        assert int(master.command("GET", "n")) >= 1


async def test_a_master_that_was_paused_and_comes_back_is_not_written_to(
    redis_sentinel: RedisSentinel,
) -> None:
    async with connected(redis_sentinel.settings()) as store:
        await patiently(partial(count, store))
        old = redis_sentinel.master
        old.pause()
        await settled(lambda: redis_sentinel.wait_for_another(old))
        before = await patiently(partial(count, store))
        old.resume()
        assert await patiently(partial(count, store)) == before + 1
        assert int(redis_sentinel.master.command("GET", "n")) == before + 1


async def test_a_sentinel_that_hangs_and_one_that_is_gone_cost_nothing(
    redis_sentinel: RedisSentinel,
) -> None:
    redis_sentinel.sentinels[1].pause()
    redis_sentinel.sentinels[2].kill()
    async with connected(redis_sentinel.settings()) as store:
        assert await patiently(partial(count, store)) == 1
        assert store.outages.total() <= 1
    redis_sentinel.sentinels[1].resume()


async def test_a_service_that_no_sentinel_knows_is_an_outage(redis_sentinel: RedisSentinel) -> None:
    async with connected(redis_sentinel.settings(service="other")) as store:
        with pytest.raises(StoreUnavailable):
            await count(store)


async def test_a_slot_that_has_moved_is_followed(redis_cluster: RedisCluster) -> None:
    async with connected(redis_cluster.settings()) as store:
        assert await patiently(partial(count, store)) == 1
        for expected in (2, 3, 4):
            redis_cluster.move("n")
            assert await count(store) == expected


async def test_a_slot_that_is_half_moved_is_served_from_both_sides(redis_cluster: RedisCluster) -> None:
    async with connected(redis_cluster.settings()) as store:
        assert await patiently(partial(count, store, "{t}here")) == 1
        redis_cluster.half_move("{t}here")
        assert await count(store, "{t}here") == 2
        for expected in range(1, 4):
            assert await count(store, "{t}there") == expected
        redis_cluster.nodes[0].is_spoiled = True  # a slot stays half moved


async def test_keys_on_both_sides_of_a_moving_slot_are_waited_for(redis_cluster: RedisCluster) -> None:
    async with connected(redis_cluster.settings()) as store:
        await patiently(partial(count, store, "{t}here"))
        redis_cluster.half_move("{t}here")
        await count(store, "{t}there")
        both = store.script("return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])}")
        asking = asyncio.create_task(both.run(["{t}here", "{t}there"], [], LIMIT_S))
        await asyncio.sleep(0.03)
        redis_cluster.finish_move("{t}here")
        assert await asking == [b"1", b"1"]


async def test_a_cluster_is_used_in_part_while_a_master_is_gone(tmp_path: Path) -> None:
    with cluster(tmp_path, masters=3, replicas=1) as nodes:
        async with connected(nodes.settings()) as store:
            for tag in TAGS:
                await patiently(partial(count, store, tag))
            lost = nodes.owner(TAGS[0])
            elsewhere = next(tag for tag in TAGS if nodes.owner(tag) is not lost)
            failing_over = asyncio.create_task(settled(lambda: nodes.failover(TAGS[0])))
            served = 0
            while not failing_over.done():
                try:
                    await count(store, elsewhere)
                    served += 1
                except StoreUnavailable:  # the whole cluster is down until the replica is elected
                    pass
                await asyncio.sleep(0.05)
            assert served > 0
            for tag in TAGS:
                assert await patiently(partial(count, store, tag)) >= 1


async def test_a_cluster_is_found_by_any_seed_that_is_left(redis_cluster: RedisCluster) -> None:
    seeds = ["127.0.0.1:1", redis_cluster.nodes[1].address]
    async with connected(redis_cluster.settings(addresses=seeds)) as store:
        for tag in TAGS:
            assert await patiently(partial(count, store, tag)) == 1
