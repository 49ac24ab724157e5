import asyncio
from contextlib import nullcontext

import pytest

from sidecar.core.errors import Overloaded, RateLimited, Reason, UpstreamCredentials, UpstreamUnavailable
from sidecar.core.outcome import CANCELLED, OK, Outcome, Usage
from sidecar.core.quota import Charge
from sidecar.pipeline.settle import Journal, ended_by
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
        journal.spend(Charge(1, 2, 3, 4, 0))
        journal.spend(Charge(1, 20, 30, 40, 0))
        assert hold.settled == []
    assert hold.settled == [Charge(2, 22, 33, 44, 0)]


async def test_time_spent_reserving_is_noted_also_when_it_was_in_vain() -> None:
    journal = World().journal()

    async def refused() -> None:
        raise RateLimited("no room", 1.0)

    with pytest.raises(RateLimited):
        await journal.queued(refused())
    assert journal.queued_s == 1.0


def test_the_last_usage_counts_and_a_reply_without_one_leaves_it() -> None:
    journal = World().journal()
    journal.saw(facts.reply(usage=Usage(total=3)))
    journal.saw(facts.reply(usage=Usage(total=5)))
    journal.saw(facts.reply())
    assert journal.usage == Usage(total=5)


def test_usage_is_that_of_the_attempt_that_runs() -> None:
    journal = World().journal()
    journal.begin(facts.attempt())
    journal.saw(facts.reply(usage=Usage(total=3)))
    journal.end(Reason.UPSTREAM_UNAVAILABLE)
    first = journal.usage
    journal.begin(facts.attempt())
    assert (first, journal.usage) == (Usage(total=3), None)


def test_attempts_are_recorded_with_their_end_and_whether_they_were_sent() -> None:
    journal: Journal = World().journal()
    first, second = facts.attempt(), facts.attempt()
    journal.begin(first)
    journal.end(Reason.UPSTREAM_UNAVAILABLE)
    was_sent = [journal.was_sent]
    journal.begin(second)
    second.grant.sent()
    was_sent += [journal.was_sent]
    assert was_sent == [False, True], "also while it runs"
    assert [record.ended for record in journal.attempts_so_far()] == ["UPSTREAM_UNAVAILABLE", OK]
    assert len(journal.attempts) == 1
    journal.end(OK)
    assert [record.sent for record in journal.attempts] == [False, True]
    assert all(record.latency_s > 0 for record in journal.attempts)


def test_the_first_chunk_is_timed_and_all_are_counted() -> None:
    world = World()
    journal = world.journal()
    with journal:
        journal.chunk_sent()
        journal.chunk_sent()
    (outcome,) = world.observer.outcomes
    assert (outcome.chunks, outcome.first_chunk_s) == (2, 1.0)
    assert outcome.duration_s > 1.0


def test_progress_tells_how_far_a_stream_came() -> None:
    journal = World().journal()
    assert journal.progress() == {"chunks_sent": "0"}
    journal.chunk_sent()
    journal.saw(facts.reply(usage=Usage(prompt=3, total=9)))
    assert journal.progress() == {"chunks_sent": "1", "prompt_tokens": "3", "total_tokens": "9"}


def test_its_repr_tells_where_the_call_is() -> None:
    assert repr(World().journal()) == "<Journal req-1: 0 attempts, 0 chunks>"
