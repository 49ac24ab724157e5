"""A histogram whose recording costs next to nothing.

That of prometheus_client checks, walks its buckets and locks on every record, several times a call. Here a
record is a bisection and two additions. It is for one thread, the event loop's; a scrape in another thread
copies what it reads, so it may see a sum that is one record ahead of its buckets, and nothing worse.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from copy import copy
from itertools import accumulate

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Distribution:
    """How often values fell into each bucket, and their sum."""

    __slots__ = ("_bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Each bucket's own, those above all bounds last."""
        self.sum = 0.0

    def __repr__(self) -> str:
        return f"<Distribution of {sum(self.counts)} values>"

    def observe(self, value: float) -> None:
        """Count a value in the first bucket whose bound it does not exceed."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.sum += value


class Histogram(Collector):
    """One metric: a Distribution for each set of label values that was asked for."""

    def __init__(
        self, family: HistogramMetricFamily, bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._family = family
        self._bounds = tuple(map(float, bounds))
        self._names = [*map(floatToGoString, self._bounds), "+Inf"]
        self._children: dict[tuple[str, ...], Distribution] = {}
        registry.register(self)

    def labels(self, *values: str) -> Distribution:
        """The Distribution under these label values, in the order of the family's label names."""
        return self._children.setdefault(values, Distribution(self._bounds))

    def describe(self) -> Iterable[Metric]:
        """The family without samples: its name is known before anything is recorded."""
        yield self._family

    def collect(self) -> Iterable[Metric]:
        """The family as it stands."""
        family = copy(self._family)
        family.samples = []
        for values, child in list(self._children.items()):
            counts = accumulate(list(child.counts))
            family.add_metric(values, list(zip(self._names, counts, strict=True)), child.sum)
        yield family
