"""A pool of endpoints on a made-up clock: callers, the Fleet between, and endpoints that behave as told.

Nothing sleeps: what is to happen stands in a heap by its time, and `World.run` goes from one to the next.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from typing import Any

from sidecar.core.attempt import Attempt
from sidecar.core.bulletin import Notice, Snapshot
from sidecar.core.call import Call, Json, Method
from sidecar.core.errors import DeadlineExceeded, SidecarError, UpstreamUnavailable
from sidecar.core.outcome import AttemptKind, AttemptRecord
from sidecar.core.permit import Candidate
from sidecar.core.policy import Endpoint
from sidecar.core.pooling import PoolRules
from sidecar.upstream.fleet import KIND, Fleet
from tests.support import facts

Answer = tuple[float, SidecarError | asyncio.CancelledError | None]
"""How long an attempt takes, and how it ends; cancelled: its call's deadline came."""
Behaviour = Callable[[float, random.Random], Answer]
"""What an endpoint does with an attempt that begins at this time."""


def unavailable(**values: Any) -> UpstreamUnavailable:
    """What an endpoint answers that is down."""
    error = UpstreamUnavailable("busy", http_status=503)
    for name, value in values.items():
        setattr(error, name, value)
    return error


def answers(mean_s: float, spread: float = 0.4) -> Behaviour:
    """Answers well, after a log-normal time of that mean."""

    def behave(now: float, draw: random.Random) -> Answer:
        return mean_s * draw.lognormvariate(-spread * spread / 2, spread), None

    return behave


def fails_between(begin: float, end: float, well: Behaviour, after_s: float = 0.02) -> Behaviour:
    """Answers 503 for a time, and well before and after it."""

    def behave(now: float, draw: random.Random) -> Answer:
        return (after_s, unavailable()) if begin <= now < end else well(now, draw)

    return behave


def silent_between(begin: float, end: float, well: Behaviour, allowed_s: float) -> Behaviour:
    """Says nothing for a time, until the deadlines of its calls come; answers well before and after it."""

    def behave(now: float, draw: random.Random) -> Answer:
        return (allowed_s, asyncio.CancelledError()) if begin <= now < end else well(now, draw)

    return behave


class Told:
    """A PoolObserver that counts, and notes when breakers turned."""

    def __init__(self, world: "World | None" = None) -> None:
        self._world = world
        self.turns: list[tuple[float, str, bool]] = []
        self.counts: Counter[str] = Counter()

    def breaker(self, project: str, model: str, is_open: bool) -> None:
        self.turns.append((self._world.now if self._world else 0.0, project, is_open))

    def retried(self, project: str, model: str, reason: str) -> None:
        self.counts["retried"] += 1

    def refused(self, project: str, model: str) -> None:
        self.counts["refused"] += 1

    def hedged(self, project: str, model: str) -> None:
        self.counts["hedged"] += 1


class Board:
    """A Bulletin that only keeps what is put."""

    def __init__(self) -> None:
        self.notices: dict[str, Notice] = {}
        self.version = 0

    def put(self, kind: str, key: str, value: str, until: float) -> None:
        self.notices[key] = Notice(value, until)
        self.version += 1

    def watch(self, kind: str) -> Snapshot:
        return Snapshot(dict(self.notices), 0.0, self.version)

    async def changed(self, kind: str, seen: Snapshot) -> Snapshot:
        raise NotImplementedError


@dataclass
class Made:
    """One attempt that reached an endpoint."""

    project: str
    at: float
    number: int


@dataclass
class Ended:
    """One call that ended."""

    arrived: float
    at: float
    failure: SidecarError | None


