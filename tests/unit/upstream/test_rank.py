"""Whom to ask first."""

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.permit import Candidate
from sidecar.core.pooling import BreakerRules
from sidecar.upstream.health import Health, Place
from sidecar.upstream.rank import Standing, View, rank, ready_at
from tests.support import facts

RULES = BreakerRules()
NOW = 100.0


def standing(
    name: str, *, step: int = 0, in_flight: int = 0, tried: int = 0, headroom: float = 1.0, **values: Any
) -> Standing:
    place = Place(name)
    place.in_flight = in_flight
    health = Health(name, facts.MODEL, place, RULES)
    health.in_flight = in_flight
    candidate = Candidate(facts.gemini(project=name, **values), facts.MODEL, step=step)
    return Standing(candidate, health, headroom, tried)


def opened(standing: Standing, now: float = NOW) -> Standing:
    breaker = standing.health.breaker
    assert breaker.refused(RULES, breaker.began(now), now, 0.5)
    return standing


def taking(standing: Standing, seconds: float) -> Standing:
    standing.health.whole.observe(seconds, NOW)
    return standing


def ranked(*standings: Standing, seed: int = 1, now: float = NOW, rules: BreakerRules = RULES) -> list[str]:
    draw = random.Random(seed).random  # noqa: S311 - to be the same each time
    return [s.candidate.endpoint.project for s in rank(standings, View(rules, False, now, draw))]


def firsts(*standings: Standing, now: float = NOW, times: int = 3000) -> dict[str, float]:
    """How often each comes first, as a part of all."""
    draw = random.Random(1).random  # noqa: S311 - to be the same each time
    counts = Counter(
        rank(standings, View(RULES, False, now, draw))[0].candidate.endpoint.project for _ in range(times)
    )
    return {name: count / times for name, count in counts.items()}


# ----------------------------------------------------------------------------------- the Policy's order


def test_levels_come_in_their_order_and_steps_before_levels() -> None:
    assert ranked(
        standing("fallback", step=1, level=0), standing("second", level=1), standing("first", level=0)
    ) == ["first", "second", "fallback"]


def test_whom_the_call_has_tried_comes_after_everybody_else() -> None:
    assert ranked(standing("a", tried=1), standing("b", level=1), standing("c", level=2)) == ["b", "c", "a"]
    assert ranked(standing("a", tried=1), standing("b", tried=2)) == ["a", "b"]


# ------------------------------------------------------------------------------------------------- by load


def test_the_least_busy_comes_first() -> None:
    names = ranked(standing("busy", in_flight=9), standing("idle"), standing("half", in_flight=4))
    assert names == ["idle", "half", "busy"]


def test_idle_peers_are_taken_in_proportion_to_their_weights() -> None:
    shares = firsts(standing("a", weight=1.0), standing("b", weight=3.0))
    assert shares["b"] == pytest.approx(0.75, abs=0.03)


def test_weights_decide_how_many_are_in_flight() -> None:
    shares = firsts(standing("light", in_flight=4, weight=1.0), standing("heavy", in_flight=6, weight=2.0))
    assert shares["heavy"] > 0.9


def test_a_slow_endpoint_is_taken_less_and_small_differences_are_noise() -> None:
    slow = firsts(taking(standing("slow"), 3.0), taking(standing("quick"), 1.0))
    assert slow["slow"] == pytest.approx(0.25, abs=0.03)
    alike = firsts(taking(standing("a"), 1.4), taking(standing("b"), 1.0))
    assert alike["a"] == pytest.approx(0.5, abs=0.03)
    blink = firsts(taking(standing("a"), 0.02), taking(standing("b"), 0.004))
    assert blink["a"] == pytest.approx(0.5, abs=0.03)


def test_an_unknown_endpoint_is_given_the_benefit_of_the_doubt() -> None:
    shares = firsts(standing("new"), taking(standing("known"), 1.0))
    assert shares["new"] == pytest.approx(0.5, abs=0.03)


def test_who_has_little_quota_left_is_taken_less() -> None:
    shares = firsts(standing("scarce", headroom=0.1), standing("plenty"))
    assert shares["scarce"] == pytest.approx(1 / 11, abs=0.03)
    assert firsts(standing("none", headroom=0.0), standing("plenty"))["plenty"] > 0.9


# ----------------------------------------------------------------------------------- who is left alone


