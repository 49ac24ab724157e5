"""What is weighed now and then, in place of at every call."""

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.permit import Candidate
from sidecar.core.pooling import BreakerRules
from sidecar.upstream.health import Health, Place
from sidecar.upstream.peers import Peers
from sidecar.upstream.rank import Standing, View, rank
from tests.support import facts

RULES = BreakerRules()
NOW = 100.0
VIEW = View(RULES, False, NOW, lambda: 0.5)

well = st.builds(
    lambda step, level, weight, in_flight, taken_s, headroom: standing(
        step, in_flight, taken_s, headroom, level=level, weight=weight
    ),
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from([0.5, 1.0, 3.0]),
    st.integers(0, 9),
    st.sampled_from([0.0, 0.01, 1.0, 5.0]),
    st.sampled_from([0.0, 0.5, 1.0]),
)


def standing(
    step: int = 0, in_flight: int = 0, taken_s: float = 0.0, headroom: float = 1.0, **values: object
) -> Standing:
    place = Place("p")
    health = Health("p", facts.MODEL, place, RULES)
    health.in_flight = place.in_flight = in_flight
    health.whole.observe(taken_s, NOW)
    return Standing(Candidate(replace(facts.gemini(), **values), facts.MODEL, step=step), health, headroom)


def peers(*standings: Standing) -> Peers:
    return Peers(tuple(each.candidate for each in standings), standings, VIEW)


@given(st.lists(well, min_size=1, max_size=6))
def test_candidates_that_are_well_come_in_the_order_that_ranking_gives_them(
    standings: list[Standing],
) -> None:
    found = peers(*standings)
    assert found.are_well(NOW)
    assert [id(each) for each in found.by_load(lambda: 0.5)] == [id(each) for each in rank(standings, VIEW)]


def test_attempts_that_begin_later_count_at_once() -> None:
    one, other = standing(in_flight=1), standing(in_flight=2)
    found = peers(one, other)
    assert found.by_load(lambda: 0.5) == [one, other]
    one.health.in_flight = 3
    assert found.by_load(lambda: 0.5) == [other, one]


def test_chance_decides_between_the_idle_by_their_weights() -> None:
    light, heavy = standing(), standing(weight=3.0)
    found, draw = peers(light, heavy), Random(1).random  # noqa: S311 - to be the same each time
    firsts = Counter(found.by_load(draw)[0].candidate.endpoint.weight for _ in range(4_000))
    assert 0.72 < firsts[3.0] / 4_000 < 0.78


def test_one_that_is_to_be_left_alone_or_is_full_calls_for_a_closer_look() -> None:
    paused, broken, full = standing(), standing(), standing(in_flight=2, concurrency=2)
    paused.health.pause(1.0, NOW)
    broken.health.breaker.refused(RULES, broken.health.breaker.began(NOW), NOW, 0.5)
    for unfit in (paused, broken, full):
        assert not peers(standing(), unfit).are_well(NOW)
    assert peers(standing(), paused).are_well(NOW + 1.0)


def test_what_was_weighed_is_known_for_a_moment() -> None:
    found = peers(standing(), standing())
    assert found.is_known(NOW + 0.04)
    assert not found.is_known(NOW + 0.06)
