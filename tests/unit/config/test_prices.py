"""Prices as they are written: in the file of the release, and in a Policy."""

from datetime import date

import pytest

from sidecar.config.prices import shipped_prices
from sidecar.core.cost import ModelPrice, PriceTable, Rate, Rates
from sidecar.core.outcome import Usage
from tests.unit.config.builders import Folder

DAY = date(2026, 11, 22)
MILLION = Usage(prompt=1_000_000, cached=100_000, candidates=1_000_000)


def prices_of(folder: Folder, prices: str) -> PriceTable:
    reading = folder.read(f"projects: [{{name: eu, api: vertex, project: p}}]\n{prices}")
    assert reading.faults == ()
    assert reading.policy is not None
    return reading.policy.prices


@pytest.mark.parametrize(
    ("model", "on", "dollars"),
    [
        ("gemini-4-carbon", date(2026, 11, 30), 1.8 + 0.01 + 10),
        ("gemini-4-carbon", date(2026, 12, 1), 3.6 + 0.02 + 20),
        ("gemini-3.8-flash", date(2026, 12, 31), 0.675 + 0.0075 + 3.75),
        ("gemini-3.8-flash", date(2027, 1, 1), 1.35 + 0.015 + 7.5),
        ("gemini-3.1-pro-preview", DAY, 3.6 + 0.04 + 18),
        ("gemini-2.5-pro", DAY, 2.25 + 0.025 + 15),
        ("gemini-embedding-001", DAY, 0.15),
    ],
)
def test_the_release_knows_googles_prices(model: str, on: date, dollars: float) -> None:
    assert shipped_prices().cost(model, MILLION, "", on).micro_dollars == round(dollars * 10**6)


def test_the_release_tells_modalities_apart() -> None:
    heard = Usage(prompt=1_000, prompt_details=(("AUDIO", 1_000),))
    drawn = Usage(candidates=1_290, candidates_details=(("IMAGE", 1_290),))
    assert shipped_prices().cost("gemini-2.5-flash", heard, "", DAY).micro_dollars == 1_000
    assert shipped_prices().cost("gemini-3-pro-image", drawn, "", DAY).micro_dollars == 154_800
    assert shipped_prices().cost("gemini-embedding-2", heard, "", DAY).micro_dollars == 6_500


def test_every_shipped_price_asks_less_for_cached_than_for_fresh_tokens_and_most_for_answers() -> None:
    for model, prices in shipped_prices().models.items():
        for rates in (rates for price in prices for rates in (price.rates, price.long_rates) if rates):
            assert rates.cached.text <= rates.input.text, model
            assert rates.output.text > rates.input.text or "embedding" in model


def test_a_policy_without_prices_has_those_of_the_release(folder: Folder) -> None:
    assert prices_of(folder, "") == prices_of(folder, "prices:") == shipped_prices()


def test_a_policy_overrides_prices_a_model_at_a_time(folder: Folder) -> None:
    table = prices_of(
        folder,
        """
prices:
  gemini-3.8-flash:
    - {input: 0.5, output: 2}
    - since: 2027-01-01
      input: {text: 1, audio: 2, image: 3, video: 4, document: 0.000001}
      cached: 0.25
      output: 3
      above_200k: {input: 2, output: 6}
  corp/tuned: [{input: 0, output: 0}]
""",
    )
    half = Rate(500_000)
    told = {"AUDIO": 2_000_000, "IMAGE": 3_000_000, "VIDEO": 4_000_000, "DOCUMENT": 1}
    two = Rate(2_000_000)
    assert table.models["gemini-3.8-flash"] == (
        ModelPrice(date.min, Rates(half, half, two)),
        ModelPrice(
            date(2027, 1, 1),
            Rates(Rate(1_000_000, told), Rate(250_000), Rate(3_000_000)),
            Rates(two, two, Rate(6_000_000)),
        ),
    )
    assert table.models["corp/tuned"] == (ModelPrice(date.min, Rates(Rate(0), Rate(0), Rate(0))),)
    others = shipped_prices().models.keys() - {"gemini-3.8-flash"}
    assert all(table.models[model] == shipped_prices().models[model] for model in others)


def test_prices_are_part_of_the_digest(folder: Folder) -> None:
    def digest(prices: str) -> str:
        policy = folder.read(f"projects: [{{name: eu, api: vertex, project: p}}]\n{prices}").policy
        assert policy is not None
        return policy.digest

    texts = [
        "",
        "prices: {x: [{input: 1, output: 2}]}",
        "prices: {x: [{input: 1, output: 3}]}",
        "prices: {x: [{input: 1, output: {text: 2, image: 2}}]}",
        "prices: {x: [{since: 2027-01-01, input: 1, output: 2}]}",
        "prices: {x: [{input: 1, output: 2, above_200k: {input: 1, output: 2}}]}",
    ]
    assert len({digest(text) for text in texts}) == len(texts)
    assert digest(texts[1]) == digest("prices: {x: [{input: 1.0, cached: 1, output: {text: 2}}]}")
