"""What a call costs, by its journal."""

from datetime import date

import pytest

from sidecar.core.call import Method
from sidecar.core.cost import Cost, ModelPrice, PriceTable, Rate, Rates
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import Reply, Usage
from sidecar.pipeline.settle import Journal
from tests.support import facts
from tests.unit.pipeline.fakes import World

RATES = Rates(input=Rate(1_000_000), cached=Rate(100_000), output=Rate(3_000_000))
PRICES = PriceTable({facts.MODEL: (ModelPrice(date.min, RATES),)}, {"flex": 50, "priority": 180})
POLICY = facts.policy(prices=PRICES)
USAGE = Usage(prompt=10, candidates=5, total=15)


def begun(method: Method = Method.GENERATE, model: str = facts.MODEL, **body: object) -> Journal:
    journal = World().journal(facts.arrival(method))
    journal.begin(facts.attempt(method=method, model=model, body={**facts.HELLO, **body}, policy=POLICY))
    return journal


def answer(usage: Usage | None = USAGE, tier: str = "") -> Reply:
    return Reply(json={}, usage=usage, service_tier=tier)


def test_it_is_the_usage_at_the_prices_of_the_policy_also_when_the_attempt_has_ended() -> None:
    journal = begun()
    journal.saw(answer())
    assert journal.cost() == Cost(25, is_priced=True)
    journal.end("OK")
    assert journal.cost() == Cost(25, is_priced=True)


@pytest.mark.parametrize(
    ("asked", "served", "micro_dollars"),
    [("", "", 25), ("flex", "", 13), ("priority", "standard", 25), ("", "SERVICE_TIER_PRIORITY", 45)],
)
def test_the_tier_served_counts_and_without_it_the_one_asked_for(
    asked: str, served: str, micro_dollars: int
) -> None:
    journal = begun(serviceTier=asked)
    journal.saw(answer(tier=served))
    assert journal.cost() == Cost(micro_dollars, is_priced=True)


def test_on_a_stream_the_last_usage_counts_and_the_tier_stays_said() -> None:
    journal = begun(Method.STREAM_GENERATE)
    journal.saw(answer(Usage(prompt=10, total=10), tier="flex"))
    assert journal.cost() == Cost(5, is_priced=True)
    journal.saw(answer())
    journal.saw(answer(usage=None))
    assert journal.cost() == Cost(13, is_priced=True)
    journal.saw(answer(usage=None, tier="standard"))
    assert journal.cost() == Cost(25, is_priced=True)


def test_an_unknown_price_is_told_apart_from_nothing() -> None:
    journal = begun(model="gemini-unheard-of")
    assert journal.cost() is None
    journal.saw(answer())
    assert journal.cost() == Cost(0, is_priced=False)


@pytest.mark.parametrize("method", [Method.COUNT_TOKENS, Method.GET_MODEL])
def test_what_is_free_has_no_cost(method: Method) -> None:
    journal = begun(method)
    journal.saw(answer())
    assert journal.cost() is None


def test_another_attempt_begins_at_nothing() -> None:
    journal = begun()
    journal.saw(answer(tier="priority"))
    journal.end("UPSTREAM_UNAVAILABLE")
    journal.begin(facts.attempt(policy=POLICY))
    assert journal.cost() is None
    journal.saw(answer())
    assert journal.cost() == Cost(25, is_priced=True)
    journal.begin(facts.attempt(policy=POLICY, model="gemini-unheard-of"))
    journal.saw(answer())
    assert journal.cost() == Cost(0, is_priced=False)


def test_before_any_attempt_there_is_none() -> None:
    assert World().journal().cost() is None


def test_the_outcome_tells_cost_and_time_in_line() -> None:
    world = World()
    journal = world.journal()
    with journal:
        journal.begin(facts.attempt(policy=POLICY))
        journal.saw(answer())
        journal.queued_s = 0.25
    (outcome,) = world.observer.outcomes
    assert (outcome.cost, outcome.queued_s) == (Cost(25, is_priced=True), 0.25)


def test_the_mode_is_that_of_the_latest_grant() -> None:
    journal = World().journal()
    attempt = facts.attempt()
    facts.grant_of(attempt).mode = LimitsMode.SHARE
    journal.begin(attempt)
    assert journal.mode is LimitsMode.SHARE
