import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.call import Method
from sidecar.core.cost import Cost
from sidecar.core.errors import Reason
from sidecar.core.outcome import CANCELLED, OK, AttemptKind, Outcome, Usage
from sidecar.core.policy import Api
from sidecar.telemetry.instruments import Instruments
from sidecar.telemetry.labels import MAX_MODELS
from sidecar.telemetry.logformat import human_line, json_line
from sidecar.telemetry.observer import CallObserver
from tests.unit.telemetry.builders import API_KEY, STATUS_NAMES, arrival, attempt, outcome

GENERATE = "sidecar.v1.GeminiService/Generate"
STREAM = "sidecar.v1.GeminiService/StreamGenerate"
ENDINGS = [OK, CANCELLED, *Reason]


def test_a_call_is_in_flight_from_arrival_to_end(observer, figures):
    call, stream = outcome(), outcome(method=Method.STREAM_GENERATE)
    observer.arrived(call.arrival)
    observer.arrived(stream.arrival)
    observer.arrived(stream.arrival)
    observer.ended(stream)
    assert figures.value("sidecar_calls_in_flight", rpc_method=GENERATE) == 1
    assert figures.value("sidecar_calls_in_flight", rpc_method=STREAM) == 1


def test_a_good_call_is_counted_with_its_status_and_no_error_type(observer, figures):
    observer.ended(outcome(duration_s=0.75))
    labels = {"rpc_system_name": "grpc", "rpc_method": GENERATE, "rpc_response_status_code": "OK"}
    assert figures.value("rpc_server_call_duration_seconds_count", **labels) == 1
    assert figures.value("rpc_server_call_duration_seconds_sum", **labels) == 0.75
    assert figures.value("rpc_server_call_duration_seconds_bucket", le="0.5", **labels) == 0
    assert figures.value("rpc_server_call_duration_seconds_bucket", le="0.75", **labels) == 1


@pytest.mark.parametrize("ended", ENDINGS[1:])
def test_a_failed_call_is_counted_with_the_reason_as_its_error_type(observer, figures, ended):
    observer.ended(outcome(ended))
    assert figures.value(
        "rpc_server_call_duration_seconds_count",
        rpc_system_name="grpc",
        rpc_method=GENERATE,
        rpc_response_status_code=STATUS_NAMES[ended],
        error_type=str(ended),
    ) == 1  # fmt: skip


@pytest.mark.parametrize("ended", ENDINGS)
def test_calls_turned_away_at_the_gate_are_shed_and_no_others(observer, figures, ended):
    observer.ended(outcome(ended))
    shed = {dict(labels)["reason"] for labels, n in figures.samples("sidecar_calls_shed_total").items() if n}
    assert shed == ({ended} if ended in ("OVERLOADED", "DRAINING") else set())


def test_every_attempt_counts_and_the_last_one_brought_the_answer(observer, figures):
    failed = attempt(Reason.UPSTREAM_QUOTA, project="first", model="gemini-2.5-pro", latency_s=0.25)
    good = attempt(project="second", model="gemini-2.5-flash", api=Api.VERTEX, latency_s=2.0)
    usage = Usage(prompt=100, cached=40, candidates=7, thoughts=20, tool_use=3, total=130)
    observer.ended(outcome(attempts=(failed, good), usage=usage))

    pro, flash = "gemini-2.5-pro", "gemini-2.5-flash"
    assert figures.samples("sidecar_attempts_total") == {
        (("ended", "UPSTREAM_QUOTA"), ("model", pro), ("project", "first")): 1,
        (("ended", "OK"), ("model", flash), ("project", "second")): 1,
    }
    operation = {"gen_ai_operation_name": "generate_content"}
    gemini = {**operation, "gen_ai_provider_name": "gcp.gemini", "gen_ai_request_model": pro}
    vertex = {**operation, "gen_ai_provider_name": "gcp.vertex_ai", "gen_ai_request_model": flash}
    duration = "gen_ai_client_operation_duration_seconds_sum"
    assert figures.value(duration, error_type="UPSTREAM_QUOTA", **gemini) == 0.25
    assert figures.value(duration, **vertex) == 2.0
    assert figures.samples("gen_ai_client_token_usage_sum") == {
        tuple(sorted({**vertex, "gen_ai_token_type": "input"}.items())): 103,
        tuple(sorted({**vertex, "gen_ai_token_type": "output"}.items())): 27,
    }


