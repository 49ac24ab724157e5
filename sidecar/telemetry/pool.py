"""The metrics of pools of endpoints: breakers, retries, hedges. Each is stated once, here; see `instruments`.

Keeps the contract of the PoolObserver port: arithmetic only.
"""

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from sidecar.core.outcome import OK
from sidecar.telemetry.labels import Children, ModelLabels
from sidecar.telemetry.meters import Number, Tally

_PLACE = ("project", "model")


class PoolMetrics:
    """The PoolObserver of a serving sidecar."""

    def __init__(self, registry: CollectorRegistry, models: ModelLabels) -> None:
        self._models = models
        self._open: Children[tuple[str, str], Number] = Children(
            Tally(
                GaugeMetricFamily(
                    "sidecar_breaker_open",
                    "1 while an endpoint is left alone for a model, probes aside; 0 when it is asked again.",
                    labels=_PLACE,
                ),
                registry,
            ),
            tuple,
        )
        self._openings = _counter(
            registry, "sidecar_breaker_openings", "How often an endpoint began to be left alone for a model."
        )
        self._refused = _counter(
            registry,
            "sidecar_retries_refused",
            "Attempts that were followed by no other because the retry budget was spent.",
        )
        self._hedges = _counter(
            registry, "sidecar_hedges", "Attempts that were silent and that another one joined."
        )
        self._retries: Children[tuple[str, str, str], Number] = Children(
            Tally(
                CounterMetricFamily(
                    "sidecar_retries",
                    "Attempts that failed and were followed by another, by the reason of the failure.",
                    labels=(*_PLACE, "reason"),
                ),
                registry,
            ),
            tuple,
        )

    def breaker(self, project: str, model: str, is_open: bool) -> None:
        """An endpoint is left alone, or asked again; see `core.ports.PoolObserver`."""
        place = self._place(project, model)
        self._open[place].value = float(is_open)
        self._openings[place].inc(float(is_open))
        for counter in (self._refused, self._hedges):
            counter[place].inc(0)

    def retried(self, project: str, model: str, reason: str) -> None:
        """An attempt is followed by another; see `core.ports.PoolObserver`."""
        self._retries[project, self._models.label(model, reason), reason].inc()

    def refused(self, project: str, model: str) -> None:
        """An attempt is followed by no other; see `core.ports.PoolObserver`."""
        self._refused[self._place(project, model)].inc()

    def hedged(self, project: str, model: str) -> None:
        """Another attempt joins a silent one; see `core.ports.PoolObserver`."""
        self._hedges[self._place(project, model)].inc()

    def _place(self, project: str, model: str) -> tuple[str, str]:
        return project, self._models.label(model, OK)


def _counter(registry: CollectorRegistry, name: str, text: str) -> Children[tuple[str, str], Number]:
    return Children(Tally(CounterMetricFamily(name, text, labels=_PLACE), registry), tuple)
