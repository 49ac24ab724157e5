"""Every metric of the sidecar: name, unit, labels and buckets, each stated once, here or, of limits and of
pools, in `limits` and `pool`.

Names follow the OpenTelemetry semantic conventions where they have one, in Prometheus spelling: dots become
underscores and the unit is appended, unless it is an annotation such as `{token}`. Of the GenAI conventions
`gen_ai.client.*` is what the sidecar sees of Gemini, `gen_ai.server.*` what a caller sees of the sidecar;
they are still in development, and when they move, this file moves and nothing else. The rest is `sidecar_*`.

Buckets are the boundaries that the conventions recommend, continued upwards for the long answers of thinking
models.

Invariants: no label holds a caller's identity, a request id or text; every label has a bounded set of values;
what can stay at zero for long is there from the start, so that an alert on its rate works for the first
event.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from sidecar.core.call import Method
from sidecar.core.errors import Reason
from sidecar.core.outcome import OK
from sidecar.core.policy import Api
from sidecar.telemetry.labels import Children, ModelLabels
from sidecar.telemetry.limits import LedgerMetrics, LimitMetrics, SpendMetrics
from sidecar.telemetry.meters import Distribution, Histogram, Number, Tally
from sidecar.telemetry.pool import PoolMetrics

INPUT = "input"
OUTPUT = "output"
SHED: tuple[str, ...] = (Reason.OVERLOADED, Reason.DRAINING)
"""How a call ends that was turned away before anything was done for it."""

_SERVICE = "sidecar.v1.GeminiService"
_OPENMETRICS = "application/openmetrics-text"
_OPERATIONS = {
    Method.GENERATE: "generate_content",
    Method.STREAM_GENERATE: "generate_content",
    Method.COUNT_TOKENS: "count_tokens",
    Method.EMBED_CONTENT: "embeddings",
    Method.LIST_MODELS: "list_models",
    Method.GET_MODEL: "get_model",
}
_PROVIDERS = {Api.GEMINI: "gcp.gemini", Api.VERTEX: "gcp.vertex_ai"}
_GEN_AI_LABELS = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")

_CALL_BUCKETS_S = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    *(30, 60, 120, 300, 600),
)
_OPERATION_BUCKETS_S = tuple(0.01 * 2**power for power in range(16))
_FIRST_TOKEN_BUCKETS_S = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    *(30, 60, 120),
)
_TOKEN_BUCKETS = tuple(4**power for power in range(14))


class CallMetrics:
    """What callers see: every call, whether or not it got as far as an attempt."""

    def __init__(self, registry: CollectorRegistry, status_names: Mapping[str, str]) -> None:
        self.in_flight: Children[Method, Number] = Children(
            Tally(
                GaugeMetricFamily(
                    "sidecar_calls_in_flight",
                    "Calls that have come in and not ended.",
                    labels=("rpc_method",),
                ),
                registry,
            ),
            lambda method: (_full_name(method),),
        )
        self.duration: Children[tuple[Method, str], Distribution] = Children(
            Histogram(
                HistogramMetricFamily(
                    "rpc_server_call_duration_seconds",
                    "Time from a call's arrival to its end; error_type is the reason of a failure.",
                    labels=("rpc_system_name", "rpc_method", "rpc_response_status_code", "error_type"),
                    unit="seconds",
                ),
                _CALL_BUCKETS_S,
                registry,
            ),
            lambda key: (
                "grpc",
                _full_name(key[0]),
                status_names.get(key[1], "UNKNOWN"),
                _error_type(key[1]),
            ),
        )
        self.shed: Children[str, Number] = Children(
            Tally(
                CounterMetricFamily(
                    "sidecar_calls_shed",
                    "Calls turned away before anything was done for them.",
                    labels=("reason",),
                ),
                registry,
            ),
            lambda reason: (reason,),
        )
        self.stream_chunks = Counter(
            "sidecar_stream_chunks",
            "Messages sent to callers on streams, counted at the end.",
            registry=registry,
        )
        for method in Method:
            self.in_flight[method].inc(0)
        for reason in SHED:
            self.shed[reason].inc(0)


class UpstreamMetrics:
    """What the sidecar sees of Gemini: attempts, and what the last one brought.

    Model names in keys must come from `models.label`.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.models = ModelLabels()
        self.attempts: Children[tuple[str, str, str], Number] = Children(
            Tally(
                CounterMetricFamily(
                    "sidecar_attempts",
                    "Requests to an endpoint, by how they ended.",
                    labels=("project", "model", "ended"),
                ),
                registry,
            ),
            lambda key: key,
        )
        self.operation_duration: Children[tuple[Method, Api, str, str], Distribution] = Children(
            Histogram(
                HistogramMetricFamily(
                    "gen_ai_client_operation_duration_seconds",
                    "Time of one attempt upstream; error_type is the reason of a failure.",
                    labels=(*_GEN_AI_LABELS, "error_type"),
                    unit="seconds",
                ),
                _OPERATION_BUCKETS_S,
                registry,
            ),
            lambda key: (*_gen_ai(*key[:3]), _error_type(key[3])),
        )
        self.first_token: Children[tuple[Method, Api, str], Distribution] = Children(
            Histogram(
                HistogramMetricFamily(
                    "gen_ai_server_time_to_first_token_seconds",
                    "Time from a call's arrival to the first message sent on its stream.",
                    labels=_GEN_AI_LABELS,
                    unit="seconds",
                ),
                _FIRST_TOKEN_BUCKETS_S,
                registry,
            ),
            lambda key: _gen_ai(*key),
        )
        self.token_usage: Children[tuple[Method, Api, str, str], Distribution] = Children(
            Histogram(
                HistogramMetricFamily(
                    "gen_ai_client_token_usage",
                    "Tokens of one call as Gemini counts: input with cached and tool use, "
                    "output with thoughts.",
                    labels=(*_GEN_AI_LABELS, "gen_ai_token_type"),
                ),
                _TOKEN_BUCKETS,
                registry,
            ),
            lambda key: (*_gen_ai(*key[:3]), key[3]),
        )


