"""The Limits port over ledgers in memory: what a call takes, waits for, gives back and is refused."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from sidecar.core.call import Call, Method
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
from sidecar.core.outcome import Usage
from sidecar.core.permit import Permit
from sidecar.core.policy import Budget, Policy
from sidecar.core.quota import InFlight, Limit, LimitGroup, OnLoss, Rolling, Unit
from sidecar.limits.estimate import Estimator
from sidecar.limits.group import GroupLedger, Holding, LedgerUnavailable
from sidecar.limits.groups import Groups
from sidecar.limits.ledger import Ledger
from sidecar.limits.limiter import Limiter
from sidecar.limits.message import Answer, Report
from tests.support import facts

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
A, B = facts.gemini(project="a"), facts.gemini(project="b")


class Clocks:
    """Time that passes a millisecond with every look, and more when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def now_ms(self) -> float:
        self.now += 1
        return self.now

    def wall(self) -> datetime:
        return datetime.fromtimestamp(NOW.timestamp() + self.now / 1000, UTC)


class Ledgers:
    """Ledgers in memory that can be cut off."""

    def __init__(self, clocks: Clocks) -> None:
        self.ledgers: dict[str, Ledger] = {}
        self.clocks = clocks
        self.is_cut = False
        self.exchanges = 0

    def __call__(self, group: str) -> GroupLedger:
        return _Cuttable(self, self.ledgers.setdefault(group, Ledger(listens=False)))


class _Cuttable:
    def __init__(self, ledgers: Ledgers, ledger: Ledger) -> None:
        self._ledgers = ledgers
        self._ledger = ledger

    async def exchange(self, report: Report) -> Answer:
        self._ledgers.exchanges += 1
        if self._ledgers.is_cut:
            raise LedgerUnavailable("cut off")
        return self._ledger.exchange(report, round(self._ledgers.clocks.wall().timestamp() * 1000))


class World:
    def __init__(self, wait_s: float = 30.0) -> None:
        self.clocks = Clocks()
        self.ledgers = Ledgers(self.clocks)
        self.groups = Groups(self.ledgers, Holding("pod", Random(1)), self.clocks)  # noqa: S311
        self.limiter = Limiter(self.groups, Estimator(), self.clocks, wait_s)

    def level(self, name: str, limit: int = 0) -> tuple[int, int]:
        """Used and held, as the ledger has them."""
        meter = list(self.ledgers.ledgers[name]._meters.values())[limit]
        return meter.used, meter.held

    async def settle_down(self) -> None:
        """Let every report go out."""
        for _ in range(3):
            self.clocks.now += 1_100
            for group in self.groups:
                group.wake()
            for _ in range(20):
                await asyncio.sleep(0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.groups.close()


def rpm(amount: int, **values: Any) -> Limit:
    return Limit("requests_per_minute", Unit.REQUESTS, amount, Rolling(60), **values)


def tpm(amount: int) -> Limit:
    return Limit("input_tokens_per_minute", Unit.INPUT_TOKENS, amount, Rolling(60))


def quota(project: str, *limits: Limit) -> tuple[tuple[str, str, str], LimitGroup]:
    return (project, facts.MODEL, ""), LimitGroup(f"quota/{project}/{facts.MODEL}", limits)


def policy(*quotas: tuple[tuple[str, str, str], LimitGroup], budgets: tuple[Budget, ...] = ()) -> Policy:
    return facts.policy(A, B, quotas=dict(quotas), budgets=budgets)


def call(policy: Policy, allowed_s: float = 60.0, body: Mapping[str, Any] = facts.HELLO) -> Call:
    return facts.call(body=body, arrival=facts.arrival(allowed_s=allowed_s), policy=policy)


BOTH = facts.permit(A, B)
ONLY_A = facts.permit(A)


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


async def test_closing_signs_off_so_that_nothing_is_kept(world: World) -> None:
    hold = await world.limiter.hold(call(policy(quota("a", rpm(100)))), ONLY_A)
    grant = await hold.reserve(ONLY_A.candidates)
    grant.sent()
    grant.settle(None, Usage(prompt=1), 0)
    await world.groups.close()
    assert world.level(f"quota/a/{facts.MODEL}") == (1, 0)
    assert not world.ledgers.ledgers[f"quota/a/{facts.MODEL}"]._accounts
