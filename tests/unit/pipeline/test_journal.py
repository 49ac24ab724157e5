import asyncio
from contextlib import nullcontext

import pytest

from sidecar.core.errors import (
    GrantLapsed,
    Overloaded,
    RateLimited,
    Reason,
    UpstreamCredentials,
    UpstreamUnavailable,
)
from sidecar.core.outcome import CANCELLED, OK, Outcome, Usage
from sidecar.pipeline.settle import ended_by
from tests.support import facts
from tests.unit.pipeline.fakes import World


def closed(error: BaseException | None = None) -> Outcome:
    """The Outcome of a call that ends so."""
    world = World()
    expected = pytest.raises(type(error)) if error else nullcontext()
    with expected, world.journal():
        if error is not None:
            raise error
    (outcome,) = world.observer.outcomes
    assert len(world.observer.arrivals) == 1
    return outcome


@pytest.mark.parametrize(
    ("error", "ended", "message"),
    [
        (None, OK, ""),
        (Overloaded("full"), Reason.OVERLOADED, "full"),
        (UpstreamUnavailable("slow", reason=Reason.UPSTREAM_TIMEOUT), Reason.UPSTREAM_TIMEOUT, "slow"),
        (asyncio.CancelledError(), CANCELLED, ""),
        (ZeroDivisionError("secret"), Reason.INTERNAL, ""),
        (KeyboardInterrupt(), Reason.INTERNAL, ""),
    ],
    ids=["ok", "ours", "narrowed", "cancelled", "foreign", "interrupted"],
)
def test_a_call_ends_in_one_word(error: BaseException | None, ended: str, message: str) -> None:
    outcome = closed(error)
    assert (outcome.ended, outcome.message) == (ended, message)
    assert ended_by(error) == ended


def test_the_operator_s_text_is_in_the_outcome() -> None:
    error = UpstreamCredentials("refused")
    error.operator_text = "API key expired"
    assert closed(error).message == "refused (API key expired)"


def test_the_hold_is_settled_with_what_all_attempts_cost_when_the_call_leaves() -> None:
    journal = World().journal()
    hold = facts.FakeHold(facts.FakeLimits())
    with journal:
        journal.hold = hold
        journal.end(journal.begin(facts.attempt()), UpstreamUnavailable("down"))
        journal.end(journal.begin(facts.attempt()), None)
        assert hold.settled == []
    assert hold.settled == [facts.CHARGE.plus(facts.CHARGE)]


async def test_time_spent_reserving_is_noted_also_when_it_was_in_vain() -> None:
    journal = World().journal()

    async def refused() -> None:
        raise RateLimited("no room", 1.0)

    with pytest.raises(RateLimited):
        await journal.queued(refused())
    assert journal.queued_s == 1.0


def test_the_last_usage_counts_and_a_reply_without_one_leaves_it() -> None:
    journal = World().journal()
    entry = journal.begin(facts.attempt())
    entry.saw(facts.reply(usage=Usage(total=3)))
    entry.saw(facts.reply(usage=Usage(total=5)))
    entry.saw(facts.reply())
    assert journal.usage == Usage(total=5)


def test_usage_is_that_of_the_last_attempt_begun() -> None:
    journal = World().journal()
    entry = journal.begin(facts.attempt())
    entry.saw(facts.reply(usage=Usage(total=3)))
    journal.end(entry, UpstreamUnavailable("down"))
    first = journal.usage
    journal.begin(facts.attempt())
    assert (first, journal.usage) == (Usage(total=3), None)


def test_of_attempts_side_by_side_the_one_that_answers_counts_whatever_becomes_of_the_other() -> None:
    world = World()
    with world.journal() as journal:
        winner, loser = journal.begin(facts.attempt()), journal.begin(facts.attempt())
        loser.saw(facts.reply(usage=Usage(total=3)))
        winner.saw(facts.reply(usage=Usage(total=5)))
        journal.answers(winner)
        journal.chunk_sent(winner)
        loser.saw(facts.reply(usage=Usage(total=99)))
        journal.end(loser, asyncio.CancelledError())
        winner.saw(facts.reply(usage=Usage(total=7)))
        journal.end(winner, None)
    (outcome,) = world.observer.outcomes
    assert (outcome.usage, outcome.chunks) == (Usage(total=7), 1)
    assert [(record.number, record.ended) for record in outcome.attempts] == [(1, OK), (2, CANCELLED)]
    assert outcome.answered == outcome.attempts[0]


def test_once_one_answers_the_other_is_told_as_cancelled_even_while_it_is_being_ended() -> None:
    journal = World().journal()
    winner, _ = journal.begin(facts.attempt()), journal.begin(facts.attempt())
    journal.answers(winner)
    assert [record.ended for record in journal.attempts] == [OK, CANCELLED]


def test_each_attempt_is_settled_by_its_own_usage_and_end() -> None:
    journal = World().journal()
    one, other = journal.begin(facts.attempt()), journal.begin(facts.attempt())
    one.saw(facts.reply(usage=Usage(total=3)))
    other.saw(facts.reply(usage=Usage(total=5)))
    journal.end(one, asyncio.CancelledError())
    journal.end(other, None)
    assert facts.grant_of(one.attempt).settled == [(CANCELLED, Usage(total=3))]
    assert facts.grant_of(other.attempt).settled == [(OK, Usage(total=5))]


def test_attempts_are_recorded_with_their_end_and_whether_they_were_sent() -> None:
    journal = World().journal()
    first, second = facts.attempt(), facts.attempt()
    journal.end(journal.begin(first), UpstreamUnavailable("down"))
    was_sent = [journal.was_sent]
    entry = journal.begin(second)
    second.grant.sent()
    was_sent += [journal.was_sent]
    assert was_sent == [False, True], "also while it runs"
    assert [record.ended for record in journal.attempts] == ["UPSTREAM_UNAVAILABLE", OK]
    journal.end(entry, None)
    assert [record.sent for record in journal.attempts] == [False, True]
    assert all(record.latency_s > 0 for record in journal.attempts)


def test_an_attempt_whose_grant_had_lapsed_was_none() -> None:
    journal = World().journal()
    kept = journal.begin(facts.attempt())
    lapsed = journal.begin(facts.attempt())
    journal.end(lapsed, GrantLapsed("too late"))
    assert [len(facts.grant_of(entry.attempt).settled) for entry in (kept, lapsed)] == [0, 1]
    assert [record.number for record in journal.attempts] == [1]
    kept.saw(facts.reply(usage=Usage(total=3)))
    assert journal.usage == Usage(total=3)


def test_the_first_chunk_is_timed_and_all_are_counted() -> None:
    world = World()
    journal = world.journal()
    with journal:
        entry = journal.begin(facts.attempt())
        journal.chunk_sent(entry)
        journal.chunk_sent(entry)
        journal.end(entry, None)
    (outcome,) = world.observer.outcomes
    assert (outcome.chunks, outcome.first_chunk_s) == (2, 2.0)
    assert outcome.duration_s > 2.0


def test_progress_tells_how_far_a_stream_came() -> None:
    journal = World().journal()
    assert journal.progress() == {"chunks_sent": "0"}
    entry = journal.begin(facts.attempt())
    journal.chunk_sent(entry)
    entry.saw(facts.reply(usage=Usage(prompt=3, total=9)))
    assert journal.progress() == {"chunks_sent": "1", "prompt_tokens": "3", "total_tokens": "9"}


def test_its_repr_tells_where_the_call_is() -> None:
    assert repr(World().journal()) == "<Journal req-1: 0 attempts, 0 chunks>"
