"""Counters, gauges and histograms whose recording costs next to nothing.

Those of prometheus_client check, walk buckets and lock on every record, several times a call. Here a record
is an addition, for a histogram two and a bisection. It is for one thread, the event loop's; a scrape in
another thread copies what it reads, so it may see a sum that is one record ahead of its buckets, and nothing
worse.

A meter is a metric with labels: it keeps one child for each set of label values that was asked for.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from copy import copy
from itertools import accumulate
from typing import Any, Generic, TypeVar

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Child = TypeVar("Child")


class Number:
    """A count, or a level that also falls."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def __repr__(self) -> str:
        return f"<Number {self.value:g}>"

    def inc(self, amount: float = 1.0) -> None:
        """Add to it."""
        self.value += amount

    def dec(self) -> None:
        """Take one off."""
        self.value -= 1.0


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


class _Meter(Collector, Generic[Child]):
    """The children of one metric, by their label values."""

    def __init__(self, family: Metric, registry: CollectorRegistry) -> None:
        self._family = family
        self._children: dict[tuple[str, ...], Child] = {}
        registry.register(self)

    def labels(self, *values: str) -> Child:
        """The child under these label values, in the order of the family's label names."""
        return self._children.setdefault(values, self._new())

    def describe(self) -> Iterable[Metric]:
        """The family without samples: its name is known before anything is recorded."""
        yield self._family

    def collect(self) -> Iterable[Metric]:
        """The family as it stands."""
        family = copy(self._family)
        family.samples = []
        for values, child in list(self._children.items()):
            self._show(family, values, child)
        yield family

    def _new(self) -> Child:
        raise NotImplementedError

    def _show(self, family: Any, values: tuple[str, ...], child: Child) -> None:
        raise NotImplementedError


class Tally(_Meter[Number]):
    """A counter or a gauge, as its family says."""

    def _new(self) -> Number:
        return Number()

    def _show(self, family: Any, values: tuple[str, ...], child: Number) -> None:
        family.add_metric(values, child.value)


class Histogram(_Meter[Distribution]):
    """A histogram whose children share their buckets."""

    def __init__(
        self, family: HistogramMetricFamily, bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        super().__init__(family, registry)
        self._bounds = tuple(map(float, bounds))
        self._names = [*map(floatToGoString, self._bounds), "+Inf"]

    def _new(self) -> Distribution:
        return Distribution(self._bounds)

    def _show(self, family: Any, values: tuple[str, ...], child: Distribution) -> None:
        counts = accumulate(list(child.counts))
        family.add_metric(values, list(zip(self._names, counts, strict=True)), child.sum)
