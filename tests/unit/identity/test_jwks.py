"""Keys kept current, on a clock that the test turns."""

import asyncio

import pytest

from sidecar.core.errors import IdentityUnavailable, Unauthenticated
from sidecar.identity.jwks import BURST, REMOTE, STALE_S, Allowance, CachedKeys, Unloadable
from tests.support.tokens import SigningKey, key_set

OLD, NEW = SigningKey(key_id="old"), SigningKey(key_id="new")


class Place:
    """Where the key set is: it can be changed, be away, and be slow."""

    def __init__(self) -> None:
        self.document: bytes | None = key_set(OLD.jwk())
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self) -> bytes:
        self.asked += 1
        await self.open.wait()
        if self.document is None:
            raise Unloadable("it is away")
        return self.document


class World:
    """Keys, their place, and a clock."""

    def __init__(self) -> None:
        self.place = Place()
        self.now = 1000.0
        self.keys = CachedKeys("corp", self.place, REMOTE, lambda: self.now)

    async def settled(self) -> None:
        """Let a load behind the callers' backs come to its end."""
        for _ in range(5):
            await asyncio.sleep(0)

    async def knows(self, key: SigningKey) -> bool:
        try:
            return await self.keys.find("ES256", key.key_id) is not None
        except Unauthenticated as error:
            if error.metadata["cause"] != "token_key":
                raise
            return False


async def test_the_first_caller_waits_for_the_keys() -> None:
    world = World()
    assert await world.knows(OLD)
    assert world.place.asked == 1


async def test_callers_who_wait_share_one_load() -> None:
    world = World()
    world.place.open.clear()
    callers = [asyncio.ensure_future(world.knows(OLD)) for _ in range(10)]
    await world.settled()
    callers.pop().cancel()
    world.place.open.set()
    assert await asyncio.gather(*callers) == [True] * 9
    assert world.place.asked == 1


async def test_keys_are_used_without_asking_until_they_are_old() -> None:
    world = World()
    assert await world.knows(OLD)
    world.now += REMOTE.refresh_s
    assert await world.knows(OLD)
    assert world.place.asked == 1


async def test_old_keys_are_used_while_they_are_loaded_anew() -> None:
    world = World()
    assert await world.knows(OLD)
    world.now += REMOTE.refresh_s + 1
    world.place.open.clear()
    world.place.document = key_set(NEW.jwk())
    assert await world.knows(OLD)
    world.place.open.set()
    await world.settled()
    assert world.place.asked == 2
    assert not await world.knows(OLD)
    assert await world.knows(NEW)


async def test_a_key_that_has_just_come_up_is_fetched_at_once() -> None:
    world = World()
    assert await world.knows(OLD)
    world.place.document = key_set(OLD.jwk(), NEW.jwk())
    assert await world.knows(NEW)
    assert await world.knows(OLD)


async def test_made_up_key_ids_cause_few_loads() -> None:
    world = World()
    for number in range(1000):
        world.now += 0.01
        assert not await world.knows(SigningKey("ES256", f"made-up-{number}") if number < 3 else NEW)
    assert world.place.asked <= BURST + 1 + 10 / REMOTE.pause_s
    assert await world.knows(OLD)


async def test_an_issuer_that_is_away_locks_nobody_out_for_a_day() -> None:
    world = World()
    assert await world.knows(OLD)
    world.place.document = None
    for _ in range(23):
        world.now += 3600
        assert await world.knows(OLD)
        await world.settled()
    with pytest.raises(IdentityUnavailable) as refusal:
        await world.knows(NEW)
    assert refusal.value.retry_after_s
    world.now += STALE_S
    with pytest.raises(IdentityUnavailable, match="'corp'"):
        await world.knows(OLD)
    world.place.document = key_set(OLD.jwk())
    assert await world.knows(OLD)


@pytest.mark.parametrize("document", [b"<html>", b'{"keys": []}'])
async def test_a_broken_key_set_does_not_replace_a_good_one(document: bytes) -> None:
    world = World()
    assert await world.knows(OLD)
    world.place.document = document
    world.now += REMOTE.refresh_s + 1
    assert await world.knows(OLD)
    await world.settled()
    assert (world.place.asked, await world.knows(OLD)) == (2, True)


async def test_closing_ends_a_load() -> None:
    world = World()
    world.place.open.clear()
    world.keys.warm()
    await world.settled()
    assert world.place.asked == 1
    await world.keys.close()
    assert "none yet" in repr(world.keys)


def test_an_allowance_is_a_burst_and_then_one_a_pause() -> None:
    allowance = Allowance(10.0)
    assert [allowance.take(0.0) for _ in range(BURST + 1)] == [True] * BURST + [False]
    assert not allowance.take(9.0)
    assert allowance.take(10.0)
    assert not allowance.take(19.0)
    assert [allowance.take(10_000.0) for _ in range(BURST + 1)] == [True] * BURST + [False]
