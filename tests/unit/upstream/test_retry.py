"""Whether another attempt may follow, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.errors import (
    DeadlineExceeded,
    LimiterUnavailable,
    NoEndpoint,
    RateLimited,
    Reason,
    ReplyTooLarge,
    SidecarError,
    StreamInterrupted,
    UpstreamCredentials,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.core.pooling import RetryRules
from sidecar.upstream.retry import backoff_s, may_follow, may_return, return_s

RULES = RetryRules(backoff_s=0.25, backoff_max_s=8.0)


def quota(retry_after_s: float | None) -> UpstreamQuota:
    error = UpstreamQuota("full", http_status=429)
    error.retry_after_s = retry_after_s
    return error


def refused(*, has_other_key: bool) -> UpstreamCredentials:
    error = UpstreamCredentials("refused", http_status=403)
    error.has_other_key = has_other_key
    return error


def busy(pushback_s: float | None) -> UpstreamUnavailable:
    error = UpstreamUnavailable("busy", http_status=503)
    error.pushback_s = pushback_s
    return error


@pytest.mark.parametrize(
    ("error", "follows"),
    [
        (UpstreamUnavailable("no connection"), True),
        (UpstreamUnavailable("busy", http_status=503), True),
        (UpstreamUnavailable("silent", reason=Reason.UPSTREAM_TIMEOUT), True),
        (UpstreamUnavailable("what?", reason=Reason.UPSTREAM_MALFORMED), True),
        (quota(7.0), True),
        (quota(None), True),
        (UpstreamCredentials("no token"), True),
        (UpstreamRejected("bad", http_status=400), False),
        (UpstreamRejected("none", http_status=404, reason=Reason.UPSTREAM_NOT_FOUND), False),
        (UpstreamRejected("no", http_status=400, reason=Reason.UPSTREAM_PRECONDITION), False),
        (ReplyTooLarge("large"), False),
        (StreamInterrupted("broke off"), False),
        (DeadlineExceeded("late"), False),
        (RateLimited("ours", 1.0), False),
        (LimiterUnavailable("away", 1.0), False),
        (NoEndpoint("none"), False),
    ],
    ids=lambda value: repr(value) + str(getattr(value, "retry_after_s", "")),
)
def test_what_another_endpoint_might_do_better_may_be_followed(error: SidecarError, follows: bool) -> None:
    assert may_follow(error) is follows


@pytest.mark.parametrize(
    ("error", "returns"),
    [
        (busy(None), True),
        (quota(7.0), True),
        (quota(None), False),
        (refused(has_other_key=False), False),
        (refused(has_other_key=True), True),
    ],
    ids=["503", "429", "429-of-zero", "refused", "refused-with-another-key"],
)
def test_an_endpoint_is_asked_again_unless_it_would_say_the_same(error: SidecarError, returns: bool) -> None:
    assert may_return(error) is returns


def test_there_is_no_backoff_where_nothing_has_failed() -> None:
    assert backoff_s(RULES, 0, 0.99) == 0.0


def test_the_backoff_is_drawn_from_its_whole_range_which_doubles() -> None:
    assert [backoff_s(RULES, failures, 1.0) for failures in (1, 2, 3, 6, 7)] == [0.25, 0.5, 1.0, 8.0, 8.0]
    assert backoff_s(RULES, 3, 0.0) == 0.0


@given(st.integers(0, 10_000), st.floats(0.0, 1.0))
def test_no_backoff_is_longer_than_the_most(failures: int, draw: float) -> None:
    assert 0.0 <= backoff_s(RULES, failures, draw) <= RULES.backoff_max_s


@pytest.mark.parametrize(
    ("error", "least_s"),
    [(busy(None), 0.0), (busy(30.0), 30.0), (quota(36.4), 36.4), (refused(has_other_key=True), 0.0)],
    ids=["503", "503-with-delay", "429", "another-key"],
)
def test_a_delay_that_was_asked_for_is_never_cut_short(error: SidecarError, least_s: float) -> None:
    assert return_s(RULES, error, 1, 0.0) == least_s
    assert least_s <= return_s(RULES, error, 1, 1.0) <= least_s + RULES.backoff_s
