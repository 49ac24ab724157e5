"""The metrics of limits: name, unit, labels and buckets, each stated once, here; see `instruments`.

What limits do on the way of a call is recorded. Where they stand is read when somebody looks: `LimitMetrics`
shows the reading that it was given last, and whoever scrapes gives it a new one first.

A label names a group without the principal or tenant that its budget is counted apart for, so there are as
many as the Policy has entries. Of such groups the fullest is shown, and denials and waiting calls of all.

Levels that nobody has asked the ledger about for a while are not shown: the group is idle, and a figure that
stands still would look like one that is watched.
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from sidecar.core.cost import Cost
from sidecar.core.levels import GroupState, LimitLevel, LimitsMode, LimitsReading, LimitState, worst
from sidecar.core.outcome import OK
from sidecar.telemetry.labels import OTHER, Children, ModelLabels
from sidecar.telemetry.meters import Distribution, Histogram, Number, Tally

_CURRENT_MS = 5_000.0
"""While a group is used its levels are at most a second old."""
_QUEUE_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_EXCHANGE_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5)
_MODES = ", ".join(f"{mode.value} {mode.name.lower()}" for mode in LimitsMode)


class SpendMetrics:
    """What calls cost and how long they stood in line.

    Model names in keys must come from `models.label`.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.queued: Distribution = Histogram(
            HistogramMetricFamily(
                "sidecar_queue_duration_seconds",
                "Time that calls stood in line for limits; those that did not are not counted.",
                labels=(),
                unit="seconds",
            ),
            _QUEUE_BUCKETS_S,
            registry,
        ).labels()
        self._cost: Children[tuple[str, str], Number] = Children(
            Tally(
                CounterMetricFamily(
                    "sidecar_cost_micro_dollars",
                    "Micro-dollars that answers cost, by their usage and the Policy's prices.",
                    labels=("project", "model"),
                ),
                registry,
            ),
            lambda key: key,
        )
        self._unpriced: Children[tuple[str, str], Number] = Children(
            Tally(
                CounterMetricFamily(
                    "sidecar_unpriced_calls",
                    "Answers of models whose price is not known: their cost is counted nowhere.",
                    labels=("project", "model"),
                ),
                registry,
            ),
            lambda key: key,
        )

    def spent(self, project: str, model: str, cost: Cost) -> None:
        """An answer of a project cost so much."""
        if cost.is_priced:
            self._cost[project, model].inc(cost.micro_dollars)
        else:
            self._unpriced[project, model].inc()


class LedgerMetrics:
    """Exchanges with ledgers; see `core.ports.LedgerObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        exchanges = Histogram(
            HistogramMetricFamily(
                "sidecar_ledger_exchange_duration_seconds",
                "Time of one exchange with a ledger, by its result.",
                labels=("result",),
                unit="seconds",
            ),
            _EXCHANGE_BUCKETS_S,
            registry,
        )
        self._answered, self._failed = exchanges.labels("answered"), exchanges.labels("failed")
        self._relearned: Number = Tally(
            CounterMetricFamily(
                "sidecar_ledger_relearned_units",
                "Units, of whatever limit, that ledgers had lost and were taught again.",
                labels=(),
            ),
            registry,
        ).labels()
        self._steps: Number = Tally(
            CounterMetricFamily(
                "sidecar_ledger_clock_steps",
                "Jumps of a ledger's clock that were found, and not followed.",
                labels=(),
            ),
            registry,
        ).labels()

    def answered(self, duration_s: float, relearned: int, stepped_ms: int) -> None:
        """The ledger answered."""
        self._answered.observe(duration_s)
        self._relearned.inc(relearned)
        if stepped_ms:
            self._steps.inc()

    def failed(self, duration_s: float) -> None:
        """The ledger did not answer."""
        self._failed.observe(duration_s)


class LimitMetrics(Collector):
    """Where limits stand, as the latest `reading` has it."""

    def __init__(self, registry: CollectorRegistry, models: ModelLabels) -> None:
        self.reading = LimitsReading()
        """Replace it before a scrape."""
        self._models = models
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Every family without samples: names are known before there is a reading."""
        return self._families(LimitsReading())

    def collect(self) -> Iterable[Metric]:
        """Every family as it stands."""
        return self._families(self.reading)

    def _families(self, reading: LimitsReading) -> Iterator[Metric]:
        families: dict[str, list[GroupState]] = {}
        for state in reading.groups:
            families.setdefault(state.family, []).append(state)
        yield from _levels(families)
        yield from _denials(families)
        yield from _groups(families)
        yield from self._errors(reading)

    def _errors(self, reading: LimitsReading) -> Iterator[Metric]:
        quantiles = GaugeMetricFamily(
            "sidecar_estimate_ratio",
            "Tokens estimated over tokens used, of late; below 1 was too low.",
            labels=("model", "part", "quantile"),
        )
        means = GaugeMetricFamily(
            "sidecar_estimate_ratio_mean",
            "The mean of the same.",
            labels=("model", "part"),
        )
        for error in reading.errors:
            model = self._models.label(error.model, OK)
            if model != OTHER:  # several would share that name
                for quantile, value in (("0.05", error.low), ("0.5", error.median), ("0.95", error.high)):
                    quantiles.add_metric((model, error.part, quantile), value)
                means.add_metric((model, error.part), error.mean)
        yield from (quantiles, means)


