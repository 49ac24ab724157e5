"""Both orders, generate and stream: what is asked when; and wherever a call ends, its books close once."""

import asyncio

import pytest

from sidecar.core.errors import (
    DeadlineExceeded,
    Draining,
    NoEndpoint,
    Overloaded,
    PermissionDenied,
    Reason,
    ReplyTooLarge,
    SidecarError,
    StreamInterrupted,
    UpstreamQuota,
    UpstreamUnavailable,
)
from sidecar.core.outcome import CANCELLED, OK, Reply, Usage
from sidecar.core.policy import TierRule
from sidecar.pipeline.settle import Journal
from tests.support import facts
from tests.unit.pipeline.fakes import Stop, World
from tests.unit.pipeline.ways import (
    Way,
    assert_books_closed,
    call_of,
    outcome_of,
    streamed,
)

# ------------------------------------------------------------------------------------------- the good way


async def test_stages_are_asked_in_order(way: Way) -> None:
    world = World()
    got = await way(world, call_of())
    assert [reply.json for reply in got] == [facts.reply().json]
    asked = [point for point in world.points if not point.startswith(("transport", "open", "emit"))]
    assert asked == ["read", "identify", "look up", "hold", "reserve"]
    assert_books_closed(world)
    outcome = outcome_of(world)
    assert (outcome.ended, outcome.principal) == (OK, "pod")
    assert [(record.candidate.endpoint.project, record.ended) for record in outcome.attempts] == [
        ("first", OK)
    ]


async def test_usage_settles_grant_and_hold(way: Way) -> None:
    world = World()
    usage = Usage(prompt=3, total=9)
    world.transport.scripts = [["sent", facts.reply(usage=usage)]]
    await way(world, call_of())
    assert world.limits.grants[0].settled == [(OK, usage)]
    assert world.limits.holds[0].settled == [facts.CHARGE]
    assert outcome_of(world).usage == usage


async def test_chunks_are_emitted_in_turn_and_counted() -> None:
    world = World()
    world.transport.scripts = [["sent", facts.reply("a"), facts.reply("b"), facts.reply("c")]]
    got = await streamed(world, call_of())
    assert len(got) == outcome_of(world).chunks == 3
    assert outcome_of(world).first_chunk_s is not None


async def test_a_chunk_is_emitted_before_the_next_is_read() -> None:
    world = World()
    world.transport.scripts = [["sent", facts.reply("a"), facts.reply("b")]]
    await streamed(world, call_of())
    assert world.points[-4:] == ["transport 1", "emit", "transport 2", "emit"]


# ---------------------------------------------------------------------------------------------- refusals


async def test_shedding_asks_nobody(way: Way) -> None:
    world = World()
    world.gate.drain()
    with pytest.raises(Draining):
        await way(world, call_of())
    assert world.points == []
    assert outcome_of(world).ended == Reason.DRAINING


async def test_a_full_sidecar_asks_nobody(way: Way) -> None:
    world = World()
    with world.gate.slot():
        world.gate._limit = 1
        async with asyncio.timeout(5):
            with pytest.raises(Overloaded):
                await way(world, call_of())
    assert world.points == []


async def test_a_caller_who_may_not_call_touches_no_budget(way: Way) -> None:
    world = World()
    with pytest.raises(PermissionDenied):
        await way(world, call_of(policy=facts.policy(unlisted_models=False)))
    assert world.points == ["read", "identify"]
    assert world.limits.holds == []
    assert_books_closed(world)


@pytest.mark.parametrize(("spent", "tier"), [(0.79, ""), (0.8, "flex")])
async def test_what_of_the_budgets_is_spent_decides_on_the_tier(way: Way, spent: float, tier: str) -> None:
    world = World()
    world.limits.share_spent = spent
    await way(world, call_of(policy=facts.policy(tier_rules=(TierRule(("flex",), spent=0.8),))))
    assert [attempt.candidate.tier for attempt in world.transport.attempts] == [tier]


async def test_a_refused_reservation_settles_the_hold(way: Way) -> None:
    world = World()
    world.limits.refusal = NoEndpoint("no room")
    with pytest.raises(NoEndpoint):
        await way(world, call_of())
    assert world.transport.attempts == []
    assert_books_closed(world)


# ------------------------------------------------------------------------------------- the commit point


INTERRUPTIONS: list[SidecarError] = [
    UpstreamUnavailable("cut", http_status=503),
    UpstreamQuota("full"),
    ReplyTooLarge("too large"),
]


@pytest.mark.parametrize("error", INTERRUPTIONS, ids=lambda error: type(error).__name__)
async def test_after_the_first_chunk_every_failure_is_an_interruption(error: SidecarError) -> None:
    world = World()
    usage = Usage(prompt=3, total=5)
    world.transport.scripts = [["sent", facts.reply("a", usage=usage), error]]
    with pytest.raises(StreamInterrupted, match="broke off after 1 chunks") as caught:
        await streamed(world, call_of())
    told = caught.value.metadata
    assert told["cause"] == error.reason
    assert (told["chunks_sent"], told["prompt_tokens"], told["total_tokens"]) == ("1", "3", "5")
    assert caught.value.retry_after_s is None
    assert caught.value.__cause__ is error
    assert world.limits.grants[0].settled == [(Reason.STREAM_INTERRUPTED, usage)]
    assert outcome_of(world).ended == Reason.STREAM_INTERRUPTED
    assert_books_closed(world)


