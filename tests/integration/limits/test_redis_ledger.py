"""The ledger in real Redis servers, on their own clock: what they lose, refuse and forget."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis import Redis

from sidecar.config.redis import RedisSettings
from sidecar.limits.group import LedgerUnavailable
from sidecar.limits.message import Answer, Entry, Kind, Report
from sidecar.limits.redis_ledger import RedisLedger, ledger_keys, ledger_script
from sidecar.store.client import connected
from tests.support.ledger import HOUR_MS, NOON, Teller, daily, rolling, want
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.server import PATIENCE_S, RedisServer, standalone, wait_until
from tests.support.scripted import ScriptedLedger

GROUP = "quota/main/gemini-3.8-flash"
KEYS = ledger_keys("gs", GROUP)
ACL = Path(__file__).parents[3] / "deploy" / "redis" / "users.acl"
AT_ONCE = {"learning_ms": 0}
ACCOUNTS_BYTES = {64: 48 << 10, 10_000: 6 << 20}
"""Memory of a ledger with so many sidecars and four limits, at most."""


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


class Held:
    """A ledger as a sidecar has it, asked patiently: the machine may be busy with other things."""

    def __init__(self, ledger: RedisLedger) -> None:
        self._ledger = ledger

    async def tell(self, report: Report) -> Answer:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await self._ledger.exchange(report)
                except LedgerUnavailable:
                    await asyncio.sleep(0.01)


@asynccontextmanager
async def ledger_at(settings: RedisSettings) -> AsyncIterator[Held]:
    async with connected(settings) as store:
        yield Held(RedisLedger(store.script(ledger_script()), GROUP, store.prefix))


def asks(name: str = "a", **other: Any) -> Report:
    """A first report, for ten of a hundred a minute."""
    options = {**AT_ONCE, "lease_ms": 60_000, **other}  # longer than anything here takes
    return Teller(None, [rolling(100)], name, options).report(want(10))  # type: ignore[arg-type]


def now_ms(server: RedisServer) -> int:
    """The server's clock."""
    seconds, micros = server.command("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


async def granted(ledger: Held, name: str) -> list[int]:
    """What a holder that comes and asks for ten is granted, once the ledger has learned."""
    while (answer := await ledger.tell(asks(name))).learning_ms:
        pass
    return list(answer.granted)


async def test_it_grants_on_the_clock_of_the_server(redis_server: RedisServer) -> None:
    async with ledger_at(redis_server.settings()) as ledger:
        before = now_ms(redis_server)
        answer = await ledger.tell(asks())
        after = now_ms(redis_server)
    assert answer.granted == [10]
    assert before <= answer.clock_ms <= after


async def test_a_new_ledger_listens_first(redis_server: RedisServer) -> None:
    async with ledger_at(redis_server.settings()) as ledger:
        answer = await ledger.tell(asks(learning_ms=60_000))
    assert (answer.granted, answer.learning_ms) == ([0], 60_000)


async def test_a_server_that_has_lost_all_scripts_is_told_ours(redis_server: RedisServer) -> None:
    async with ledger_at(redis_server.settings()) as ledger:
        first = await ledger.tell(asks("a"))
        redis_server.flush_scripts()
        second = await ledger.tell(asks("b"))
    assert (second.epoch, second.holders) == (first.epoch, 2)


async def test_a_server_that_has_lost_all_keys_says_so_by_another_epoch(redis_server: RedisServer) -> None:
    async with ledger_at(redis_server.settings()) as ledger:
        first = await ledger.tell(asks())
        redis_server.flush()
        wait_until(lambda: now_ms(redis_server) > first.clock_ms, "an epoch is told from another by the time")
        again = await ledger.tell(replace(asks(), seq=1))
    assert again.is_unknown
    assert again.epoch != first.epoch


async def test_another_run_of_the_server_with_the_same_keys_makes_it_listen(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with ledger_at(redis_server.settings()) as ledger:
        first = await ledger.tell(asks())
    saved = [redis_server.admin.dump(key) for key in KEYS[:3]]
    (folder := tmp_path / "r").mkdir()
    with standalone(folder) as other:
        for key, value in zip(KEYS, saved, strict=False):
            assert value is not None
            other.admin.restore(key, 0, value)
        await asyncio.sleep(0.25)  # it looks five times a second
        async with ledger_at(other.settings()) as ledger:
            answer = await ledger.tell(asks("b", learning_ms=60_000))
    assert (answer.epoch, answer.learning_ms) == (first.epoch, 60_000)


async def test_the_rights_that_we_recommend_are_enough(tmp_path: Path) -> None:
    (folder := tmp_path / "r").mkdir()
    acl = ACL.read_text().replace("CHANGE-ME", "secret")
    with standalone(folder, acl=acl) as server:
        async with ledger_at(server.settings(username="sidecar", password="secret")) as ledger:
            assert await granted(ledger, "a") == [10]
            leaves = replace(asks("b"), entries=[Entry(0, 0, 5, Kind.CORRECTION)], is_leaving=True)
            assert (await ledger.tell(leaves)).levels[0].used == 5


async def test_a_server_that_denies_info_is_a_ledger_all_the_same(tmp_path: Path) -> None:
    (folder := tmp_path / "r").mkdir()
    with standalone(folder, acl="user default on nopass ~* &* +@all -info") as server:
        async with ledger_at(server.settings()) as ledger:
            assert await granted(ledger, "a") == [10]


async def test_it_lives_in_a_cluster(redis_cluster: RedisCluster) -> None:
    async with ledger_at(redis_cluster.settings()) as ledger:
        assert await granted(ledger, "a") == [10]
        redis_cluster.move(KEYS[0])
        answer = await ledger.tell(asks("b"))
    assert answer.holders == 2


# ---------------------------------------------------------------------------------- what Redis refuses, drops


@pytest.fixture
def script(redis_server: RedisServer) -> ScriptedLedger:
    return ScriptedLedger(redis_server.admin)


def teller(script: ScriptedLedger, *terms: Any, name: str = "a") -> Teller:
    """A holder of the script's ledger, which grants at once."""
    return Teller(script, terms or [rolling(100)], name, AT_ONCE)  # type: ignore[arg-type]


def test_when_redis_refuses_to_write_nothing_has_changed(
    redis_server: RedisServer, script: ScriptedLedger
) -> None:
    gone, heir = teller(script, name="gone"), teller(script, name="heir")
    gone.ask(NOON, 10)
    gone.use(NOON, 4)
    before = script.save()
    redis_server.command("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(Exception, match="maxmemory"):  # buckets pass, a lease ends, a licence begins
            heir.levels(NOON + 100_000)
    finally:
        redis_server.command("CONFIG", "SET", "maxmemory", "0")
    assert script.save() == before
    assert heir.levels(NOON + 100_000) == [(10 - 4, 0)]


def test_a_report_that_is_none_changes_nothing(script: ScriptedLedger) -> None:
    holder = teller(script)
    holder.ask(NOON, 10)
    before = script.save()
    with pytest.raises(Exception, match="user_script"):
        script.client.eval(ledger_script(), len(script.keys), *script.keys, "{}")
    assert script.save() == before


@pytest.mark.parametrize("lost", range(4))
def test_when_a_part_was_evicted_it_begins_anew(script: ScriptedLedger, lost: int) -> None:
    gone, holder = teller(script, name="gone"), teller(script)
    gone.tell(gone.report(licence_ms=300_000), NOON)
    first = holder.tell(holder.report(want(10)), NOON + 5_000)
    script.client.delete(script.keys[lost])
    again = holder.tell(holder.report(), NOON + 5_001)
    assert again.is_unknown
    assert (again.epoch != first.epoch, again.holders) == (True, 0)
    assert not script.client.exists(*script.keys[1:])


# ---------------------------------------------------------------------------------------------- time and size


def lifetimes(script: ScriptedLedger) -> list[int]:
    """How long the keys that there are will live if nobody calls."""
    return [pttl for key in script.keys if (pttl := script.client.pttl(key)) != -2]


def test_an_idle_ledger_vanishes_by_itself_but_no_sooner_than_what_it_counts(script: ScriptedLedger) -> None:
    holder = teller(script)
    holder.tell(holder.report(licence_ms=0, lease_ms=3_000), NOON)
    assert all(63_000 < pttl < 70_000 for pttl in lifetimes(script))


def test_a_licence_outlives_a_short_window(script: ScriptedLedger) -> None:
    holder = teller(script)
    holder.tell(holder.report(licence_ms=300_000), NOON)
    assert all(303_000 < pttl < 310_000 for pttl in lifetimes(script))


def test_a_budget_lives_until_its_period_is_over(script: ScriptedLedger) -> None:
    day = daily(100, start=NOON - HOUR_MS)
    spender = teller(script, rolling(100), day)
    spender.tell(spender.report(entries=[Entry(1, 0, 5, Kind.CORRECTION)], is_leaving=True), NOON)
    assert all(23 * HOUR_MS < pttl < 24 * HOUR_MS for pttl in lifetimes(script))


def test_a_budget_that_is_added_between_two_looks_at_the_time_lives_as_long(script: ScriptedLedger) -> None:
    teller(script).ask(NOON, 1)
    late = teller(script, rolling(100), daily(100, start=NOON - HOUR_MS), name="b")
    late.tell(late.report(), NOON + 1)
    assert all(pttl > 23 * HOUR_MS for pttl in lifetimes(script))


def test_what_is_spent_at_midnight_lives_until_the_next(script: ScriptedLedger) -> None:
    spender = teller(script, daily(100, start=NOON - 24 * HOUR_MS))
    spender.tell(spender.report(), NOON - 3_000)
    spender.tell(spender.report(entries=[Entry(0, 0, 5, Kind.CORRECTION)]), NOON - 1_000)
    assert all(pttl > 24 * HOUR_MS for pttl in lifetimes(script))


def test_keys_that_nobody_names_are_gone_when_their_time_has_come(script: ScriptedLedger) -> None:
    holder = teller(script, rolling(100)._replace(window_ms=10, slack_ms=0, bucket_ms=1))
    holder.tell(holder.report(licence_ms=0, lease_ms=10), NOON)
    wait_until(lambda: not script.client.exists(*script.keys), "all keys are gone")


def commands(client: Redis) -> int:
    """How many commands were run since this was last asked."""
    stats: dict[str, dict[str, int]] = client.info("commandstats")  # type: ignore[assignment]
    client.config_resetstat()
    own = ("cmdstat_info", "cmdstat_config", "cmdstat_evalsha")
    return sum(each["calls"] for name, each in stats.items() if not name.startswith(own))


@pytest.mark.parametrize("accounts", [64, 10_000])
def test_neither_work_nor_memory_of_a_sidecar_grows_with_the_fleet(
    script: ScriptedLedger, accounts: int
) -> None:
    terms = [rolling(10**6, name=f"limit {number}") for number in range(3)] + [daily(10**9)]
    holders = [teller(script, *terms, name=f"sidecar-{number:05}/0123456789ab") for number in range(accounts)]
    with script.client.pipeline(transaction=False) as pipeline:
        sha = script.client.script_load(ledger_script())
        for holder in holders:
            pipeline.evalsha(sha, len(script.keys), *script.keys, holder.report().to_json(), NOON, "")
        pipeline.execute()
    commands(script.client)
    holders[0].seq = 0
    answer = holders[0].tell(holders[0].report(want(1, 1, 1, 1)), NOON + 1)
    assert answer.holders == accounts
    assert commands(script.client) <= 16
    assert script.size_bytes() <= ACCOUNTS_BYTES[accounts]
