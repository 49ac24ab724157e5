"""Tells metrics and log of every call, in one place, so that the two never disagree.

Decides which figures an Outcome makes and how loud its log line is; what the line says, `record` decides. One
line a call: at INFO, or louder where the operator must act and the caller cannot.

Keeps the contract of the Observer port. It does not block: a metric is arithmetic, a log record goes to a
queue. It does not raise: every table is total over its enum, and every other value has a default.
"""

import logging

from sidecar.core.call import FREE, Arrival, Method
from sidecar.core.errors import Reason
from sidecar.core.outcome import QUEUED_LEAST_S, AttemptRecord, Outcome
from sidecar.telemetry.instruments import INPUT, OUTPUT, SHED, Instruments
from sidecar.telemetry.record import CallRecord

_LEVELS: dict[str, int] = {
    Reason.INTERNAL: logging.ERROR,
    Reason.UPSTREAM_CREDENTIALS: logging.ERROR,
    Reason.UPSTREAM_MALFORMED: logging.WARNING,
}

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
            _logger.handle(CallRecord(level, outcome))

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
