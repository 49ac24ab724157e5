"""The one place where errors become gRPC status: `rescue table` and google.rpc details.

Every error carries ErrorInfo; RetryInfo exactly when the error says that waiting helps; BadRequest and
QuotaFailure where there are violations. Total: a test walks all reasons. What is not ours is INTERNAL with a
bland text; its story stands in the log under the request id.
"""

from collections.abc import Iterable, Mapping

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status.rpc_status import to_status

from sidecar.core.errors import (
    CostExceedsLimit,
    FieldViolation,
    InvalidRequest,
    QuotaViolation,
    RateLimited,
    Reason,
    SidecarError,
    UpstreamQuota,
    UpstreamRejected,
)
from sidecar.v1.call_pb2 import CallReport

DOMAIN = "gemini-sidecar"
"""`ErrorInfo.domain` of every error of ours."""

_MESSAGE_BYTES = 600
_DETAIL_BYTES = 3000
"""A client refuses trailers over 8 KiB in all. The message travels twice: among the details, in base64, and
beside them, where a byte that is not ASCII takes three.
"""
_REPORT_BYTES = 800
"""Some ten attempts."""

CODES: Mapping[Reason, grpc.StatusCode] = {
    Reason.INVALID_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.UNKNOWN_FIELDS_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Reason.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Reason.IDENTITY_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Reason.OVERLOADED: grpc.StatusCode.UNAVAILABLE,
    Reason.DRAINING: grpc.StatusCode.UNAVAILABLE,
    Reason.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.COST_EXCEEDS_LIMIT: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.LIMITER_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
    Reason.REPLY_TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.NO_ENDPOINT: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.UPSTREAM_REJECTED: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.UPSTREAM_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Reason.UPSTREAM_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.UPSTREAM_CREDENTIALS: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.UPSTREAM_QUOTA: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.UPSTREAM_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.UPSTREAM_TIMEOUT: grpc.StatusCode.UNAVAILABLE,
    Reason.UPSTREAM_MALFORMED: grpc.StatusCode.UNAVAILABLE,
    Reason.STREAM_INTERRUPTED: grpc.StatusCode.ABORTED,
    Reason.INTERNAL: grpc.StatusCode.INTERNAL,
}


def status_of(error: SidecarError, request_id: str, report: CallReport | None = None) -> grpc.Status:
    """The gRPC status of an error, with its details; the report of what was attempted is one of them."""
    details: list[Message] = [_error_info(error.reason, error.metadata, request_id)]
    if error.retry_after_s is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=_duration(error.retry_after_s)))
    if isinstance(error, InvalidRequest | UpstreamRejected) and error.violations:
        details.append(
            _fitting(
                error_details_pb2.BadRequest(), "field_violations", map(_field_violation, error.violations)
            )
        )
    if isinstance(error, UpstreamQuota | RateLimited | CostExceedsLimit) and error.quota_violations:
        details.append(
            _fitting(
                error_details_pb2.QuotaFailure(), "violations", map(_quota_violation, error.quota_violations)
            )
        )
    if report is not None:
        details.append(_fitting(CallReport(), "attempts", report.attempts, _REPORT_BYTES))
    return _status(error.reason, error.message, details)


def internal(request_id: str) -> grpc.Status:
    """The status of a failure nobody foresaw."""
    message = f"unexpected failure; the sidecar's log tells more under request id {request_id}"
    return _status(Reason.INTERNAL, message, [_error_info(Reason.INTERNAL, {}, request_id)])


def _status(reason: Reason, message: str, details: Iterable[Message]) -> grpc.Status:
    status = status_pb2.Status(
        code=CODES[reason].value[0],
        message=message.encode()[:_MESSAGE_BYTES].decode(errors="ignore"),
    )
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return to_status(status)


def _error_info(reason: Reason, metadata: Mapping[str, str], request_id: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(
        reason=reason, domain=DOMAIN, metadata={**metadata, "request_id": request_id}
    )


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(round(seconds * 1_000_000_000))
    return duration


def _field_violation(violation: FieldViolation) -> Message:
    return error_details_pb2.BadRequest.FieldViolation(
        field=violation.field, description=violation.description
    )


def _quota_violation(violation: QuotaViolation) -> Message:
    return error_details_pb2.QuotaFailure.Violation(
        subject=violation.subject,
        description=violation.description,
        quota_metric=violation.metric,
        quota_id=violation.quota_id,
        quota_dimensions=dict(violation.dimensions),
        quota_value=violation.value,
    )


def _fitting(
    detail: Message, field: str, entries: Iterable[Message], most_bytes: int = _DETAIL_BYTES
) -> Message:
    """`detail` with as many entries as the trailers have room for."""
    for entry in entries:
        if detail.ByteSize() + entry.ByteSize() > most_bytes:
            break
        getattr(detail, field).append(entry)
    return detail
