"""What a call costs: dollars for each million tokens, with the days from which they hold.

Decides the price of tokens for the spend quota, nothing else; no reply names a price. Prices are those known
in November 2026. Amounts are integers in pico-dollars (a millionth of a dollar for each million tokens), so
sums are exact.

Left out: separate rates for audio, images and tools, and the storage of caches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

from sidecar.emulator.clock import wall_us

_LONG_PROMPT_TOKENS = 200_000
_TIER_PERCENT = {"flex": 50, "priority": 180}


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a token in pico-dollars, from a wall time on; `tokens_over` says for longer prompts
    only."""

    prompt: int
    cached: int
    output: int
    since_us: int = 0
    tokens_over: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """The tokens of one call: `prompt_tokens` includes `cached_tokens`, `output_tokens` includes thoughts."""

    model: str
    tier: str
    prompt_tokens: int
    cached_tokens: int = 0
    output_tokens: int = 0


def _rate(prompt: str, cached: str, output: str, since: str = "", tokens_over: int = 0) -> Rate:
    since_us = wall_us(datetime.fromisoformat(since).replace(tzinfo=UTC)) if since else 0
    return Rate(_pico(prompt), _pico(cached), _pico(output), since_us, tokens_over)


def _pico(dollars_per_million: str) -> int:
    return int(Decimal(dollars_per_million) * 10**6)


_CARBON = (_rate("2", "0.10", "10"), _rate("4", "0.20", "20", "2026-12-01"))
_FLASH = (_rate("0.75", "0.075", "3.75"), _rate("1.5", "0.15", "7.5", "2027-01-01"))
_LONG = _LONG_PROMPT_TOKENS

RATES: Mapping[str, tuple[Rate, ...]] = MappingProxyType(
    {
        "gemini-4-carbon": _CARBON,
        "gemini-4-argon": _CARBON,
        "gemini-4-neon": (_rate("3", "0.15", "15"),),
        "gemini-4-hydrogen": (_rate("1.5", "0.075", "7.5"),),
        "gemini-3.8-flash": _FLASH,
        "gemini-3.7-flash": _FLASH,
        "gemini-3.6-flash": _FLASH,
        "gemini-3.5-flash": (_rate("1.5", "0.15", "9"),),
        "gemini-3.5-flash-lite": (_rate("0.30", "0.03", "2.50"),),
        "gemini-3.1-flash-lite": (_rate("0.25", "0.025", "1.50"),),
        "gemini-3.1-pro-preview": (_rate("2", "0.20", "12"), _rate("4", "0.40", "18", tokens_over=_LONG)),
        "gemini-3-flash-preview": (_rate("0.50", "0.05", "3"),),
        "gemini-2.5-pro": (_rate("1.25", "0.125", "10"), _rate("2.5", "0.25", "15", tokens_over=_LONG)),
        "gemini-2.5-flash": (_rate("0.30", "0.03", "2.50"),),
        "gemini-2.5-flash-lite": (_rate("0.10", "0.01", "0.40"),),
        "gemini-3-pro-image": (_rate("2", "2", "120"),),
        "gemini-3.1-flash-image": (_rate("0.5", "0.5", "60"),),
        "gemini-embedding-001": (_rate("0.15", "0.15", "0"),),
        "gemini-embedding-2": (_rate("0.20", "0.20", "0"),),
    }
)
"""The rates of each model; of those that hold, the last one counts."""


def cost(bill: Bill, moment_us: int) -> int:
    """Return the price of a call at a wall time, in pico-dollars."""
    holding = [
        rate
        for rate in RATES[bill.model]
        if rate.since_us <= moment_us and (not rate.tokens_over or bill.prompt_tokens > rate.tokens_over)
    ]
    rate = holding[-1]
    full = (
        (bill.prompt_tokens - bill.cached_tokens) * rate.prompt
        + bill.cached_tokens * rate.cached
        + bill.output_tokens * rate.output
    )
    return full * _TIER_PERCENT.get(bill.tier, 100) // 100
