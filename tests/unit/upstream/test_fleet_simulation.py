"""A fleet of endpoints on a made-up clock, in good times and bad ones. `-s` shows the figures."""

import random
from collections import Counter, defaultdict
from functools import partial
from math import inf
from statistics import mean
from typing import Any

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Json
from sidecar.core.pooling import BreakerRules, PoolRules
from sidecar.upstream.course import Course
from sidecar.upstream.fleet import KIND
from tests.support import facts
from tests.support.pool import World, answers, fails_between, silent_between

NAMES = ("a", "b", "c")
WELL = answers(0.5)
CALLS_PER_S = 200.0
FAILS, HEALS = 10.0, 40.0


def shown(**figures: Any) -> None:
    print("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))


def shares(world: World, begin: float, end: float) -> list[float]:
    """Which part of the attempts of that time each endpoint got."""
    counts = [world.attempts(name, begin, end) for name in world.behaviours]
    return [count / sum(counts) for count in counts]


# ---------------------------------------------------------------------------------------------- one turns bad


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("fails_after_s", [0.02, 0.5], ids=["at-once", "slowly"])
def test_one_endpoint_of_three_that_answers_503_costs_callers_nothing(
    fails_after_s: float, seed: int
) -> None:
    bad = fails_between(FAILS, HEALS, WELL, fails_after_s)
    world = World({"a": bad, "b": WELL, "c": WELL}, seed=seed)
    world.arrivals(CALLS_PER_S, 0.0, 90.0)
    world.run(110.0)
    offered = sum(FAILS <= call.arrived < HEALS for call in world.ended)
    extra = world.attempts(begin=FAILS, end=HEALS) / offered - 1
    healed = max(at for at, _, is_open in world.told.turns if not is_open)
    shown(succeeded=world.succeeded(), extra=f"{extra:.2%}", healed=f"{healed - HEALS:.1f} s after")
    assert world.succeeded() >= 0.999
    assert extra <= 0.10
    assert healed - HEALS <= world.rules.breaker.open_max_s * 1.2 + 1.0, "one interval, at its longest"
    assert world.attempts("a", HEALS, healed) <= 2, "probes"
    assert shares(world, healed, healed + 1.0)[0] <= 2 / 3
    assert shares(world, healed + 10.0, healed + 20.0)[0] == pytest.approx(1 / 3, abs=0.05)


def test_a_short_outage_is_over_within_two_probe_intervals() -> None:
    world = World({"a": fails_between(FAILS, 14.0, WELL), "b": WELL, "c": WELL})
    world.arrivals(CALLS_PER_S, 0.0, 40.0)
    world.run(60.0)
    healed = max(at for at, _, is_open in world.told.turns if not is_open)
    shown(healed=f"{healed - 14.0:.1f} s after")
    assert healed - 14.0 <= 2 * world.rules.breaker.open_s


@pytest.mark.parametrize(
    ("allowed_s", "slow_s", "least"),
    [(10.0, inf, 0.95), (10.0, 5.0, 0.97), (2.0, inf, 0.88), (2.0, 1.5, 0.985)],
)
def test_an_endpoint_that_says_nothing_costs_less_where_the_policy_says_what_is_slow(
    allowed_s: float, slow_s: float, least: float
) -> None:
    silent = silent_between(FAILS, HEALS, WELL, allowed_s)
    rules = PoolRules(breaker=BreakerRules(slow_s=slow_s))
    world = World({"a": silent, "b": WELL, "c": WELL}, rules=rules, allowed_s=allowed_s)
    world.arrivals(CALLS_PER_S, 0.0, 90.0)
    world.run(110.0)
    succeeded, later = world.succeeded(FAILS, HEALS), world.succeeded(FAILS + allowed_s, HEALS)
    shown(deadline=allowed_s, slow=slow_s, succeeded=f"{succeeded:.2%}", later=f"{later:.2%}")
    assert succeeded >= least
    assert any(is_open for *_, is_open in world.told.turns) is (slow_s < inf)


def test_a_fleet_of_sidecars_learns_of_an_outage_together() -> None:
    """Eight sidecars of few calls each: alone, each would have to find out by five failures of its own."""
    failed = {}
    for told_after_s in (0.5, inf):
        bad = fails_between(FAILS, HEALS, WELL)
        world = World({"a": bad, "b": WELL, "c": WELL}, sidecars=8, told_after_s=told_after_s)
        world.arrivals(16.0, 0.0, 60.0)
        world.run(100.0)
        failed[told_after_s] = world.attempts("a", FAILS, HEALS)
        shown(told_after=told_after_s, failed=failed[told_after_s], succeeded=world.succeeded())
        assert world.succeeded() >= 0.999
    assert failed[0.5] <= failed[inf] / 2


def test_one_sidecar_with_a_broken_network_does_not_take_endpoints_from_the_others() -> None:
    world = World(dict.fromkeys(NAMES, WELL), sidecars=8)
    world.arrivals(CALLS_PER_S, 0.0, 40.0)
    for second in range(5, 35):
        for name in NAMES:
            put = partial(world.board.put, KIND, f"{name}//{facts.MODEL}", "5", second + 5.0)
            world.at(float(second), put)
    world.run(60.0)
    shares_of_all = shares(world, 5.0, 35.0)
    shown(succeeded=world.succeeded(), shares=[f"{share:.2f}" for share in shares_of_all])
    assert world.succeeded() == 1.0
    assert max(shares_of_all) <= 0.5


# --------------------------------------------------------------------------------------------- all turn bad


@pytest.mark.parametrize("seed", range(2))
def test_when_all_answer_503_retries_add_little_and_nobody_is_stampeded_afterwards(seed: int) -> None:
    world = World({name: fails_between(FAILS, HEALS, WELL) for name in NAMES}, seed=seed)
    world.arrivals(CALLS_PER_S, 0.0, 50.0)
    world.run(80.0)
    offered = sum(FAILS <= call.arrived < HEALS for call in world.ended)
    load = world.attempts(begin=FAILS, end=HEALS) / offered
    longest = max(call.at - call.arrived for call in world.ended)
    most = max(max(shares(world, HEALS + second, HEALS + second + 1.0)) for second in range(5))
    told = dict(world.told.counts)
    shown(load=f"{load:.3f}", longest=f"{longest:.2f} s", most=f"{most:.2f}", told=told)
    assert load <= 1.2
    assert longest <= world.allowed_s
    assert most <= 2 / 3, "in each second after the recovery, twice a fair share"
    assert world.succeeded(HEALS + 1.0) >= 0.999
    assert world.told.counts["refused"] > 0


# ------------------------------------------------------------------------------------------------- balance


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize(("calls_per_s", "for_s"), [(2.0, 240.0), (20.0, 60.0), (200.0, 20.0)])
def test_equal_endpoints_are_kept_equally_busy(count: int, calls_per_s: float, for_s: float) -> None:
    world = World({f"e{number}": WELL for number in range(count)})
    world.arrivals(calls_per_s, 0.0, for_s)
    world.run(for_s + 10.0)
    busy = max(world.held_s.values()) / mean(world.held_s.values())
    shown(endpoints=count, per_s=calls_per_s, busiest=f"{busy:.3f} of the mean")
    assert busy <= 1.2


@pytest.mark.parametrize("calls_per_s", [10.0, 50.0, 200.0])
def test_an_endpoint_three_times_slower_is_given_less(calls_per_s: float) -> None:
    world = World({"slow": answers(1.5), "b": WELL, "c": WELL})
    world.arrivals(calls_per_s, 0.0, 30.0)
    world.run(60.0)
    slow, *others = (world.attempts(name, 5.0) for name in world.behaviours)
    shown(per_s=calls_per_s, slow=f"{slow / mean(others):.1%} of a healthy one")
    assert slow <= 0.4 * mean(others)


def test_weights_are_kept() -> None:
    endpoints = [
        facts.gemini(project=name, weight=weight) for name, weight in zip(NAMES, (1, 1, 2), strict=True)
    ]
    world = World(dict.fromkeys(NAMES, WELL), endpoints=endpoints)
    world.arrivals(CALLS_PER_S, 0.0, 30.0)
    world.run(40.0)
    found = shares(world, 0.0, 30.0)
    shown(shares=[f"{share:.3f}" for share in found])
    assert found == pytest.approx([0.25, 0.25, 0.5], abs=0.06)


# ------------------------------------------------------------------------------------------------ affinity


class Prefixes:
    """Bodies of which most begin with one of so many long prefixes; counts where each is sent."""

    def __init__(self, world: World, count: int, draw: random.Random) -> None:
        self.sent: dict[str, Counter[str]] = defaultdict(Counter)
        self._draw = draw
        self._bodies = [_long(number) for number in range(count)]
        (fleet,) = world.fleets
        self._began = fleet.began
        fleet.began = self._noted  # type: ignore[method-assign]

    def body(self) -> Json:
        return self._draw.choice(self._bodies) if self._draw.random() < 0.8 else facts.HELLO

    def at_home(self) -> float:
        """Which part of the calls with a prefix went where most of that prefix go."""
        counts = self.sent.values()
        return sum(max(count.values()) for count in counts) / sum(sum(count.values()) for count in counts)

    def _noted(self, attempt: Attempt) -> Course:
        if system := attempt.call.body.json.get("systemInstruction"):
            self.sent[system["parts"][0]["text"][:4]][attempt.candidate.endpoint.project] += 1
        return self._began(attempt)


def _long(number: int) -> Json:
    return {"systemInstruction": {"parts": [{"text": f"{number:04}" + "x" * 5000}]}}


@pytest.mark.parametrize(
    ("calls_per_s", "concurrency", "prefixes"),
    [(10.0, None, 50), (40.0, None, 50), (96.0, 20, 50), (96.0, 20, 200), (480.0, 100, 200)],
)
def test_calls_with_the_same_long_prefix_meet_at_up_to_four_fifths_of_the_load(
    calls_per_s: float, concurrency: int | None, prefixes: int
) -> None:
    endpoints = [facts.gemini(project=name, concurrency=concurrency) for name in NAMES]
    world = World(dict.fromkeys(NAMES, WELL), endpoints=endpoints)
    noted = Prefixes(world, prefixes, world.random)
    world.arrivals(calls_per_s, 0.0, 20.0, noted.body)
    world.run(60.0)
    busy = max(world.held_s.values()) / mean(world.held_s.values())
    shown(per_s=calls_per_s, at_home=f"{noted.at_home():.1%}", busiest=f"{busy:.2f} of the mean")
    assert noted.at_home() >= 0.9
    assert busy <= 1.35


def test_a_prefix_that_everybody_uses_is_shared_out() -> None:
    world = World(dict.fromkeys(NAMES, WELL))
    noted = Prefixes(world, 1, world.random)
    world.arrivals(CALLS_PER_S, 0.0, 40.0, noted.body)
    world.run(60.0)
    busy = max(world.held_s.values()) / mean(world.held_s.values())
    shown(at_home=f"{noted.at_home():.1%}", busiest=f"{busy:.2f} of the mean")
    assert busy <= 1.5
