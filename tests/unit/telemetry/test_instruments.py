from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from sidecar.core.call import Method
from sidecar.core.cost import Cost
from sidecar.core.outcome import Usage
from sidecar.telemetry.instruments import Instruments
from tests.support.facts import MODEL
from tests.unit.telemetry.builders import READING, STATUS_NAMES, Figures, attempt, outcome

GOLDEN = Path(__file__).parents[2] / "golden" / "metrics.txt"

# What the conventions recommend; ours may continue upwards, so that queries on these boundaries work.
RECOMMENDED_BUCKETS = {
    "rpc_server_call_duration_seconds": (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    ),
    "gen_ai_client_operation_duration_seconds": (
        *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    ),
    "gen_ai_server_time_to_first_token_seconds": (
        *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    ),
    "gen_ai_client_token_usage": (
        *(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864),
    ),
}


@pytest.fixture
def families(instruments, observer):
    """Every metric after one call that touches each of them; `process_*` depends on the platform."""
    instruments.policy.loaded("d1")
    instruments.credentials.known(["main"])
    instruments.pool.breaker("main", MODEL, is_open=False)
    instruments.pool.retried("main", MODEL, "UPSTREAM_UNAVAILABLE")
    call = outcome(
        method=Method.STREAM_GENERATE, attempts=(attempt(),), usage=Usage(), chunks=1, first_chunk_s=0.1
    )
    observer.arrived(call.arrival)
    observer.ended(call)
    observer.ended(outcome(attempts=(attempt(),), cost=Cost(7, is_priced=True)))
    observer.ended(outcome(attempts=(attempt(),), cost=Cost(0, is_priced=False)))
    instruments.limits.reading = READING
    parsed = text_string_to_metric_families(instruments.exposition("")[1].decode())
    return {family.name: family for family in parsed if not family.name.startswith("process_")}


def boundaries(family):
    return list(dict.fromkeys(sample.labels["le"] for sample in family.samples if "le" in sample.labels))


def test_names_labels_and_buckets_are_the_agreed_ones(families):
    """Dashboards and alerts lean on these: a change here is a breaking change and belongs in CHANGELOG.md."""
    lines = []
    for family in families.values():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        le = f" le={','.join(boundaries(family))}" if family.type == "histogram" else ""
        lines.append(f"{name} {family.type} {{{','.join(labels)}}}{le}")
    assert "\n".join(sorted(lines)) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_every_metric_says_what_it_is(families):
    assert [name for name, family in families.items() if not family.documentation.endswith(".")] == []


@pytest.mark.parametrize("name", RECOMMENDED_BUCKETS)
def test_buckets_begin_with_those_that_the_conventions_recommend(families, name):
    recommended = RECOMMENDED_BUCKETS[name]
    assert tuple(map(float, boundaries(families[name])))[: len(recommended)] == pytest.approx(recommended)


def test_what_can_stay_at_zero_is_there_from_the_start(figures):
    assert figures.value("sidecar_calls_shed_total", reason="OVERLOADED") == 0
    assert figures.value("sidecar_calls_shed_total", reason="DRAINING") == 0
    assert figures.value("sidecar_policy_reloads_total", result="accepted") == 0
    assert figures.value("sidecar_policy_reloads_total", result="rejected") == 0
    assert figures.value("sidecar_stream_chunks_total") == 0
    assert figures.value("sidecar_log_records_dropped_total") == 0
    assert figures.value("sidecar_queue_duration_seconds_count") == 0
    assert figures.value("sidecar_ledger_exchange_duration_seconds_count", result="answered") == 0
    assert figures.value("sidecar_ledger_exchange_duration_seconds_count", result="failed") == 0
    assert figures.value("sidecar_ledger_relearned_units_total") == 0
    assert figures.value("sidecar_ledger_clock_steps_total") == 0
    assert sum(figures.samples("sidecar_calls_in_flight").values()) == 0
    assert len(figures.samples("sidecar_calls_in_flight")) == len(Method)


def test_the_version_that_runs_is_a_label(figures):
    assert figures.value("sidecar_build_info", version="1.2.3") == 1


def test_only_the_policy_in_force_is_shown(instruments, figures):
    instruments.policy.loaded("d1")
    instruments.credentials.known(["main"])
    instruments.policy.reloaded("d2")
    instruments.policy.rejected()
    instruments.policy.rejected()
    assert figures.samples("sidecar_policy_info") == {(("digest", "d2"),): 1}
    assert figures.value("sidecar_policy_reloads_total", result="accepted") == 1
    assert figures.value("sidecar_policy_reloads_total", result="rejected") == 2


def test_dropped_log_records_are_read_at_each_scrape():
    dropped = iter((3, 5))
    figures = Figures(Instruments("1", STATUS_NAMES, lambda: next(dropped)))
    assert figures.value("sidecar_log_records_dropped_total") == 3
    assert figures.value("sidecar_log_records_dropped_total") == 5


def test_the_process_is_measured_where_the_platform_lets_it(figures):
    if Path("/proc/self/stat").exists():
        assert figures.value("process_resident_memory_bytes") > 0
        assert figures.value("process_open_fds") > 0


def test_prometheus_text_is_the_default(instruments):
    content_type, body = instruments.exposition("text/html")
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"_created" not in body


def test_openmetrics_is_given_to_those_who_ask(instruments, observer):
    observer.ended(outcome(attempts=(attempt(),)))
    content_type, body = instruments.exposition("application/openmetrics-text;version=nonsense,*/*;q=0.1")
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    units = {family.name: family.unit for family in parse_openmetrics(body.decode())}
    assert units["rpc_server_call_duration_seconds"] == "seconds"


def test_two_sidecars_in_a_process_share_nothing(instruments, observer, figures):
    other = Figures(Instruments("2", STATUS_NAMES, lambda: 0))
    observer.arrived(outcome().arrival)
    assert sum(figures.samples("sidecar_calls_in_flight").values()) == 1
    assert sum(other.samples("sidecar_calls_in_flight").values()) == 0
    assert "sidecar" not in {name.split("_")[0] for name in REGISTRY._names_to_collectors}


def test_repr_tells_how_many_models_it_has_seen(instruments):
    assert repr(instruments) == "<Instruments <ModelLabels 0 of 100 names>>"
