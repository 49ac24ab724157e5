"""What a holder knows of one class: demand, hope, and what to ask for."""

import pytest

from sidecar.core.quota import Share
from sidecar.limits.backlog import HORIZON_MS, Backlog
from sidecar.limits.demand import Demand
from tests.support.ledger import ticket


def backlog(waiting: int = 0, limits: int = 2) -> Backlog:
    made = Backlog(Share("only", 2.0), [HORIZON_MS] * limits, 0.0)
    for _ in range(waiting):
        made.line.join(ticket(1_000))
    return made


def busy(made: Backlog, per_s: int, seconds: int, amounts: tuple[int, int] = (1, 10)) -> Backlog:
    for moment in range(0, seconds * 1_000, 1_000 // per_s):
        made.demand.arrived(amounts)
        made.demand.served()
        made.demand.look(moment)
    return made


def test_rates_follow_what_arrives_and_what_is_served() -> None:
    made = busy(backlog(), per_s=10, seconds=20)
    assert made.demand.requests_per_ms == pytest.approx(0.01, rel=0.1)
    assert made.demand.served_per_ms == pytest.approx(0.01, rel=0.1)
    made.demand.look(40_000.0)
    assert made.demand.is_idle
    assert made.demand.target([200.0, 200.0]) == [0, 0]


def test_the_target_covers_the_horizon_and_at_least_one_request() -> None:
    assert busy(backlog(), 40, 20).demand.target([200.0, 200.0]) == pytest.approx([10, 100], rel=0.15)
    assert busy(backlog(), 1, 20).demand.target([200.0, 200.0]) == [1, 10]


def test_of_a_limit_without_a_horizon_nothing_is_wanted_ahead() -> None:
    assert busy(backlog(), 40, 20).demand.target([0.0, 200.0]) == pytest.approx([0, 100], rel=0.15)


def test_requests_that_take_nothing_are_counted_all_the_same() -> None:
    demand = Demand(1, 0.0)
    for moment in range(0, 5_000, 100):
        demand.arrived([0])
        demand.look(moment)
    assert not demand.is_idle
    assert demand.target([200.0]) == [0]


def test_it_asks_for_those_who_wait_and_ahead_beyond_what_it_holds() -> None:
    made = busy(backlog(waiting=3), per_s=1, seconds=20)
    wanted = made.want([1, 15], is_leaving=False)
    assert wanted is not None
    assert (wanted.share, wanted.weight) == ("only", 2.0)
    assert (wanted.need, wanted.head, wanted.prefetch) == ([2, 15], [0, 0], [0, 0])
    assert made.want([3, 30], is_leaving=False) is None


def test_who_leaves_asks_for_nothing_ahead() -> None:
    assert busy(backlog(), per_s=40, seconds=20).want([0, 0], is_leaving=True) is None


def test_it_is_low_below_half_of_what_is_likely_to_be_needed() -> None:
    made = busy(backlog(), per_s=40, seconds=20)
    assert made.is_low([4, 100])
    assert made.is_low([10, 40])
    assert not made.is_low([6, 60])
    assert not backlog().is_low([0, 0]), "nothing is needed"


def test_a_burst_may_wait_while_nothing_is_known_to_be_scarce() -> None:
    assert not backlog(waiting=999).is_hopeless(1_000.0, is_scarce=False)
    assert backlog(waiting=1_000).is_hopeless(1_000.0, is_scarce=False), "but every queue is bounded"


def test_where_units_are_scarce_only_those_may_wait_who_are_likely_to_be_served() -> None:
    made = busy(backlog(), per_s=10, seconds=20)
    for _ in range(8):
        made.line.join(ticket(1_000))
    assert not made.is_hopeless(1_000.0, is_scarce=True)
    assert made.is_hopeless(300.0, is_scarce=True)
    assert made.queue_ms() == pytest.approx(900.0, rel=0.1)


def test_it_can_be_forgotten_when_it_was_long_idle() -> None:
    made = busy(backlog(), per_s=10, seconds=1)
    made.demand.look(1_500.0)  # sees the last that was served
    made.demand.look(30_000.0)
    assert not made.is_over(61_000.0)
    assert made.is_over(62_000.0)
    made.line.join(ticket(70_000))
    assert not made.is_over(62_000.0)


def test_it_says_its_state_in_words() -> None:
    assert repr(backlog(waiting=1)) == "<Backlog of only: 1 waiting, <Demand 0/s, served 0/s>>"
