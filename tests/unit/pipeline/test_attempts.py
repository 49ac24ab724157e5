"""Whether, when and where another attempt follows, and what the caller sees of those that failed."""

import asyncio

import pytest

from sidecar.core.errors import (
    Overloaded,
    RateLimited,
    Reason,
    SidecarError,
    StreamInterrupted,
    UpstreamCredentials,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.core.outcome import OK, AttemptKind, Reply, Usage
from sidecar.core.permit import Candidate, Permit
from tests.support import facts
from tests.unit.pipeline.fakes import World
from tests.unit.pipeline.ways import DOWN, Way, assert_books_closed, call_of, outcome_of, streamed


@pytest.mark.parametrize("error", [DOWN, UpstreamCredentials("no token")], ids=["down", "no-token"])
async def test_what_was_never_sent_is_tried_at_the_next_candidate(way: Way, error: SidecarError) -> None:
    world = World()
    world.transport.scripts = [[error], ["sent", facts.reply()]]
    await way(world, call_of())
    first, second = world.transport.attempts
    assert (first.kind, first.candidate.endpoint.project) == (AttemptKind.FIRST, "first")
    assert (second.kind, second.candidate.endpoint.project) == (AttemptKind.RETRY, "second")
    assert [record.ended for record in outcome_of(world).attempts] == [error.reason, OK]
    assert [grant.settled for grant in world.limits.grants] == [[(error.reason, None)], [(OK, None)]]
    assert_books_closed(world)


async def test_every_candidate_is_tried_once(way: Way) -> None:
    world = World()
    world.transport.scripts = [[UpstreamUnavailable("one")], [UpstreamUnavailable("two")]]
    with pytest.raises(UpstreamUnavailable, match="two"):
        await way(world, call_of())
    assert len(world.transport.attempts) == 2
    assert_books_closed(world)


@pytest.mark.parametrize(
    "error",
    [DOWN, UpstreamCredentials("no"), UpstreamQuota("full"), UpstreamRejected("bad")],
    ids=lambda error: type(error).__name__,
)
async def test_what_was_sent_is_not_repeated(way: Way, error: SidecarError) -> None:
    world = World()
    world.transport.scripts = [["sent", error]]
    with pytest.raises(type(error)):
        await way(world, call_of())
    assert len(world.transport.attempts) == 1
    assert outcome_of(world).attempts[0].sent
    assert_books_closed(world)


async def test_a_foreign_error_is_internal_and_not_repeated(way: Way) -> None:
    world = World()
    world.transport.scripts = [[ZeroDivisionError()]]
    with pytest.raises(ZeroDivisionError):
        await way(world, call_of())
    assert len(world.transport.attempts) == 1
    assert outcome_of(world).ended == outcome_of(world).attempts[0].ended == Reason.INTERNAL
    assert_books_closed(world)


async def test_the_pool_is_told_how_each_attempt_went(way: Way) -> None:
    world = World()
    world.transport.scripts = [[DOWN], ["sent", facts.reply()]]
    await way(world, call_of())
    assert [trip.told for trip in world.pool.trips] == [[DOWN.reason], ["content", OK]]


async def test_the_pool_may_have_a_sent_attempt_repeated(way: Way) -> None:
    world = World()
    world.pool.delays = [0.001]
    world.transport.scripts = [
        ["sent", UpstreamUnavailable("busy", http_status=503)],
        ["sent", facts.reply()],
    ]
    await way(world, call_of())
    assert [record.ended for record in outcome_of(world).attempts] == [Reason.UPSTREAM_UNAVAILABLE, OK]
    assert_books_closed(world)


async def test_after_a_delay_that_the_pool_asked_for_another_attempt_is_made(way: Way) -> None:
    world = World()
    world.pool.delays = [0.01]
    world.transport.scripts = [["sent", DOWN], ["sent", facts.reply()]]
    await way(world, call_of())
    assert [record.ended for record in outcome_of(world).attempts] == [DOWN.reason, OK]
    assert_books_closed(world)


@pytest.mark.parametrize("delay_s", [60.0, 3600.0])
async def test_no_call_waits_for_what_would_come_after_its_deadline(way: Way, delay_s: float) -> None:
    world = World()
    world.pool.delays = [delay_s]
    world.transport.scripts = [["sent", DOWN]]
    async with asyncio.timeout(10):
        with pytest.raises(UpstreamUnavailable, match="down"):
            await way(world, call_of(allowed_s=60.0))
    assert len(world.transport.attempts) == 1
    assert_books_closed(world)


def waiting(error: SidecarError, retry_after_s: float | None) -> SidecarError:
    error.retry_after_s = retry_after_s
    return error


@pytest.mark.parametrize(
    ("failed_s", "refused_s", "told_s"),
    [(1.0, 12.0, 12.0), (30.0, 12.0, 30.0), (None, 12.0, 12.0), (1.0, None, 1.0), (None, None, None)],
)
async def test_when_nobody_may_be_asked_again_the_last_failure_stands_with_the_longer_wait(
    way: Way, failed_s: float | None, refused_s: float | None, told_s: float | None
) -> None:
    world = World()
    world.pool.delays = [0.0]
    world.pool.refusals = [None, waiting(Overloaded("all are left alone"), refused_s)]
    world.transport.scripts = [["sent", waiting(UpstreamQuota("full"), failed_s)]]
    with pytest.raises(UpstreamQuota, match="full") as raised:
        await way(world, call_of())
    assert raised.value.retry_after_s == told_s
    assert [record.ended for record in outcome_of(world).attempts] == [Reason.UPSTREAM_QUOTA]
    assert_books_closed(world)


@pytest.mark.parametrize(
    "last", [UpstreamCredentials("revoked"), waiting(UpstreamQuota("limit: 0"), None)], ids=["key", "zero"]
)
async def test_a_project_that_its_operator_must_mend_does_not_speak_for_one_that_failed_for_a_while(
    way: Way, last: SidecarError
) -> None:
    world = World()
    world.pool.delays = [0.0, None]
    world.transport.scripts = [["sent", UpstreamUnavailable("busy")], ["sent", last]]
    with pytest.raises(UpstreamUnavailable, match="busy"):
        await way(world, call_of())
    assert [record.ended for record in outcome_of(world).attempts] == [DOWN.reason, last.reason]
    assert_books_closed(world)


@pytest.mark.parametrize(
    ("before", "last"),
    [
        (UpstreamUnavailable("before"), UpstreamRejected("last")),
        (UpstreamUnavailable("before"), UpstreamUnavailable("last")),
        (UpstreamCredentials("before"), waiting(UpstreamQuota("last"), None)),
    ],
    ids=["about the request", "passes too", "none passes"],
)
async def test_otherwise_the_last_failure_does(way: Way, before: SidecarError, last: SidecarError) -> None:
    world = World()
    world.pool.delays = [0.0, None]
    world.transport.scripts = [["sent", before], ["sent", last]]
    with pytest.raises(type(last), match="last"):
        await way(world, call_of())
    assert len(world.transport.attempts) == 2


async def test_so_it_does_when_no_quota_can_be_had_for_another(way: Way) -> None:
    world = World()
    world.pool.delays = [0.0]
    world.transport.scripts = [["sent", UpstreamUnavailable("broken")]]

    async def spent(point: str) -> None:
        if point == "reserve" and world.limits.grants:
            world.limits.refusal = RateLimited("spent", 7.0)

    world.step = spent
    with pytest.raises(UpstreamUnavailable, match="broken") as raised:
        await way(world, call_of())
    assert raised.value.retry_after_s == 7.0
    assert_books_closed(world)


async def test_a_call_that_has_asked_nobody_hears_why(way: Way) -> None:
    world = World()
    world.pool.refusals = [Overloaded("all are full")]
    with pytest.raises(Overloaded, match="all are full"):
        await way(world, call_of())
    assert outcome_of(world).attempts == ()


async def test_who_finds_no_room_after_standing_in_line_gives_the_grant_back_and_looks_again(
    way: Way,
) -> None:
    world = World()
    world.pool.full = ["first"]
    world.pool.refusals = [None, Overloaded("all are full")]
    with pytest.raises(Overloaded, match="all are full"):
        await way(world, call_of())
    (grant,) = world.limits.grants
    assert (len(grant.settled), grant.is_sent) == (1, False)
    assert (world.transport.attempts, outcome_of(world).attempts, world.pool.trips) == ([], (), [])


async def test_who_finds_room_at_the_second_look_is_served(way: Way) -> None:
    world = World()
    world.pool.full = ["first", "first"]
    assert await way(world, call_of()) == [facts.reply()]
    assert [len(grant.settled) for grant in world.limits.grants] == [1, 1, 1]
    assert len(world.transport.attempts) == 1


async def test_the_failure_of_a_call_that_only_some_could_be_asked_for_names_them(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit = facts.permit()._replace(home=("eu", "main"))
    monkeypatch.setattr("sidecar.pipeline.admit.decide", lambda *_: permit)
    world = World()
    world.transport.scripts = [["sent", UpstreamUnavailable("busy", http_status=503)]]
    with pytest.raises(UpstreamUnavailable) as raised:
        await way(world, call_of())
    assert raised.value.metadata == {"http_status": "503", "home": "eu, main"}


async def test_other_failures_name_no_home(way: Way) -> None:
    world = World()
    world.transport.scripts = [["sent", UpstreamUnavailable("busy", http_status=503)]]
    with pytest.raises(UpstreamUnavailable) as raised:
        await way(world, call_of())
    assert "home" not in raised.value.metadata


async def test_a_drain_ends_the_wait_with_the_error_that_began_it(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    waits, pause = asyncio.Event(), world.gate.pause

    async def pausing(pause_s: float) -> bool:
        waits.set()
        return await pause(pause_s)

    monkeypatch.setattr(world.gate, "pause", pausing)
    world.pool.delays = [1000.0]
    world.transport.scripts = [["sent", UpstreamQuota("full")]]
    task = asyncio.ensure_future(way(world, call_of(allowed_s=10_000.0)))
    async with asyncio.timeout(10):
        await waits.wait()
        world.gate.drain()
        with pytest.raises(UpstreamQuota, match="full"):
            await task
    assert len(world.transport.attempts) == 1
    assert_books_closed(world)


async def test_in_a_sidecar_that_drains_only_what_needs_no_wait_is_repeated(way: Way) -> None:
    world = World()
    world.pool.delays = [0.0, 0.001]
    world.transport.scripts = [["sent", DOWN]]

    async def drain(point: str) -> None:
        if point == "reserve":
            world.gate.drain()

    world.step = drain
    with pytest.raises(UpstreamUnavailable):
        await way(world, call_of())
    assert len(world.transport.attempts) == 2


async def test_an_alternative_of_model_or_tier_is_told_as_a_fallback(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = (Candidate(facts.gemini(), "best"), Candidate(facts.gemini(), "good", step=1))
    permit = Permit(facts.permit().principal, candidates)
    monkeypatch.setattr("sidecar.pipeline.admit.decide", lambda *_: permit)
    world = World()
    world.transport.scripts = [[DOWN], ["sent", facts.reply()]]
    await way(world, call_of())
    kinds = [(record.candidate.model, record.kind) for record in outcome_of(world).attempts]
    assert kinds == [("best", AttemptKind.FIRST), ("good", AttemptKind.FALLBACK)]


# ------------------------------------------------------------------------------------- before any content

USAGE_ALONE = Reply(json={"usageMetadata": {}}, usage=Usage(prompt=3, total=3))


async def test_chunks_that_say_nothing_do_not_bind_the_call_to_their_endpoint() -> None:
    world = World()
    world.pool.delays = [0.0]
    world.transport.scripts = [["sent", USAGE_ALONE, DOWN], ["sent", facts.reply("a"), facts.reply("b")]]
    assert await streamed(world, call_of()) == [facts.reply("a"), facts.reply("b")]
    assert [trip.told for trip in world.pool.trips] == [[DOWN.reason], ["content", OK]]
    assert world.limits.grants[0].settled == [(DOWN.reason, USAGE_ALONE.usage)]


async def test_with_the_first_content_they_come_too_and_in_order() -> None:
    world = World()
    world.transport.scripts = [["sent", USAGE_ALONE, USAGE_ALONE, facts.reply("a"), USAGE_ALONE]]
    assert await streamed(world, call_of()) == [USAGE_ALONE, USAGE_ALONE, facts.reply("a"), USAGE_ALONE]
    assert outcome_of(world).chunks == 4


async def test_no_more_than_a_few_of_them_are_kept_waiting() -> None:
    world = World()
    world.transport.scripts = [["sent", *[USAGE_ALONE] * 100, DOWN]]
    with pytest.raises(StreamInterrupted):
        await streamed(world, call_of())
    assert len(world.got) == 100


async def test_after_content_the_pool_is_not_asked_whether_to_repeat() -> None:
    world = World()
    world.pool.delays = [0.0]
    world.transport.scripts = [["sent", facts.reply("a"), DOWN], ["sent", facts.reply("b")]]
    with pytest.raises(StreamInterrupted):
        await streamed(world, call_of())
    assert (world.pool.delays, len(world.transport.attempts)) == ([0.0], 1)
