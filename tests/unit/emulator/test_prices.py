"""What a call costs, and when prices change."""

from datetime import UTC, datetime

import pytest

from sidecar.emulator.clock import wall_us
from sidecar.emulator.models import MODELS
from sidecar.emulator.prices import RATES, Bill, cost

_NOVEMBER = wall_us(datetime(2026, 11, 22, tzinfo=UTC))
_DOLLAR = 10**12


def test_every_model_of_the_catalogue_has_a_price():
    assert set(RATES) == set(MODELS)


def test_cached_tokens_are_cheaper_and_output_is_dearer():
    bill = Bill("gemini-3.8-flash", "standard", 3_000_000, cached_tokens=1_000_000, output_tokens=1_000_000)
    assert cost(bill, _NOVEMBER) == (2 * 75 * _DOLLAR + 75 * _DOLLAR // 10 + 375 * _DOLLAR) // 100


@pytest.mark.parametrize(("tier", "percent"), [("standard", 100), ("flex", 50), ("priority", 180)])
def test_tiers_have_their_own_prices(tier, percent):
    assert cost(Bill("gemini-4-neon", tier, 1_000_000), _NOVEMBER) == 3 * _DOLLAR * percent // 100


@pytest.mark.parametrize(
    ("model", "begin"), [("gemini-4-carbon", (2026, 12, 1)), ("gemini-3.8-flash", (2027, 1, 1))]
)
def test_a_new_price_holds_from_its_first_moment(model, begin):
    change = wall_us(datetime(*begin, tzinfo=UTC))
    bill = Bill(model, "standard", 1_000_000)
    assert cost(bill, change) == 2 * cost(bill, change - 1)


def test_a_long_prompt_is_billed_whole_at_the_long_rate():
    short, long = (Bill("gemini-2.5-pro", "standard", tokens) for tokens in (200_000, 200_001))
    assert cost(short, _NOVEMBER) == 200_000 * 1_250_000
    assert cost(long, _NOVEMBER) == 200_001 * 2_500_000