@dataclass
class World:
    """Callers, a Fleet and its endpoints."""

    behaviours: dict[str, Behaviour]
    rules: PoolRules = field(default_factory=PoolRules)
    endpoints: Sequence[Endpoint] = ()
    seed: int = 1
    sidecars: int = 1
    """Callers come to one or another at random."""
    told_after_s: float = 0.5
    """So long it takes until all know what one has put on the bulletin; infinity: they never do."""
    allowed_s: float = 10.0
    now: float = 0.0
    made: list[Made] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    in_flight: Counter[str] = field(default_factory=Counter)
    held_s: dict[str, float] = field(default_factory=dict)
    """Attempts in flight at each endpoint, integrated over time."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - to be the same each time
        self.told = Told(self)
        self.board = _Spread(self)
        self.fleets = [
            Fleet(self.board, self.told, lambda call, c: 1.0, lambda: self.now, self.random.random)
            for _ in range(self.sidecars)
        ]
        if not self.endpoints:
            self.endpoints = [facts.gemini(project=name) for name in self.behaviours]
        self.permit = facts.permit(*self.endpoints)
        self.policy = facts.policy(*self.endpoints, pools=self.rules)
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Let something happen."""
        self._count += 1
        heappush(self._heap, (when, self._count, act))

    def arrivals(
        self, per_s: float, begin: float, end: float, body: Callable[[], Json] = lambda: facts.HELLO
    ) -> None:
        """Calls at random moments, so many a second."""
        when = begin + self.random.expovariate(per_s)
        while when < end:
            self.at(when, lambda: _Caller(self, body()).ask())
            when += self.random.expovariate(per_s)

    def run(self, until: float) -> None:
        """Let all happen that happens before then."""
        while self._heap and self._heap[0][0] <= until:
            when, _, act = heappop(self._heap)
            self._go(when)
            act()
        self._go(until)

    def _go(self, when: float) -> None:
        for project, count in self.in_flight.items():
            self.held_s[project] = self.held_s.get(project, 0.0) + count * (when - self.now)
        self.now = when

    def attempts(self, project: str = "", begin: float = 0.0, end: float = 1e9) -> int:
        """How many attempts reached an endpoint, or all of them, in that time."""
        return sum(1 for made in self.made if begin <= made.at < end and project in ("", made.project))

    def succeeded(self, begin: float = 0.0, end: float = 1e9) -> float:
        """Which part of the calls that arrived in that time ended well."""
        ended = [call for call in self.ended if begin <= call.arrived < end]
        return sum(call.failure is None for call in ended) / len(ended)


class _Spread(Board):
    """A bulletin that all sidecars of a world hear after a while."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def put(self, kind: str, key: str, value: str, until: float) -> None:
        super().put(kind, key, value, until)
        if self._world.told_after_s < inf:
            self._world.at(self._world.now + self._world.told_after_s, self._tell)

    def _tell(self) -> None:
        for fleet in self._world.fleets:
            fleet._heed(self.watch(KIND))


class _Caller:
    """One call, as `pipeline/attempts` makes it."""

    def __init__(self, world: World, body: Json) -> None:
        self._world = world
        arrival = facts.arrival(Method.GENERATE, received_at=world.now, deadline=world.now + world.allowed_s)
        self._call: Call = facts.call(arrival=arrival, policy=world.policy, body=body)
        self._fleet = world.random.choice(world.fleets)
        self._tried: list[AttemptRecord] = []
        self._arrived = world.now

    def ask(self) -> None:
        world = self._world
        try:
            candidates = self._fleet.rank(self._call, world.permit, self._tried)
        except SidecarError as error:
            self._end(error)
            return
        kind = AttemptKind.RETRY if self._tried else AttemptKind.FIRST
        attempt = Attempt(self._call, facts.FakeGrant(candidates[0]), kind)
        trip = self._fleet.began(attempt)
        project = candidates[0].endpoint.project
        world.in_flight[project] += 1
        world.made.append(Made(project, world.now, len(self._tried) + 1))
        took_s, failure = world.behaviours[project](world.now, world.random)

        def answered() -> None:
            world.in_flight[project] -= 1
            trip.ended(failure)
            self._answered(candidates[0], failure)

        world.at(world.now + took_s, answered)

    def _answered(self, candidate: Candidate, failure: SidecarError | asyncio.CancelledError | None) -> None:
        if isinstance(failure, asyncio.CancelledError):
            failure = DeadlineExceeded("no answer in time")
        if failure is None or isinstance(failure, DeadlineExceeded):
            self._end(failure)
            return
        world = self._world
        record = AttemptRecord(len(self._tried) + 1, candidate, failure.reason, 0.0, sent=True)
        self._tried.append(record)
        delay_s = self._fleet.retry(failure, self._call, world.permit, self._tried)
        if delay_s is None:
            self._end(failure)
        else:
            world.at(world.now + delay_s, self.ask)

    def _end(self, failure: SidecarError | None) -> None:
        self._world.ended.append(Ended(self._arrived, self._world.now, failure))
