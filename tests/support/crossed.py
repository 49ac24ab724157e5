"""Crossed groups: calls that need a scarce tenant and a scarce model, in two sidecars (catalogue A12).

The real Limiter, Holds and Grants of two sidecars over one ledger in memory; only time is made up. In one
sidecar the tenant is scarce, for all of its calls are of that tenant, in the other the model. Half of the
calls of either need both. Who is in and who waits is counted by what callers see, never by what the limiter
says; only at the very end it is asked whether anything is left.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from sidecar.core.call import Call
from sidecar.core.errors import RateLimited, UpstreamUnavailable
from sidecar.core.outcome import Usage
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Budget, Policy
from sidecar.core.ports import Grant, Hold
from sidecar.core.principal import Principal
from sidecar.core.quota import NOTHING, InFlight, Limit, LimitGroup, Unit
from sidecar.limits.estimate import Estimator
from sidecar.limits.group import GroupLedger, Holding
from sidecar.limits.groups import Groups
from sidecar.limits.ledger import Ledger
from sidecar.limits.limiter import Limiter
from sidecar.limits.message import Answer, Report
from sidecar.store.memory import MemoryBulletin
from tests.support import facts
from tests.support.leaping_loop import LeapingLoop

SCARCE, PLENTY = 8, 1_000
TENANT, MODEL = "tenant", "model"
"""The two places that are scarce."""
CROWD = 24
"""Callers of each sidecar, who call again and again."""
PATIENT_S, IMPATIENT_S = 20.0, 0.2
RESTLESS = 0.1
"""Part of the calls that have little time; of half as many the caller leaves. Either can break a circle."""
THINKS_S = 0.02
"""Between two calls of one caller."""
QUIET_S = 10.0
_TRIP_S = 0.0003
_EPOCH_S = datetime(2026, 11, 24, 9, tzinfo=UTC).timestamp()

Take = Callable[[Limiter, Call, Permit], Awaitable[tuple[Hold, Grant]]]
"""How a call takes what it needs."""


class Clocks:
    """The loop's time."""

    def now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    def spent_ms(self) -> float:
        """None: steps take no time on such a loop."""
        return 0.0

    def wall(self) -> datetime:
        return datetime.fromtimestamp(_EPOCH_S + asyncio.get_running_loop().time(), UTC)


