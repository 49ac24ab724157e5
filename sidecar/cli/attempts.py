"""What was attempted for a call, as a table: whom the sidecar asked, why, and what came of it."""

from sidecar.cli.columns import columns
from sidecar.v1.call_pb2 import Attempt, AttemptKind, CallReport
from sidecar.v1.error_pb2 import ErrorReason

_HEAD = ("#", "WHY", "PROJECT", "LOCATION", "MODEL", "STATUS", "REASON", "LATENCY")
_RIGHT = {0, 7}


def table(report: CallReport) -> str:
    """One line for each attempt below a line of heads."""
    return columns([_HEAD, *map(_row, report.attempts)], _RIGHT)


def _row(attempt: Attempt) -> tuple[str, ...]:
    kind = AttemptKind.Name(attempt.kind) if attempt.kind in AttemptKind.values() else str(attempt.kind)
    reason = ErrorReason.Name(attempt.reason) if attempt.reason in ErrorReason.values() else ""
    return (
        str(attempt.number),
        kind.removeprefix("ATTEMPT_KIND_").lower(),
        attempt.project,
        attempt.location or "-",
        attempt.model,
        attempt.status,
        reason.removeprefix("ERROR_REASON_") if attempt.reason else "-",
        f"{attempt.latency.ToMicroseconds() / 1000:.1f}ms",
    )
