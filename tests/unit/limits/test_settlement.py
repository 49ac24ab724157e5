"""What is booked when a call has ended: a test for each row, and none left out."""

import asyncio
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.cost import ModelPrice, Price, Rate, Rates
from sidecar.core.errors import (
    DeadlineExceeded,
    Draining,
    Reason,
    ReplyTooLarge,
    SidecarError,
    StreamInterrupted,
    UpstreamCredentials,
    UpstreamError,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.core.outcome import Usage
from sidecar.core.quota import Charge
from sidecar.limits.settlement import TABLE, OutcomeClass, classify, settled

PRICE = Price(
    ModelPrice(date.min, Rates(Rate(1_000_000), Rate(100_000), Rate(10_000_000, {"IMAGE": 50_000_000})))
)
RESERVED = Charge(requests=1, input_tokens=100, tokens=600, money=5_100, calls=1)
KEPT = RESERVED._replace(calls=0)
RETURNED = Charge(0, 0, 0, 0, 0)
NOT_BILLED = Charge(requests=1, input_tokens=100, tokens=100, money=0, calls=0)
"""The request and its prompt count against the quota; nothing was generated or billed."""


def booked(
    failure: BaseException | None, *, was_sent: bool = True, chunks: int = 0, usage: Usage | None = None
) -> Charge:
    return settled(RESERVED, classify(was_sent, failure, chunks, usage), usage, PRICE)


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamUnavailable("no connection"),
        UpstreamCredentials("no token"),
        DeadlineExceeded("while connecting"),
        asyncio.CancelledError(),
        RuntimeError("a defect"),
        None,
    ],
    ids=repr,
)
def test_what_was_never_sent_is_returned(failure: BaseException | None) -> None:
    assert booked(failure, was_sent=False) == RETURNED


def test_an_answer_is_booked_by_its_usage() -> None:
    usage = Usage(prompt=80, cached=50, candidates=20, thoughts=30, tool_use=5, total=135)
    assert booked(None, usage=usage) == Charge(1, 80, 135, 30 + 5 + 5 + 30 * 10 + 20 * 50, 0)


def test_an_answer_may_cost_more_than_was_reserved() -> None:
    usage = Usage(prompt=1_000, candidates=2_000, total=3_000, candidates_details=(("TEXT", 2_000),))
    assert booked(None, usage=usage) == Charge(1, 1_000, 3_000, 21_000, 0)


@pytest.mark.parametrize(("total", "tokens"), [(0, 90), (50, 90), (95, 95)])
def test_a_total_that_leaves_something_out_does_not_make_it_free(total: int, tokens: int) -> None:
    assert booked(None, usage=Usage(prompt=80, candidates=10, total=total)).tokens == tokens


def test_a_blocked_prompt_costs_its_prompt() -> None:
    assert booked(None, usage=Usage(prompt=80, total=80)) == Charge(1, 80, 80, 80, 0)


def test_an_answer_without_usage_is_booked_as_reserved() -> None:
    assert booked(None) == KEPT


def test_a_count_of_tokens_costs_nothing() -> None:
    free = Charge(requests=0, calls=1)
    assert settled(free, classify(True, None, 0, None), None, PRICE) == RETURNED


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamRejected("bad request", http_status=400),
        UpstreamRejected("the input token count exceeds the maximum", http_status=400),
        UpstreamRejected("no such model", http_status=404, reason=Reason.UPSTREAM_NOT_FOUND),
        UpstreamRejected("billing", http_status=400, reason=Reason.UPSTREAM_PRECONDITION),
        UpstreamRejected("too large", http_status=413),
    ],
    ids=str,
)
def test_a_rejected_request_costs_its_quota_but_no_money(failure: UpstreamError) -> None:
    """An oversized prompt was seen to use up the tokens of its minute, though it was refused."""
    assert booked(failure) == NOT_BILLED


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_cost_no_money(status: int) -> None:
    assert booked(UpstreamCredentials("bad key", http_status=status)) == NOT_BILLED


def test_a_request_over_quota_costs_no_money() -> None:
    assert booked(UpstreamQuota("slow down", http_status=429)) == NOT_BILLED


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamUnavailable("internal", http_status=500),
        UpstreamUnavailable("overloaded", http_status=503),
        UpstreamUnavailable("deadline", http_status=504, reason=Reason.UPSTREAM_TIMEOUT),
        UpstreamUnavailable("timeout", http_status=408, reason=Reason.UPSTREAM_TIMEOUT),
        UpstreamUnavailable("cancelled", http_status=499),
        UpstreamRejected("not implemented", http_status=501),
    ],
    ids=str,
)
def test_a_failure_that_the_upstream_owns_up_to_costs_no_money(failure: UpstreamError) -> None:
    assert booked(failure) == NOT_BILLED


def test_a_timeout_of_ours_may_have_been_billed() -> None:
    assert booked(UpstreamUnavailable("no first byte", reason=Reason.UPSTREAM_TIMEOUT)) == KEPT