def test_an_open_breaker_leaves_an_endpoint_out() -> None:
    assert sorted(ranked(opened(standing("a")), standing("b"), standing("c"))) == ["b", "c"]


def test_no_more_than_a_share_of_a_level_is_left_out_and_the_others_come_last() -> None:
    names = ranked(opened(standing("a"), 99.0), opened(standing("b"), 98.0), standing("c", in_flight=50))
    assert names == ["c", "b"], "b is to be asked again before a"
    everybody = replace(RULES, evicted_share=1.0)
    assert ranked(opened(standing("a")), standing("b"), rules=everybody) == ["b"]
    nobody = replace(RULES, evicted_share=0.0)
    assert ranked(opened(standing("a")), standing("b", in_flight=50), rules=nobody) == ["b", "a"]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_only_endpoint_is_never_left_out(share: float) -> None:
    rules = replace(RULES, evicted_share=share)
    assert ranked(opened(standing("a")), rules=rules) == ["a"]


def test_when_all_are_open_those_that_cannot_be_spared_are_asked() -> None:
    names = ranked(*(opened(standing(name), 95.0 + place) for place, name in enumerate("abcd")))
    assert sorted(names) == ["a", "b"]


def test_a_level_where_nobody_is_well_is_passed_over_while_another_has_somebody() -> None:
    assert ranked(opened(standing("a")), standing("b", level=1)) == ["b"]
    assert ranked(opened(standing("a")), standing("b", level=1, step=1)) == ["b"]
    assert ranked(opened(standing("a")), opened(standing("b", level=1))) == ["a", "b"]


def test_who_is_due_for_a_probe_comes_first_once() -> None:
    due = opened(standing("due", in_flight=9))
    later = NOW + RULES.open_s
    assert ranked(due, standing("b"), standing("c"), now=later)[0] == "due"
    due.health.breaker.offer(later)
    assert "due" not in ranked(due, standing("b"), standing("c"), now=later)


def test_a_call_that_has_failed_already_is_no_probe() -> None:
    due = opened(standing("due"))._replace(tried=1)
    assert ranked(due, standing("b"), now=NOW + RULES.open_s) == ["b", "due"]


def test_who_has_healed_comes_back_slowly() -> None:
    healed = opened(standing("healed"), NOW - 6.0)
    healed.health.breaker.answered(healed.health.breaker.began(NOW), NOW)
    assert firsts(healed, standing("b"))["healed"] == pytest.approx(1 / 11, abs=0.03)
    assert firsts(healed, standing("b"), now=NOW + 5.0)["healed"] == pytest.approx(0.5, abs=0.03)


def test_who_asked_to_be_left_alone_is() -> None:
    paused = standing("a")
    paused.health.pause(3.0, NOW)
    assert ranked(paused, standing("b")) == ["b"]
    assert ranked(paused) == []
    assert ranked(paused, now=NOW + 3.0) == ["a"]


def test_who_is_full_is_left_out() -> None:
    assert ranked(standing("full", in_flight=3, concurrency=3), standing("b", in_flight=9)) == ["b"]
    assert ranked(standing("full", in_flight=3, concurrency=3)) == []


def test_the_first_who_may_be_asked_again_is_known() -> None:
    paused = standing("a")
    paused.health.pause(3.0, NOW)
    assert ready_at([paused, opened(standing("b"))]) == NOW + 3.0


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 1), st.integers(0, 1), st.integers(0, 2), st.integers(0, 3)),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)
def test_each_level_keeps_its_share_and_nobody_is_named_twice(
    facts_of: list[tuple[bool, int, int, int, int]], evicted_share: float
) -> None:
    standings = []
    for place, (is_open, step, level, tried, in_flight) in enumerate(facts_of):
        one = standing(f"p{place}", step=step, level=level, tried=tried, in_flight=in_flight)
        standings.append(opened(one) if is_open else one)
    names = ranked(*standings, rules=replace(RULES, evicted_share=evicted_share))
    assert names
    assert len(set(names)) == len(names)
    is_bright = any(not s.health.breaker.is_open for s in standings)
    for group in ((step, level) for step in (0, 1) for level in (0, 1)):
        peers = [s for s in standings if (s.candidate.step, s.candidate.endpoint.level) == group]
        left_out = [s for s in peers if s.candidate.endpoint.project not in names]
        if any(not s.health.breaker.is_open for s in peers) or not is_bright:
            assert len(left_out) <= evicted_share * len(peers)
        assert all(s.health.breaker.is_open for s in left_out)
