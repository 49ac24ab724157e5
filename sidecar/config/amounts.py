"""Amounts of limits as people write them, and back: counts, money, shares and weights.

Parsed once, here: behind the Policy a count is an int, money an int in micro-dollars, a share a float from 0
to 1. Parsing accepts what formatting prints. A limit of nothing is refused: it would read like an outage.
"""

import math
import re
from decimal import Decimal

from sidecar.config.faults import Unacceptable

COUNT_MAX = 10**12
MONEY_MAX = 10**13
"""In micro-dollars: ten million dollars."""
MICROS = 10**6
COUNT_PATTERN = r"^(-?)([0-9](?:_?[0-9]){0,30})([kMG]?)$"
MONEY_PATTERN = r"^(-?)\$?([0-9](?:_?[0-9]){0,30})(?:\.([0-9]{1,6}))?$"
SHARE_PATTERN = r"^([0-9]{1,3}(?:\.[0-9]{1,3})?) ?%$"
_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_WEIGHT_MIN, _WEIGHT_MAX = 0.001, 1_000_000.0
_NOTHING_REMEDY = (
    "remove the limit; or deny the model instead: leave it out of `models` and set unlisted_models: deny"
)


def parse_count(value: object) -> int:
    """The count in `2000`, `2_000_000` or `2M`; from 1 to 10^12. Raises Unacceptable."""
    match = re.fullmatch(COUNT_PATTERN, _text(value))
    if match is None:
        raise Unacceptable("is not a count", "write a whole number: 2000, 2_000_000 or 2M")
    amount = int(match[2]) * _SUFFIXES[match[3]]
    return _within(-amount if match[1] else amount, COUNT_MAX, f"{COUNT_MAX:_}")


def parse_money(value: object) -> int:
    """Micro-dollars of `$50`, `$0.5` or a bare number of dollars; up to 10^7 dollars. Raises Unacceptable."""
    match = re.fullmatch(MONEY_PATTERN, _text(value))
    if match is None:
        raise Unacceptable(
            "is not an amount of money", "write US dollars, with 6 decimals at most: $50, $0.5 or 50"
        )
    amount = int(match[2]) * MICROS + int((match[3] or "").ljust(6, "0"))
    return _within(-amount if match[1] else amount, MONEY_MAX, format_money(MONEY_MAX))


def parse_share(value: object) -> float:
    """`5%` as 0.05; from 1 % to 100 %. Raises Unacceptable."""
    match = re.fullmatch(SHARE_PATTERN, value) if isinstance(value, str) else None
    if match is None:
        raise Unacceptable("is not a percentage", "write a percentage from 1% to 100%, such as 5%")
    percent = float(match[1])
    if not 1 <= percent <= 100:
        raise Unacceptable("is out of range", "take a percentage from 1% to 100%")
    return percent / 100


def parse_weight(value: object) -> float:
    """A weight above 0. Raises Unacceptable."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unacceptable("is not a weight", "write a number, such as 8 or 0.5")
    if not _WEIGHT_MIN <= value <= _WEIGHT_MAX:  # NaN is refused too: it compares with nothing
        raise Unacceptable("is out of range", f"take a weight from {_WEIGHT_MIN} to {int(_WEIGHT_MAX):_}")
    return float(value)


def format_money(micros: int) -> str:
    """`500_000` as `$0.5`: as few decimals as say it exactly."""
    dollars, rest = divmod(micros, MICROS)
    return f"${dollars}" + f".{rest:06}".rstrip("0") if rest else f"${dollars}"


def format_share(share: float) -> str:
    """`0.05` as `5%`."""
    return f"{share * 100:.5g}%"


def _text(value: object) -> str:
    """A number or a text as text, without an exponent; empty for anything else."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{Decimal(repr(value)):f}"
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _within(amount: int, most: int, most_text: str) -> int:
    if amount <= 0:
        raise Unacceptable("would allow nothing", _NOTHING_REMEDY)
    if amount > most:
        raise Unacceptable("is out of range", f"take a value of at most {most_text}")
    return amount