def _levels(families: Mapping[str, list[GroupState]]) -> Iterator[Metric]:
    labels = ("group", "limit")
    used = GaugeMetricFamily("sidecar_limit_used", "Units of a limit used in its window.", labels=labels)
    held = GaugeMetricFamily(
        "sidecar_limit_held", "Units of a limit granted to sidecars and not used yet.", labels=labels
    )
    amount = GaugeMetricFamily(
        "sidecar_limit_amount", "Units that a limit allows; money in micro-dollars.", labels=labels
    )
    factor = GaugeMetricFamily(
        "sidecar_limit_factor",
        "How much of the amount is granted, as learned from upstream's refusals; 1 is all.",
        labels=labels,
    )
    for name, states in families.items():
        for limits in _by_limit(state for state in states if _is_current(state)):
            level = max((limit.level for limit in limits if limit.level), key=_fullness, default=None)
            if level is not None:
                place = (name, limits[0].limit.name)
                used.add_metric(place, level.used)
                held.add_metric(place, level.held)
                amount.add_metric(place, level.amount)
                factor.add_metric(place, level.factor)
    yield from (used, held, amount, factor)


def _denials(families: Mapping[str, list[GroupState]]) -> Iterator[Metric]:
    labels = ("group", "limit")
    denials = CounterMetricFamily(
        "sidecar_limit_denials", "Refusals of units for lack of a limit; a call may wait on.", labels=labels
    )
    shadow = CounterMetricFamily(
        "sidecar_limit_shadow_denials",
        "Refusals that would have been, were the limit no shadow.",
        labels=labels,
    )
    for name, states in families.items():
        for limits in _by_limit(states):
            place = (name, limits[0].limit.name)
            denials.add_metric(place, sum(limit.denials for limit in limits))
            shadow.add_metric(place, sum(limit.shadow_denials for limit in limits))
    yield from (denials, shadow)


def _groups(families: Mapping[str, list[GroupState]]) -> Iterator[Metric]:
    modes = GaugeMetricFamily(
        "sidecar_limits_mode", f"How the limits of a group are kept: {_MODES}.", labels=("group",)
    )
    waiting = GaugeMetricFamily(
        "sidecar_limit_waiting_calls",
        "Calls in line; one that several projects could serve stands in several lines.",
        labels=("group",),
    )
    for name, states in families.items():
        modes.add_metric((name,), worst(state.mode for state in states))
        waiting.add_metric((name,), sum(state.waiting for state in states))
    yield from (modes, waiting)


def _by_limit(states: Iterable[GroupState]) -> Iterator[tuple[LimitState, ...]]:
    """Each limit of groups that have the same ones, in all of them."""
    return zip(*(state.limits for state in states), strict=False)


def _is_current(state: GroupState) -> bool:
    return state.age_ms is not None and state.age_ms < _CURRENT_MS


def _fullness(level: LimitLevel) -> float:
    return (level.used + level.held) / max(1.0, level.amount * level.factor)