@pytest.mark.parametrize("status", [0, 200])
def test_a_connection_lost_may_have_been_billed(status: int) -> None:
    assert booked(UpstreamUnavailable("connection reset", http_status=status)) == KEPT


@pytest.mark.parametrize(
    "failure",
    [asyncio.CancelledError(), DeadlineExceeded("too late"), Draining("cut"), RuntimeError("defect")],
    ids=repr,
)
def test_a_call_abandoned_before_its_first_chunk_may_have_been_billed(failure: BaseException) -> None:
    assert booked(failure) == KEPT


def test_an_attempt_that_was_outrun_is_booked_as_reserved_before_it_has_told_anything() -> None:
    """The loser of a hedge is cancelled; Google goes on with it, for all we know."""
    assert booked(asyncio.CancelledError()) == KEPT


def test_an_attempt_that_was_outrun_after_a_first_word_is_booked_like_a_stream_that_was_cut() -> None:
    """Usage may have come that the caller never saw, for it came with no content."""
    told = Usage(prompt=80, candidates=10, total=90)
    assert booked(asyncio.CancelledError(), usage=told) == booked(
        StreamInterrupted("cut"), chunks=1, usage=told
    )
    assert booked(asyncio.CancelledError(), usage=told).input_tokens == 80


def test_one_that_was_outrun_before_its_request_left_is_returned() -> None:
    assert booked(asyncio.CancelledError(), was_sent=False) == RETURNED


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamUnavailable("not JSON", http_status=200, reason=Reason.UPSTREAM_MALFORMED),
        ReplyTooLarge("40 MB"),
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_read_is_billed_unseen(failure: SidecarError) -> None:
    assert booked(failure) == KEPT


CUTS = [
    asyncio.CancelledError(),
    DeadlineExceeded("too late"),
    StreamInterrupted("broke off"),
    UpstreamUnavailable("error in the stream", http_status=503),
    ReplyTooLarge("40 MB"),
]


@pytest.mark.parametrize("failure", CUTS, ids=repr)
def test_a_cut_stream_is_booked_its_prompt_and_all_of_its_output(failure: BaseException) -> None:
    """Cancelling is local: what was not seen may be generated and billed all the same."""
    usage = Usage(prompt=80, cached=50, candidates=20, thoughts=30, total=130)
    assert booked(failure, chunks=2, usage=usage) == Charge(1, 80, 80 + 500, 30 + 5 + 30 * 10 + 470 * 50, 0)


def test_a_stream_cut_after_more_than_was_expected_is_booked_by_what_was_seen() -> None:
    usage = Usage(prompt=80, candidates=900, total=980, candidates_details=(("TEXT", 900),))
    assert booked(asyncio.CancelledError(), chunks=9, usage=usage) == Charge(1, 80, 980, 80 + 9_000, 0)


def test_a_cut_stream_that_told_no_usage_is_booked_as_reserved() -> None:
    assert booked(asyncio.CancelledError(), chunks=1) == KEPT


def test_a_chunk_that_did_not_reach_the_caller_any_more_counts() -> None:
    usage = Usage(prompt=80, candidates=20, total=100)
    assert classify(True, asyncio.CancelledError(), 0, usage) == OutcomeClass.CUT


def test_without_a_price_money_is_nothing_and_tokens_count() -> None:
    found = settled(RESERVED, OutcomeClass.ANSWERED, Usage(prompt=80, total=80), Price(None))
    assert (found.tokens, found.money) == (80, 0)


def error(reason: Reason) -> SidecarError:
    failure = UpstreamError("failed")
    failure.reason = reason
    return failure


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_row(reason: Reason) -> None:
    assert classify(True, error(reason), 0, None) in TABLE


def test_every_class_has_a_row_and_every_row_is_reached() -> None:
    assert TABLE.keys() == set(OutcomeClass)
    failures = [*map(error, Reason), UpstreamUnavailable("down", http_status=503), None]
    reached = {
        classify(was_sent, failure, 0, usage)
        for was_sent in (True, False)
        for failure in failures
        for usage in (None, Usage())
    }
    assert reached == set(OutcomeClass)


amounts = st.integers(0, 10**7)
charges = st.builds(Charge, amounts, amounts, amounts, amounts, amounts)
usages = st.none() | st.builds(Usage, *[amounts] * 6)


@given(charges, st.sampled_from(OutcomeClass), usages)
def test_calls_are_always_returned_and_nothing_is_booked_below_nothing(
    reserved: Charge, outcome: OutcomeClass, usage: Usage | None
) -> None:
    found = settled(reserved, outcome, usage, PRICE)
    assert found.calls == 0
    assert min(found) >= 0
    assert found.requests in (0, reserved.requests)


@given(charges, usages)
def test_a_cut_stream_is_never_booked_less_than_what_was_seen_of_it(
    reserved: Charge, usage: Usage | None
) -> None:
    cut, whole = (
        settled(reserved, outcome, usage, PRICE) for outcome in (OutcomeClass.CUT, OutcomeClass.ANSWERED)
    )
    assert cut.tokens >= whole.tokens
    assert cut.money >= whole.money
