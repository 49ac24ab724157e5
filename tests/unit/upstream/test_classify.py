"""The table of upstream failures, the clock of daily quotas, and: no body makes it raise."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from sidecar.upstream.classify import payload_error, response_error
from tests.support.upstream import refusal

NOON = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
"""Noon in California, so midnight is 12 h away."""
TO_MIDNIGHT_S = 12 * 3600.0

PREFIX = "type.googleapis.com/google.rpc."


def info(reason: str) -> dict[str, Any]:
    return {
        "@type": f"{PREFIX}ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"a": "b"},
    }


def retry(delay: object) -> dict[str, Any]:
    return {"@type": f"{PREFIX}RetryInfo", "retryDelay": delay}


def quota(*violations: Mapping[str, object]) -> dict[str, Any]:
    return {"@type": f"{PREFIX}QuotaFailure", "violations": list(violations)}


def bad_request(*violations: object) -> dict[str, Any]:
    return {"@type": f"{PREFIX}BadRequest", "fieldViolations": list(violations)}


def over(quota_id: str, value: object = "20", metric: str = "generate_requests_per_model") -> dict[str, Any]:
    return {
        "quotaMetric": f"generativelanguage.googleapis.com/{metric}",
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": "gemini-3.6-flash"},
        "quotaValue": value,
    }


HELP = {"@type": f"{PREFIX}Help", "links": [{"description": "more", "url": "https://ai.google.dev"}]}
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
EXCEEDED = "You exceeded your current quota, please check your plan and billing details."
LONG = (
    EXCEEDED + " For more information, read on." * 40 + "\n* Quota exceeded for metric: m, limit: 0, model: x"
)


class Row(NamedTuple):
    status: int
    body: object
    error: type[UpstreamError]
    reason: Reason
    retry_after_s: float | None = None
    words: str = ""


R, C, Q, U = UpstreamRejected, UpstreamCredentials, UpstreamQuota, UpstreamUnavailable
REJECTED, NOT_FOUND = Reason.UPSTREAM_REJECTED, Reason.UPSTREAM_NOT_FOUND
PRECONDITION, CREDENTIALS = Reason.UPSTREAM_PRECONDITION, Reason.UPSTREAM_CREDENTIALS
QUOTA, UNAVAILABLE, TIMEOUT = Reason.UPSTREAM_QUOTA, Reason.UPSTREAM_UNAVAILABLE, Reason.UPSTREAM_TIMEOUT


def g(status: int, name: str, message: str, *details: Mapping[str, object]) -> dict[str, Any]:
    return refusal(status, name, message, *details)


def exhausted(*details: Mapping[str, object], message: str = EXCEEDED) -> dict[str, Any]:
    return g(429, "RESOURCE_EXHAUSTED", message, *details)


TABLE: dict[str, Row] = {
    # 400
    "bad-key": Row(
        400,
        g(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            info("API_KEY_INVALID"),
        ),
        C,
        CREDENTIALS,
        words="refused this sidecar's credentials",
    ),
    "expired-key": Row(
        400,
        g(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", info("API_KEY_INVALID")),
        C,
        CREDENTIALS,
    ),
    "expired-key-reason": Row(400, g(400, "INVALID_ARGUMENT", "x", info("API_KEY_EXPIRED")), C, CREDENTIALS),
    "unknown-name": Row(
        400,
        g(
            400,
            "INVALID_ARGUMENT",
            "Invalid JSON payload received. Unknown name \"x\" at 'y': Cannot find field.",
            bad_request({"field": "y", "description": "Cannot find field."}),
        ),
        R,
        REJECTED,
        words='Unknown name "x"',
    ),
    "too-many-tokens": Row(
        400,
        g(400, "INVALID_ARGUMENT", "The input token count (2) exceeds the maximum number of tokens (1)."),
        R,
        REJECTED,
        words="input token count",
    ),
    "short-deadline": Row(
        400,
        g(400, "INVALID_ARGUMENT", "Manually set deadline 1s is too short."),
        R,
        REJECTED,
        words="too short",
    ),
    "lost-signature": Row(
        400,
        g(400, "INVALID_ARGUMENT", "Function call is missing a thought_signature in functionCall parts."),
        R,
        REJECTED,
        words="thought_signature",
    ),
    "wrong-location": Row(
        400,
        g(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        R,
        PRECONDITION,
        words="location",
    ),
    "no-billing": Row(400, g(400, "FAILED_PRECONDITION", "enable billing"), R, PRECONDITION),
    # 401, 403
    "no-token": Row(401, g(401, "UNAUTHENTICATED", "Request had invalid credentials."), C, CREDENTIALS),
    "no-key": Row(
        403, g(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers"), C, CREDENTIALS
    ),
    "blocked-key": Row(
        403,
        g(403, "PERMISSION_DENIED", "Requests are blocked.", info("API_KEY_SERVICE_BLOCKED")),
        C,
        CREDENTIALS,
    ),
    "another's-file": Row(
        403,
        g(403, "PERMISSION_DENIED", "You do not have permission to access the File abc or it may not exist."),
        R,
        NOT_FOUND,
        words="the File abc",
    ),
    "another's-model": Row(  # google-gemini/deprecated-generative-ai-js, issue 240
        403,
        g(403, "PERMISSION_DENIED", "You do not have permission to access tuned model tunedModels/abc"),
        R,
        NOT_FOUND,
        words="tuned model tunedModels/abc",
    ),
    "another's-cache": Row(
        403, g(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)"), R, NOT_FOUND
    ),
    "html-403": Row(403, b"<html>Forbidden</html>", C, CREDENTIALS),
    # 404
    "unknown-model": Row(
        404, g(404, "NOT_FOUND", "models/x is not found for API version v1"), R, NOT_FOUND, words="models/x"
    ),
    "retired-model": Row(404, g(404, "NOT_FOUND", "no longer available to new users"), R, NOT_FOUND),
    "empty-404": Row(404, b"", R, NOT_FOUND),
    # 429
    "per-minute": Row(
        429, exhausted(HELP, quota(over(PER_MINUTE)), retry("36s")), Q, QUOTA, 36.0, "exceeded"
    ),
    "fraction": Row(429, exhausted(retry("45.837906927s"), quota(over(PER_MINUTE))), Q, QUOTA, 45.837906927),
    "per-day": Row(429, exhausted(quota(over(PER_DAY)), retry("18s")), Q, QUOTA, TO_MIDNIGHT_S),
    "per-day-among-others": Row(
        429, exhausted(quota(over(PER_MINUTE), over(PER_DAY)), retry("18s")), Q, QUOTA, TO_MIDNIGHT_S
    ),
    "per-day-without-retry-info": Row(429, exhausted(quota(over(PER_DAY))), Q, QUOTA, TO_MIDNIGHT_S),
    "limit-zero": Row(429, exhausted(quota(over(PER_MINUTE, "0")), retry("36s")), Q, QUOTA, None),
    "limit-zero-as-number": Row(429, exhausted(quota(over(PER_DAY, 0))), Q, QUOTA, None),
    "limit-zero-in-words": Row(
        429,
        exhausted(retry("36s"), message="* Quota exceeded for metric: m, limit: 0, model: x"),
        Q,
        QUOTA,
        None,
    ),
    "limit-zero-late-in-a-long-text": Row(429, exhausted(retry("36s"), message=LONG), Q, QUOTA, None),
    "limit-not-zero-in-words": Row(
        429, exhausted(message="metric: m, limit: 20, model: x Please retry in 36.42s."), Q, QUOTA, 36.42
    ),
    "delay-in-words-late-in-a-long-text": Row(
        429, exhausted(message=EXCEEDED * 20 + " Please retry in 7s."), Q, QUOTA, 7.0
    ),
    "delay-as-number": Row(429, exhausted(retry(36)), Q, QUOTA, 1.0),
    "delay-negative": Row(429, exhausted(retry("-5s")), Q, QUOTA, 1.0),
    "delay-of-nobody": Row(429, exhausted(retry("soon")), Q, QUOTA, 1.0),
    "delay-huge": Row(429, exhausted(retry("9" * 400 + "s")), Q, QUOTA, 1.0),
    "no-quota-value": Row(
        429, exhausted(quota({"quotaId": PER_MINUTE, "quotaMetric": "m"}), retry("2s")), Q, QUOTA, 2.0
    ),
    "shared-capacity": Row(
        429, g(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."), Q, QUOTA, 1.0
    ),
    "vertex-shared": Row(
        429, g(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."), Q, QUOTA, 1.0
    ),
    "listed-429": Row(429, [exhausted(retry("3s"))], Q, QUOTA, 3.0),
    "html-429": Row(429, b"<html>Too many</html>", Q, QUOTA, 1.0),
    # other 4xx
    "timeout-408": Row(408, b"", U, TIMEOUT, 1.0),
    "conflict": Row(409, g(409, "ABORTED", "again"), R, REJECTED),
    "too-large": Row(413, b"<html>Request Entity Too Large</html>", R, REJECTED),
    "cancelled": Row(499, g(499, "CANCELLED", "The operation was cancelled."), U, UNAVAILABLE, 1.0),
    # 5xx
    "internal": Row(
        500, g(500, "INTERNAL", "An internal error has occurred."), U, UNAVAILABLE, 1.0, "internal"
    ),
    "not-implemented": Row(501, g(501, "UNIMPLEMENTED", "no"), R, REJECTED),
    "html-502": Row(502, b"<html><h1>502</h1></html>", U, UNAVAILABLE, 1.0, "HTTP 502"),
    "overloaded": Row(
        503, g(503, "UNAVAILABLE", "The model is overloaded."), U, UNAVAILABLE, 1.0, "overloaded"
    ),
    "overloaded-with-delay": Row(
        503, g(503, "UNAVAILABLE", "busy", retry("12.5s")), U, UNAVAILABLE, 12.5, "busy"
    ),
    "deadline": Row(504, g(504, "DEADLINE_EXCEEDED", "Deadline expired before..."), U, TIMEOUT, 1.0),
    "teapot-5xx": Row(599, b"", U, UNAVAILABLE, 1.0),
    # not errors by status, and yet not 200
    "created": Row(201, b"{}", U, UNAVAILABLE, 1.0),
    "no-content": Row(204, b"", U, UNAVAILABLE, 1.0),
    "moved": Row(301, b"", U, UNAVAILABLE, 1.0),
    # bodies of no use
    "empty": Row(503, b"", U, UNAVAILABLE, 1.0),
    "not-utf-8": Row(503, b"\xff\xfe", U, UNAVAILABLE, 1.0),
    "cut-json": Row(503, b'{"error": {"code": 503, "mess', U, UNAVAILABLE, 1.0),
    "empty-list": Row(503, [], U, UNAVAILABLE, 1.0),
    "list-of-text": Row(503, ["error"], U, UNAVAILABLE, 1.0),
    "text": Row(503, "error", U, UNAVAILABLE, 1.0),
    "error-is-text": Row(503, {"error": "overloaded"}, U, UNAVAILABLE, 1.0),
    "details-is-text": Row(429, {"error": {"code": 429, "details": "none"}}, Q, QUOTA, 1.0),
    "message-is-number": Row(503, {"error": {"message": 7}}, U, UNAVAILABLE, 1.0),
    "status-is-list": Row(400, {"error": {"status": ["FAILED_PRECONDITION"]}}, R, REJECTED),
}


def body_of(row: Row) -> bytes:
    return row.body if isinstance(row.body, bytes) else json.dumps(row.body).encode()


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_the_meaning_of_a_refusal(row: Row) -> None:
    error = response_error(row.status, body_of(row), NOON)
    assert type(error) is row.error
    assert error.reason == row.reason
    assert error.retry_after_s == pytest.approx(row.retry_after_s)
    assert error.http_status == row.status
    assert error.metadata["http_status"] == str(row.status)
    assert row.words in error.message
    assert "\n" not in error.message


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.error is C])
def test_google_s_words_about_our_credentials_are_for_the_operator_alone(name: str) -> None:
    row = TABLE[name]
    error = response_error(row.status, body_of(row), NOON)
    given = row.body["error"]["message"] if isinstance(row.body, dict) else ""
    assert error.operator_text == given
    assert not given or given not in error.message


def test_field_violations_are_kept() -> None:
    body = g(
        400, "INVALID_ARGUMENT", "x", bad_request({"field": "a.b", "description": "no"}, {"field": 7}, "x")
    )
    error = payload_error(400, body["error"], NOON)
    assert isinstance(error, UpstreamRejected)
    assert error.violations == (FieldViolation("a.b", "no"), FieldViolation("", ""))


def test_quota_violations_are_kept_once_each() -> None:
    body = exhausted(quota(over(PER_MINUTE), over(PER_MINUTE), over(PER_DAY, None)))
    error = payload_error(429, body["error"], NOON)
    assert isinstance(error, UpstreamQuota)
    first, second = error.quota_violations
    metric = "generativelanguage.googleapis.com/generate_requests_per_model"
    dimensions = (("location", "global"), ("model", "gemini-3.6-flash"))
    assert first == QuotaViolation("", f"limit 20 of {metric}", metric, PER_MINUTE, dimensions, 20)
    assert (second.quota_id, second.value) == (PER_DAY, None)


@pytest.mark.parametrize("value", ["12x", "", "-3", 1.5, True, [20], {"a": 1}, "9" * 30])
def test_a_quota_value_that_is_no_count_is_left_out(value: object) -> None:
    error = payload_error(429, exhausted(quota(over(PER_MINUTE, value)))["error"], NOON)
    assert isinstance(error, UpstreamQuota)
    assert error.quota_violations[0].value is None


def test_the_upstream_s_text_is_one_short_line() -> None:
    error = payload_error(500, {"message": "a\r\nb\t" + "x" * 10_000, "status": "S" * 1000}, NOON)
    assert len(error.message) < 600
    assert "a b x" in error.message
    assert len(error.metadata["upstream_status"]) <= 63


def test_the_status_inside_a_stream_may_be_any_number() -> None:
    for code in (0, -1, 10**30):
        assert isinstance(payload_error(code, {"message": "x"}, NOON), UpstreamUnavailable)


# ---------------------------------------------------------------------------------------------- calendar


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        ("2026-11-22T07:59:00+00:00", 1 / 60),
        ("2026-11-22T08:00:00+00:00", 24.0),
        ("2026-07-01T06:00:00+00:00", 1.0),
        ("2026-03-08T08:00:00+00:00", 23.0),
        ("2026-03-08T20:00:00+00:00", 11.0),
        ("2026-11-01T07:00:00+00:00", 25.0),
        ("2026-11-01T09:30:00+00:00", 22.5),
        ("2026-12-31T20:00:00+00:00", 12.0),
        ("2026-11-22T21:00:00+01:00", 12.0),
    ],
    ids=[
        "last-minute",
        "first-moment",
        "summer",
        "clocks-go-forward",
        "after-they-went-forward",
        "clocks-go-back",
        "in-the-hour-told-twice",
        "new-year",
        "other-zone",
    ],
)
def test_daily_quotas_come_back_at_midnight_pacific(now: str, hours: float) -> None:
    moment = datetime.fromisoformat(now)
    assert seconds_to_pacific_midnight(moment) == pytest.approx(hours * 3600)
    error = payload_error(429, exhausted(quota(over(PER_DAY)))["error"], moment)
    assert error.retry_after_s == pytest.approx(hours * 3600)


@given(now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_midnight_is_always_ahead_and_at_most_25_hours(now: datetime) -> None:
    assert 0 < seconds_to_pacific_midnight(now) <= 25 * 3600
    later = now + timedelta(seconds=seconds_to_pacific_midnight(now))
    assert seconds_to_pacific_midnight(later) >= 23 * 3600


# -------------------------------------------------------------------------------------------- never raises

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KNOWN = st.sampled_from(["36s", "0", 0, PER_DAY, "API_KEY_INVALID", EXCEEDED, "Please retry in 7s."])
DETAIL = st.dictionaries(
    st.sampled_from(
        (
            *("@type", "reason", "retryDelay", "violations", "fieldViolations", "field", "description"),
            *("subject", "quotaId", "quotaValue", "quotaMetric", "quotaDimensions"),
        )
    ),
    JSON
    | KNOWN
    | st.lists(st.dictionaries(st.sampled_from(["quotaId", "quotaValue", "quotaDimensions"]), JSON)),
)
ERRORS = st.fixed_dictionaries(
    {},
    optional={
        "code": JSON,
        "message": JSON | KNOWN,
        "status": JSON | KNOWN,
        "details": JSON | st.lists(DETAIL),
    },
)


@given(status=st.integers(100, 599), payload=ERRORS)
def test_no_payload_makes_it_raise(status: int, payload: dict[str, Any]) -> None:
    error = response_error(status, json.dumps({"error": payload}).encode(), NOON)
    assert error.retry_after_s is None or error.retry_after_s >= 0
    assert repr(error)


@given(
    status=st.integers(100, 599), body=st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode())
)
def test_no_body_makes_it_raise(status: int, body: bytes) -> None:
    assert response_error(status, body, NOON).http_status == status


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"error":' * 5000 + b"1" + b"}" * 5000, b"1" * 60_000])
def test_no_depth_makes_it_raise(body: bytes) -> None:
    assert response_error(503, body, NOON).reason == UNAVAILABLE


# --------------------------------------------------------------------------- delays that were asked for


@pytest.mark.parametrize(
    ("header", "delay_s"),
    [
        (b"7", 7.0),
        (b" 120 ", 120.0),
        (NOON.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").encode(), 0.0),
        ((NOON + timedelta(seconds=90)).astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").encode(), 90.0),
        ((NOON - timedelta(days=1)).astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").encode(), 0.0),
        (b"", None),
        (b"soon", None),
        (b"-3", None),
        (b"1.5", None),
        (b"\xff\xfe", None),
        (b"Sat, 99 Nov 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_understood_in_both_its_forms(header: bytes, delay_s: float | None) -> None:
    error = response_error(503, b"busy", NOON, header)
    assert error.pushback_s == delay_s
    assert error.retry_after_s == (delay_s or 1.0)


def test_retry_info_beats_retry_after() -> None:
    body = json.dumps({"error": {"details": [{"retryDelay": "3s"}]}}).encode()
    assert response_error(503, body, NOON, b"9").pushback_s == 3.0
    assert response_error(429, body, NOON, b"9").retry_after_s == 3.0


def test_a_429_without_retry_info_is_believed_by_its_header() -> None:
    assert response_error(429, b"", NOON, b"9").retry_after_s == 9.0
    assert response_error(429, b"", NOON).retry_after_s == 1.0


def test_what_asked_for_no_delay_tells_none() -> None:
    assert response_error(503, b"", NOON).pushback_s is None
