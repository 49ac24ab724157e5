"""Ratios that mean something on a noisy machine: many short pairs, each measured back to back.

What disturbs a machine for seconds disturbs both sides of a pair alike, so the median of many ratios is
stable where the ratio of two long runs is not: three A/A pairs gave medians of 0.84 to 1.16 on a shared
2-core machine, thirty gave 0.997.
"""

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Measure = Callable[[], Awaitable[float]]
"""Runs one side once; returns its throughput."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The throughput of one side over that of the other."""

    median: float
    low: float
    """First quartile."""
    high: float
    """Third quartile."""
    side: float
    """Median throughput of the side in the numerator."""
    other: float


async def ratio(side: Measure, other: Measure, pairs: int) -> Ratio:
    """Measure `pairs` times both, in alternating order."""
    sides: list[float] = []
    others: list[float] = []
    for number in range(pairs):
        first, second = (side, other) if number % 2 else (other, side)
        a, b = await first(), await second()
        sides.append(a if number % 2 else b)
        others.append(b if number % 2 else a)
    ratios = [s / o for s, o in zip(sides, others, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    return Ratio(
        median=statistics.median(ratios),
        low=low,
        high=high,
        side=statistics.median(sides),
        other=statistics.median(others),
    )
