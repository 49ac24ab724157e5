"""How a failed call reads on the command line: its status and every detail that the sidecar sent along."""

from collections.abc import Iterator
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, QuotaFailure, RetryInfo
from grpc_status import rpc_status

from sidecar.config.units import format_duration
from sidecar.v1.call_pb2 import CallReport


def describe(error: grpc.RpcError, address: str) -> str:
    """One block of lines: status, message, reason, how long to wait, what was violated.

    `address` is where the call went, for when nobody answered there.
    """
    call = cast(grpc.Call, error)  # what a stub raises is always both
    details = _details(call)
    message = _one_line(call.details() or "")
    lines = [f"Error: {call.code().name}: {message}"]
    if call.code() is grpc.StatusCode.UNAVAILABLE and not details:
        lines = [
            f"Error: no sidecar answers at {address}: {message}",
            "  remedy: start one with `gemini-sidecar serve`, or name another with --address",
        ]
    for detail in details:
        lines += [f"  {name}: {_one_line(text)}" for name, text in _lines(detail)]
    return "\n".join(lines)


def report_of(error: grpc.RpcError) -> CallReport:
    """What was attempted for a call that failed; empty when nothing was."""
    report = CallReport()
    for detail in _details(cast(grpc.Call, error)):
        if detail.Unpack(report):
            break
    return report


def _details(call: grpc.Call) -> list[Any]:
    try:
        status = rpc_status.from_call(call)
    except ValueError:  # trailers that contradict the status: not of a sidecar
        return []
    return list(status.details) if status else []


def _lines(packed: Any) -> Iterator[tuple[str, str]]:
    info, retry, request, quota = ErrorInfo(), RetryInfo(), BadRequest(), QuotaFailure()
    if packed.Unpack(info):
        yield "reason", info.reason
        yield from sorted(info.metadata.items())
    elif packed.Unpack(retry):
        yield "retry after", format_duration(retry.retry_delay.ToMilliseconds() / 1000)
    elif packed.Unpack(request):
        for field in request.field_violations:
            yield field.field or "request", field.description
    elif packed.Unpack(quota):
        for violation in quota.violations:
            limit = violation.quota_id or violation.quota_metric or violation.subject
            yield f"limit {limit}", violation.description


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
