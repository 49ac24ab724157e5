import base64
import urllib.parse
from collections.abc import Iterator

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core import errors
from sidecar.core.errors import FieldViolation, QuotaViolation, Reason, SidecarError
from sidecar.edge.status import CODES, DOMAIN, internal, status_of
from sidecar.v1.call_pb2 import Attempt, CallReport
from sidecar.v1.error_pb2 import ErrorReason
from tests.support.errors import details, status_in

TRAILER_LIMIT_BYTES = 8192
REQUEST_ID = "r" * 128
MANY_ATTEMPTS = CallReport(
    attempts=[
        Attempt(number=n, project="p" * 30, location="europe-west4", model="m" * 40, status="UNAVAILABLE")
        for n in range(1, 101)
    ]
)


def subclasses(base: type[SidecarError]) -> Iterator[type[SidecarError]]:
    for each in base.__subclasses__():
        yield each
        yield from subclasses(each)


CONCRETE = sorted(
    (each for each in subclasses(SidecarError) if hasattr(each, "reason")), key=lambda c: c.__name__
)


def example(kind: type[SidecarError]) -> SidecarError:
    if kind is errors.InvalidRequest:
        return errors.InvalidRequest(FieldViolation("a", "is wrong"))
    if kind in (errors.RateLimited, errors.LimiterUnavailable):
        return kind("it failed", 1.5)
    if kind is errors.Unauthenticated:
        return kind("it failed", "token_expired")
    return kind("it failed")


def test_reasons_and_the_contract_s_reasons_are_the_same_set() -> None:
    contract = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    assert {str(reason) for reason in Reason} == contract


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_status_that_is_no_success(reason: Reason) -> None:
    assert CODES[reason] is not grpc.StatusCode.OK
    assert CODES[reason] is not grpc.StatusCode.UNKNOWN


def test_no_status_is_given_for_what_is_no_reason() -> None:
    assert set(CODES) == set(Reason)


@pytest.mark.parametrize("kind", CONCRETE)
def test_every_error_carries_error_info_and_its_retry_advice(kind: type[SidecarError]) -> None:
    error = example(kind)
    status = status_of(error, "req-1")
    told = details(status)
    assert status.code is CODES[error.reason]
    assert told["ErrorInfo"] == {
        "reason": str(error.reason),
        "domain": DOMAIN,
        "metadata": {**error.metadata, "request_id": "req-1"},
    }
    assert ("RetryInfo" in told) == (error.retry_after_s is not None)
    assert status.details == error.message
    assert status_in(status.trailing_metadata).message == error.message


def test_reasons_of_the_style_table() -> None:
    names = {kind.__name__: CODES[kind.reason].name for kind in CONCRETE if hasattr(kind, "reason")}
    assert names["InvalidRequest"] == "INVALID_ARGUMENT"
    assert names["Overloaded"] == names["Draining"] == names["UpstreamUnavailable"] == "UNAVAILABLE"
    assert names["UpstreamQuota"] == "RESOURCE_EXHAUSTED"
    assert names["UpstreamCredentials"] == "FAILED_PRECONDITION"
    assert names["StreamInterrupted"] == "ABORTED"
    assert names["DeadlineExceeded"] == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(("delay_s", "spelled"), [(0.0, "0s"), (1.0, "1s"), (45.837906927, "45.837906927s")])
def test_the_delay_is_exact_to_the_nanosecond(delay_s: float, spelled: str) -> None:
    error = errors.UpstreamQuota("full")
    error.retry_after_s = delay_s
    assert details(status_of(error, "r"))["RetryInfo"] == {"retry_delay": spelled}


def test_waiting_never_helps_so_nothing_says_how_long() -> None:
    assert "RetryInfo" not in details(status_of(errors.UpstreamQuota("full"), "r"))


def test_bad_fields_are_named() -> None:
    error = errors.InvalidRequest(FieldViolation("a.b", "is required"), FieldViolation("c", "is not JSON"))
    status = status_of(error, "r")
    assert status.details == "a.b: is required; c: is not JSON"
    assert details(status)["BadRequest"]["field_violations"] == [
        {"field": "a.b", "description": "is required"},
        {"field": "c", "description": "is not JSON"},
    ]


