"""What of the limits can be seen: which groups, their levels, and how they are kept."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest

from sidecar.core.cost import ModelPrice, PriceTable, Rate, Rates
from sidecar.core.levels import GroupState, LimitLevel, LimitsMode
from sidecar.core.outcome import Usage
from sidecar.core.policy import Budget, Each, Policy
from sidecar.core.quota import Limit, OnLoss, Rolling, Unit
from sidecar.limits.group import Group
from sidecar.limits.mode import mode_of
from sidecar.limits.terms import terms_of
from tests.support import facts
from tests.unit.limits.world import ONLY_A, A, World, call, policy, quota, rpm, tpm

NAME = f"quota/a/{facts.MODEL}"
OPEN, CLOSED, SHARE = (rpm(100, on_loss=loss) for loss in (OnLoss.OPEN, OnLoss.CLOSED, OnLoss.SHARE))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.groups.close()


async def answered(world: World, policy_: Policy, prompt: int = 3) -> None:
    """One call from begin to end."""
    hold = await world.limiter.hold(call(policy_), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    hold.settle(grant.settle(None, Usage(prompt=prompt, total=prompt), 0))


async def seen(world: World, policy_: Policy, *prefixes: str) -> dict[str, GroupState]:
    return {state.name: state for state in await world.limiter.states(policy_, prefixes or ("",))}


async def test_before_any_call_all_that_the_policy_names_is_there_and_unused(world: World) -> None:
    budgets = (
        Budget("all", limits=(rpm(5),)),
        Budget("each", each=Each.PRINCIPAL, limits=(rpm(5),)),
    )
    states = await seen(world, policy(quota("b", rpm(7)), quota("a", rpm(10), tpm(100)), budgets=budgets))
    assert list(states) == ["budget/all", NAME, f"quota/b/{facts.MODEL}"]
    assert {state.mode for state in states.values()} == {LimitsMode.UNUSED}
    assert [(limit.limit.name, limit.level) for limit in states[NAME].limits] == [
        ("requests_per_minute", None),
        ("input_tokens_per_minute", None),
    ]
    assert (states[NAME].holders, states[NAME].age_ms) == (0, None)


async def test_a_budget_for_each_principal_is_there_from_its_first_call_on(world: World) -> None:
    policy_ = policy(budgets=(Budget("each", each=Each.PRINCIPAL, limits=(rpm(5),)),))
    assert await seen(world, policy_) == {}
    await answered(world, policy_)
    assert list(await seen(world, policy_)) == [f"budget/each/{ONLY_A.principal.id}"]


async def test_a_quota_of_several_models_is_one_group(world: World) -> None:
    (_, group) = quota("a", rpm(10))
    shared = facts.policy(quotas={("a", "flash", ""): group, ("a", "lite", ""): group})
    assert list(await seen(world, shared)) == [NAME]


async def test_only_groups_that_begin_so_are_told(world: World) -> None:
    policy_ = policy(quota("a", rpm(10)), quota("b", rpm(10)), budgets=(Budget("all", limits=(rpm(5),)),))
    await answered(world, policy_)
    assert list(await seen(world, policy_, "quota/a", "budget/")) == ["budget/all", NAME]
    assert await seen(world, policy_, "nothing") == {}


async def test_levels_are_what_the_ledger_told_last(world: World) -> None:
    policy_ = policy(quota("a", rpm(10), tpm(1000)))
    await answered(world, policy_)
    await world.settle_down()
    state = (await seen(world, policy_))[NAME]
    requests, tokens = (limit.level for limit in state.limits)
    assert requests == LimitLevel(used=1, held=0, available=9, amount=10, factor=1.0)
    assert tokens is not None
    assert (tokens.used, tokens.available) == (3, 997)
    assert (state.mode, state.holders, state.trouble, state.waiting) == (LimitsMode.NORMAL, 1, "", 0)
    assert state.age_ms is not None


async def test_levels_grow_old_when_nobody_calls(world: World) -> None:
    policy_ = policy(quota("a", rpm(10)))
    await answered(world, policy_)
    await world.settle_down()
    young = (await seen(world, policy_))[NAME].age_ms or 0
    world.clocks.now += 60_000
    assert ((await seen(world, policy_))[NAME].age_ms or 0) >= young + 60_000


async def test_what_is_cut_is_not_available(world: World) -> None:
    policy_ = policy(quota("a", rpm(100)))
    await answered(world, policy_)
    await world.settle_down()
    (group,) = world.groups
    group.holder.levels = [group.holder.levels[0]._replace(permille=300, used=250, held=60)]
    level = (await seen(world, policy_))[NAME].limits[0].level
    assert level is not None
    assert (level.factor, level.available, level.amount) == (0.3, 0, 100)


async def test_denials_and_waiting_calls_are_counted_here(world: World) -> None:
    policy_ = policy(quota("a", rpm(1), tpm(1000)))
    await answered(world, policy_)
    waiting = call(policy_, allowed_s=0.05)
    hold = await world.limiter.hold(waiting, ONLY_A)
    with pytest.raises(Exception, match="requests_per_minute"):
        await hold.reserve(ONLY_A.candidates)
    state = (await seen(world, policy_))[NAME]
    assert state.limits[0].denials > 0
    assert state.limits[1].denials == 0


async def test_a_pause_is_told_as_long_as_it_lasts(world: World) -> None:
    policy_ = policy(quota("a", rpm(10)))
    await answered(world, policy_)
    (group,) = world.groups
    group.holder.closure.blocked_until = world.clocks.now + 5_000
    assert 4_900 < (await seen(world, policy_))[NAME].blocked_ms <= 5_000
    world.clocks.now += 6_000
    assert (await seen(world, policy_))[NAME].blocked_ms == 0


async def lost(world: World, *limits: Limit) -> Group:
    """A group whose ledger has just gone, with a lease that still lives."""
    policy_ = policy(quota("a", *limits))
    hold = await world.limiter.hold(call(policy_), ONLY_A)
    (await hold.reserve(ONLY_A.candidates)).sent()
    (group,) = world.groups
    world.ledgers.is_cut = True
    for _ in range(2):
        group.holder.report([terms_of(limit, world.clocks.wall()) for limit in limits], world.clocks.now)
        group.holder.failed(world.clocks.now)
    return group


async def test_the_lease_is_used_up_first(world: World) -> None:
    group = await lost(world, CLOSED)
    assert mode_of(group, world.clocks.now) is LimitsMode.LEASE


@pytest.mark.parametrize(
    ("limits", "mode"),
    [
        ((SHARE,), LimitsMode.SHARE),
        ((OPEN,), LimitsMode.OPEN),
        ((CLOSED,), LimitsMode.CLOSED),
        ((OPEN, tpm(1000)), LimitsMode.SHARE),
        ((OPEN, CLOSED), LimitsMode.CLOSED),
        ((rpm(1, is_shadow=True, on_loss=OnLoss.CLOSED), tpm(1000)), LimitsMode.SHARE),
        ((rpm(1, is_shadow=True),), LimitsMode.OPEN),
    ],
)
async def test_without_lease_and_ledger_the_policy_says_what_is_left(
    world: World, limits: tuple[Limit, ...], mode: LimitsMode
) -> None:
    group = await lost(world, *limits)
    assert mode_of(group, world.clocks.now + 10_000) is mode


@pytest.mark.parametrize(("limit", "mode"), [(SHARE, LimitsMode.CLOSED), (OPEN, LimitsMode.OPEN)])
async def test_a_licence_ends_and_what_is_open_stays_so(world: World, limit: Limit, mode: LimitsMode) -> None:
    group = await lost(world, limit)
    assert mode_of(group, world.clocks.now + 310_000) is mode


async def test_who_signed_off_has_no_licence(world: World) -> None:
    policy_ = policy(quota("a", SHARE))
    await answered(world, policy_)
    for _ in range(3):
        await world.settle_down()
    (group,) = world.groups
    assert group.has_signed_off
    group.holder.failures = 2
    assert mode_of(group, world.clocks.now) is LimitsMode.CLOSED


async def test_a_ledger_that_listens_is_learning_until_it_grants(world: World) -> None:
    policy_ = policy(quota("a", rpm(10)))
    await answered(world, policy_)
    (group,) = world.groups
    group.learning_until = world.clocks.now + 500
    assert mode_of(group, world.clocks.now) is LimitsMode.LEARNING
    assert mode_of(group, world.clocks.now + 500) is LimitsMode.NORMAL
    assert world.limiter.mode is LimitsMode.LEARNING


async def test_without_groups_no_limits_are_kept(world: World) -> None:
    assert world.limiter.mode is LimitsMode.UNUSED


async def test_while_thousands_are_looked_at_calls_go_on(world: World) -> None:
    policy_ = policy(*(quota(f"p{number}", rpm(1)) for number in range(200)))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(others())
    assert len(await world.limiter.states(policy_)) == 200
    task.cancel()
    assert turns >= 3


def dollars(limit: str, amount: int) -> Limit:
    return Limit(limit, Unit.MONEY, amount, Rolling(600))


async def test_what_is_spent_is_the_share_of_the_scarcest_limit_of_money_that_covers_the_call(
    world: World,
) -> None:
    rates = Rates(input=Rate(10**6), cached=Rate(10**6), output=Rate(10**6))  # a micro-dollar a token
    budgets = (
        Budget("wide", limits=(rpm(1), dollars("spend_per_day", 4_000_000))),
        Budget("own", limits=(dollars("spend_per_10_minutes", 1_000_000),)),
        Budget("other", principals=frozenset({"somebody else"}), limits=(dollars("spend_per_day", 1),)),
    )
    prices = PriceTable({facts.MODEL: (ModelPrice(date.min, rates),)}, {})
    policy_ = facts.policy(A, budgets=budgets, prices=prices)
    asking = call(policy_)
    assert world.limiter.spent(asking, ONLY_A.principal) == 0.0
    await answered(world, policy_, prompt=800_000)
    await world.settle_down()
    assert world.limiter.spent(asking, ONLY_A.principal) == 0.8


async def test_nothing_is_spent_where_no_money_is_limited(world: World) -> None:
    policy_ = facts.policy(A, budgets=(Budget("all", limits=(rpm(1),)),))
    await answered(world, policy_)
    await world.settle_down()
    assert world.limiter.spent(call(policy_), ONLY_A.principal) == 0.0