class _Distant:
    """A ledger at the other end of a line."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def exchange(self, report: Report) -> Answer:
        await asyncio.sleep(_TRIP_S)
        now_s = _EPOCH_S + asyncio.get_running_loop().time()
        answer = self._ledger.exchange(report, round(now_s * 1000))
        await asyncio.sleep(_TRIP_S)
        return answer


@dataclass
class Places:
    """Who is in the scarce places and who waits, as callers see it."""

    inside: dict[str, int] = field(default_factory=lambda: {TENANT: 0, MODEL: 0})
    most: int = 0
    """In one of them, ever."""
    waiting: int = 0
    idle_since: float = math.inf
    """Since when somebody waits although both have room; inf: nobody does."""
    idle_s: float = 0.0
    """The longest such time."""

    def step(self, now: float, scarce: Sequence[str] = (), inside: int = 0, waiting: int = 0) -> None:
        """Somebody comes or goes."""
        self.idle_s = max(self.idle_s, now - self.idle_since)
        self.waiting += waiting
        for name in scarce:
            self.inside[name] += inside
            self.most = max(self.most, self.inside[name])
        is_idle = self.waiting > 0 and max(self.inside.values()) < SCARCE
        if not is_idle:
            self.idle_since = math.inf
        elif inside > 0 or self.idle_since == math.inf:
            self.idle_since = now


@dataclass
class Found:
    """What callers saw."""

    calls: int = 0
    served: int = 0
    refused: int = 0
    given_up: int = 0
    longest_s: float = 0.0
    """The longest wait."""
    late: int = 0
    """Calls that were answered after their deadline."""
    places: Places = field(default_factory=Places)
    idle_s: float = 0.0
    """As `Places.idle_s`, for as long as callers kept coming."""
    left: int = 0
    """What was held, open or in line when all had been quiet for long."""


async def hold_then_reserve(limiter: Limiter, call: Call, permit: Permit) -> tuple[Hold, Grant]:
    """As the pipeline does: budgets first."""
    hold = await limiter.hold(call, permit)
    try:
        return hold, await hold.reserve(permit.candidates)
    except BaseException:
        hold.settle(NOTHING)
        raise


def _flights(amount: int) -> tuple[Limit, ...]:
    return (Limit("calls", Unit.CALLS, amount, InFlight()),)


_ENDPOINTS = {name: facts.gemini(project=name) for name in (MODEL, "other-model")}


def _policy() -> Policy:
    amounts = {MODEL: SCARCE, "other-model": PLENTY}
    quotas = {(n, facts.MODEL, ""): LimitGroup(f"quota/{n}", _flights(a)) for n, a in amounts.items()}
    budgets = (
        Budget(TENANT, tenants=frozenset({TENANT}), limits=_flights(SCARCE)),
        Budget("other-tenant", tenants=frozenset({"other-tenant"}), limits=_flights(PLENTY)),
    )
    return facts.policy(*_ENDPOINTS.values(), quotas=quotas, budgets=budgets)


class Crossing:
    """Two sidecars and their callers. Make and `run` inside a LeapingLoop."""

    def __init__(self, calls: int, takes: tuple[Take, Take], restless: float, seed: int) -> None:
        self.found = Found()
        self._left_to_make = calls
        self._takes = takes
        self._restless = restless
        self._random = Random(seed)  # noqa: S311 - repeatable
        self._policy = _policy()
        self._ledgers: dict[str, Ledger] = {}
        clocks, bulletin = Clocks(), MemoryBulletin()
        self._groups = [
            Groups(self._ledger, Holding(name, Random(name)), clocks, bulletin)  # noqa: S311
            for name in ("a", "b")
        ]
        self._limiters = [Limiter(groups, Estimator(), clocks, 2 * PATIENT_S) for groups in self._groups]

    async def run(self) -> Found:
        """Make all calls, then let all be quiet."""
        async with asyncio.TaskGroup() as crowd:
            for number in range(2 * CROWD):
                crowd.create_task(self._caller(number % 2))
        await asyncio.sleep(QUIET_S)
        self.found.left = sum(limiter.open for limiter in self._limiters)
        for group in (group for groups in self._groups for group in groups):
            self.found.left += group.holder.waiting + group.holder.lease.is_holding
        for ledger in self._ledgers.values():
            self.found.left += sum(meter.held + meter.used for meter in ledger._meters.values())
        for groups in self._groups:
            await groups.close()
        return self.found

    def _ledger(self, group: str) -> GroupLedger:
        return _Distant(self._ledgers.setdefault(group, Ledger(listens=False)))

    async def _caller(self, sidecar: int) -> None:
        random = self._random
        while self._left_to_make:
            self._left_to_make -= 1
            self.found.idle_s = self.found.places.idle_s
            needs_both = random.random() < 0.5
            tenant = TENANT if needs_both or sidecar == 0 else "other-tenant"
            model = MODEL if needs_both or sidecar == 1 else "other-model"
            await self._call(sidecar, tenant, model)
            await asyncio.sleep(random.uniform(0, 2 * THINKS_S))

    async def _call(self, sidecar: int, tenant: str, model: str) -> None:
        loop, found = asyncio.get_running_loop(), self.found
        allowed_s = IMPATIENT_S if self._random.random() < self._restless else PATIENT_S
        permit = Permit(Principal("pod", tenant=tenant), (Candidate(_ENDPOINTS[model], facts.MODEL),))
        call = facts.call(arrival=facts.arrival(allowed_s=allowed_s), policy=self._policy)
        is_leaving = self._random.random() < self._restless / 2
        leaves_s = self._random.uniform(0, IMPATIENT_S) if is_leaving else allowed_s + 1
        found.calls += 1
        since = loop.time()
        scarce = [name for name in (tenant, model) if name in (TENANT, MODEL)]
        found.places.step(since, waiting=1)
        try:
            async with asyncio.timeout(leaves_s):
                hold, grant = await self._takes[sidecar](self._limiters[sidecar], call, permit)
        except TimeoutError:
            found.given_up += 1
            return
        except RateLimited:
            found.refused += 1
            return
        finally:
            waited_s = loop.time() - since
            found.longest_s = max(found.longest_s, waited_s)
            found.late += waited_s > allowed_s
            found.places.step(loop.time(), waiting=-1)
        await self._served(hold, grant, scarce)

    async def _served(self, hold: Hold, grant: Grant, scarce: Sequence[str]) -> None:
        """Most requests leave and are answered; some never leave."""
        loop = asyncio.get_running_loop()
        self.found.places.step(loop.time(), scarce, inside=1)
        self.found.served += 1
        is_sent = self._random.random() >= 0.05
        if is_sent:
            grant.sent()
            await asyncio.sleep(self._random.uniform(0.005, 0.05))
        failure = None if is_sent else UpstreamUnavailable("no connection")
        hold.settle(grant.settle(failure, Usage(prompt=1) if is_sent else None, 0))
        self.found.places.step(loop.time(), scarce, inside=-1)


def crossed(
    calls: int,
    takes: tuple[Take, Take] = (hold_then_reserve,) * 2,
    restless: float = RESTLESS,
    seed: int = 1,
) -> Found:
    """So many calls. Raises NobodyGoesOn when they wait for one another without an end."""

    async def run() -> Found:
        return await Crossing(calls, takes, restless, seed).run()

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(run())
