"""What a call that has ended is charged, unit by unit: one table, from how it ended. Pure.

`classify` finds the row, `settled` applies it; nothing else decides what is returned and what is kept. Calls
in flight are always returned.

A row says what is known of Google's own books:

- [billing] ai.google.dev "Billing": "If your request fails with a 400 or 500 error, you won't be charged for
  the tokens used. However, the request will still count against your quota."
- [15184] google-gemini/gemini-cli issue 15184: a prompt that was refused with 400 for its length had used up
  the input tokens of the minute.
- [usage] usageMetadata of the answer; on a stream a running total, the last of which counts.
- [cancel] google-genai's documentation of AbortSignal: "Using it to cancel an operation will not cancel the
  request in the service. You will still be charged usage for any applicable operations."

Every attempt is settled for itself, whatever becomes of the call: one that failed and was followed by another
by its failure, one that was outrun by a hedge as abandoned. The caller's budgets bear them all, for each may
be billed.

Where nothing is known, what was reserved stays booked. A limit that was counted too strictly heals with its
window; one that was exceeded does not.
"""

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from sidecar.core.cost import Price
from sidecar.core.errors import Reason, SidecarError, UpstreamError
from sidecar.core.outcome import Usage
from sidecar.core.quota import NOTHING, Charge


class OutcomeClass(StrEnum):
    """How an attempt ended, as far as its bill goes."""

    NEVER_SENT = "never_sent"
    """Its headers never left on an open connection."""
    ANSWERED = "answered"
    """A whole answer that tells its usage. A blocked prompt is one: HTTP 200, with prompt tokens alone."""
    ANSWERED_WITHOUT_USAGE = "answered_without_usage"
    """A whole answer that tells none."""
    UNREADABLE = "unreadable"
    """An answer that is malformed, or too large to pass on."""
    REJECTED = "rejected"
    """Refused for what it says: 400, 404 and every 4xx without a row of its own."""
    CREDENTIALS_REFUSED = "credentials_refused"
    """Refused for who asks: 401, 403, and 400 for an invalid key."""
    OVER_QUOTA = "over_quota"
    """Refused with 429."""
    FAILED = "failed"
    """The upstream said that it failed or gave up: 5xx, 408, 499."""
    TIMED_OUT = "timed_out"
    """We waited too long for the first byte of an answer."""
    LOST = "lost"
    """The connection broke before any answer."""
    ABANDONED = "abandoned"
    """Cancelled by its caller, outrun by another attempt of its call, past its deadline or failed by
    ourselves, before the first chunk.
    """
    CUT = "cut"
    """Ended, in whatever way, between the first chunk of an answer and its end."""


class Rule(Enum):
    """What is booked of a unit."""

    RETURNED = auto()
    """Nothing."""
    KEPT = auto()
    """What was reserved."""
    PROMPT = auto()
    """The prompt's part of what was reserved."""
    USED = auto()
    """What the usage tells; what was reserved when there is none, and of requests, of which it tells none."""
    BOUND = auto()
    """What the usage tells of the prompt, and of the answer the larger of seen and reserved."""


class Row(NamedTuple):
    """What is booked of each unit."""

    requests: Rule
    input_tokens: Rule
    tokens: Rule
    money: Rule


RETURNED, KEPT, PROMPT, USED, BOUND = Rule

TABLE: Mapping[OutcomeClass, Row] = {
    OutcomeClass.NEVER_SENT: Row(RETURNED, RETURNED, RETURNED, RETURNED),
    # [usage]
    OutcomeClass.ANSWERED: Row(USED, USED, USED, USED),
    # unknown: billed, but not counted to us
    OutcomeClass.ANSWERED_WITHOUT_USAGE: Row(KEPT, KEPT, KEPT, KEPT),
    # unknown: it was answered, so it is billed, and we cannot read how much
    OutcomeClass.UNREADABLE: Row(KEPT, KEPT, KEPT, KEPT),
    # [billing], [15184]; nothing was generated
    OutcomeClass.REJECTED: Row(KEPT, KEPT, PROMPT, RETURNED),
    # unknown for requests and input; nothing was generated, and no account is charged for who is not let in
    OutcomeClass.CREDENTIALS_REFUSED: Row(KEPT, KEPT, PROMPT, RETURNED),
    # unknown for requests and input; no model was asked, so nothing was generated or billed
    OutcomeClass.OVER_QUOTA: Row(KEPT, KEPT, PROMPT, RETURNED),
    # [billing]; unknown for input
    OutcomeClass.FAILED: Row(KEPT, KEPT, PROMPT, RETURNED),
    # [cancel]: giving up is as local as cancelling
    OutcomeClass.TIMED_OUT: Row(KEPT, KEPT, KEPT, KEPT),
    # unknown: the request may have arrived, and be worked on
    OutcomeClass.LOST: Row(KEPT, KEPT, KEPT, KEPT),
    # [cancel]; that a hedge was faster changes nothing for who was asked first
    OutcomeClass.ABANDONED: Row(KEPT, KEPT, KEPT, KEPT),
    # [usage] for the prompt, [cancel] for the rest of the answer
    OutcomeClass.CUT: Row(KEPT, USED, BOUND, BOUND),
}
"""What is booked, by how an attempt ended."""

