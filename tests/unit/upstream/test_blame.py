"""Whom the end of an attempt speaks against."""

import asyncio

import pytest

from sidecar.core.errors import (
    Draining,
    GrantLapsed,
    Reason,
    ReplyTooLarge,
    StreamInterrupted,
    UpstreamCredentials,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.upstream.blame import Blame, blame


def interrupted(cause: BaseException | None) -> StreamInterrupted:
    error = StreamInterrupted(f"broke off: {cause!r}")
    error.__cause__ = cause
    return error


def refused_with_another_key() -> UpstreamCredentials:
    error = UpstreamCredentials("one of two refused", http_status=403)
    error.has_other_key = True
    return error


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (None, Blame.ANSWERED),
        (UpstreamUnavailable("no connection"), Blame.FAILED),
        (UpstreamUnavailable("busy", http_status=503), Blame.FAILED),
        (UpstreamUnavailable("late", reason=Reason.UPSTREAM_TIMEOUT), Blame.FAILED),
        (UpstreamUnavailable("what?", reason=Reason.UPSTREAM_MALFORMED), Blame.FAILED),
        (interrupted(UpstreamUnavailable("cut")), Blame.FAILED),
        (UpstreamCredentials("refused", http_status=401), Blame.REFUSED),
        (refused_with_another_key(), Blame.NOBODY),
        (UpstreamQuota("full", http_status=429), Blame.NOBODY),
        (UpstreamRejected("bad", http_status=400), Blame.NOBODY),
        (UpstreamRejected("none", http_status=404, reason=Reason.UPSTREAM_NOT_FOUND), Blame.NOBODY),
        (ReplyTooLarge("large"), Blame.NOBODY),
        (interrupted(UpstreamQuota("full", http_status=429)), Blame.NOBODY),
        (interrupted(Draining("cut")), Blame.NOBODY),
        (interrupted(None), Blame.NOBODY),
        (GrantLapsed("late"), Blame.NOBODY),
        (asyncio.CancelledError(), Blame.NOBODY),
        (ZeroDivisionError(), Blame.NOBODY),
    ],
    ids=repr,
)
def test_the_endpoint_is_blamed_for_what_another_would_have_done_better(
    failure: BaseException | None, expected: Blame
) -> None:
    assert blame(failure) is expected
