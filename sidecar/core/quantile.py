"""Quantiles of a stream of figures, in bounded memory, that forget.

Theory of operation. A sketch counts figures in buckets whose edges grow by a constant factor, so every
quantile is known to that relative accuracy, whatever the distribution (the mapping of DDSketch: Masson, Rim
and Lee, "DDSketch", VLDB 2019, section 2.1, here over a fixed range). When the weight in all buckets reaches
`MEMORY`, every bucket is halved: a figure's say halves with each `MEMORY / 2` that follow it, so the sketch
ages with use and not with time, and needs no clock.

A quantile is given as the upper edge of its bucket: never below the true one, by less than one factor above.
"""

import math
from array import array
from bisect import bisect_left
from itertools import accumulate

MEMORY = 512
"""Observations after which all before them count half."""
ENOUGH = 20
"""Fewer observations than this say nothing."""


class Sketch:
    """Counts figures between `low` and `high`; those outside are taken for the nearest."""

    __slots__ = ("_counts", "_high", "_log_step", "_low", "_sum", "weight")

    def __init__(self, low: float, high: float, step: float) -> None:
        """`step` is the factor between two edges, above 1: the relative accuracy is `step - 1`."""
        self._low, self._high = low, high
        self._log_step = math.log(step)
        self._counts = array("d", bytes(8 * (self._bucket(high) + 1)))
        self._sum = 0.0
        self.weight = 0.0
        """How many observations still count."""

    def __repr__(self) -> str:
        return f"<Sketch of {self.weight:g} figures from {self._low:g} to {self._high:g}>"

    @property
    def is_known(self) -> bool:
        """Whether enough was observed to rely on."""
        return self.weight >= ENOUGH

    @property
    def mean(self) -> float:
        """The mean of what still counts, 0 before anything was observed."""
        return self._sum / self.weight if self.weight else 0.0

    def add(self, figure: float) -> None:
        """Observe one figure."""
        self._count(figure)

    def quantile(self, share: float) -> float:
        """The least edge that at least `share` (above 0, at most 1) of what counts is not above; `low` before
        anything was observed.
        """
        if not self.weight:
            return self._low
        below = list(accumulate(self._counts))
        return self._edge(min(bisect_left(below, share * below[-1]), len(below) - 1))

    def _count(self, figure: float) -> int:
        """Count a figure; returns its bucket."""
        if self.weight >= MEMORY:
            self._halve()
        figure = min(max(figure, self._low), self._high)
        bucket = self._bucket(figure)
        self._counts[bucket] += 1
        self._sum += figure
        self.weight += 1
        return bucket

    def _edge(self, bucket: int) -> float:
        return min(self._low * math.exp(self._log_step * bucket), self._high)

    def _bucket(self, figure: float) -> int:
        """The bucket whose upper edge is the first that is not below `figure`."""
        return max(0, math.ceil(math.log(figure / self._low) / self._log_step - 1e-9))

    def _halve(self) -> None:
        self._counts = array("d", (count / 2 for count in self._counts))
        self._sum /= 2
        self.weight /= 2


class Learned(Sketch):
    """A sketch that keeps one of its quantiles at hand: `value`, None until enough was observed.

    It moves a mark from bucket to bucket as figures come, so that neither adding nor reading looks at all of
    them.
    """

    __slots__ = ("_above", "_mark", "_share", "value")

    def __init__(self, low: float, high: float, step: float, share: float) -> None:
        """`share` is the quantile: 0.99 for the 99th percentile."""
        super().__init__(low, high, step)
        self._share = share
        self._mark = 0
        self._above = 0.0  # the weight in the buckets above the mark
        self.value: float | None = None

    def add(self, figure: float) -> None:
        """Observe one figure."""
        if self._count(figure) > self._mark:
            self._above += 1
        allowed = (1 - self._share) * self.weight
        while self._above > allowed:
            self._mark += 1
            self._above -= self._counts[self._mark]
        while self._mark and self._above + self._counts[self._mark] <= allowed:
            self._above += self._counts[self._mark]
            self._mark -= 1
        if self.is_known:
            self.value = self._edge(self._mark)

    def _halve(self) -> None:
        super()._halve()
        self._above /= 2
