"""Tells metrics and log of every call, in one place, so that the two never disagree.

Decides which figures an Outcome makes and how loud its log line is. One line a call: at INFO, or louder where
the operator must act and the caller cannot. It carries what the Outcome carries, which is neither prompt text
nor a secret, every text cut to a bounded length.

Keeps the contract of the Observer port. It does not block: a metric is arithmetic, a log record goes to a
queue. It does not raise: every table is total over its enum, and every other value has a default.
"""

import logging
from typing import Any

from sidecar.config.amounts import MICROS
from sidecar.core.call import FREE, Arrival, Method
from sidecar.core.errors import Reason
from sidecar.core.outcome import QUEUED_LEAST_S, AttemptKind, AttemptRecord, Outcome, Usage
from sidecar.telemetry.instruments import INPUT, OUTPUT, SHED, Instruments
from sidecar.telemetry.record import CallRecord

_LEVELS: dict[str, int] = {
    Reason.INTERNAL: logging.ERROR,
    Reason.UPSTREAM_CREDENTIALS: logging.ERROR,
    Reason.UPSTREAM_MALFORMED: logging.WARNING,
}
_MAX_NAME = 200
_MAX_MESSAGE = 1000

_logger = logging.getLogger("sidecar.call")


class CallObserver:
    """The Observer of a serving sidecar. For one thread, the event loop's."""

    def __init__(self, instruments: Instruments) -> None:
        self._calls = instruments.calls
        self._upstream = instruments.upstream
        self._spend = instruments.spend

    def arrived(self, arrival: Arrival) -> None:
        """Count the call as in flight."""
        self._calls.in_flight[arrival.method].inc()

    def ended(self, outcome: Outcome) -> None:
        """Record the call's figures and write its log line."""
        self._record(outcome)
        level = _LEVELS.get(outcome.ended, logging.INFO)
        if _logger.isEnabledFor(level):
            _logger.handle(CallRecord(level, _fields(outcome)))

    def _record(self, outcome: Outcome) -> None:
        method = outcome.arrival.method
        self._calls.in_flight[method].dec()
        self._calls.duration[method, outcome.ended].observe(outcome.duration_s)
        if outcome.ended in SHED:
            self._calls.shed[outcome.ended].inc()
        if outcome.chunks:
            self._calls.stream_chunks.inc(outcome.chunks)
        if outcome.queued_s >= QUEUED_LEAST_S:
            self._spend.queued.observe(outcome.queued_s)
        for attempt in outcome.attempts:
            self._record_attempt(method, attempt)
        if outcome.answered is not None:
            self._record_answer(outcome, outcome.answered)

    def _record_attempt(self, method: Method, attempt: AttemptRecord) -> None:
        endpoint, ended = attempt.candidate.endpoint, attempt.ended
        model = self._upstream.models.label(attempt.candidate.model, ended)
        self._upstream.attempts[endpoint.project, model, ended].inc()
        self._upstream.operation_duration[method, endpoint.api, model, ended].observe(attempt.latency_s)

    def _record_answer(self, outcome: Outcome, answered: AttemptRecord) -> None:
        """Book first token and usage on the attempt that answered: no other can have reached the caller."""
        method = outcome.arrival.method
        api = answered.candidate.endpoint.api
        model = self._upstream.models.label(answered.candidate.model, answered.ended)
        if outcome.first_chunk_s is not None:
            self._upstream.first_token[method, api, model].observe(outcome.first_chunk_s)
        if outcome.cost is not None:
            self._spend.spent(answered.candidate.endpoint.project, model, outcome.cost)
        usage = outcome.usage
        if usage is not None and method not in FREE:  # CountTokens only counts
            token_usage = self._upstream.token_usage
            token_usage[method, api, model, INPUT].observe(usage.prompt + usage.tool_use)
            token_usage[method, api, model, OUTPUT].observe(usage.candidates + usage.thoughts)


def _fields(outcome: Outcome) -> dict[str, Any]:
    """The fields of the log line, first what a reader looks for; those that say nothing are left out."""
    arrival = outcome.arrival
    fields: dict[str, Any] = {
        "method": arrival.method.value,
        "model": _cut(outcome.model, _MAX_NAME),
        "ended": str(outcome.ended),
        "duration_ms": _milliseconds(outcome.duration_s),
    }
    if outcome.message:
        fields["error"] = _cut(outcome.message, _MAX_MESSAGE)
    if outcome.usage is not None:
        fields["tokens"] = _tokens(outcome.usage)
    if outcome.cost is not None and outcome.cost.is_priced:
        fields["cost_usd"] = outcome.cost.micro_dollars / MICROS
    if outcome.queued_s >= QUEUED_LEAST_S:
        fields["queue_ms"] = _milliseconds(outcome.queued_s)
    if arrival.method is Method.STREAM_GENERATE:
        fields["chunks"] = outcome.chunks
    if outcome.first_chunk_s is not None:
        fields["first_chunk_ms"] = _milliseconds(outcome.first_chunk_s)
    fields["attempts"] = [_attempt(attempt) for attempt in outcome.attempts]
    fields["principal"] = _cut(outcome.principal, _MAX_NAME)
    fields["listener"] = arrival.listener
    fields["request_id"] = _cut(arrival.request_id, _MAX_NAME)
    return fields


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    fields = {
        "project": attempt.candidate.endpoint.project,
        "model": _cut(attempt.candidate.model, _MAX_NAME),
        "ended": str(attempt.ended),
        "latency_ms": _milliseconds(attempt.latency_s),
    }
    if attempt.kind is not AttemptKind.FIRST:
        fields["kind"] = attempt.kind.value
    return fields


def _tokens(usage: Usage) -> dict[str, int]:
    counts = {
        "prompt": usage.prompt,
        "cached": usage.cached,
        "candidates": usage.candidates,
        "thoughts": usage.thoughts,
        "tool_use": usage.tool_use,
        "total": usage.total,
    }
    return {name: count for name, count in counts.items() if count}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
