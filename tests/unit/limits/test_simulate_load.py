"""What simulated callers ask for: sizes, estimates and shapes."""

from datetime import date
from random import Random

import pytest

from sidecar.core.cost import ModelPrice, Price, Rate, Rates
from sidecar.core.quota import Charge, Unit
from sidecar.limits.simulate_load import RATES, Load, Shape, draw_of, mean_charge

MICRO = 10**6
FREE = Price(None)
PRICED = Price(ModelPrice(date(2026, 1, 1), Rates(Rate(MICRO), Rate(MICRO), Rate(5 * MICRO))))
"""A micro-dollar for a token of the prompt, five for one of the answer."""


def drawn(load: Load, price: Price, count: int) -> list[tuple[Charge, Charge]]:
    draw, random = draw_of(load, price), Random(7)  # noqa: S311 - equal in every run
    return [draw(random) for _ in range(count)]


@pytest.mark.parametrize(("tokens", "output"), [(1_000.0, 250.0), (8_000.0, 0.0), (50.0, 2_000.0)])
def test_sizes_have_the_means_that_were_asked_for(tokens: float, output: float) -> None:
    actual = [charge for _, charge in drawn(Load("web", 1, tokens=tokens, output=output), FREE, 20_000)]
    prompts = sum(charge.input_tokens for charge in actual) / len(actual)
    answers = sum(charge.tokens - charge.input_tokens for charge in actual) / len(actual)
    assert prompts == pytest.approx(tokens, rel=0.03)
    assert answers == pytest.approx(output, rel=0.03)


def test_no_estimate_is_below_the_truth_in_any_unit() -> None:
    for estimate, actual in drawn(Load("web", 1), PRICED, 5_000):
        assert all(estimate.of(unit) >= actual.of(unit) for unit in Unit)


def test_one_answer_in_ten_is_as_long_as_its_caller_allows() -> None:
    charges = [charge for _, charge in drawn(Load("web", 1, output=400), FREE, 10_000)]
    answers = [charge.tokens - charge.input_tokens for charge in charges]
    assert answers.count(max(answers)) / len(answers) == pytest.approx(0.1, abs=0.01)


def test_the_mean_charge_has_the_means_and_their_price() -> None:
    charge = mean_charge(Load("web", 1, tokens=1_000, output=100), PRICED)
    assert (charge.requests, charge.input_tokens, charge.tokens, charge.calls) == (1, 1_000, 1_100, 1)
    assert charge.money == 1_000 * 1 + 100 * 5


@pytest.mark.parametrize("shape", Shape)
def test_every_shape_has_its_rate_on_the_mean_of_a_minute(shape: Shape) -> None:
    factors = [RATES[shape](moment_ms) for moment_ms in range(0, 60_000, 100)]
    assert sum(factors) / len(factors) == pytest.approx(1.0)


def test_the_edge_is_on_both_sides_of_a_full_minute_and_nowhere_else() -> None:
    rate = RATES[Shape.EDGE]
    assert [rate(second * 1000) for second in (0, 14, 15, 44, 45, 59, 60)] == [2, 2, 0, 0, 2, 2, 2]


def test_a_load_without_a_principal_is_a_caller_of_its_own_name() -> None:
    assert Load("web", 1).caller == "web"
    assert Load("web", 1, principal="spiffe://corp/web").caller == "spiffe://corp/web"
