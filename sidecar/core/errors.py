"""Every way a call can fail, as typed errors.

An error says what went wrong (`reason`), in words for a developer (`message`), and what the caller can do
about it: wait (`retry_after_s`), mend named fields (`violations`) or look at facts of the failure
(`metadata`). The gRPC status of each reason is decided in one place, `edge/status`; whether an attempt may be
repeated, in `upstream/retry`.

Invariants: `retry_after_s` is set exactly when waiting can help; no message carries a prompt, a credential or
a stack trace. Cancellation is not an error of ours: `asyncio.CancelledError` passes through untouched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Machine-readable cause, sent as `google.rpc.ErrorInfo.reason`; mirrors `sidecar.v1.ErrorReason`."""

    INVALID_REQUEST = "INVALID_REQUEST"
    UNKNOWN_FIELDS_DENIED = "UNKNOWN_FIELDS_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    IDENTITY_UNAVAILABLE = "IDENTITY_UNAVAILABLE"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    OVERLOADED = "OVERLOADED"
    DRAINING = "DRAINING"
    RATE_LIMITED = "RATE_LIMITED"
    COST_EXCEEDS_LIMIT = "COST_EXCEEDS_LIMIT"
    LIMITER_UNAVAILABLE = "LIMITER_UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    REPLY_TOO_LARGE = "REPLY_TOO_LARGE"
    NO_ENDPOINT = "NO_ENDPOINT"
    UPSTREAM_REJECTED = "UPSTREAM_REJECTED"
    UPSTREAM_NOT_FOUND = "UPSTREAM_NOT_FOUND"
    UPSTREAM_PRECONDITION = "UPSTREAM_PRECONDITION"
    UPSTREAM_CREDENTIALS = "UPSTREAM_CREDENTIALS"
    UPSTREAM_QUOTA = "UPSTREAM_QUOTA"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    UPSTREAM_TIMEOUT = "UPSTREAM_TIMEOUT"
    UPSTREAM_MALFORMED = "UPSTREAM_MALFORMED"
    STREAM_INTERRUPTED = "STREAM_INTERRUPTED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One bad field of a request: its path in the caller's spelling, and what is wrong with it."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class QuotaViolation:
    """One limit that was hit, in the terms of `google.rpc.QuotaFailure.Violation`."""

    subject: str
    description: str
    metric: str = ""
    quota_id: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    value: int | None = None


class SidecarError(Exception):
    """Base of all errors a caller may see; never raised itself.

    `retry_after_s` is in seconds and present exactly when waiting can help. `metadata` becomes
    `ErrorInfo.metadata`.
    """

    reason: Reason
    retry_after_s: float | None = None
    operator_text: str = ""
    """What the operator should read beside the message: for the log alone."""

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        if type(self) is SidecarError:
            raise TypeError("SidecarError is abstract: raise the subclass that names the failure")
        super().__init__(message)
        self.message = message
        self.metadata: dict[str, str] = dict(metadata or {})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.reason}: {self.message}>"


class InvalidRequest(SidecarError):
    """The request itself is wrong; `violations` name the fields. Nothing was sent upstream."""

    reason = Reason.INVALID_REQUEST

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in violations))
        self.violations = violations


class Unauthenticated(SidecarError):
    """Nothing proves who calls, or what should prove it is wrong. `cause`, one word for programs, is in the
    metadata; neither it nor the message quotes what the caller showed.
    """

    reason = Reason.UNAUTHENTICATED

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message, metadata={"cause": cause})


class IdentityUnavailable(SidecarError):
    """A token cannot be verified now, because the keys of its issuer cannot be had."""

    reason = Reason.IDENTITY_UNAVAILABLE
    retry_after_s = 1.0


