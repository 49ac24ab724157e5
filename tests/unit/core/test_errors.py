from sidecar.core import errors
from sidecar.core.errors import FieldViolation, Reason, UpstreamUnavailable
from sidecar.core.secret import Secret


def test_an_upstream_error_tells_its_http_status() -> None:
    error = UpstreamUnavailable("down", http_status=503, metadata={"a": "b"})
    assert (error.http_status, error.metadata) == (503, {"a": "b", "http_status": "503"})
    assert UpstreamUnavailable("down").metadata == {}


def test_a_reason_may_be_narrowed_for_one_error_alone() -> None:
    assert UpstreamUnavailable("slow", reason=Reason.UPSTREAM_TIMEOUT).reason == Reason.UPSTREAM_TIMEOUT
    assert UpstreamUnavailable("down").reason == Reason.UPSTREAM_UNAVAILABLE


def test_metadata_is_never_shared() -> None:
    given = {"a": "b"}
    first, second = UpstreamUnavailable("x", metadata=given), UpstreamUnavailable("x", metadata=given)
    first.metadata["c"] = "d"
    assert (given, second.metadata) == ({"a": "b"}, {"a": "b"})


def test_an_invalid_request_says_all_that_is_wrong() -> None:
    error = errors.InvalidRequest(FieldViolation("a", "is required"), FieldViolation("b", "is bad"))
    assert error.message == str(error) == "a: is required; b: is bad"


def test_a_repr_names_kind_reason_and_message() -> None:
    assert repr(errors.Overloaded("full")) == "<Overloaded OVERLOADED: full>"


def test_a_secret_is_never_shown() -> None:
    secret = Secret("hush")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert "hush" not in shown


def test_secrets_are_equal_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a").reveal() == "a"
