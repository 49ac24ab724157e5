"""The two orders, generate and stream, run to their end; and what must hold of the books in any case."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from sidecar.core.call import Call, Method
from sidecar.core.errors import UpstreamUnavailable
from sidecar.core.outcome import Outcome, Reply
from sidecar.pipeline.generate import generate
from sidecar.pipeline.stream import stream
from tests.support import facts
from tests.unit.pipeline.fakes import World

Way: TypeAlias = Callable[[World, Call], Coroutine[Any, Any, list[Reply]]]
"""One of the two orders, run to its end under a Journal; returns what the caller got."""

TWO = facts.policy(facts.gemini(project="first"), facts.gemini(project="second"))
DOWN = UpstreamUnavailable("down")


def call_of(allowed_s: float = 60.0, **values: Any) -> Call:
    arrival = facts.arrival(Method.GENERATE, allowed_s)
    return facts.call(**{"arrival": arrival, "policy": TWO, **values})


def read(world: World, call: Call) -> Callable[[], Awaitable[Call]]:
    async def found() -> Call:
        await world.at("read")
        return call

    return found


async def generated(world: World, call: Call) -> list[Reply]:
    with world.journal(call.arrival) as journal:
        return [await generate(read(world, call), world.stages, journal)]


async def streamed(world: World, call: Call) -> list[Reply]:
    async def emit(reply: Reply) -> None:
        await world.at("emit")
        world.got.append(reply)

    with world.journal(call.arrival) as journal:
        await stream(read(world, call), world.stages, journal, emit)
    return world.got


def outcome_of(world: World) -> Outcome:
    (outcome,) = world.observer.outcomes
    return outcome


def assert_books_closed(world: World) -> None:
    """Every grant and hold settled exactly once, every exchange left, nobody inside."""
    assert [len(grant.settled) for grant in world.limits.grants] == [1] * len(world.limits.grants)
    assert [len(hold.settled) for hold in world.limits.holds] == [1] * len(world.limits.holds)
    assert world.gate.in_flight == 0
    assert len(world.observer.outcomes) == 1
    assert [len(trip.told) - ("content" in trip.told) for trip in world.pool.trips] == [1] * len(
        world.limits.grants
    )
