"""A second attempt beside a silent one: who is asked, who answers, and that the other leaves no trace."""

import asyncio

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.errors import (
    DeadlineExceeded,
    Draining,
    GrantLapsed,
    NoEndpoint,
    StreamInterrupted,
    UpstreamUnavailable,
)
from sidecar.core.outcome import CANCELLED, OK, AttemptKind, Usage
from tests.support import facts
from tests.unit.pipeline.fakes import World
from tests.unit.pipeline.ways import (
    DOWN,
    Way,
    assert_books_closed,
    call_of,
    outcome_of,
    streamed,
)

FIRST, SECOND = facts.reply("first"), facts.reply("second")


class Never(asyncio.Event):
    """Who waits for it is silent, on whatever loop."""

    async def wait(self) -> bool:  # type: ignore[override]  # the stub narrows it to True
        return await asyncio.get_running_loop().create_future() is None


NEVER = Never()


class Telling(asyncio.Event):
    """An event that tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.there = asyncio.Event()

    async def wait(self) -> bool:  # type: ignore[override]  # the stub narrows it to True
        self.there.set()
        return await super().wait()


def hedging(*scripts: object) -> World:
    """A call that may have one hedge, as soon as it is silent."""
    world = World()
    world.pool.hedge_s, world.pool.hedges = 0.0, 1
    world.transport.scripts = list(scripts)  # type: ignore[arg-type]
    return world


def ends_of(world: World) -> list[tuple[str, str, str]]:
    """Project, kind and end of each attempt."""
    return [
        (record.candidate.endpoint.project, record.kind, record.ended)
        for record in outcome_of(world).attempts
    ]


async def done(task: "asyncio.Future[object]") -> None:
    async with asyncio.timeout(10):
        await asyncio.wait({task})


async def test_while_the_first_is_silent_another_endpoint_is_asked_and_answers(way: Way) -> None:
    world = hedging(["sent", NEVER], ["sent", SECOND])
    assert await way(world, call_of()) == [SECOND]
    assert ends_of(world) == [("first", AttemptKind.FIRST, CANCELLED), ("second", AttemptKind.HEDGE, OK)]
    assert [trip.told for trip in world.pool.trips] == [[CANCELLED], ["content", OK]]
    assert [grant.settled for grant in world.limits.grants] == [[(CANCELLED, None)], [(OK, None)]]
    assert world.limits.holds[0].settled == [facts.CHARGE.plus(facts.CHARGE)]
    assert outcome_of(world).answered == outcome_of(world).attempts[1]
    assert world.transport.left == 2
    assert_books_closed(world)


async def test_the_first_answers_when_it_speaks_first_and_the_hedge_is_cancelled(way: Way) -> None:
    spoken, hedge = asyncio.Event(), Telling()
    world = hedging(["sent", spoken, FIRST], ["sent", hedge, SECOND])
    task = asyncio.ensure_future(way(world, call_of()))
    async with asyncio.timeout(10):
        await hedge.there.wait()
        spoken.set()
        assert await task == [FIRST]
    assert [end for *_, end in ends_of(world)] == [OK, CANCELLED]
    assert outcome_of(world).answered == outcome_of(world).attempts[0]
    assert_books_closed(world)


async def test_who_speaks_in_time_is_not_hedged(way: Way) -> None:
    world = hedging(["sent", FIRST])
    world.pool.hedge_s = 1000.0
    assert await way(world, call_of()) == [FIRST]
    assert (len(world.transport.attempts), world.pool.hedges) == (1, 1)
    assert_books_closed(world)


async def test_a_stream_goes_on_with_the_attempt_that_spoke_and_the_other_is_closed_at_once() -> None:
    world = hedging(["sent", NEVER], ["sent", SECOND, facts.reply("third"), facts.reply("fourth")])
    left_when_emitted: list[int] = []

    async def look(point: str) -> None:
        if point == "emit":
            await asyncio.sleep(0)
            left_when_emitted.append(world.transport.left)

    world.step = look
    assert await streamed(world, call_of()) == [SECOND, facts.reply("third"), facts.reply("fourth")]
    assert left_when_emitted == [1, 1, 1]
    assert outcome_of(world).chunks == 3
    assert_books_closed(world)


async def test_of_two_that_speak_in_the_same_moment_one_answers() -> None:
    both, hedge = Telling(), Telling()
    world = hedging(["sent", both, FIRST], ["sent", hedge, SECOND])
    task = asyncio.ensure_future(streamed(world, call_of()))
    async with asyncio.timeout(10):
        await hedge.there.wait()
        hedge.set()
        both.set()
        got = await task
    assert got in ([FIRST], [SECOND])
    assert sorted(end for *_, end in ends_of(world)) == [CANCELLED, OK]
    assert_books_closed(world)


async def test_when_one_fails_the_other_answers(way: Way) -> None:
    broken, answered = asyncio.Event(), Telling()
    for scripts in (
        (["sent", broken, DOWN], ["sent", answered, SECOND]),
        (["sent", answered, SECOND], ["sent", DOWN]),
    ):
        answered.clear()
        world = hedging(*scripts)
        task = asyncio.ensure_future(way(world, call_of()))
        async with asyncio.timeout(10):
            await answered.there.wait()
            broken.set()
            answered.set()
            assert await task == [SECOND]
        assert_books_closed(world)


async def test_when_both_fail_the_pool_is_asked_once_whether_a_third_may_follow(way: Way) -> None:
    broken, hedge = asyncio.Event(), Telling()
    world = hedging(["sent", broken, DOWN], ["sent", hedge, UpstreamUnavailable("too")], ["sent", FIRST])
    world.pool.delays = [0.0, None]
    task = asyncio.ensure_future(way(world, call_of()))
    async with asyncio.timeout(10):
        await hedge.there.wait()
        broken.set()
        hedge.set()
        assert await task == [FIRST]
    assert [kind for _, kind, _ in ends_of(world)] == ["first", "hedge", "retry"]
    assert world.pool.delays == [None]
    assert_books_closed(world)


async def test_when_both_fail_for_good_the_error_is_the_last_attempt_s(way: Way) -> None:
    world = hedging(["sent", NEVER, DOWN], ["sent", UpstreamUnavailable("too")])
    world.transport.scripts[0][1] = broken = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, broken.set)
    with pytest.raises(UpstreamUnavailable, match="too"):
        await way(world, call_of())
    assert_books_closed(world)


async def test_without_quota_to_spare_there_is_no_hedge(way: Way) -> None:
    spoken = asyncio.Event()
    world = hedging(["sent", spoken, FIRST])

    async def close(point: str) -> None:
        if point == "transport 1":
            world.limits.refusal = NoEndpoint("no room")
            asyncio.get_running_loop().call_later(0.01, spoken.set)

    world.step = close
    assert await way(world, call_of()) == [FIRST]
    assert len(world.transport.attempts) == 1
    assert world.pool.hedges == 1, "nothing was taken from the retry budget"
    assert_books_closed(world)


async def test_without_retry_budget_what_was_reserved_for_a_hedge_is_returned(way: Way) -> None:
    spoken = asyncio.Event()
    world = hedging(["sent", spoken, FIRST])
    world.pool.hedges = 0
    asyncio.get_running_loop().call_later(0.01, spoken.set)
    assert await way(world, call_of()) == [FIRST]
    _, hedge = world.limits.grants
    assert (hedge.is_sent, hedge.settled) == (False, [(OK, None)])
    assert len(outcome_of(world).attempts) == 1


async def test_a_single_endpoint_is_not_asked_twice(way: Way) -> None:
    spoken = asyncio.Event()
    world = hedging(["sent", spoken, FIRST])
    asyncio.get_running_loop().call_later(0.01, spoken.set)
    assert await way(world, call_of(policy=facts.policy())) == [FIRST]
    assert (len(world.transport.attempts), world.pool.hedges) == (1, 1)
    assert_books_closed(world)


async def test_a_stream_that_breaks_after_it_has_won_is_interrupted_and_not_repeated() -> None:
    world = hedging(["sent", NEVER], ["sent", facts.reply(usage=Usage(total=5)), DOWN])
    world.pool.delays = [0.0]
    with pytest.raises(StreamInterrupted) as caught:
        await streamed(world, call_of())
    assert (caught.value.metadata["chunks_sent"], caught.value.metadata["total_tokens"]) == ("1", "5")
    assert world.pool.delays == [0.0]
    assert_books_closed(world)


async def test_lapsed_grants_are_no_attempts(way: Way) -> None:
    world = hedging(["sent", GrantLapsed("late")], ["sent", FIRST])
    assert await way(world, call_of()) == [FIRST]
    assert len(outcome_of(world).attempts) == 1


# ------------------------------------------------------------------------------ cancelled, late, cut short


async def both_silent(way: Way, allowed_s: float = 60.0) -> tuple[World, "asyncio.Task[list[object]]"]:
    """A call whose two attempts wait for good."""
    hedge = Telling()
    world = hedging(["sent", NEVER], ["sent", hedge])
    task: asyncio.Task[list[object]] = asyncio.ensure_future(way(world, call_of(allowed_s)))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await hedge.there.wait()
    return world, task


async def test_a_cancelled_call_ends_both(way: Way) -> None:
    world, task = await both_silent(way)
    task.cancel()
    await done(task)
    assert task.cancelled()
    assert [end for *_, end in ends_of(world)] == [CANCELLED, CANCELLED]
    assert world.transport.left == 2
    assert_books_closed(world)


async def test_the_deadline_ends_both(way: Way) -> None:
    world, task = await both_silent(way, allowed_s=1.0)
    await done(task)
    assert isinstance(task.exception(), DeadlineExceeded)
    assert world.transport.left == 2
    assert_books_closed(world)


async def test_the_drain_ends_both(way: Way) -> None:
    world, task = await both_silent(way)
    world.gate.cut()
    await done(task)
    assert isinstance(task.exception(), Draining)
    assert world.transport.left == 2
    assert_books_closed(world)


async def test_a_hedge_that_is_cancelled_before_its_first_turn_is_settled_too(way: Way) -> None:
    """The first speaks in the moment in which the hedge has begun and its task has not."""
    spoken = asyncio.Event()
    world = hedging(["sent", spoken, FIRST], ["sent", SECOND])
    began = world.pool.began

    def beginning(attempt: Attempt) -> facts.FakeTrip:
        if world.pool.trips:
            spoken.set()
        return began(attempt)

    world.pool.began = beginning  # type: ignore[method-assign]
    assert await way(world, call_of()) == [FIRST]
    assert len(world.transport.attempts) == 1
    assert [trip.told for trip in world.pool.trips] == [["content", OK], [CANCELLED]]
    assert_books_closed(world)
