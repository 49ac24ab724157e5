"""Which candidate is asked next, and whether any is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.errors import (
    DeadlineExceeded,
    NoEndpoint,
    SidecarError,
    UpstreamCredentials,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.core.outcome import AttemptRecord
from sidecar.core.permit import Candidate, Permit
from sidecar.upstream.rank import rank
from sidecar.upstream.retry import may_repeat
from tests.support import facts

PERMIT = facts.permit(*(facts.gemini(project=name) for name in ("a", "b", "c")))
A, B, C = PERMIT.candidates


def record(candidate: Candidate, *, sent: bool = False) -> AttemptRecord:
    return AttemptRecord(1, candidate, "UPSTREAM_UNAVAILABLE", 0.1, sent)


def test_the_order_of_the_permit_is_the_order_of_preference() -> None:
    assert rank(PERMIT, []) == (A, B, C)


@pytest.mark.parametrize(
    ("tried", "order"), [([A], (B, C, A)), ([A, B], (C, A, B)), ([B], (A, C, B)), ([A, B, C], (A, B, C))]
)
def test_candidates_that_failed_go_to_the_back(tried: list[Candidate], order: tuple[Candidate, ...]) -> None:
    assert rank(PERMIT, [record(candidate) for candidate in tried]) == order


@given(tried=st.lists(st.sampled_from([A, B, C])))
def test_ranking_loses_and_invents_nobody(tried: list[Candidate]) -> None:
    assert set(rank(PERMIT, [record(candidate) for candidate in tried])) == {A, B, C}


@pytest.mark.parametrize("error", [UpstreamUnavailable("down"), UpstreamCredentials("no token")])
def test_what_never_left_may_be_tried_once_at_every_other_candidate(error: SidecarError) -> None:
    assert may_repeat(error, [record(A)], PERMIT)
    assert may_repeat(error, [record(A), record(B)], PERMIT)
    assert not may_repeat(error, [record(A), record(B), record(C)], PERMIT)
    assert not may_repeat(error, [record(A)], Permit(PERMIT.principal, (A,)))


@pytest.mark.parametrize("error", [UpstreamUnavailable("down"), UpstreamCredentials("refused")])
def test_what_was_sent_may_have_been_billed_and_is_not_repeated(error: SidecarError) -> None:
    assert not may_repeat(error, [record(A, sent=True)], PERMIT)
    assert not may_repeat(error, [record(A), record(B, sent=True)], PERMIT)


@pytest.mark.parametrize(
    "error", [UpstreamRejected("bad"), UpstreamQuota("full"), DeadlineExceeded("late"), NoEndpoint("none")]
)
def test_other_failures_are_not_repeated(error: SidecarError) -> None:
    assert not may_repeat(error, [record(A)], PERMIT)
