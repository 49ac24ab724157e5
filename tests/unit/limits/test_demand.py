"""How fast a class is taken to spend."""

import pytest

from sidecar.limits.demand import Demand


def seen(requests: int, tokens_each: int = 10) -> Demand:
    """After so many requests within 50 ms, and nothing before."""
    demand = Demand(2, 0.0)
    for _ in range(requests):
        demand.arrived([1, tokens_each])
    demand.look(50.0)
    return demand


def test_a_burst_of_many_calls_is_taken_for_most_of_what_it_is_at_once() -> None:
    demand = seen(100)
    assert 1.3 <= demand.requests_per_ms <= 2.0
    requests, tokens = demand.target([200.0, 200.0])
    assert 320 <= requests <= 500
    assert tokens == pytest.approx(10 * requests, abs=10)


def test_a_few_calls_that_come_together_by_chance_are_no_burst() -> None:
    assert seen(4).requests_per_ms < 0.01


def test_a_burst_that_is_over_is_forgotten() -> None:
    demand = seen(100)
    demand.look(5_000.0)
    assert demand.requests_per_ms < 0.02
