"""When an endpoint is left alone, and how it comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.pooling import BreakerRules
from sidecar.upstream.breaker import Asked, Breaker, State

RULES = BreakerRules()
MIDDLE = 0.5
"""A draw that adds no jitter."""


def failed(breaker: Breaker, times: int, now: float = 0.0) -> bool:
    """Whether the last of so many failures opened it."""
    return [breaker.failed(RULES, breaker.began(now), now, MIDDLE) for _ in range(times)][-1]


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(RULES)
    assert failed(breaker, RULES.failures, now)
    return breaker


def succeeded(breaker: Breaker, now: float, times: int = 1) -> None:
    for _ in range(times):
        breaker.answered(breaker.began(now), now)
        breaker.succeeded(now)


def probed(breaker: Breaker, now: float) -> Asked:
    assert breaker.wants_probe(now)
    breaker.offer(now)
    asked = breaker.began(now)
    assert asked.is_probe
    return asked


# ------------------------------------------------------------------------------------------------- opening


def test_failures_in_a_row_open_it() -> None:
    breaker = Breaker(RULES)
    assert not failed(breaker, RULES.failures - 1)
    assert breaker.state(0.0) is State.CLOSED
    assert failed(breaker, 1)
    assert breaker.state(0.0) is State.OPEN


def test_an_answer_in_between_breaks_the_row() -> None:
    breaker = Breaker(RULES)
    for _ in range(2):
        failed(breaker, RULES.failures - 1)
        succeeded(breaker, 0.0)
    assert not breaker.is_open


def test_half_of_enough_attempts_open_it_without_any_row() -> None:
    breaker = Breaker(RULES)
    for _ in range(RULES.failures - 1):
        succeeded(breaker, 1.0)
        assert not failed(breaker, 1, 1.0)
    succeeded(breaker, 1.0)
    assert failed(breaker, 1, 1.0), "ten attempts, half of which failed"


def test_failures_beyond_the_window_are_forgotten() -> None:
    breaker = Breaker(RULES)
    for second in range(200):
        succeeded(breaker, second * 5.0, times=9)
        assert not failed(breaker, 1, second * 5.0)


def test_the_window_of_another_policy_counts_from_its_first_failure_on() -> None:
    breaker, longer = Breaker(RULES), BreakerRules(window_s=1000.0)
    opened_at = []
    for second in range(0, 1000, 20):  # none within the ten seconds of the old window
        succeeded(breaker, second)
        if breaker.failed(longer, breaker.began(second), second, MIDDLE):
            opened_at.append(second)
    assert opened_at, "half of the attempts of a thousand seconds failed"


def test_refused_credentials_open_it_at_once() -> None:
    breaker = Breaker(RULES)
    assert breaker.refused(RULES, breaker.began(0.0), 0.0, MIDDLE)
    assert breaker.state(0.0) is State.OPEN


def test_what_began_before_it_opened_proves_nothing_afterwards() -> None:
    breaker = Breaker(RULES)
    before = breaker.began(0.0)
    failed(breaker, RULES.failures, 1.0)
    assert not breaker.answered(before, 2.0)
    assert breaker.is_open
    probe = probed(breaker, 7.0)
    assert not breaker.failed(RULES, before, 7.1, MIDDLE)
    breaker.released(before)
    assert not breaker.wants_probe(7.2), "the probe is still out"
    assert breaker.answered(probe, 7.3)
    for _ in range(RULES.failures):
        assert not breaker.failed(RULES, before, 7.4, MIDDLE)


# --------------------------------------------------------------------------------------------- coming back


def test_one_probe_at_a_time_is_sent_when_the_time_is_over() -> None:
    breaker = opened()
    assert not breaker.wants_probe(RULES.open_s - 0.01)
    assert breaker.state(RULES.open_s) is State.HALF_OPEN
    probed(breaker, RULES.open_s)
    assert not breaker.wants_probe(RULES.open_s + 1000.0)
    assert not breaker.began(RULES.open_s + 1.0).is_probe


def test_a_probe_that_was_offered_and_not_sent_is_offered_again_soon() -> None:
    breaker = opened()
    breaker.offer(5.0)
    assert not breaker.wants_probe(5.9)
    assert breaker.wants_probe(6.1)


def test_an_answered_probe_closes_it_before_the_answer_has_ended() -> None:
    breaker = opened()
    assert breaker.answered(probed(breaker, 5.0), 5.2)
    assert breaker.state(5.2) is State.CLOSED


def test_probes_that_fail_double_the_time_up_to_the_most() -> None:
    breaker, now, lengths = opened(), 0.0, []
    for _ in range(5):
        lengths.append(breaker.reopens_at - now)
        now = breaker.reopens_at
        assert breaker.failed(RULES, probed(breaker, now), now, MIDDLE)
    assert lengths == [5.0, 10.0, 20.0, 30.0, 30.0]


def test_a_probe_whose_caller_went_away_leaves_room_for_the_next() -> None:
    breaker = opened()
    breaker.released(probed(breaker, 5.0))
    assert breaker.wants_probe(5.1)


def test_an_endpoint_that_could_not_be_spared_heals_by_any_answer() -> None:
    breaker = opened()
    assert breaker.answered(breaker.began(1.0), 1.5)
    assert not breaker.is_open


def test_a_healed_endpoint_takes_its_share_little_by_little() -> None:
    breaker = opened()
    assert breaker.weight(5.0) == 0.1
    breaker.answered(probed(breaker, 5.0), 5.0)
    weights = [breaker.weight(5.0 + part * RULES.open_s) for part in (0.0, 0.25, 0.5, 1.0, 9.0)]
    assert weights == pytest.approx([0.1, 0.25, 0.5, 1.0, 1.0])


def test_a_relapse_goes_on_where_it_was_and_a_late_one_begins_anew() -> None:
    soon = opened()
    soon.answered(probed(soon, 5.0), 5.0)
    failed(soon, RULES.failures, 6.0)
    assert soon.reopens_at == 6.0 + 10.0
    late = opened()
    late.answered(probed(late, 5.0), 5.0)
    failed(late, RULES.failures, 20.0)
    assert late.reopens_at == 20.0 + 5.0


@given(st.floats(0.0, 1.0, exclude_max=True))
def test_the_time_is_drawn_within_a_fifth(draw: float) -> None:
    breaker = Breaker(RULES)
    breaker.refused(RULES, breaker.began(0.0), 0.0, draw)
    assert 4.0 <= breaker.reopens_at <= 6.0
    assert breaker.told_until == 5.0


# ------------------------------------------------------------------------------------------- what others tell


def test_who_knows_no_better_believes_what_another_tells() -> None:
    breaker = Breaker(RULES)
    assert breaker.told(12.0, 5.0, 7.0, MIDDLE)
    assert breaker.state(7.0) is State.OPEN
    assert breaker.reopens_at == 12.0


def test_each_draws_its_own_moment_for_its_own_probe() -> None:
    moments = []
    for draw in (0.0, 0.25, 0.75):
        breaker = Breaker(RULES)
        breaker.told(12.0, 5.0, 7.0, draw)
        moments.append(breaker.reopens_at)
    assert moments == pytest.approx([11.0, 11.5, 12.5])


def test_the_later_deadline_wins_whoever_told_it_first() -> None:
    breaker = Breaker(RULES)
    breaker.told(20.0, 10.0, 7.0, MIDDLE)
    assert not breaker.told(12.0, 5.0, 7.0, MIDDLE)
    assert breaker.reopens_at == 20.0
    assert not breaker.told(40.0, 20.0, 8.0, MIDDLE), "it was open already"
    assert breaker.reopens_at == 40.0


def test_its_own_notice_coming_back_changes_nothing() -> None:
    breaker = Breaker(RULES)
    breaker.refused(RULES, breaker.began(0.0), 0.0, 0.0)
    assert not breaker.told(breaker.told_until, breaker.length_s, 0.1, 0.99)
    assert not breaker.told(breaker.told_until + 0.2, breaker.length_s, 0.1, 0.99), "by the store's clock"
    assert breaker.reopens_at == 4.0


def test_who_was_answered_a_moment_ago_is_warned_and_asks_on() -> None:
    breaker = Breaker(RULES)
    succeeded(breaker, 7.0)
    assert not breaker.told(12.0, 5.0, 7.5, MIDDLE)
    assert not breaker.is_open
    assert failed(breaker, 1, 7.6), "the warning makes one failure enough"


def test_a_warning_ends_with_the_notice() -> None:
    breaker = Breaker(RULES)
    succeeded(breaker, 7.0)
    breaker.told(12.0, 5.0, 7.5, MIDDLE)
    assert not failed(breaker, 1, 12.5)


def test_a_notice_that_has_ended_is_none() -> None:
    breaker = Breaker(RULES)
    assert not breaker.told(6.0, 5.0, 7.0, MIDDLE)
    assert not breaker.is_open


@given(st.data())
def test_whatever_happens_an_open_breaker_is_probed_in_the_end(data: st.DataObject) -> None:
    """No order of events leaves an endpoint alone for longer than the most, jitter included."""
    breaker, now, asked = Breaker(RULES), 0.0, []
    for _ in range(data.draw(st.integers(0, 40))):
        now += data.draw(st.floats(0.0, 3.0))
        event = data.draw(st.sampled_from(["begin", "answer", "fail", "refuse", "release", "told"]))
        if event == "begin":
            asked.append(breaker.began(now))
        elif event == "told":
            breaker.told(now + 10.0, 10.0, now, data.draw(st.floats(0.0, 0.99)))
        elif asked:
            one = asked.pop(data.draw(st.integers(0, len(asked) - 1)))
            if event == "answer":
                breaker.answered(one, now)
                breaker.succeeded(now)
            elif event == "fail":
                breaker.failed(RULES, one, now, 0.9)
            elif event == "refuse":
                breaker.refused(RULES, one, now, 0.9)
            else:
                breaker.released(one)
    for one in asked:
        breaker.released(one)
    assert not breaker.is_open or breaker.wants_probe(now + RULES.open_max_s * 1.2)
