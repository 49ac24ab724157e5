"""What a class of simulated callers asks for: how often, how large, and when. Pure.

Sizes are log-normal, as prompts and answers are observed to be: most are small, some are many times the mean.
An estimate is never below the truth, as the 99th percentile of a known caller hardly ever is: the prompt is
estimated up to a fifth too high, and callers are taken to bound their answers by a maxOutputTokens that one
answer in ten reaches. So whatever the report finds above a limit is the limiter's fault and no estimate's.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import TypeAlias

from sidecar.core.cost import Price
from sidecar.core.quota import Charge
from sidecar.limits.media import TEXT

Draw: TypeAlias = Callable[[Random], tuple[Charge, Charge]]
"""What a request is estimated to cost, and what it then does."""

_SIGMA = 0.8
_PROMPT_ESTIMATE_MOST = 1.2
_NINETIETH = math.exp(1.2816 * _SIGMA)
"""The 90th percentile of a log-normal size whose median is 1."""
_BOUNDED_MEAN = 1.2220
"""The mean of that size when it is cut at its 90th percentile: e^(s*s/2) * P(z - s) + 0.1 * e^(z*s)."""


class Shape(StrEnum):
    """How a load is spread over time; the mean over a minute is always its rate."""

    STEADY = "steady"
    """At random, evenly."""
    BURSTY = "bursty"
    """Two and a half times the rate for 5 s, a quarter of it for 10 s, and again."""
    EDGE = "edge"
    """Twice the rate from 15 s before each full minute until 15 s after it, nothing in between: what doubles
    a limit that counts by the minute of the clock.
    """


@dataclass(frozen=True, slots=True)
class Load:
    """One class of callers."""

    name: str
    rate: float
    """Calls a second of the whole fleet; if relative, times what the quotas of the model sustain."""
    is_relative: bool = False
    tokens: float = 1_000.0
    """Mean of the prompt."""
    output: float = 250.0
    """Mean of the answer, thoughts included."""
    model: str = ""
    """A model or alias of the Policy; empty: its first."""
    principal: str = ""
    """Whose calls they are; empty: of a caller of the load's own name."""
    priority: str = ""
    """The wanted one; empty: the highest allowed."""
    patience_s: float = 2.0
    """How long after its arrival a call may still leave."""
    shape: Shape = Shape.STEADY

    @property
    def caller(self) -> str:
        """Whose calls they are."""
        return self.principal or self.name


def mean_charge(load: Load, price: Price) -> Charge:
    """What a call of the load costs on average."""
    return _charge(round(load.tokens), round(load.output), price)


def draw_of(load: Load, price: Price) -> Draw:
    """What calls of the load cost, one by one."""
    prompt_median = load.tokens / math.exp(_SIGMA * _SIGMA / 2)
    answer_median = load.output / _BOUNDED_MEAN
    answer_most = math.ceil(answer_median * _NINETIETH)

    def draw(random: Random) -> tuple[Charge, Charge]:
        prompt = max(1, round(prompt_median * random.lognormvariate(0, _SIGMA)))
        answer = min(answer_most, round(answer_median * random.lognormvariate(0, _SIGMA)))
        estimated = math.ceil(prompt * random.uniform(1, _PROMPT_ESTIMATE_MOST))
        return _charge(estimated, answer_most, price), _charge(prompt, answer, price)

    return draw


def _charge(prompt: int, answer: int, price: Price) -> Charge:
    return Charge(1, prompt, prompt + answer, price.most({TEXT: prompt}, answer))


def _steady(_now_ms: float) -> float:
    return 1.0


def _bursty(now_ms: float) -> float:
    return 2.5 if now_ms % 15_000 < 5_000 else 0.25


def _edge(now_ms: float) -> float:
    return 0.0 if 15_000 <= now_ms % 60_000 < 45_000 else 2.0


RATES: Mapping[Shape, Callable[[float], float]] = MappingProxyType(
    {Shape.STEADY: _steady, Shape.BURSTY: _bursty, Shape.EDGE: _edge}
)
"""The factor on the rate, over time in milliseconds."""
