"""A log record for one line a call: what the line says, worked out by whoever writes it.

It carries what the Outcome carries, which is neither prompt text nor a secret, every text cut to a bounded
length. An Outcome never changes, so its line need not be made while the event loop waits: `logs` has the
writer do it, many lines in a row, at half of what a line costs between the other work of a call.

The standard record works out where in the code, in which thread and in which process it was made. None of
that is in our lines.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from sidecar.config.amounts import MICROS
from sidecar.core.call import Method
from sidecar.core.outcome import QUEUED_LEAST_S, AttemptKind, AttemptRecord, Outcome, Usage

_LINE = vars(logging.makeLogRecord({"name": "sidecar.call", "msg": "call ended"}))
"""What is the same in every record. Whoever formats one finds all attributes that the standard has."""
_COUNTS = ("prompt", "cached", "candidates", "thoughts", "tool_use", "total")
"""The first fields of a Usage."""
_MAX_NAME = 200
_MAX_MESSAGE = 1000


class CallRecord(logging.LogRecord):
    """The end of a call. Nothing in it changes, so it may be formatted later and by another thread."""

    def __init__(self, level: int, outcome: Outcome) -> None:
        created = datetime.now(UTC).timestamp()
        vars(self).update(_LINE)
        self.levelno = level
        self.levelname = logging.getLevelName(level)
        self.created = created
        self.msecs = created % 1 * 1000
        self._outcome = outcome

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the line, first what a reader looks for; those that say nothing are left out."""
        return _fields(self._outcome)


def _fields(outcome: Outcome) -> dict[str, Any]:
    arrival = outcome.arrival
    fields: dict[str, Any] = {
        "method": str(arrival.method),
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
    return {name: count for name, count in zip(_COUNTS, usage[:6], strict=True) if count}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
