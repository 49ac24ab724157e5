"""Money from tokens."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.cost import LONG_PROMPT_TOKENS, Cost, ModelPrice, PriceTable, Rate, Rates
from sidecar.core.outcome import Modalities, Usage

DAY = date(2026, 11, 22)
FLASH = Rates(Rate(750_000), Rate(75_000), Rate(3_750_000))
LATER = Rates(Rate(1_500_000), Rate(150_000), Rate(7_500_000))
LONG = Rates(Rate(4_000_000), Rate(400_000), Rate(18_000_000))
SPEECH = Rates(
    Rate(300_000, {"AUDIO": 1_000_000}),
    Rate(30_000, {"AUDIO": 100_000}),
    Rate(3_000_000, {"IMAGE": 60_000_000}),
)
TABLE = PriceTable(
    {
        "flash": (ModelPrice(date.min, FLASH), ModelPrice(date(2027, 1, 1), LATER)),
        "pro": (ModelPrice(date.min, FLASH, LONG),),
        "speech": (ModelPrice(date.min, SPEECH),),
        "new": (ModelPrice(date(2027, 1, 1), FLASH),),
        "embedding-001": (ModelPrice(date.min, FLASH),),
    },
    {"flex": 50, "batch": 50, "priority": 180},
)


def cost(usage: Usage, model: str = "flash", tier: str = "", on: date = DAY) -> int:
    found = TABLE.cost(model, usage, tier, on)
    assert found.is_priced
    return found.micro_dollars


def test_cached_tokens_are_not_counted_twice() -> None:
    """A rival billed the prompt whole and its cached part again: 0.76 for 0.18 dollars."""
    usage = Usage(prompt=1_000_000, cached=900_000, total=1_000_000)
    assert cost(usage) == 100_000 * 0.75 + 900_000 * 0.075


def test_thoughts_cost_what_the_answer_costs() -> None:
    assert cost(Usage(candidates=1_000, thoughts=3_000)) == cost(Usage(candidates=4_000)) == 15_000


def test_what_a_tool_put_into_the_prompt_costs_what_the_prompt_costs() -> None:
    assert cost(Usage(tool_use=1_000)) == cost(Usage(prompt=1_000)) == 750


def test_a_cost_is_rounded_up_once() -> None:
    assert cost(Usage()) == 0
    assert cost(Usage(prompt=1)) == 1
    assert cost(Usage(prompt=1, candidates=1)) == 5  # 0.75 + 3.75


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ("", 7_500),
        ("standard", 7_500),
        ("flex", 3_750),
        ("FLEX", 3_750),
        ("batch", 3_750),
        ("priority", 13_500),
        ("SERVICE_TIER_PRIORITY", 13_500),
        ("unheard-of", 7_500),
    ],
)
def test_a_tier_has_its_share_of_the_price(tier: str, expected: int) -> None:
    assert cost(Usage(prompt=10_000), tier=tier) == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 12, 31), 750),
        (date(2027, 1, 1), 1_500),
        (date(2031, 1, 1), 1_500),
    ],
)
def test_a_price_holds_from_its_first_day(on: date, expected: int) -> None:
    assert cost(Usage(prompt=1_000), on=on) == expected


def test_a_long_prompt_moves_the_whole_request_to_the_long_rates() -> None:
    short = Usage(prompt=LONG_PROMPT_TOKENS, cached=100_000, candidates=1_000)
    assert cost(short, "pro") == 75_000 + 7_500 + 3_750
    longer = Usage(prompt=LONG_PROMPT_TOKENS + 1, cached=100_000, candidates=1_000)
    assert cost(longer, "pro") == 400_004 + 40_000 + 18_000


def test_other_tokens_than_the_prompt_do_not_make_a_request_long() -> None:
    usage = Usage(prompt=1_000, candidates=150_000, tool_use=150_000, total=301_000)
    assert cost(usage, "pro") == cost(usage, "flash")


def test_a_model_without_long_rates_has_one_price_for_all_lengths() -> None:
    assert cost(Usage(prompt=1_000_000)) == 750_000


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ((), 300),
        ((("TEXT", 1_000),), 300),
        ((("AUDIO", 1_000),), 1_000),
        ((("TEXT", 600), ("AUDIO", 400)), 580),
        ((("AUDIO", 400),), 580),
        ((("SCENT", 1_000),), 300),
        ((("TEXT", 900), ("AUDIO", 900)), 930),
    ],
    ids=["told nothing", "text", "audio", "both", "in part", "a modality unknown", "more than there are"],
)
def test_a_prompt_is_priced_by_modality(details: Modalities, expected: int) -> None:
    assert cost(Usage(prompt=1_000, prompt_details=details), "speech") == expected


def test_cached_tokens_are_taken_out_of_their_own_modality() -> None:
    usage = Usage(
        prompt=1_000,
        cached=500,
        prompt_details=(("TEXT", 500), ("AUDIO", 500)),
        cached_details=(("AUDIO", 400), ("TEXT", 100)),
    )
    assert cost(usage, "speech") == 400 * 0.3 + 100 * 1 + 100 * 0.03 + 400 * 0.1


def test_cached_tokens_of_no_known_modality_leave_the_dear_ones_fresh() -> None:
    usage = Usage(prompt=1_000, cached=500, prompt_details=(("TEXT", 500), ("AUDIO", 500)))
    assert cost(usage, "speech") == 500 * 1 + 500 * 0.03


def test_more_cached_than_prompt_tokens_cost_no_more_than_the_prompt() -> None:
    assert cost(Usage(prompt=1_000, cached=5_000)) == 75


def test_pictures_have_a_price_of_their_own_and_the_thoughts_before_them_that_of_text() -> None:
    usage = Usage(candidates=1_300, thoughts=100, candidates_details=(("TEXT", 10), ("IMAGE", 1_290)))
    assert cost(usage, "speech") == 110 * 3 + 1_290 * 60


def test_an_answer_not_told_apart_is_priced_as_the_dearest() -> None:
    assert cost(Usage(candidates=100), "speech") == 6_000


@pytest.mark.parametrize(
    "model", ["unheard-of", "", "new", "flash-preview", "flash-latest", "tunedModels/flash-x"]
)
def test_an_unknown_price_is_nothing_and_says_so(model: str) -> None:
    assert TABLE.cost(model, Usage(prompt=10**6), "", DAY) == Cost(0, is_priced=False)


@pytest.mark.parametrize(
    "name",
    [
        "flash-001",
        "models/flash",
        "publishers/google/models/flash",
        "projects/p/locations/l/publishers/google/models/flash-002",
        "embedding-001",
    ],
)
def test_a_model_is_known_under_every_name_that_the_upstream_takes(name: str) -> None:
    assert cost(Usage(prompt=1_000), name) == 750


def test_a_table_may_be_overridden_a_model_at_a_time() -> None:
    table = TABLE.overridden({"flash": (ModelPrice(date.min, LONG),), "mine": (ModelPrice(date.min, FLASH),)})
    usage = Usage(prompt=1_000)
    prices = [table.cost(model, usage, "flex", DAY).micro_dollars for model in ("flash", "mine", "speech")]
    assert prices == [2_000, 375, 150]
    assert cost(usage) == 750


counts = st.integers(0, 2**31 - 1)
details = st.lists(st.tuples(st.sampled_from(["TEXT", "AUDIO", "IMAGE", ""]), counts), max_size=4).map(tuple)
usages = st.builds(
    Usage,
    prompt=counts,
    cached=counts,
    candidates=counts,
    thoughts=counts,
    tool_use=counts,
    prompt_details=details,
    cached_details=details,
    candidates_details=details,
)


@given(usages, st.sampled_from(sorted(TABLE.models)), st.sampled_from(["", "flex", "priority"]))
def test_whatever_is_reported_costs_between_the_cheapest_and_the_dearest(
    usage: Usage, model: str, tier: str
) -> None:
    found = TABLE.cost(model, usage, tier, date(2027, 1, 1))
    tokens = usage.prompt + usage.candidates + usage.thoughts + usage.tool_use
    assert tokens * 0.03 * 0.5 <= found.micro_dollars + 1
    assert found.micro_dollars <= tokens * 60 * 1.8 + 1
