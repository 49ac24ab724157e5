"""A fleet on a simulated clock: many holders, their network and their load, around one ledger for each group.

Everything that decides is the real thing (holder, lease, queue, licence, ledger); only time, the network and
the callers are made up, from one seed. What the upstream would see is in `arrivals`, in its own order, and
nothing is judged by the limiter's own counters.
"""

import heapq
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Protocol

from sidecar.core.quota import Charge, LimitGroup
from sidecar.limits.holder import Holder
from sidecar.limits.message import Answer, Penalty, Report, Terms
from sidecar.limits.simulate_call import Caller, Outcome, Passage, Site
from sidecar.limits.terms import terms_of

EPOCH = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""When simulated time begins, to a calendar."""
_TIMEOUT_MS = 100.0
_TICK_MS = 10.0


class LedgerPort(Protocol):
    """The ledgers of all groups: `ledger.Ledger` for each, or the script in a real Redis."""

    def exchange(self, group: LimitGroup, report: Report, wall_ms: int) -> Answer:
        """Answer a report at a moment of the server's clock."""


class Upstream(Protocol):
    """What is behind the limits; may refuse."""

    def arrive(self, group: LimitGroup, charge: Charge, now: float) -> Penalty | None:
        """A request comes in. Returns what its 429 says, or None when it is admitted."""


@dataclass
class Network:
    """What messages go through. Fields may be replaced while the simulation runs."""

    round_trip_ms: tuple[float, float] = (0.4, 0.8)
    is_cut: Callable[[int, float], bool] = lambda _sidecar, _now: False
    """Whether a message of a sidecar is lost now, on either way."""
    repeated: float = 0.0
    """Share of messages that arrive a second time, up to 4 s late."""
    skew_ms: float = 0.0
    """How far the server's clock is off."""


class Fleet:
    """Sidecars under load. `run` lets time pass; events may be put at any moment with `at`."""

    def __init__(
        self,
        groups: Sequence[LimitGroup],
        ledgers: LedgerPort,
        sidecars: int,
        callers: Sequence[Caller],
        seed: int = 1,
    ) -> None:
        self.now = 0.0
        self.groups = groups
        self._numbers = {group.name: number for number, group in enumerate(groups)}
        self.network = Network()
        self.outcome = Outcome()
        self.upstream: Upstream | None = None
        self._random = Random(seed)  # noqa: S311 - a simulation is to be repeatable
        self._ledgers = ledgers
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.sidecars = [_Sidecar(number, self, seed) for number in range(sidecars)]
        for caller in callers:
            self.at(0.0, partial(self._next_call, caller))

    def __repr__(self) -> str:
        return f"<Fleet of {len(self.sidecars)} at {self.now / 1000:.3f} s>"

    @property
    def random(self) -> Random:
        """The one source of chance."""
        return self._random

    def number(self, group: str) -> int:
        """The place of a group among the fleet's, by its name."""
        return self._numbers[group]

    def wall(self, now: float | None = None) -> datetime:
        """The sidecars' calendar."""
        return datetime.fromtimestamp(self.wall_ms(now) / 1000, UTC)

    def wall_ms(self, now: float | None = None) -> int:
        """The same as Unix time in milliseconds."""
        return round(EPOCH.timestamp() * 1000 + (self.now if now is None else now))

    def at(self, moment: float, event: Callable[[], None]) -> None:
        """Let something happen at a moment, in milliseconds from the start."""
        heapq.heappush(self._events, (moment, next(self._order), event))

    def run(self, until_ms: float) -> Outcome:
        """Let time pass up to a moment."""
        while self._events and self._events[0][0] <= until_ms:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = until_ms
        return self.outcome

    def exchange(self, group: LimitGroup, report: Report) -> Answer:
        """The server's side of one message."""
        return self._ledgers.exchange(group, report, self.wall_ms() + round(self.network.skew_ms))

    def repeat(self, group: LimitGroup, report: Report) -> None:
        """A message comes to the server once more; its answer goes nowhere."""
        self.exchange(group, report)

    def _next_call(self, caller: Caller) -> None:
        per_ms = caller.per_s * caller.rate(self.now) / 1000
        if per_ms > 0:
            self._call(caller)
        self.at(
            self.now + (self._random.expovariate(per_ms) if per_ms > 0 else _TICK_MS),
            lambda: self._next_call(caller),
        )

    def _call(self, caller: Caller) -> None:
        sidecar = self.sidecars[int(self._random.random() * len(self.sidecars))]
        offered = self.outcome.offered
        offered[caller.label] = offered.get(caller.label, 0) + 1
        sidecar.call(caller, *caller.draw(self._random))


