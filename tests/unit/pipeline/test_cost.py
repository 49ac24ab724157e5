"""What a call costs, by its journal."""

from dataclasses import replace
from datetime import date

import pytest

from sidecar.core.call import Method
from sidecar.core.cost import Cost, ModelPrice, PriceTable, Rate, Rates
from sidecar.core.errors import UpstreamUnavailable
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import Reply, Usage
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.settle import Journal
from tests.support import facts
from tests.unit.pipeline.fakes import World

RATES = Rates(input=Rate(1_000_000), cached=Rate(100_000), output=Rate(3_000_000))
PRICES = PriceTable({facts.MODEL: (ModelPrice(date.min, RATES),)}, {"flex": 50, "priority": 180})
POLICY = facts.policy(prices=PRICES)
USAGE = Usage(prompt=10, candidates=5, total=15)


def begun(
    method: Method = Method.GENERATE, model: str = facts.MODEL, **body: object
) -> tuple[Journal, Entry]:
    journal = World().journal(facts.arrival(method))
    attempt = facts.attempt(method=method, model=model, body={**facts.HELLO, **body}, policy=POLICY)
    return journal, journal.begin(attempt)


def answer(usage: Usage | None = USAGE, tier: str = "") -> Reply:
    return Reply(json={}, usage=usage, service_tier=tier)


def test_it_is_the_usage_at_the_prices_of_the_policy_also_when_the_attempt_has_ended() -> None:
    journal, entry = begun()
    entry.saw(answer())
    assert journal.cost() == Cost(25, is_priced=True)
    journal.end(entry, None)
    assert journal.cost() == Cost(25, is_priced=True)


@pytest.mark.parametrize(
    ("asked", "served", "micro_dollars"),
    [("", "", 25), ("flex", "", 13), ("priority", "standard", 25), ("", "SERVICE_TIER_PRIORITY", 45)],
)
def test_the_tier_served_counts_and_without_it_the_one_asked_for(
    asked: str, served: str, micro_dollars: int
) -> None:
    journal, entry = begun(serviceTier=asked)
    entry.saw(answer(tier=served))
    assert journal.cost() == Cost(micro_dollars, is_priced=True)


def test_the_tier_of_the_candidate_is_asked_for_in_place_of_the_body_s() -> None:
    journal = World().journal()
    attempt = facts.attempt(body={**facts.HELLO, "serviceTier": "priority"}, policy=POLICY)
    facts.grant_of(attempt).candidate = replace(attempt.candidate, tier="flex")
    journal.begin(attempt).saw(answer())
    assert journal.cost() == Cost(13, is_priced=True)


def test_on_a_stream_the_last_usage_counts_and_the_tier_stays_said() -> None:
    journal, entry = begun(Method.STREAM_GENERATE)
    entry.saw(answer(Usage(prompt=10, total=10), tier="flex"))
    assert journal.cost() == Cost(5, is_priced=True)
    entry.saw(answer())
    entry.saw(answer(usage=None))
    assert journal.cost() == Cost(13, is_priced=True)
    entry.saw(answer(usage=None, tier="standard"))
    assert journal.cost() == Cost(25, is_priced=True)


def test_an_unknown_price_is_told_apart_from_nothing() -> None:
    journal, entry = begun(model="gemini-unheard-of")
    assert journal.cost() is None
    entry.saw(answer())
    assert journal.cost() == Cost(0, is_priced=False)


@pytest.mark.parametrize("method", [Method.COUNT_TOKENS, Method.GET_MODEL])
def test_what_is_free_has_no_cost(method: Method) -> None:
    journal, entry = begun(method)
    entry.saw(answer())
    assert journal.cost() is None


def test_another_attempt_begins_at_nothing() -> None:
    journal, entry = begun()
    entry.saw(answer(tier="priority"))
    journal.end(entry, UpstreamUnavailable("down"))
    entry = journal.begin(facts.attempt(policy=POLICY))
    assert journal.cost() is None
    entry.saw(answer())
    assert journal.cost() == Cost(25, is_priced=True)
    entry = journal.begin(facts.attempt(policy=POLICY, model="gemini-unheard-of"))
    entry.saw(answer())
    assert journal.cost() == Cost(0, is_priced=False)


def test_before_any_attempt_there_is_none() -> None:
    assert World().journal().cost() is None


def test_the_outcome_tells_cost_and_time_in_line() -> None:
    world = World()
    journal = world.journal()
    with journal:
        entry = journal.begin(facts.attempt(policy=POLICY))
        entry.saw(answer())
        journal.queued_s = 0.25
    (outcome,) = world.observer.outcomes
    assert (outcome.cost, outcome.queued_s) == (Cost(25, is_priced=True), 0.25)


def test_the_mode_is_that_of_the_latest_grant() -> None:
    journal = World().journal()
    attempt = facts.attempt()
    facts.grant_of(attempt).mode = LimitsMode.SHARE
    journal.begin(attempt)
    assert journal.mode is LimitsMode.SHARE
