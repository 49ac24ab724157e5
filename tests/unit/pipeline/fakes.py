"""Stages whose every step a test can stop, and a Transport that plays what a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sidecar.core.attempt import Attempt
from sidecar.core.cached import Bypass
from sidecar.core.call import Arrival, Call
from sidecar.core.evidence import Evidence
from sidecar.core.outcome import Reply
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Policy
from sidecar.core.principal import Principal
from sidecar.pipeline.gate import Gate
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages
from sidecar.policy.signatures import Signatures
from tests.support import facts

Step = Callable[[str], Awaitable[None]]
"""Called at every point where a call may be suspended, with the name of the point."""


async def pass_by(point: str) -> None:
    """Stops nowhere."""


@dataclass
class World:
    """One call's surroundings: the stages, what they were told, and where to stop."""

    step: Step = pass_by
    points: list[str] = field(default_factory=list)
    limits: "SteppedLimits" = field(init=False)
    transport: "PlayedTransport" = field(init=False)
    observer: facts.FakeObserver = field(default_factory=facts.FakeObserver)
    gate: Gate = field(default_factory=lambda: Gate(10))
    pool: facts.FakePool = field(default_factory=facts.FakePool)
    signatures: Signatures = field(default_factory=Signatures)
    got: list[Reply] = field(default_factory=list)
    """What went to the caller of a stream."""

    def __post_init__(self) -> None:
        self.limits = SteppedLimits(self)
        self.transport = PlayedTransport(self)
        self.audit = facts.FakeAudit()

    async def at(self, point: str) -> None:
        self.points.append(point)
        await self.step(point)

    @property
    def stages(self) -> Stages:
        return Stages(
            self.gate,
            SteppedIdentity(self),
            self.audit,
            SteppedCache(self),
            self.limits,
            self.pool,
            self.transport,
            self.signatures,
        )

    def journal(self, arrival: Arrival | None = None) -> Journal:
        return Journal(arrival or facts.arrival(), self.observer, Clock(), lambda: facts.TODAY)


class Clock:
    """Goes on by a second with every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class SteppedIdentity:
    looks_at = ()

    def __init__(self, world: World) -> None:
        self._world = world

    async def identify(self, evidence: Evidence, policy: Policy) -> Principal:
        await self._world.at("identify")
        return Principal("pod", is_pod=True)


class SteppedCache:
    def __init__(self, world: World) -> None:
        self._world = world

    async def look_up(self, call: Call, permit: Permit) -> Bypass:
        await self._world.at("look up")
        return Bypass("no cache")


class SteppedLimits(facts.FakeLimits):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    async def hold(self, call: Call, permit: Permit) -> facts.FakeHold:
        await self._world.at("hold")
        return await super().hold(call, permit)

    async def reserved(self, candidates: Sequence[Candidate]) -> facts.FakeGrant:
        await self._world.at("reserve")
        return await super().reserved(candidates)


class PlayedTransport:
    """Plays one script an attempt: `sent`, replies and errors in turn, awaiting events; the last script
    repeats.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.scripts: list[list[str | Reply | BaseException | asyncio.Event]] = [["sent", facts.reply()]]
        self.attempts: list[Attempt] = []
        self.left = 0
        """Exchanges that were left, in whatever way."""

    async def send(self, attempt: Attempt) -> Reply:
        try:
            replies = [reply async for reply in self._play(attempt)]
        finally:
            self.left += 1
        return replies[-1]

    @asynccontextmanager
    async def stream(self, attempt: Attempt) -> AsyncIterator[AsyncIterator[Reply]]:
        try:
            await self._world.at("open")
            yield self._play(attempt)
        finally:
            self.left += 1

    async def _play(self, attempt: Attempt) -> AsyncIterator[Reply]:
        script = self.scripts[min(len(self.attempts), len(self.scripts) - 1)]
        self.attempts.append(attempt)
        for number, act in enumerate(script):
            await self._world.at(f"transport {number}")
            if isinstance(act, Reply):
                yield act
            elif isinstance(act, BaseException):
                raise act
            elif isinstance(act, asyncio.Event):
                await act.wait()
            else:
                attempt.grant.sent()


class Stop:
    """A Step that suspends for good at one point and says when it is there."""

    def __init__(self, point: str) -> None:
        self.there = asyncio.Event()
        self._point = point

    async def __call__(self, point: str) -> None:
        if point == self._point:
            self.there.set()
            await asyncio.Event().wait()
