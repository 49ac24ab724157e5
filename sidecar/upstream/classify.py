"""What a refusal or failure of the upstream means: the one table from HTTP status and body to a typed error.
Pure.

Google answers with `{"error": {"code", "message", "status", "details": [...]}}`, proxies before it with
anything. The HTTP status decides first; what it leaves open is settled, in this order, by the
machine-readable details, by `error.status`, and only last by words of the message. The caller learns the
upstream's own words, on one line, capped and without keys or tokens, except where they concern our
credentials.

429 needs care. Its RetryInfo is short even when a whole day's quota is gone, so `PerDay` in the quota id
beats it; and a limit of zero means the model is not offered to this project at all, so no waiting helps.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import orjson

from sidecar.core.calendar import seconds_to_pacific_midnight
from sidecar.core.errors import (
    FieldViolation,
    QuotaViolation,
    Reason,
    UpstreamCredentials,
    UpstreamError,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)

_MESSAGE_CHARS = 512
_SHARED_CAPACITY_RETRY_S = (
    1.0  # a 429 without details is Google's shared capacity: it asks for backoff but names no delay
)
_RETRY_IN = re.compile(r"\s*Please retry in (\d{1,9}(?:\.\d{1,9})?)s\.?")
_ZERO_LIMIT = re.compile(r"limit: 0\b")
_HANDLE = re.compile(r"permission to access (the \w+|tuned model)|CachedContent not found", re.IGNORECASE)
_CREDENTIAL = re.compile(r"(?:AIza|AQ\.|ya29\.)[\w.-]+")  # Google names the key that it has suspended
_KEY_REASONS = ("API_KEY_INVALID", "API_KEY_EXPIRED")


class _Meaning(NamedTuple):
    error: type[UpstreamError]
    reason: Reason


_REJECTED = _Meaning(UpstreamRejected, Reason.UPSTREAM_REJECTED)
_NOT_FOUND = _Meaning(UpstreamRejected, Reason.UPSTREAM_NOT_FOUND)
_PRECONDITION = _Meaning(UpstreamRejected, Reason.UPSTREAM_PRECONDITION)
_CREDENTIALS = _Meaning(UpstreamCredentials, Reason.UPSTREAM_CREDENTIALS)
_QUOTA = _Meaning(UpstreamQuota, Reason.UPSTREAM_QUOTA)
_UNAVAILABLE = _Meaning(UpstreamUnavailable, Reason.UPSTREAM_UNAVAILABLE)
_TIMEOUT = _Meaning(UpstreamUnavailable, Reason.UPSTREAM_TIMEOUT)

_BY_HTTP_STATUS: Mapping[int, _Meaning] = {
    400: _REJECTED,
    401: _CREDENTIALS,
    403: _CREDENTIALS,
    404: _NOT_FOUND,
    408: _TIMEOUT,
    429: _QUOTA,
    499: _UNAVAILABLE,
    504: _TIMEOUT,
}


def response_error(http_status: int, body: bytes, now: datetime, retry_after: bytes = b"") -> UpstreamError:
    """The meaning of a response that is not 200. `now` is aware and dates the reset of daily quotas;
    `retry_after` is the header of that name.
    """
    return payload_error(http_status, _payload(body), now, _header_delay(retry_after, now))


def payload_error(
    http_status: int, payload: Mapping[str, Any], now: datetime, header_delay_s: float | None = None
) -> UpstreamError:
    """The meaning of an `error` object, from a response or from inside a stream. An empty one stands for a
    body not Google's. RetryInfo beats the delay of a header.
    """
    details = _details(payload)
    pushback_s = _retry_info(details)
    if pushback_s is None:
        pushback_s = header_delay_s
    meaning = _meaning(http_status, payload, details)
    message = f"the upstream answered HTTP {http_status}"
    text = _RETRY_IN.sub("", _one_line(payload.get("message")))  # RetryInfo says it, and rightly so for a day
    if meaning is _CREDENTIALS:  # Google's text may name our project, and the caller could not act on it
        message += ": it refused this sidecar's credentials"
    elif text:
        message += f": {text}"
    error = meaning.error(message, http_status=http_status, reason=meaning.reason)
    if meaning is _CREDENTIALS:
        error.operator_text = text
    if status := _one_line(payload.get("status")):
        error.metadata["upstream_status"] = status[:63]
    if isinstance(error, UpstreamRejected):
        error.violations = tuple(_field_violations(details))
    if isinstance(error, UpstreamQuota):
        error.quota_violations = tuple(dict.fromkeys(_quota_violations(details)))
        message = str(payload.get("message", ""))
        error.retry_after_s = _quota_delay(error.quota_violations, message, pushback_s, now)
    elif isinstance(error, UpstreamUnavailable):
        error.pushback_s = pushback_s
        error.retry_after_s = pushback_s or error.retry_after_s
    return error


def _meaning(http_status: int, payload: Mapping[str, Any], details: list[Mapping[str, Any]]) -> _Meaning:
    message = str(payload.get("message", ""))
    if http_status == 400 and any(detail.get("reason") in _KEY_REASONS for detail in details):
        return _CREDENTIALS
    if http_status == 400 and payload.get("status") == "FAILED_PRECONDITION":
        return _PRECONDITION
    if http_status == 403 and _HANDLE.search(
        message
    ):  # another's file, cache or tuned model: the request names it, our key is fine
        return _NOT_FOUND
    if meaning := _BY_HTTP_STATUS.get(http_status):
        return meaning
    return _REJECTED if 400 <= http_status < 500 or http_status == 501 else _UNAVAILABLE


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(value, list) and value:  # streams asked for without `alt=sse` wrap their errors in an array
        value = value[0]
    error = value.get("error") if isinstance(value, dict) else None
    return error if isinstance(error, dict) else {}


def _details(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(_mappings(payload.get("details")))


def _mappings(value: object) -> Iterable[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _one_line(text: object) -> str:
    return _CREDENTIAL.sub("****", " ".join(text.split()))[:_MESSAGE_CHARS] if isinstance(text, str) else ""


def _field_violations(details: Iterable[Mapping[str, Any]]) -> Iterable[FieldViolation]:
    for detail in details:
        for violation in _mappings(detail.get("fieldViolations")):
            yield FieldViolation(_one_line(violation.get("field")), _one_line(violation.get("description")))


def _quota_violations(details: Iterable[Mapping[str, Any]]) -> Iterable[QuotaViolation]:
    for detail in details:
        for violation in _mappings(detail.get("violations")):
            dimensions = violation.get("quotaDimensions")
            value = str(violation.get("quotaValue", ""))
            metric = _one_line(violation.get("quotaMetric"))
            yield QuotaViolation(
                subject=_one_line(violation.get("subject")),
                description=_one_line(violation.get("description"))
                or f"limit {value or 'unknown'} of {metric or 'a quota'}",
                metric=metric,
                quota_id=_one_line(violation.get("quotaId")),
                dimensions=_pairs(dimensions) if isinstance(dimensions, dict) else (),
                value=int(value) if re.fullmatch(r"\d{1,18}", value) else None,
            )


def _pairs(dimensions: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(key), str(value)) for key, value in dimensions.items()))


def _quota_delay(
    violations: Iterable[QuotaViolation], message: str, pushback_s: float | None, now: datetime
) -> float | None:
    if any(v.value == 0 for v in violations) or _ZERO_LIMIT.search(message):
        return None
    if any("PerDay" in v.quota_id for v in violations):
        return seconds_to_pacific_midnight(now)
    if pushback_s is not None:
        return pushback_s
    spelled_out = _RETRY_IN.search(message)
    return float(spelled_out[1]) if spelled_out else _SHARED_CAPACITY_RETRY_S


def _retry_info(details: Iterable[Mapping[str, Any]]) -> float | None:
    for detail in details:
        if isinstance(delay := detail.get("retryDelay"), str) and re.fullmatch(
            r"\d{1,9}(\.\d{1,9})?s", delay
        ):
            return float(delay[:-1])
    return None


def _header_delay(retry_after: bytes, now: datetime) -> float | None:
    """Seconds, by either form of Retry-After (RFC 9110, section 10.2.3); None for what is neither."""
    text = retry_after.decode("latin-1").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
