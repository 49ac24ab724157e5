from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config.amounts import (
    COUNT_MAX,
    MONEY_MAX,
    format_money,
    format_share,
    parse_count,
    parse_money,
    parse_share,
    parse_weight,
)
from sidecar.config.faults import Unacceptable


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (2000, 2000),
        ("750", 750),
        ("2_000_000", 2_000_000),
        ("2M", 2_000_000),
        ("64k", 64_000),
        ("1_000G", COUNT_MAX),
        (1, 1),
    ],
)
def test_a_count_is_read(written: object, count: int) -> None:
    assert parse_count(written) == count


@pytest.mark.parametrize(
    "written",
    [
        "",
        "M",
        "2m",
        "2 M",
        "1.5M",
        "2__0",
        "_2",
        "2_",
        "1e3",
        "٣",
        2.0,
        2e6,
        True,
        None,
        [5],
        float("nan"),
        "9" * 99,
    ],
)
def test_what_is_no_count_is_refused(written: object) -> None:
    with pytest.raises(Unacceptable, match="is not a count"):
        parse_count(written)


@pytest.mark.parametrize("written", [0, -1, "-2M", "0k"])
def test_a_count_of_nothing_is_answered_with_how_to_deny_a_model(written: object) -> None:
    with pytest.raises(Unacceptable, match="would allow nothing") as raised:
        parse_count(written)
    assert "deny the model" in raised.value.remedy


@pytest.mark.parametrize("written", [COUNT_MAX + 1, "1001G", "1_000_000_000_001"])
def test_a_count_has_a_largest_value(written: object) -> None:
    with pytest.raises(Unacceptable, match="is out of range") as raised:
        parse_count(written)
    assert raised.value.remedy == "take a value of at most 1_000_000_000_000"


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("$50", 50_000_000),
        ("$0.5", 500_000),
        (50, 50_000_000),
        (0.1, 100_000),
        (0.000001, 1),
        ("0.25", 250_000),
        ("$1_000", 1_000_000_000),
        ("$10_000_000", MONEY_MAX),
    ],
)
def test_money_is_read_in_micro_dollars(written: object, micros: int) -> None:
    assert parse_money(written) == micros


@pytest.mark.parametrize(
    "written",
    [
        "",
        "$",
        "50€",
        "$ 5",
        "5 USD",
        "$.5",
        "$5.",
        "$1k",
        "$0.0000001",
        1e-7,
        True,
        None,
        [5],
        float("inf"),
        "9" * 99,
    ],
)
def test_what_is_no_money_is_refused(written: object) -> None:
    with pytest.raises(Unacceptable, match="is not an amount of money"):
        parse_money(written)


@pytest.mark.parametrize("written", [0, 0.0, "$0", "-$5", -0.5, "$0.000000"])
def test_money_that_buys_nothing_is_refused(written: object) -> None:
    with pytest.raises(Unacceptable, match="would allow nothing"):
        parse_money(written)


def test_money_has_a_largest_value() -> None:
    with pytest.raises(Unacceptable, match="is out of range") as raised:
        parse_money("$10_000_000.000001")
    assert raised.value.remedy == "take a value of at most $10000000"


@given(st.integers(min_value=1, max_value=MONEY_MAX))
def test_printed_money_reads_as_itself(micros: int) -> None:
    assert parse_money(format_money(micros)) == micros


@given(st.decimals(min_value="0.000001", max_value=10**7, places=6))
def test_money_is_read_exactly_as_text_and_to_the_micro_dollar_as_a_number(dollars: Decimal) -> None:
    assert parse_money(f"${dollars:f}") == parse_money(float(dollars)) == dollars * 10**6


@pytest.mark.parametrize(("written", "share"), [("5%", 0.05), ("1%", 0.01), ("100%", 1.0), ("2.5 %", 0.025)])
def test_a_share_is_written_in_percent(written: object, share: float) -> None:
    assert parse_share(written) == pytest.approx(share)


@pytest.mark.parametrize("written", [0.05, 5, "6", "0.06", "-5%", "%", "5%%", True, None, "1000%"])
def test_what_is_no_percentage_is_refused(written: object) -> None:
    with pytest.raises(Unacceptable, match="is not a percentage"):
        parse_share(written)


@pytest.mark.parametrize("written", ["0%", "0.9%", "100.1%", "101%"])
def test_a_share_is_from_one_percent_to_all(written: str) -> None:
    with pytest.raises(Unacceptable, match="is out of range"):
        parse_share(written)


@given(st.integers(min_value=1000, max_value=100_000))
def test_a_printed_share_reads_as_itself(thousandths: int) -> None:
    share = parse_share(f"{thousandths / 1000:.3f}%")
    assert parse_share(format_share(share)) == share


@pytest.mark.parametrize(("written", "weight"), [(8, 8.0), (0.5, 0.5), (1_000_000, 1e6)])
def test_a_weight_is_a_number(written: object, weight: float) -> None:
    assert parse_weight(written) == weight


@pytest.mark.parametrize("written", [0, -1, 0.0001, 2_000_000, float("nan"), float("inf")])
def test_a_weight_is_above_nothing_and_below_all(written: object) -> None:
    with pytest.raises(Unacceptable, match="is out of range"):
        parse_weight(written)


@pytest.mark.parametrize("written", ["8", True, None, [8]])
def test_what_is_no_number_is_no_weight(written: object) -> None:
    with pytest.raises(Unacceptable, match="is not a weight"):
        parse_weight(written)
