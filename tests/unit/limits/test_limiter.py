"""The Limits port over ledgers in memory: what a call takes, waits for, gives back and is refused."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sidecar.core.call import Method
from sidecar.core.errors import (
    CostExceedsLimit,
    GrantLapsed,
    LimiterUnavailable,
    NoEndpoint,
    QuotaViolation,
    RateLimited,
    UpstreamQuota,
    UpstreamUnavailable,
)
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import Usage
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Budget
from sidecar.core.quota import InFlight, Limit, LimitGroup, OnLoss, Rolling, Unit
from tests.support import facts
from tests.unit.limits.world import BOTH, ONLY_A, A, World, call, policy, quota, rpm, tpm


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.groups.close()


async def test_without_a_quota_the_best_candidate_is_granted_at_once(world: World) -> None:
    hold = await world.limiter.hold(call(policy()), BOTH)
    grant = await hold.reserve(BOTH.candidates)
    grant.sent()
    assert (grant.candidate, world.limiter.open) == (BOTH.candidates[0], 1)
    hold.settle(grant.settle(None, Usage(prompt=1), 0))
    hold.settle(grant.settle(None, Usage(prompt=1), 0))
    assert (world.limiter.open, world.ledgers.exchanges) == (0, 0)


async def test_counting_tokens_takes_nothing_of_a_quota_that_is_spent(world: World) -> None:
    closed = policy(quota("a", rpm(0)))
    counting = facts.call(arrival=facts.arrival(Method.COUNT_TOKENS), policy=closed)
    hold = await world.limiter.hold(counting, ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    assert not any(grant.settle(None, Usage(prompt=1), 0))


async def test_nobody_to_ask_is_an_error(world: World) -> None:
    hold = await world.limiter.hold(call(policy()), Permit(ONLY_A.principal, ()))
    with pytest.raises(NoEndpoint):
        await hold.reserve(())


async def test_what_is_reserved_is_held_what_is_sent_is_used_and_the_answer_settles_it(world: World) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", rpm(10), tpm(1000)))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    name = f"quota/a/{facts.MODEL}"
    assert world.level(name, 0) == (0, 1)
    grant.sent()
    charge = grant.settle(None, Usage(prompt=3, candidates=5, total=8), 0)
    assert (charge.requests, charge.input_tokens, charge.tokens) == (1, 3, 8)
    await world.settle_down()
    assert world.level(name, 0)[0] == 1
    assert world.level(name, 1)[0] == 3


async def test_a_grant_that_was_never_sent_costs_nothing(world: World) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", rpm(1)))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    assert grant.settle(UpstreamUnavailable("refused"), None, 0) == (0, 0, 0, 0, 0)
    again = await hold.reserve(ONLY_A.candidates)
    assert again.candidate == ONLY_A.candidates[0]


async def test_settling_twice_settles_once(world: World) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", tpm(1000)))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    first = grant.settle(None, Usage(prompt=3), 0)
    assert grant.settle(UpstreamUnavailable("later"), Usage(prompt=500), 0) == first
    await world.settle_down()
    assert world.level(f"quota/a/{facts.MODEL}")[0] == 3


async def test_the_next_candidate_is_taken_when_the_first_has_no_room(world: World) -> None:
    policy_ = policy(quota("a", rpm(1)), quota("b", rpm(5)))
    holds = [await world.limiter.hold(call(policy_), BOTH) for _ in range(2)]
    projects = [(await hold.reserve(BOTH.candidates)).candidate.endpoint.project for hold in holds]
    assert sorted(projects) == ["a", "b"]


async def test_an_unmetered_candidate_is_taken_when_the_metered_ones_before_it_have_no_lease(
    world: World,
) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", rpm(1)))), BOTH)
    grant = await hold.reserve(BOTH.candidates)
    assert grant.candidate.endpoint.project == "b"


async def test_a_metered_candidate_before_an_unmetered_one_comes_to_have_a_lease(world: World) -> None:
    policy_ = policy(quota("a", rpm(6_000)))
    projects = set()
    for _ in range(200):
        hold = await world.limiter.hold(call(policy_), BOTH)
        grant = await hold.reserve(BOTH.candidates)
        projects.add(grant.candidate.endpoint.project)
        grant.sent()
        hold.settle(grant.settle(None, Usage(prompt=1), 0))
        world.clocks.now += 10
        for group in world.groups:
            group.wake()
        await asyncio.sleep(0)
    assert projects == {"a", "b"}


async def test_a_spent_limit_is_named_and_says_when_to_come_again(world: World) -> None:
    policy_ = policy(quota("a", rpm(1)))
    hold = await world.limiter.hold(call(policy_), ONLY_A)
    (await hold.reserve(ONLY_A.candidates)).sent()
    second = await world.limiter.hold(call(policy_, allowed_s=0.05), ONLY_A)
    with pytest.raises(RateLimited, match="requests_per_minute") as caught:
        await second.reserve(ONLY_A.candidates)
    (violation,) = caught.value.quota_violations
    assert (violation.subject, violation.quota_id, violation.value) == (
        f"quota/a/{facts.MODEL}",
        "requests_per_minute",
        1,
    )
    assert caught.value.retry_after_s is not None
    assert caught.value.retry_after_s > 0


async def test_a_call_that_can_never_fit_is_refused_at_once_and_says_so(world: World) -> None:
    large = {"contents": [{"role": "user", "parts": [{"text": "word " * 2000}]}]}
    hold = await world.limiter.hold(call(policy(quota("a", tpm(100))), body=large), ONLY_A)
    with pytest.raises(CostExceedsLimit, match="allows 100 in all") as caught:
        await hold.reserve(ONLY_A.candidates)
    assert caught.value.retry_after_s is None


async def test_no_max_tokens_does_not_refuse_the_first_call_on_a_small_limit(world: World) -> None:
    money = Limit("spend_per_10_minutes", Unit.MONEY, 50, Rolling(600))
    hold = await world.limiter.hold(call(policy(quota("a", money))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    assert grant.candidate.endpoint.project == "a"


async def test_a_call_waits_until_another_gives_back(world: World) -> None:
    flight = Limit("concurrent_calls", Unit.CALLS, 1, InFlight())
    policy_ = policy(quota("a", flight))
    first = await world.limiter.hold(call(policy_), ONLY_A)
    grant = await first.reserve(ONLY_A.candidates)
    grant.sent()
    second = await world.limiter.hold(call(policy_), ONLY_A)
    waiting = asyncio.ensure_future(second.reserve(ONLY_A.candidates))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    grant.settle(None, Usage(prompt=1), 0)
    await world.settle_down()
    assert (await waiting).candidate.endpoint.project == "a"


async def test_who_gives_up_waiting_leaves_nothing_taken(world: World) -> None:
    flight = Limit("concurrent_calls", Unit.CALLS, 1, InFlight())
    policy_ = policy(quota("a", flight))
    first = await world.limiter.hold(call(policy_), ONLY_A)
    grant = await first.reserve(ONLY_A.candidates)
    grant.sent()
    waiting = asyncio.ensure_future(
        (await world.limiter.hold(call(policy_), ONLY_A)).reserve(ONLY_A.candidates)
    )
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    grant.settle(None, Usage(prompt=1), 0)
    await world.settle_down()
    (group,) = world.groups
    assert (group.holder.waiting, world.level(f"quota/a/{facts.MODEL}")[1]) == (0, 0)


async def test_a_lease_that_ended_while_connecting_is_not_spent(world: World) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", rpm(10)))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    world.clocks.now += 10_000
    with pytest.raises(GrantLapsed):
        grant.sent()
    assert not grant.is_sent


async def test_a_budget_is_charged_what_the_attempts_cost_together(world: World) -> None:
    budget = Budget("shop", limits=(Limit("tokens_per_minute", Unit.TOKENS, 10_000, Rolling(60)),))
    hold = await world.limiter.hold(call(policy(budgets=(budget,))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    hold.settle(grant.settle(None, Usage(prompt=10, candidates=20, total=30), 0))
    await world.settle_down()
    assert world.level("budget/shop")[0] == 30


async def test_a_spent_budget_refuses_before_any_quota_is_touched(world: World) -> None:
    budget = Budget("shop", limits=(rpm(1),))
    policy_ = policy(quota("a", rpm(100)), budgets=(budget,))
    await world.limiter.hold(call(policy_), ONLY_A)
    with pytest.raises(RateLimited, match="budget/shop"):
        await world.limiter.hold(call(policy_, allowed_s=0.05), ONLY_A)
    assert [group.definition.name for group in world.groups] == ["budget/shop"]
    assert world.limiter.open == 1


async def test_of_two_budgets_both_give_or_none(world: World) -> None:
    budgets = (Budget("large", limits=(rpm(100),)), Budget("small", limits=(rpm(1),)))
    policy_ = policy(budgets=budgets)
    await world.limiter.hold(call(policy_), ONLY_A)
    with pytest.raises(RateLimited, match="budget/small"):
        await world.limiter.hold(call(policy_, allowed_s=0.05), ONLY_A)
    await world.settle_down()
    assert world.level("budget/large")[0] == 1


async def test_when_the_ledger_is_away_a_closed_limit_lets_nothing_go_and_says_why(world: World) -> None:
    policy_ = policy(quota("a", rpm(100, on_loss=OnLoss.CLOSED)))
    hold = await world.limiter.hold(call(policy_), ONLY_A)
    (await hold.reserve(ONLY_A.candidates)).sent()
    world.ledgers.is_cut = True
    await world.settle_down()
    await world.settle_down()
    with pytest.raises(LimiterUnavailable):
        await (await world.limiter.hold(call(policy_, allowed_s=0.05), ONLY_A)).reserve(ONLY_A.candidates)


async def test_a_429_pauses_the_group_for_the_delay_that_google_gave(world: World) -> None:
    policy_ = policy(quota("a", rpm(100)))
    hold = await world.limiter.hold(call(policy_), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    refusal = UpstreamQuota("429")
    refusal.retry_after_s = 30.0
    refusal.quota_violations = (
        QuotaViolation("", "", quota_id="GenerateRequestsPerMinutePerProjectPerModel", value=50),
    )
    grant.settle(refusal, None, 0)
    await world.settle_down()
    with pytest.raises(RateLimited) as caught:
        await (await world.limiter.hold(call(policy_, allowed_s=5), ONLY_A)).reserve(ONLY_A.candidates)
    assert 20 < (caught.value.retry_after_s or 0) <= 30
    (group,) = world.groups
    assert group.holder.levels[0].permille == 500


async def test_another_policy_changes_the_amount_in_place(world: World) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", rpm(100)))), ONLY_A)
    await hold.reserve(ONLY_A.candidates)
    lowered = await world.limiter.hold(call(policy(quota("a", rpm(50)))), ONLY_A)
    await lowered.reserve(ONLY_A.candidates)
    await world.settle_down()
    (group,) = world.groups
    assert group.holder.levels[0].limit == 50


async def test_a_grant_says_how_the_limits_were_kept_that_it_was_taken_from(world: World) -> None:
    budget = Budget("shop", limits=(rpm(100),))
    policy_ = policy(quota("a", rpm(100)), budgets=(budget,))
    hold = await world.limiter.hold(call(policy_), ONLY_A)
    assert (await hold.reserve(ONLY_A.candidates)).mode is LimitsMode.NORMAL
    world.ledgers.is_cut = True
    await world.settle_down()
    again = await world.limiter.hold(call(policy_), ONLY_A)
    assert (await again.reserve(ONLY_A.candidates)).mode > LimitsMode.NORMAL


async def test_a_grant_that_no_limit_covers_was_kept_by_none(world: World) -> None:
    hold = await world.limiter.hold(call(policy()), ONLY_A)
    assert (await hold.reserve(ONLY_A.candidates)).mode is LimitsMode.UNUSED


async def test_closing_signs_off_so_that_nothing_is_kept(world: World) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", rpm(100)))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    grant.settle(None, Usage(prompt=1), 0)
    await world.groups.close()
    assert world.level(f"quota/a/{facts.MODEL}") == (1, 0)
    assert not world.ledgers.ledgers[f"quota/a/{facts.MODEL}"]._accounts


@pytest.mark.parametrize(("skew_s", "alarms"), [(200.0, 0), (400.0, 1), (-400.0, 1)])
async def test_a_ledger_whose_clock_is_far_off_is_told_of_once(
    world: World, caplog: pytest.LogCaptureFixture, skew_s: float, alarms: int
) -> None:
    world.ledgers.skew_s = skew_s
    hold = await world.limiter.hold(call(policy(quota("a", rpm(100)))), ONLY_A)
    await hold.reserve(ONLY_A.candidates)
    await world.settle_down()
    assert len([record for record in caplog.records if "clock" in record.message]) == alarms


async def test_who_is_served_in_the_moment_of_giving_up_gives_back_and_harms_nobody(world: World) -> None:
    policy_ = policy(quota("a", rpm(1)))
    first = await world.limiter.hold(call(policy_), ONLY_A)
    grant = await first.reserve(ONLY_A.candidates)
    second = await world.limiter.hold(call(policy_), ONLY_A)
    waiting = asyncio.ensure_future(second.reserve(ONLY_A.candidates))
    await asyncio.sleep(0.01)
    (group,) = world.groups
    grant.settle(UpstreamUnavailable("never left"), None, 0)  # its unit is free again
    waiting.cancel()
    group.holder.serve(world.clocks.now_ms())  # before the one who gave up has run
    with pytest.raises(asyncio.CancelledError):
        await waiting
    again = await (await world.limiter.hold(call(policy_), ONLY_A)).reserve(ONLY_A.candidates)
    assert again.candidate.endpoint.project == "a"


@pytest.mark.parametrize(
    ("candidate", "body", "counted"),
    [
        ("", {}, "standard"),
        ("", {"serviceTier": "FLEX"}, "flex"),
        ("flex", {"serviceTier": "PRIORITY"}, "flex"),
    ],
)
async def test_a_call_is_counted_in_the_quota_of_the_tier_that_it_asks_for(
    world: World, candidate: str, body: dict[str, str], counted: str
) -> None:
    """The candidate's, where that says one, because it goes upstream in place of the body's."""
    tiers = {
        ("a", facts.MODEL, tier): LimitGroup(f"quota/a/{tier}", (rpm(9),)) for tier in ("standard", "flex")
    }
    permit = Permit(ONLY_A.principal, (Candidate(A, facts.MODEL, candidate),))
    asking = facts.call(body={**facts.HELLO, **body}, policy=facts.policy(A, quotas=tiers))
    grant = await (await world.limiter.hold(asking, permit)).reserve(permit.candidates)
    grant.sent()
    grant.settle(None, Usage(prompt=1, total=1), 0)
    await world.settle_down()
    assert list(world.ledgers.ledgers) == [f"quota/a/{counted}"]


@pytest.mark.parametrize(("busy", "least", "most"), [(1.0, 1, 3), (0.1, 4, 16)])
async def test_calls_that_come_one_after_another_share_a_message_when_there_is_much_to_do(
    busy: float, least: int, most: int
) -> None:
    world = World(ahead_ms=0.0)
    policy_ = policy(quota("a", rpm(600_000)))

    async def reserve(after_turns: int) -> None:
        for _ in range(after_turns):
            await asyncio.sleep(0)
        await (await world.limiter.hold(call(policy_), ONLY_A)).reserve(ONLY_A.candidates)

    world.clocks.step, world.clocks.busy = 0.001, busy
    await asyncio.gather(*(reserve(0) for _ in range(8)))
    world.ledgers.turns = 3
    before = world.ledgers.exchanges
    await asyncio.gather(*(reserve(number * 3) for number in range(16)))
    shared = world.ledgers.exchanges - before
    await world.groups.close()
    assert least <= shared <= most


async def test_calls_of_which_each_waits_for_the_one_before_are_asked_for_at_once() -> None:
    world = World(ahead_ms=0.0)
    world.clocks.step, world.clocks.busy = 0.001, 1.0
    policy_ = policy(quota("a", rpm(600_000)))
    for _ in range(5):
        hold = await world.limiter.hold(call(policy_), ONLY_A)
        reserving = asyncio.create_task(hold.reserve(ONLY_A.candidates))
        await world.turn()
        assert reserving.done(), "no timer was waited for"
        reserving.result().settle(None, None, 0)
    await world.groups.close()