def test_fields_that_the_upstream_names_are_named() -> None:
    error = errors.UpstreamRejected("no")
    error.violations = (FieldViolation("x", "y"),)
    assert details(status_of(error, "r"))["BadRequest"]["field_violations"] == [
        {"field": "x", "description": "y"}
    ]


def test_limits_are_named() -> None:
    error = errors.UpstreamQuota("full")
    error.quota_violations = (
        QuotaViolation("s", "d", "metric", "id", (("model", "m"),), 20),
        QuotaViolation("", ""),
    )
    first, second = details(status_of(error, "r"))["QuotaFailure"]["violations"]
    assert first == {
        "subject": "s",
        "description": "d",
        "quota_metric": "metric",
        "quota_id": "id",
        "quota_dimensions": {"model": "m"},
        "quota_value": "20",
    }
    assert "quota_value" not in second, "not known is not zero"


def test_what_is_not_ours_is_bland() -> None:
    status = internal("req-9")
    assert status.code is grpc.StatusCode.INTERNAL
    assert "req-9" in status.details
    assert details(status)["ErrorInfo"]["reason"] == "INTERNAL"


def test_the_operator_s_text_is_not_for_the_caller() -> None:
    error = errors.UpstreamCredentials("refused")
    error.operator_text = "key AIza-secret"
    assert "secret" not in str(status_of(error, "r"))


# ---------------------------------------------------------------------------------------------------- size


def trailer_bytes(status: grpc.Status, request_id: str) -> int:
    """What the trailers of this status take, as HTTP/2 counts a header list (RFC 9113, section 6.5.2)."""
    trailers = [
        ("grpc-status", str(status.code.value[0]).encode()),
        (
            "grpc-message",
            urllib.parse.quote(status.details, safe=" !\"#$&'()*+,-./:;<=>?@[]^_`{|}~\\").encode(),
        ),
        ("x-request-id", request_id.encode()),
        ("x-safe-retry", b"1"),
        *(
            (key, base64.b64encode(value))
            for key, value in status.trailing_metadata
            if isinstance(value, bytes)
        ),
    ]
    return sum(len(key) + len(value) + 32 for key, value in trailers)


@pytest.mark.parametrize("letter", ["x", "é", "漢", "🙂", "%", "\x00"])
@pytest.mark.parametrize("count", [1, 3, 100])
def test_the_trailers_fit_whatever_the_upstream_says(letter: str, count: int) -> None:
    text = letter * 2048
    violation = FieldViolation(letter * 512, letter * 512)
    rejected = errors.UpstreamRejected(text, http_status=400, metadata={"upstream_status": letter * 63})
    rejected.violations = (violation,) * count
    quota = errors.UpstreamQuota(text, http_status=429, metadata={"upstream_status": letter * 63})
    quota.retry_after_s = 1.5
    quota.quota_violations = tuple(
        QuotaViolation(
            letter * 100, letter * 512, letter * 512, f"{letter}{number}", ((letter, text),), number
        )
        for number in range(count)
    )
    invalid = errors.InvalidRequest(*((violation,) * count))
    for error in (rejected, quota, invalid):
        status = status_of(error, REQUEST_ID, MANY_ATTEMPTS)
        assert trailer_bytes(status, REQUEST_ID) < TRAILER_LIMIT_BYTES
        assert len(details(status)["CallReport"]["attempts"]) > 5
        assert details(status)["ErrorInfo"]["reason"]


@pytest.mark.parametrize("letter", ["é", "漢", "🙂"])
@pytest.mark.parametrize("shift", range(4))
def test_messages_are_cut_between_characters(letter: str, shift: int) -> None:
    text = "x" * shift + letter * 2000
    cut = status_of(errors.UpstreamRejected(text), "r").details
    assert cut
    assert text.startswith(cut)


@given(text=st.text(max_size=2000))
def test_any_message_can_be_told(text: str) -> None:
    status = status_of(errors.UpstreamRejected(text.encode(errors="ignore").decode()), "r", MANY_ATTEMPTS)
    assert trailer_bytes(status, "r") < TRAILER_LIMIT_BYTES


def test_the_base_error_cannot_be_raised_itself() -> None:
    with pytest.raises(TypeError):
        SidecarError("x")