async def test_an_interruption_tells_the_http_status_of_its_cause() -> None:
    world = World()
    world.transport.scripts = [["sent", facts.reply(), UpstreamUnavailable("cut", http_status=503)]]
    with pytest.raises(StreamInterrupted) as caught:
        await streamed(world, call_of())
    assert caught.value.metadata["http_status"] == "503"


async def test_before_the_first_chunk_a_failure_keeps_its_own_reason() -> None:
    world = World()
    world.transport.scripts = [["sent", UpstreamUnavailable("cut")]]
    with pytest.raises(UpstreamUnavailable):
        await streamed(world, call_of())


async def test_even_an_unsent_looking_failure_is_not_repeated_after_a_chunk() -> None:
    world = World()
    world.transport.scripts = [[facts.reply("a"), UpstreamUnavailable("cut")]]
    with pytest.raises(StreamInterrupted):
        await streamed(world, call_of())
    assert len(world.transport.attempts) == 1


async def test_a_failure_while_emitting_leaves_the_exchange() -> None:
    world = World()

    async def fail(point: str) -> None:
        if point == "emit":
            raise ZeroDivisionError

    world.step = fail
    with pytest.raises(ZeroDivisionError):
        await streamed(world, call_of())
    assert world.transport.left == 1
    assert_books_closed(world)


# ------------------------------------------------------------------------------ cancelled, late, cut short


async def points_of(way: Way) -> list[str]:
    """Every point at which a good call may be suspended."""
    world = World()
    world.transport.scripts = [["sent", facts.reply("a"), facts.reply("b")]]
    await way(world, call_of())
    return list(dict.fromkeys(world.points))


async def stopped_at(
    way: Way, point: str, allowed_s: float = 60.0
) -> tuple[World, asyncio.Task[list[Reply]]]:
    """A call that hangs at `point` for good."""
    stop = Stop(point)
    world = World(step=stop)
    world.transport.scripts = [["sent", facts.reply("a"), facts.reply("b")]]
    task = asyncio.ensure_future(way(world, call_of(allowed_s)))
    await stop.there.wait()
    return world, task


async def test_a_call_cancelled_anywhere_closes_its_books(way: Way) -> None:
    points = await points_of(way)
    assert len(points) >= 7
    for point in points:
        world, task = await stopped_at(way, point)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled(), point
        assert outcome_of(world).ended == CANCELLED, point
        assert_books_closed(world)
        has_asked = "open" in world.points or "transport 0" in world.points
        assert world.transport.left == has_asked, point


async def test_a_call_whose_deadline_comes_anywhere_closes_its_books(way: Way) -> None:
    for point in await points_of(way):
        world, task = await stopped_at(way, point, allowed_s=0.01)
        await asyncio.wait({task})
        error = task.exception()
        assert isinstance(error, DeadlineExceeded), point
        assert "0.01 s" in error.message
        assert "chunks_sent" in error.metadata
        assert outcome_of(world).ended == Reason.DEADLINE_EXCEEDED
        assert_books_closed(world)


async def test_a_call_cut_by_the_drain_anywhere_closes_its_books(way: Way) -> None:
    for point in await points_of(way):
        world, task = await stopped_at(way, point)
        world.gate.drain()
        world.gate.cut()
        await asyncio.wait({task})
        error = task.exception()
        has_begun = outcome_of(world).chunks > 0
        assert isinstance(error, StreamInterrupted if has_begun else Draining), point
        assert_books_closed(world)


async def test_a_cut_stream_that_had_begun_says_how_far_it_came() -> None:
    world, task = await stopped_at(streamed, "transport 2")
    world.gate.cut()
    await asyncio.wait({task})
    error = task.exception()
    assert isinstance(error, StreamInterrupted)
    assert (error.metadata["chunks_sent"], error.metadata["cause"]) == ("1", "DRAINING")


async def test_a_deadline_that_has_passed_is_exceeded_at_once(way: Way) -> None:
    world = World(step=Stop("identify"))
    async with asyncio.timeout(5):
        with pytest.raises(DeadlineExceeded):
            await way(world, call_of(allowed_s=-1.0))
    assert_books_closed(world)


async def test_a_timeout_inside_is_not_taken_for_the_deadline(way: Way) -> None:
    world = World()
    world.transport.scripts = [[TimeoutError("mine")]]
    with pytest.raises(TimeoutError, match="mine"):
        await way(world, call_of())
    assert outcome_of(world).ended == Reason.INTERNAL


async def test_the_error_of_a_cancelled_call_is_nobody_s(way: Way) -> None:
    """What a stage makes of being cancelled does not hide the cancellation from the books."""
    world, task = await stopped_at(way, "reserve")
    task.cancel()
    await asyncio.wait({task})
    assert world.limits.grants == []
    assert_books_closed(world)


def test_a_journal_is_what_the_pipeline_is_given() -> None:
    assert isinstance(World().journal(), Journal)