def test_a_stream_counts_its_chunks_and_its_first_token(observer, figures):
    stream = outcome(
        CANCELLED, Method.STREAM_GENERATE, attempts=(attempt(CANCELLED),), chunks=12, first_chunk_s=0.3
    )
    observer.ended(stream)
    observer.ended(stream)
    assert figures.value("sidecar_stream_chunks_total") == 24
    assert list(figures.samples("gen_ai_server_time_to_first_token_seconds_count").values()) == [2]


def test_tokens_that_were_only_counted_are_not_usage(observer, figures):
    observer.ended(outcome(method=Method.COUNT_TOKENS, attempts=(attempt(),), usage=Usage(prompt=9, total=9)))
    assert figures.samples("gen_ai_client_token_usage_count") == {}


def test_a_call_without_attempts_has_no_upstream_figures(observer, figures):
    observer.ended(outcome(Reason.INVALID_REQUEST))
    assert figures.samples("sidecar_attempts_total") == {}
    assert figures.samples("gen_ai_client_operation_duration_seconds_count") == {}


def test_what_answers_cost_is_counted_by_project_and_model(observer, figures):
    observer.ended(outcome(attempts=(attempt(),), cost=Cost(102, is_priced=True)))
    observer.ended(outcome(attempts=(attempt(),), cost=Cost(3, is_priced=True)))
    observer.ended(outcome(attempts=(attempt(model="new"),), cost=Cost(0, is_priced=False)))
    place = {"project": "main", "model": "gemini-2.5-flash"}
    assert figures.value("sidecar_cost_micro_dollars_total", **place) == 105
    assert figures.samples("sidecar_unpriced_calls_total") == {(("model", "new"), ("project", "main")): 1}


def test_only_calls_that_stood_in_line_are_in_the_time_in_line(observer, figures):
    for queued_s in (0.0, 0.0004, 0.25):
        observer.ended(outcome(queued_s=queued_s))
    assert figures.value("sidecar_queue_duration_seconds_count") == 1
    assert figures.value("sidecar_queue_duration_seconds_sum") == 0.25


def test_the_log_line_tells_why_an_attempt_was_made_that_was_not_the_first(observer, lines):
    failed = attempt(Reason.UPSTREAM_UNAVAILABLE)
    observer.ended(outcome(attempts=(failed, attempt(kind=AttemptKind.HEDGE))))
    first, second = json.loads(lines()[0])["attempts"]
    assert "kind" not in first
    assert second["kind"] == "hedge"


def test_the_log_line_tells_cost_and_time_in_line_where_there_are_any(observer, lines):
    observer.ended(outcome(attempts=(attempt(),), queued_s=0.25, cost=Cost(102, is_priced=True)))
    observer.ended(outcome(attempts=(attempt(),), queued_s=0.0004, cost=Cost(0, is_priced=False)))
    told, silent = map(json.loads, lines())
    assert (told["cost_usd"], told["queue_ms"]) == (0.000102, 250.0)
    assert {"cost_usd", "queue_ms"}.isdisjoint(silent)


def test_models_beyond_the_limit_are_other_in_metrics_and_named_in_the_log(observer, figures, lines):
    for number in range(MAX_MODELS + 30):
        observer.ended(outcome(attempts=(attempt(model=f"model-{number}"),)))
    by_model = {
        dict(labels)["model"]: count for labels, count in figures.samples("sidecar_attempts_total").items()
    }
    assert len(by_model) == MAX_MODELS + 1
    assert by_model["other"] == 30
    assert json.loads(lines()[-1])["attempts"][0]["model"] == f"model-{MAX_MODELS + 29}"


