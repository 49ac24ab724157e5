"""What the upstream asked to be left alone is left alone, by this sidecar at once and by the others soon."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest

from sidecar.core.call import Method
from sidecar.core.errors import GrantLapsed, RateLimited, UpstreamQuota, UpstreamUnavailable
from sidecar.core.permit import Permit
from sidecar.core.policy import Policy
from sidecar.core.ports import Grant
from sidecar.core.quota import OnLoss
from sidecar.limits.cooldowns import KIND
from tests.support import facts
from tests.unit.limits.test_feedback import PER_DAY, PER_MINUTE, refusal
from tests.unit.limits.world import BOTH, ONLY_A, World, call, policy, quota, rpm

METERED = policy(quota("a", rpm(60_000)))
UNMETERED = policy()
_LOOKS = 20_000


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.groups.close()


@pytest.fixture
async def other(world: World) -> AsyncIterator[World]:
    """Another sidecar of the same fleet."""
    other = World(fleet=world)
    yield other
    await other.groups.close()


async def granted(world: World, policy_: Policy, allowed_s: float = 60.0, permit: Permit = ONLY_A) -> Grant:
    hold = await world.limiter.hold(call(policy_, allowed_s), permit)
    return await hold.reserve(permit.candidates)


async def refused(world: World, policy_: Policy, error: UpstreamQuota) -> None:
    """A call goes upstream and is refused; the clocks stand still until everybody knows."""
    grant = await granted(world, policy_)
    grant.sent()
    grant.settle(error, None, 0)
    await world.turn()


async def until_heard(*worlds: World) -> None:
    """Let notices arrive."""
    for _ in range(_LOOKS):
        if all(len(world.groups.cooldowns) for world in worlds):
            return
        await asyncio.sleep(0)
    raise AssertionError("no notice came")


def room(world: World, policy_: Policy) -> float:
    return world.limiter.headroom(call(policy_), ONLY_A.candidates[0])


async def test_units_that_are_held_stay_while_the_upstream_wants_to_be_left_alone(world: World) -> None:
    kept = await granted(world, METERED)
    await refused(world, METERED, refusal(PER_MINUTE, delay_s=30.0))
    kept.settle(UpstreamUnavailable("never sent"), None, 0)
    (group,) = world.groups
    assert group.holder.lease.free["/standard"] == [1]
    exchanges = world.ledgers.exchanges
    with pytest.raises(RateLimited) as caught:
        await granted(world, METERED, allowed_s=5.0)
    assert world.ledgers.exchanges == exchanges, "refused at once"
    assert 20 < (caught.value.retry_after_s or 0) <= 30
    assert room(world, METERED) == 0.0


async def test_what_was_reserved_before_the_refusal_does_not_leave_after_it(world: World) -> None:
    before = await granted(world, METERED)
    await refused(world, METERED, refusal(PER_MINUTE, delay_s=30.0))
    with pytest.raises(GrantLapsed):
        before.sent()
    assert not any(before.settle(GrantLapsed("closed"), None, 0))


async def test_a_hedge_takes_nothing_from_a_place_that_is_closed(world: World) -> None:
    await refused(world, METERED, refusal(PER_MINUTE, delay_s=30.0))
    hold = await world.limiter.hold(call(METERED), ONLY_A)
    assert hold.try_reserve(ONLY_A.candidates) is None


async def test_after_the_delay_calls_go_again(world: World) -> None:
    await refused(world, METERED, refusal(PER_MINUTE, delay_s=30.0))
    world.clocks.now += 30_000
    await world.settle_down()
    (await granted(world, METERED)).sent()


async def test_another_sidecar_spends_no_unit_of_its_lease_once_it_has_heard(
    world: World, other: World
) -> None:
    """By the bulletin: the ledger is away and has told nobody."""
    before = await granted(world, METERED)
    (await granted(other, METERED)).settle(UpstreamUnavailable("never sent"), None, 0)
    world.ledgers.is_cut = True
    before.sent()
    before.settle(refusal(PER_MINUTE, delay_s=30.0), None, 0)
    await until_heard(other)
    (group,) = other.groups
    assert group.holder.lease.free["/standard"] == [1]
    with pytest.raises(RateLimited):
        await granted(other, METERED, allowed_s=5.0)


async def test_a_group_that_is_made_later_is_closed_from_the_start(world: World, other: World) -> None:
    open_ended = policy(quota("a", rpm(60_000, on_loss=OnLoss.OPEN)))
    await refused(world, open_ended, refusal(PER_MINUTE, delay_s=3_600.0))
    await until_heard(other)
    world.ledgers.is_cut = True
    with pytest.raises(RateLimited):
        await granted(other, open_ended)
    assert room(other, open_ended) == 0.0


async def test_a_spent_day_is_closed_for_all_until_midnight_in_california(world: World, other: World) -> None:
    midnight = datetime.fromisoformat("2026-11-25T08:00:00+00:00")
    await refused(world, METERED, refusal(PER_DAY, delay_s=3.0))
    await until_heard(other)
    left_ms = (midnight - world.clocks.wall()).total_seconds() * 1000
    world.clocks.now += left_ms - 5_000
    for sidecar in (world, other):
        await sidecar.settle_down()
    world.clocks.now -= 2 * 3_300
    for sidecar in (world, other):
        with pytest.raises(RateLimited):
            await granted(sidecar, METERED, allowed_s=2.0)
    world.clocks.now += 10_000
    for sidecar in (world, other):
        await sidecar.settle_down()
        (await granted(sidecar, METERED)).sent()


async def test_a_limit_of_zero_is_closed_however_much_time_passes(world: World, other: World) -> None:
    (await granted(other, METERED)).sent()
    await refused(world, METERED, refusal(PER_DAY, delay_s=None, value=0))
    await until_heard(other)
    for _ in range(3):
        for sidecar in (world, other):
            with pytest.raises(RateLimited):
                await granted(sidecar, METERED, allowed_s=1.0)
            assert room(sidecar, METERED) == 0.0
        world.clocks.now += 86_400_000
        await world.settle_down()
        await other.settle_down()


async def test_a_limit_of_zero_opens_when_the_policy_gives_it_another_amount(world: World) -> None:
    await refused(world, METERED, refusal(PER_DAY, delay_s=None, value=0))
    world.clocks.now += 86_400_000
    await world.settle_down()
    raised = policy(quota("a", rpm(50_000)))
    with pytest.raises(RateLimited):
        await granted(world, raised, allowed_s=1.0)
    await world.settle_down()
    (await granted(world, raised)).sent()


async def test_a_place_without_a_quota_is_left_alone_by_all(world: World, other: World) -> None:
    await refused(world, UNMETERED, refusal(delay_s=30.0))
    await until_heard(other)
    for sidecar in (world, other):
        assert room(sidecar, UNMETERED) == 0.0
        assert (await granted(sidecar, UNMETERED, permit=BOTH)).candidate.endpoint.project == "b"
        with pytest.raises(RateLimited, match="left alone") as caught:
            await granted(sidecar, UNMETERED, allowed_s=5.0)
        assert 20 < (caught.value.retry_after_s or 0) <= 31
    world.clocks.now += 30_000
    for sidecar in (world, other):
        (await granted(sidecar, UNMETERED)).sent()


async def test_what_was_granted_without_a_quota_does_not_leave_once_its_place_is_closed(world: World) -> None:
    before = await granted(world, UNMETERED)
    await refused(world, UNMETERED, refusal(delay_s=30.0))
    with pytest.raises(GrantLapsed):
        before.sent()


async def test_a_call_waits_for_its_only_place_to_open_if_it_has_the_time(world: World) -> None:
    await refused(world, UNMETERED, refusal(delay_s=0.02))
    grant = await granted(world, UNMETERED)
    grant.sent()
    assert grant.is_sent


async def test_a_place_without_a_quota_that_grants_nothing_stays_closed_under_this_policy(
    world: World, other: World
) -> None:
    await refused(world, UNMETERED, refusal(delay_s=None))
    await until_heard(other)
    for sidecar in (world, other):
        world.clocks.now += 3_600_000
        with pytest.raises(RateLimited):
            await granted(sidecar, UNMETERED)
        (await granted(sidecar, replace(UNMETERED, digest="1" * 64))).sent()


async def test_counting_tokens_neither_closes_a_place_nor_heeds_that_it_is_closed(world: World) -> None:
    counting = facts.call(arrival=facts.arrival(Method.COUNT_TOKENS), policy=UNMETERED)
    hold = await world.limiter.hold(counting, ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    grant.settle(refusal(delay_s=30.0), None, 0)
    assert room(world, UNMETERED) == 1.0
    await refused(world, UNMETERED, refusal(delay_s=30.0))
    (await hold.reserve(ONLY_A.candidates)).sent()


async def test_a_name_that_is_too_long_to_be_told_is_closed_here_all_the_same(world: World) -> None:
    permit = facts.permit(ONLY_A.candidates[0].endpoint, model="m" * 600)
    hold = await world.limiter.hold(call(UNMETERED), permit)
    grant = await hold.reserve(permit.candidates)
    grant.sent()
    grant.settle(refusal(delay_s=30.0), None, 0)
    assert not world.bulletin.watch(KIND).notices
    assert hold.try_reserve(permit.candidates) is None


@pytest.mark.parametrize("policy_", [METERED, UNMETERED], ids=["metered", "unmetered"])
async def test_an_earlier_end_does_not_open_a_place(world: World, policy_: Policy) -> None:
    first, second = [await granted(world, policy_) for _ in range(2)]
    for grant in (first, second):
        grant.sent()
    first.settle(refusal(PER_MINUTE, delay_s=30.0), None, 0)
    second.settle(refusal(PER_MINUTE, delay_s=1.0), None, 0)
    world.clocks.now += 15_000
    assert room(world, policy_) == 0.0