_BY_REASON: Mapping[Reason, OutcomeClass] = {
    Reason.REPLY_TOO_LARGE: OutcomeClass.UNREADABLE,
    Reason.UPSTREAM_MALFORMED: OutcomeClass.UNREADABLE,
    Reason.UPSTREAM_REJECTED: OutcomeClass.REJECTED,
    Reason.UPSTREAM_NOT_FOUND: OutcomeClass.REJECTED,
    Reason.UPSTREAM_PRECONDITION: OutcomeClass.REJECTED,
    Reason.UPSTREAM_CREDENTIALS: OutcomeClass.CREDENTIALS_REFUSED,
    Reason.UPSTREAM_QUOTA: OutcomeClass.OVER_QUOTA,
    Reason.UPSTREAM_UNAVAILABLE: OutcomeClass.LOST,
    Reason.UPSTREAM_TIMEOUT: OutcomeClass.TIMED_OUT,
    Reason.STREAM_INTERRUPTED: OutcomeClass.CUT,
    **dict.fromkeys(
        (
            Reason.DEADLINE_EXCEEDED,
            Reason.DRAINING,
            Reason.INTERNAL,
            # not after sending, as long as the stages before it are in order
            Reason.INVALID_REQUEST,
            Reason.UNKNOWN_FIELDS_DENIED,
            Reason.UNAUTHENTICATED,
            Reason.IDENTITY_UNAVAILABLE,
            Reason.PERMISSION_DENIED,
            Reason.OVERLOADED,
            Reason.NO_ENDPOINT,
            Reason.RATE_LIMITED,
            Reason.COST_EXCEEDS_LIMIT,
            Reason.LIMITER_UNAVAILABLE,
        ),
        OutcomeClass.ABANDONED,
    ),
}


def classify(was_sent: bool, failure: BaseException | None, chunks: int, usage: Usage | None) -> OutcomeClass:
    """How an attempt ended: by whether it left, what it failed with (None: it did not), how many chunks of it
    went to the caller and the last usage seen.
    """
    if not was_sent:
        return OutcomeClass.NEVER_SENT
    if failure is None:
        return OutcomeClass.ANSWERED_WITHOUT_USAGE if usage is None else OutcomeClass.ANSWERED
    if chunks or usage is not None:  # a usage came with a chunk, even when the caller did not get it any more
        return OutcomeClass.CUT
    if not isinstance(failure, SidecarError):  # cancelled, or a defect of ours
        return OutcomeClass.ABANDONED
    outcome = _BY_REASON[failure.reason]
    is_silence = outcome in (OutcomeClass.LOST, OutcomeClass.TIMED_OUT)
    if is_silence and isinstance(failure, UpstreamError) and failure.http_status >= 400:
        return OutcomeClass.FAILED
    return outcome


def settled(reserved: Charge, outcome: OutcomeClass, usage: Usage | None, price: Price) -> Charge:
    """What is booked in place of what was reserved."""
    books, (requests, input_tokens, tokens, money) = _PLANS[outcome]
    if len(books) == 1:  # one rule for all units, as of nearly all attempts
        return books[0](reserved, usage, price)
    booked = [book(reserved, usage, price) for book in books]
    return Charge(
        booked[requests].requests,
        booked[input_tokens].input_tokens,
        booked[tokens].tokens,
        booked[money].money,
        0,
    )


def _returned(_reserved: Charge, _usage: Usage | None, _price: Price) -> Charge:
    return NOTHING


def _kept(reserved: Charge, _usage: Usage | None, _price: Price) -> Charge:
    return reserved._replace(calls=0)


def _prompt(reserved: Charge, _usage: Usage | None, _price: Price) -> Charge:
    return reserved._replace(tokens=min(reserved.tokens, reserved.input_tokens), calls=0)


def _used(reserved: Charge, usage: Usage | None, price: Price) -> Charge:
    if usage is None:
        return _kept(reserved, usage, price)
    parts = usage.prompt + usage.candidates + usage.thoughts + usage.tool_use
    tokens = max(parts, usage.total)  # an upstream that leaves one out must not make it free
    return Charge(reserved.requests, usage.prompt, tokens, price.cost(usage).micro_dollars, 0)


def _bound(reserved: Charge, usage: Usage | None, price: Price) -> Charge:
    if usage is None:
        return _kept(reserved, usage, price)
    unseen = reserved.tokens - reserved.input_tokens - usage.candidates - usage.thoughts
    if unseen > 0:  # of unknown modality, so the rest is priced as the dearest
        candidates, total = usage.candidates + unseen, usage.total + unseen
        usage = usage._replace(candidates=candidates, total=total, candidates_details=())
    return _used(reserved, usage, price)


_BOOKINGS: Mapping[Rule, Callable[[Charge, Usage | None, Price], Charge]] = {
    Rule.RETURNED: _returned,
    Rule.KEPT: _kept,
    Rule.PROMPT: _prompt,
    Rule.USED: _used,
    Rule.BOUND: _bound,
}


def _plan(row: Row) -> tuple[list[Callable[[Charge, Usage | None, Price], Charge]], list[int]]:
    """The bookings that a row takes, each once, and which of them is each unit's."""
    rules = sorted(set(row), key=row.index)
    return [_BOOKINGS[rule] for rule in rules], [rules.index(rule) for rule in row]


_PLANS = {outcome: _plan(row) for outcome, row in TABLE.items()}
"""The table as it is applied."""