class PermissionDenied(SidecarError):
    """The Policy does not allow this call to this principal."""

    def __init__(
        self,
        message: str,
        reason: Reason = Reason.PERMISSION_DENIED,
        *,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.reason = reason


class Overloaded(SidecarError):
    """This sidecar holds as many calls as it may; the call was shed before anything was done for it."""

    reason = Reason.OVERLOADED
    retry_after_s = 1.0


class Draining(SidecarError):
    """This sidecar is shutting down and takes no new calls."""

    reason = Reason.DRAINING
    retry_after_s = 1.0


class RateLimited(SidecarError):
    """A limit of the Policy has no room before the deadline. `violations` name it; nothing was sent for this
    attempt. `retry_after_s` is when room is likely.
    """

    reason = Reason.RATE_LIMITED

    def __init__(self, message: str, retry_after_s: float, *violations: QuotaViolation) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.quota_violations = violations


class CostExceedsLimit(SidecarError):
    """The call alone costs more than a limit of the Policy allows in all: waiting never helps."""

    reason = Reason.COST_EXCEEDS_LIMIT

    def __init__(self, message: str, *violations: QuotaViolation) -> None:
        super().__init__(message)
        self.quota_violations = violations


class LimiterUnavailable(SidecarError):
    """The ledger of the limits cannot be asked, and the Policy lets nothing go without it."""

    reason = Reason.LIMITER_UNAVAILABLE

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class GrantLapsed(SidecarError):
    """What was reserved for an attempt is held no more, found when its request was about to leave. Nothing
    was sent; another Grant is taken. A caller never sees it.
    """

    reason = Reason.LIMITER_UNAVAILABLE
    retry_after_s = 0.0


class DeadlineExceeded(SidecarError):
    """The caller's deadline, or the default when it set none, ran out."""

    reason = Reason.DEADLINE_EXCEEDED


class ReplyTooLarge(SidecarError):
    """The reply is larger than the message limit; raise that on both sides or ask for less."""

    reason = Reason.REPLY_TOO_LARGE


class NoEndpoint(SidecarError):
    """No project of the Policy serves this model and method."""

    reason = Reason.NO_ENDPOINT


class UpstreamError(SidecarError):
    """Base of all failures of an attempt: the upstream refused, failed or could not be reached.

    `http_status` is the upstream's own, 0 when no response came. The message quotes the upstream, capped and
    on one line.
    """

    pushback_s: float | None = None
    """How long the upstream asked to be left alone, by RetryInfo or Retry-After; None: it did not."""

    def __init__(
        self,
        message: str,
        *,
        http_status: int = 0,
        reason: Reason | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.http_status = http_status
        if http_status:
            self.metadata.setdefault("http_status", str(http_status))
        if reason is not None:
            self.reason = reason


class UpstreamRejected(UpstreamError):
    """The upstream understood the request and refuses it for good: repeating it anywhere gives the same
    answer.
    """

    reason = Reason.UPSTREAM_REJECTED
    violations: tuple[FieldViolation, ...] = ()


class UpstreamCredentials(UpstreamError):
    """The upstream refused our key or token. The operator must act; the caller cannot."""

    reason = Reason.UPSTREAM_CREDENTIALS
    has_other_key = False
    """Whether the endpoint has a key that was not refused: then it may be asked again, at once."""


class UpstreamQuota(UpstreamError):
    """The upstream answered 429. `retry_after_s` is None when waiting never helps (a limit of zero)."""

    reason = Reason.UPSTREAM_QUOTA
    quota_violations: tuple[QuotaViolation, ...] = ()


class UpstreamUnavailable(UpstreamError):
    """The upstream failed, was silent too long, could not be reached, or answered what is not Gemini's wire
    format.
    """

    reason = Reason.UPSTREAM_UNAVAILABLE
    retry_after_s = 1.0


class StreamInterrupted(UpstreamError):
    """A stream ended badly after its first chunk had gone to the caller; `metadata` tells how far it came."""

    reason = Reason.STREAM_INTERRUPTED


DENIALS = (Unauthenticated, IdentityUnavailable, PermissionDenied)
"""How a caller is refused for who it is."""