class CredentialMetrics:
    """What became of our own credentials."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refusals = Counter(
            "sidecar_key_refusals",
            "API keys that the upstream refused, each time it did.",
            ("project",),
            registry=registry,
        )

    def known(self, projects: Iterable[str]) -> None:
        """These projects have keys, and from now on a count."""
        for project in projects:
            self._refusals.labels(project)

    def refused(self, project: str) -> None:
        """The upstream refused a key of this project."""
        self._refusals.labels(project).inc()


class PolicyMetrics:
    """Which Policy is in force, and what became of its changes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        reloads = Counter(
            "sidecar_policy_reloads", "Changed Policies that were read.", ("result",), registry=registry
        )
        self._accepted = reloads.labels("accepted")
        self._rejected = reloads.labels("rejected")
        self._in_force = Gauge(
            "sidecar_policy_info",
            "Always 1; labelled with the digest of the Policy in force.",
            ("digest",),
            registry=registry,
        )

    def loaded(self, digest: str) -> None:
        """The process begins with this Policy."""
        self._in_force.clear()
        self._in_force.labels(digest).set(1)

    def reloaded(self, digest: str) -> None:
        """A changed Policy was accepted and is in force."""
        self._accepted.inc()
        self.loaded(digest)

    def rejected(self) -> None:
        """A changed Policy was faulty; the one before stays in force."""
        self._rejected.inc()


class Instruments:
    """The metrics of one sidecar, in a registry of their own.

    Recording is for one thread, the event loop's; `exposition` may run in another at the same time.
    `status_names` gives the gRPC status name of every way a call can end; `dropped_logs` reads how many log
    records were dropped since the start.
    """

    def __init__(
        self, version: str, status_names: Mapping[str, str], dropped_logs: Callable[[], int]
    ) -> None:
        self._registry = CollectorRegistry()
        self.calls = CallMetrics(self._registry, status_names)
        self.upstream = UpstreamMetrics(self._registry)
        self.pool = PoolMetrics(self._registry, self.upstream.models)
        self.policy = PolicyMetrics(self._registry)
        self.credentials = CredentialMetrics(self._registry)
        self.spend = SpendMetrics(self._registry)
        self.ledger = LedgerMetrics(self._registry)
        self.limits = LimitMetrics(self._registry, self.upstream.models)
        build = Gauge(
            "sidecar_build_info",
            "Always 1; labelled with the version that runs.",
            ("version",),
            registry=self._registry,
        )
        build.labels(version).set(1)
        self._registry.register(
            _ReadCounter(
                "sidecar_log_records_dropped",
                "Log records lost because the queue was full or stderr could not be written.",
                dropped_logs,
            )
        )
        ProcessCollector(registry=self._registry)

    def __repr__(self) -> str:
        return f"<Instruments {self.upstream.models!r}>"

    def audits(self, dropped: Callable[[], int]) -> None:
        """An audit trail is kept; `dropped` reads how many of its records were lost."""
        self._registry.register(
            _ReadCounter(
                "sidecar_audit_records_dropped",
                "Audit records lost because the queue was full or the file could not be written.",
                dropped,
            )
        )

    def exposition(self, accept: str) -> tuple[str, bytes]:
        """Content type and text of all metrics: OpenMetrics if `accept` names it, else Prometheus 0.0.4.

        Takes tens of milliseconds with many label sets, so it does not belong on an event loop.
        """
        encode, content_type = choose_encoder(_OPENMETRICS if _OPENMETRICS in accept else "")
        return content_type, encode(_Exposed(self._registry))


class _ReadCounter(Collector):
    """A counter that is kept elsewhere and read at each scrape."""

    def __init__(self, name: str, documentation: str, read: Callable[[], int]) -> None:
        self._name = name
        self._documentation = documentation
        self._read = read

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(self._name, self._documentation, value=self._read())


class _Exposed(Collector):
    """A registry without `_created` series, which Prometheus text shows as a gauge beside each counter."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


def _full_name(method: Method) -> str:
    return f"{_SERVICE}/{method}"


def _error_type(ended: str) -> str:
    """Empty on success: to Prometheus an empty label is an absent one, as the conventions want it."""
    return "" if ended == OK else ended


def _gen_ai(method: Method, api: Api, model: str) -> tuple[str, str, str]:
    return _OPERATIONS[method], _PROVIDERS[api], model