class _Sidecar:
    """One sidecar: a holder for each group."""

    def __init__(self, number: int, fleet: Fleet, seed: int) -> None:
        self.number = number
        self._fleet = fleet
        self.holders = [
            Holder(f"s{number}", self._terms(group), Random(f"{seed}/{number}/{group.name}"), 0.0)  # noqa: S311
            for group in fleet.groups
        ]
        self._polls = [math.inf] * len(fleet.groups)
        self._is_ticking = [False] * len(fleet.groups)

    def __repr__(self) -> str:
        return f"<Sidecar {self.number}: {self.holders!r}>"

    def call(self, caller: Caller, estimate: Charge, actual: Charge) -> None:
        """A request comes in."""
        Passage(self._fleet, Site(self.number, self.holders, self._poll), caller, estimate, actual).go_on()

    # ---------------------------------------------------------------------------------------------- exchange

    def _terms(self, group: LimitGroup) -> list[Terms]:
        return [terms_of(limit, self._fleet.wall()) for limit in group.limits]

    def _poll(self, number: int) -> None:
        due = self.holders[number].due(self._fleet.now)
        if due is not None and due < self._polls[number] - 1e-9:
            self._polls[number] = due
            self._fleet.at(due, lambda: self._fire(number, due))

    def _fire(self, number: int, due: float) -> None:
        if self._polls[number] != due:
            return
        self._polls[number] = math.inf
        holder, fleet, group = self.holders[number], self._fleet, self._fleet.groups[number]
        again = holder.due(fleet.now)
        if again is None or again > fleet.now + 1e-6:
            self._poll(number)
            return
        report = holder.report(self._terms(group), fleet.now)
        fleet.outcome.exchanges += 1
        self._travel(lambda: self._arrived(number, report), lambda: self._failed(number))

    def _travel(self, arrived: Callable[[], None], lost: Callable[[], None]) -> None:
        fleet = self._fleet
        if fleet.network.is_cut(self.number, fleet.now):
            fleet.at(fleet.now + _TIMEOUT_MS, lost)
        else:
            fleet.at(fleet.now + fleet.random.uniform(*fleet.network.round_trip_ms) / 2, arrived)

    def _arrived(self, number: int, report: Report) -> None:
        fleet, group = self._fleet, self._fleet.groups[number]
        if fleet.network.repeated and fleet.random.random() < fleet.network.repeated:
            fleet.at(fleet.now + fleet.random.uniform(0, 4_000), partial(fleet.repeat, group, report))
        answer = fleet.exchange(group, report)
        self._travel(lambda: self._answered(number, answer), lambda: self._failed(number))

    def _answered(self, number: int, answer: Answer) -> None:
        self.holders[number].answer(answer, self._fleet.now)
        self._poll(number)

    def _failed(self, number: int) -> None:
        self.holders[number].failed(self._fleet.now)
        self._poll(number)
        if not self._is_ticking[number]:
            self._tick(number)

    def _tick(self, number: int) -> None:
        """While the ledger is away, the licence lets requests go as time passes."""
        holder = self.holders[number]
        holder.serve(self._fleet.now)
        self._is_ticking[number] = holder.failures > 0
        if holder.failures:
            self._fleet.at(self._fleet.now + _TICK_MS, lambda: self._tick(number))


# ------------------------------------------------------------------------------------------------ judging


def worst_window(points: Sequence[tuple[float, int]], window_ms: float) -> int:
    """The largest sum in any half-open window, wherever it begins."""
    ordered, best, total, first = sorted(points), 0, 0, 0
    for at, amount in ordered:
        total += amount
        while ordered[first][0] <= at - window_ms:
            total -= ordered[first][1]
            first += 1
        best = max(best, total)
    return best


def fair_shares(
    offered: Mapping[str, float], weights: Mapping[str, float], capacity: float
) -> dict[str, float]:
    """Weighted max-min: nobody gets more than it offers, and what it leaves is split by weight."""
    fair, left, active = dict.fromkeys(offered, 0.0), min(capacity, sum(offered.values())), set(offered)
    while active and left > 1e-9:
        total = sum(weights[name] for name in active)
        full = {name for name in active if offered[name] - fair[name] <= left * weights[name] / total}
        if not full:
            for name in active:
                fair[name] += left * weights[name] / total
            break
        for name in full:
            left -= offered[name] - fair[name]
            fair[name] = offered[name]
        active -= full
    return fair
