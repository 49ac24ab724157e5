"""Which candidates a call asks at all: the best level first, the next when that has lasted; and what is there
for requests that may as well not be made.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from math import inf

import pytest

from sidecar.core.calendar import Period
from sidecar.core.call import Method
from sidecar.core.errors import CostExceedsLimit, RateLimited, UpstreamUnavailable
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Policy
from sidecar.core.pooling import PoolRules
from sidecar.core.ports import Grant
from sidecar.core.quota import Calendar, InFlight, Limit, LimitGroup, OnLoss, Share, Unit
from sidecar.limits.queue import Ticket
from tests.support import facts
from tests.support.holder import Waiter
from tests.unit.limits.world import A, B, World, call, policy, quota, rpm, tpm

SECOND = replace(B, level=1)
PERMIT = facts.permit(A, SECOND)
_LOOKS = 20_000


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.groups.close()


def levelled(*quotas: tuple[tuple[str, str, str], LimitGroup], spill_after_s: float = inf) -> Policy:
    return replace(policy(*quotas), pools=PoolRules(spill_after_s=spill_after_s))


def one_call() -> Limit:
    return Limit("concurrent_calls", Unit.CALLS, 1, InFlight())


async def reserved(world: World, policy_: Policy, allowed_s: float = 60.0) -> Grant:
    hold = await world.limiter.hold(call(policy_, allowed_s), PERMIT)
    return await hold.reserve(PERMIT.candidates)


def waiting(world: World) -> dict[str, int]:
    return {group.definition.name.split("/")[1]: group.holder.waiting for group in world.groups}


async def until_waiting(world: World, *projects: str) -> None:
    for _ in range(_LOOKS):
        if all(waiting(world).get(project) for project in projects):
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"nobody came to wait at {projects}")


def projects(grants: Sequence[Grant]) -> list[str]:
    return [grant.candidate.endpoint.project for grant in grants]


async def test_while_the_best_level_may_serve_a_call_it_stands_in_no_other_line(world: World) -> None:
    policy_ = levelled(quota("a", one_call()), quota("b", one_call()))
    first = await reserved(world, policy_)
    first.sent()
    second = asyncio.ensure_future(reserved(world, policy_))
    await until_waiting(world, "a")
    await world.settle_down()
    assert waiting(world) == {"a": 1}
    first.settle(None, None, 0)
    await world.settle_down()
    assert projects([first, await second]) == ["a", "a"]


async def test_a_call_that_has_waited_for_long_asks_the_next_level_too(world: World) -> None:
    policy_ = levelled(quota("a", one_call()), quota("b", one_call()), spill_after_s=0.01)
    grants = [await reserved(world, policy_) for _ in range(2)]
    for grant in grants:
        grant.sent()
    third = asyncio.ensure_future(reserved(world, policy_))
    await until_waiting(world, "a", "b")
    grants[0].settle(None, None, 0)
    await world.settle_down()
    assert projects([*grants, await third]) == ["a", "b", "a"]
    assert waiting(world) == {"a": 0, "b": 0}


async def test_a_call_spills_to_a_level_that_nothing_limits_and_leaves_the_line(world: World) -> None:
    policy_ = levelled(quota("a", one_call()), spill_after_s=0.01)
    grants = [await reserved(world, policy_) for _ in range(2)]
    assert projects(grants) == ["a", "b"]
    assert waiting(world) == {"a": 0}


async def test_a_call_whose_deadline_is_nearer_than_the_spill_is_not_kept_from_the_next_level(
    world: World,
) -> None:
    policy_ = levelled(quota("a", one_call()), spill_after_s=600)
    (await reserved(world, policy_)).sent()
    assert projects([await reserved(world, policy_, allowed_s=0.2)]) == ["b"]


async def test_a_level_whose_day_is_spent_is_passed_over_at_once(world: World) -> None:
    daily = Limit("requests_per_day", Unit.REQUESTS, 1, Calendar(Period.DAY, "America/Los_Angeles"))
    policy_ = levelled(quota("a", daily))
    (await reserved(world, policy_)).sent()
    assert projects([await reserved(world, policy_)]) == ["b"]


async def test_a_later_step_of_model_or_tier_is_a_level_of_its_own(world: World) -> None:
    policy_ = levelled(quota("a", one_call()))
    dearer = Permit(PERMIT.principal, (PERMIT.candidates[0], Candidate(B, facts.MODEL, "priority", step=1)))
    (await reserved(world, policy_)).sent()
    hold = await world.limiter.hold(call(policy_), dearer)
    waits = asyncio.ensure_future(hold.reserve(dearer.candidates))
    await until_waiting(world, "a")
    assert not waits.done()
    waits.cancel()
    await asyncio.wait({waits})
    assert waiting(world) == {"a": 0}


async def test_a_level_where_a_call_can_never_fit_is_passed_over_at_once(world: World) -> None:
    assert projects([await reserved(world, levelled(quota("a", tpm(1))))]) == ["b"]


async def test_what_fits_nowhere_is_refused_for_that_and_for_nothing_else(world: World) -> None:
    with pytest.raises(CostExceedsLimit):
        await reserved(world, levelled(quota("a", tpm(1)), quota("b", tpm(1))))


async def test_the_refusal_names_the_groups_of_all_levels(world: World) -> None:
    policy_ = levelled(quota("a", one_call()), quota("b", one_call()), spill_after_s=0.01)
    for _ in range(2):
        (await reserved(world, policy_)).sent()
    with pytest.raises(RateLimited) as caught:
        await reserved(world, policy_, allowed_s=0.1)
    assert {violation.subject for violation in caught.value.quota_violations} == {
        f"quota/a/{facts.MODEL}",
        f"quota/b/{facts.MODEL}",
    }


async def test_what_is_tried_takes_what_a_lease_has_and_asks_nobody(world: World) -> None:
    policy_ = levelled(quota("a", rpm(60_000)))
    hold = await world.limiter.hold(call(policy_), PERMIT)
    only_a = PERMIT.candidates[:1]
    assert hold.try_reserve(only_a) is None
    assert world.ledgers.exchanges == 0
    (await hold.reserve(only_a)).settle(UpstreamUnavailable("refused"), None, 0)
    exchanges = world.ledgers.exchanges
    tried = hold.try_reserve(only_a)
    assert tried is not None
    assert projects([tried]) == ["a"]
    assert world.ledgers.exchanges == exchanges


async def test_what_is_tried_takes_nothing_that_others_wait_for(world: World) -> None:
    policy_ = levelled(quota("a", rpm(60_000)))
    hold = await world.limiter.hold(call(policy_), PERMIT)
    (await hold.reserve(PERMIT.candidates)).settle(UpstreamUnavailable("refused"), None, 0)
    (group,) = world.groups
    now = world.clocks.now_ms()
    group.holder.join(Ticket(Share("/standard", 8.0), [1], now, now + 1_000, Waiter()), now)
    assert hold.try_reserve(PERMIT.candidates[:1]) is None


async def test_what_is_tried_takes_the_first_of_any_level_that_has_room(world: World) -> None:
    hold = await world.limiter.hold(call(levelled(quota("a", one_call()))), PERMIT)
    tried = hold.try_reserve(PERMIT.candidates)
    assert tried is not None
    assert projects([tried]) == ["b"]
    assert hold.try_reserve(()) is None


async def test_a_call_that_nothing_limits_may_try_whom_it_likes_best(world: World) -> None:
    hold = await world.limiter.hold(call(levelled()), PERMIT)
    tried = hold.try_reserve(PERMIT.candidates)
    assert tried is not None
    assert projects([tried]) == ["a"]
    assert hold.try_reserve(()) is None


def headroom(world: World, policy_: Policy) -> float:
    return world.limiter.headroom(call(policy_), PERMIT.candidates[0])


async def test_what_is_unmetered_or_unused_has_all_its_room(world: World) -> None:
    assert headroom(world, levelled()) == 1.0
    assert headroom(world, levelled(quota("a", rpm(10)))) == 1.0


async def test_headroom_is_what_is_left_of_the_scarcest_limit(world: World) -> None:
    policy_ = levelled(quota("a", rpm(10), tpm(1_000_000)))
    for _ in range(4):
        (await reserved(world, policy_)).sent()
    await world.settle_down()
    assert headroom(world, policy_) == pytest.approx(0.6, abs=0.11)


async def test_headroom_comes_back_as_the_window_passes(world: World) -> None:
    policy_ = levelled(quota("a", rpm(2)))
    (await reserved(world, policy_)).sent()
    (group,) = world.groups
    (task,) = world.groups._tasks.values()
    task.cancel()
    early, world.clocks.now = group.headroom(world.clocks.now), world.clocks.now + 30_000
    half = group.headroom(world.clocks.now)
    world.clocks.now += 60_000
    assert early < half < group.headroom(world.clocks.now) == 1.0


async def test_a_spent_day_has_no_headroom_however_long_ago_that_was_told(world: World) -> None:
    daily = Limit("requests_per_day", Unit.REQUESTS, 1, Calendar(Period.DAY, "America/Los_Angeles"))
    policy_ = levelled(quota("a", daily))
    (await reserved(world, policy_)).sent()
    await reserved(world, policy_)
    world.clocks.now += 600_000
    assert headroom(world, policy_) == 0.0


async def test_a_closed_limit_without_its_ledger_has_no_headroom(world: World) -> None:
    policy_ = levelled(quota("a", rpm(10, on_loss=OnLoss.CLOSED)))
    await reserved(world, policy_)
    world.ledgers.is_cut = True
    await world.settle_down()
    await world.settle_down()
    world.clocks.now += 10_000
    assert headroom(world, policy_) == 0.0


async def test_methods_that_cost_nothing_have_room_where_nothing_else_has(world: World) -> None:
    policy_ = levelled(quota("a", rpm(0)))
    counting = facts.call(arrival=facts.arrival(Method.COUNT_TOKENS), policy=policy_)
    assert world.limiter.headroom(counting, PERMIT.candidates[0]) == 1.0
