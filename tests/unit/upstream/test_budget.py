"""How many retries a pool may make."""

import pytest

from sidecar.core.pooling import RetryRules
from sidecar.upstream.budget import Budget

RULES = RetryRules(budget_share=0.1, budget_floor=1.0)


def taken(budget: Budget, now: float, rules: RetryRules = RULES) -> int:
    """How many retries it has left."""
    return next(count for count in range(10_000) if not budget.take(rules, now))


def test_a_quiet_pool_has_the_floor_of_ten_seconds() -> None:
    assert taken(Budget(), 0.0) == 10


@pytest.mark.parametrize(("calls", "retries"), [(10, 11), (1000, 110)])
def test_calls_add_their_share(calls: int, retries: int) -> None:
    budget = Budget()
    for _ in range(calls):
        budget.called(5.0)
    assert taken(budget, 5.0) == retries


def test_what_was_spent_comes_back_after_ten_seconds() -> None:
    budget = Budget()
    taken(budget, 0.0)
    assert taken(budget, 5.0) == 0
    assert taken(budget, 10.5) == 10


def test_over_time_retries_never_exceed_their_share_and_floor() -> None:
    budget, calls, retries = Budget(), 0, 0
    for tick in range(10_000):
        now = tick / 100
        budget.called(now)
        calls += 1
        retries += budget.take(RULES, now)
    assert retries <= 0.1 * calls + 1.0 * 100 + 10


def test_no_share_and_no_floor_mean_no_retries() -> None:
    budget = Budget()
    budget.called(0.0)
    assert not budget.take(RetryRules(budget_share=0.0, budget_floor=0.0), 0.0)
