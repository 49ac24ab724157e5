"""A limiter over ledgers in memory on a made-up clock, and builders of what it limits."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from sidecar.core.call import Call
from sidecar.core.policy import Budget, Policy
from sidecar.core.quota import Limit, LimitGroup, Rolling, Unit
from sidecar.limits.backlog import HORIZON_MS
from sidecar.limits.estimate import Estimator
from sidecar.limits.group import GroupLedger, Holding, LedgerUnavailable
from sidecar.limits.groups import Groups
from sidecar.limits.ledger import Ledger
from sidecar.limits.limiter import Limiter
from sidecar.limits.message import Answer, Report
from sidecar.store.memory import MemoryBulletin
from tests.support import facts

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
A, B = facts.gemini(project="a"), facts.gemini(project="b")


class Clocks:
    """Time that passes a millisecond with every look, and more when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.step = 1.0
        self.busy = 0.0
        """The part of the time that the thread spends working."""

    def now_ms(self) -> float:
        self.now += self.step
        return self.now

    def spent_ms(self) -> float:
        return self.now * self.busy

    def wall(self) -> datetime:
        return datetime.fromtimestamp(NOW.timestamp() + self.now / 1000, UTC)


class Ledgers:
    """Ledgers in memory that can be cut off."""

    def __init__(self, clocks: Clocks) -> None:
        self.ledgers: dict[str, Ledger] = {}
        self.clocks = clocks
        self.is_cut = False
        self.skew_s = 0.0
        self.turns = 0
        """Of the event loop, that an exchange takes."""
        self.exchanges = 0

    def __call__(self, group: str) -> GroupLedger:
        return _Cuttable(self, self.ledgers.setdefault(group, Ledger(listens=False)))


class _Cuttable:
    def __init__(self, ledgers: Ledgers, ledger: Ledger) -> None:
        self._ledgers = ledgers
        self._ledger = ledger

    async def exchange(self, report: Report) -> Answer:
        self._ledgers.exchanges += 1
        for _ in range(self._ledgers.turns):
            await asyncio.sleep(0)
        if self._ledgers.is_cut:
            raise LedgerUnavailable("cut off")
        wall_s = self._ledgers.clocks.wall().timestamp() + self._ledgers.skew_s
        return self._ledger.exchange(report, round(wall_s * 1000))


class World:
    """One sidecar; with a `fleet`, another of the same."""

    def __init__(
        self, wait_s: float = 30.0, fleet: "World | None" = None, ahead_ms: float = HORIZON_MS
    ) -> None:
        self.clocks = fleet.clocks if fleet else Clocks()
        self.ledgers = fleet.ledgers if fleet else Ledgers(self.clocks)
        self.bulletin = fleet.bulletin if fleet else MemoryBulletin()
        holding = Holding("other" if fleet else "pod", Random(1), ahead_ms)  # noqa: S311 - repeatable
        self.groups = Groups(self.ledgers, holding, self.clocks, self.bulletin)
        self.limiter = Limiter(self.groups, Estimator(), self.clocks, wait_s)

    def level(self, name: str, limit: int = 0) -> tuple[int, int]:
        """Used and held, as the ledger has them."""
        meter = list(self.ledgers.ledgers[name]._meters.values())[limit]
        return meter.used, meter.held

    async def settle_down(self) -> None:
        """Let every report go out."""
        for _ in range(3):
            self.clocks.now += 1_100
            for group in self.groups:
                group.wake()
            await self.turn()

    async def turn(self) -> None:
        """Let every task have its turn."""
        for _ in range(20):
            await asyncio.sleep(0)


def rpm(amount: int, **values: Any) -> Limit:
    return Limit("requests_per_minute", Unit.REQUESTS, amount, Rolling(60), **values)


def tpm(amount: int) -> Limit:
    return Limit("input_tokens_per_minute", Unit.INPUT_TOKENS, amount, Rolling(60))


def quota(project: str, *limits: Limit) -> tuple[tuple[str, str, str], LimitGroup]:
    return (project, facts.MODEL, ""), LimitGroup(f"quota/{project}/{facts.MODEL}", limits)


def policy(*quotas: tuple[tuple[str, str, str], LimitGroup], budgets: tuple[Budget, ...] = ()) -> Policy:
    return facts.policy(A, B, quotas=dict(quotas), budgets=budgets)


def call(policy: Policy, allowed_s: float = 60.0, body: Mapping[str, Any] = facts.HELLO) -> Call:
    return facts.call(body=body, arrival=facts.arrival(allowed_s=allowed_s), policy=policy)


BOTH = facts.permit(A, B)
ONLY_A = facts.permit(A)