def test_the_log_line_of_a_good_stream_says_it_all(observer, lines):
    observer.ended(
        outcome(
            method=Method.STREAM_GENERATE,
            attempts=(attempt(latency_s=0.70049),),
            usage=Usage(prompt=5, candidates=7, total=12),
            chunks=3,
            first_chunk_s=0.2,
            duration_s=0.75,
        )
    )
    (line,) = lines()
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "severity": "INFO",
        "message": "call ended",
        "logger": "sidecar.call",
        "method": "StreamGenerate",
        "model": "flash",
        "ended": "OK",
        "duration_ms": 750.0,
        "tokens": {"prompt": 5, "candidates": 7, "total": 12},
        "chunks": 3,
        "first_chunk_ms": 200.0,
        "attempts": [{"project": "main", "model": "gemini-2.5-flash", "ended": "OK", "latency_ms": 700.5}],
        "principal": "pod",
        "listener": "local",
        "request_id": "req-1",
    }


def test_the_log_line_of_a_refused_call_carries_the_error_and_no_empty_figures(observer, lines):
    observer.ended(outcome(Reason.INVALID_REQUEST, message="contents: must not be empty"))
    entry = json.loads(lines()[0])
    assert entry["error"] == "contents: must not be empty"
    assert entry["attempts"] == []
    assert {"tokens", "chunks", "first_chunk_ms"}.isdisjoint(entry)


@pytest.mark.parametrize("ended", ENDINGS)
def test_only_what_the_operator_must_mend_is_louder_than_info(observer, records, ended):
    louder = {
        Reason.INTERNAL: logging.ERROR,
        Reason.UPSTREAM_CREDENTIALS: logging.ERROR,
        Reason.UPSTREAM_MALFORMED: logging.WARNING,
    }
    observer.ended(outcome(ended))
    assert [record.levelno for record in records] == [louder.get(ended, logging.INFO)]


def test_a_level_that_is_off_costs_no_line_but_still_counts(observer, figures, records):
    logging.getLogger("sidecar").setLevel(logging.ERROR)
    observer.ended(outcome())
    assert records == []
    assert list(figures.samples("rpc_server_call_duration_seconds_count").values()) == [1]


def test_texts_of_any_length_make_a_short_line(observer, lines):
    long = "x" * 100_000
    observer.ended(
        outcome(
            Reason.INVALID_REQUEST,
            arrival=arrival(request_id=long),
            model=long,
            principal=long,
            message=long,
            attempts=(attempt(model=long),),
        )
    )
    assert len(lines()[0]) < 4000


def test_the_key_of_the_endpoint_is_in_no_metric_and_no_line(observer, figures, records):
    observer.ended(outcome(Reason.UPSTREAM_CREDENTIALS, attempts=(attempt(Reason.UPSTREAM_CREDENTIALS),)))
    shown = figures.text() + json_line(records[0]).decode() + human_line(records[0]).decode()
    assert "main" in shown
    assert API_KEY not in shown


seconds = st.floats(min_value=0, max_value=1e6)
texts = st.text(max_size=300)
attempts = st.builds(
    attempt,
    ended=st.sampled_from(ENDINGS),
    model=texts,
    project=st.sampled_from(["a", "b"]),
    api=st.sampled_from(Api),
    latency_s=seconds,
)
outcomes = st.builds(
    Outcome,
    arrival=st.builds(arrival, method=st.sampled_from(Method), request_id=texts),
    model=texts,
    principal=texts,
    ended=st.sampled_from(ENDINGS),
    message=texts,
    attempts=st.lists(attempts, max_size=4).map(tuple),
    answered=st.none() | attempts,
    usage=st.none() | st.builds(Usage, *[st.integers(0, 10**7)] * 6),
    chunks=st.integers(0, 1000),
    first_chunk_s=st.none() | seconds,
    duration_s=seconds,
)


@given(outcome=outcomes)
def test_no_outcome_makes_it_raise_or_write_more_than_one_entry(outcome):
    instruments = Instruments("1", STATUS_NAMES, lambda: 0)
    observer = CallObserver(instruments)
    entries = []
    logger = logging.getLogger("sidecar.call")
    logger.addFilter(entries.append)  # a filter that returns nothing also ends the record's way
    logger.setLevel(logging.INFO)
    try:
        observer.arrived(outcome.arrival)
        observer.ended(outcome)
    finally:
        logger.removeFilter(entries.append)
        logger.setLevel(logging.NOTSET)
    (record,) = entries
    assert json_line(record).count(b"\n") == human_line(record).count(b"\n") == 1
    instruments.exposition("")
