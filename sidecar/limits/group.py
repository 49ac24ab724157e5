"""One limit group in this sidecar: its holder, and the task that talks to its ledger.

The task sleeps until the holder wants to say something. A hit does not wake it, so that taking from the lease
stays as cheap as it is; a busy group looks often enough by itself. Who comes to wait is asked for at once,
unless the event loop has much to do and others come too: a message costs as much as a call, so then calls
wait a moment for some to share the next one with.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from random import Random, SystemRandom
from typing import Protocol

from sidecar.core.errors import UpstreamQuota
from sidecar.core.quota import Charge, Limit, LimitGroup
from sidecar.limits.backlog import HORIZON_MS
from sidecar.limits.feedback import penalties
from sidecar.limits.headroom import Headroom
from sidecar.limits.holder import Holder
from sidecar.limits.message import Answer, Report, Terms
from sidecar.limits.terms import terms_of

_LOOK_MS = HORIZON_MS / 2
_LICENCE_TICK_MS = 10.0
_SIGN_OFF_S = 0.25
_SKEW_MOST_S = 300.0
_APART_MS = 4.0
"""How far reports are apart at least while the event loop is busy and calls wait: making one and reading its
answer costs as much as a call.
"""
_CROWDED_MS = 1_000.0
"""After several calls waited for one report, for so long there are others to share the next with."""
_BUSY = 0.3
"""Of the time, from so much on the thread of the event loop counts as busy."""

_log = logging.getLogger(__name__)


class LedgerUnavailable(Exception):
    """The ledger did not answer, or not in time. The text says why, without names of hosts or secrets."""


class GroupLedger(Protocol):
    """The ledger of one group."""

    async def exchange(self, report: Report) -> Answer:
        """Take a report and answer it, within a quarter of a second. Raises LedgerUnavailable."""
        ...


class Clocks(Protocol):
    """Where moments come from."""

    def now_ms(self) -> float:
        """A monotonic clock, in milliseconds."""
        ...

    def wall(self) -> datetime:
        """The calendar (aware)."""
        ...

    def spent_ms(self) -> float:
        """The processor time of the calling thread so far, in milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Holding:
    """How this sidecar holds leases."""

    base: str
    """Its name: stable over restarts, so that nothing is kept for long for one that was killed."""
    random: Random = field(default_factory=SystemRandom)
    ahead_ms: float = HORIZON_MS
    """How far ahead of demand leases reach; 0: not at all."""


class Group:
    """Run `run` in a task of its own for as long as the group is used."""

    def __init__(
        self, definition: LimitGroup, ledger: GroupLedger, holding: "Holding", clocks: Clocks
    ) -> None:
        self._define(definition)
        terms = self._terms(definition.limits, clocks.wall())
        self.holder = Holder(holding.base, terms, holding.random, clocks.now_ms(), holding.ahead_ms)
        self.trouble = ""
        """Why the ledger could not be asked last; empty when it answered."""
        self.told_at: float | None = None
        """When the ledger last answered; None: never."""
        self.learning_until = 0.0
        """Until then the ledger listens and grants nothing."""
        self.has_signed_off = False
        """Whether the ledger was last told that nothing is needed."""
        self._headroom = Headroom()
        self._ledger = ledger
        self._clocks = clocks
        self._woken = asyncio.Event()
        self._is_asleep = self._is_touched = False
        self._is_skewed = False
        self._asked_at, self._spent_ms = -math.inf, 0.0
        self._crowded_until = -math.inf
        """So long it is remembered that several calls waited for one report."""

    def __repr__(self) -> str:
        return f"<Group {self.definition.name}: {self.holder!r}>"

    def redefine(self, definition: LimitGroup) -> bool:
        """Take other amounts for the same limits, from the next report on. False: they are other limits, so
        it takes another group.
        """
        if [limit.name for limit in definition.limits] != [limit.name for limit in self.definition.limits]:
            return False
        self._define(definition)
        self.wake()
        return True

    def _define(self, definition: LimitGroup) -> None:
        self.definition = definition
        self.most = [limit.amount for limit in definition.limits]
        """What each limit allows in all."""
        self.amounts = _picker(definition)
        """What a charge takes of each limit."""

    def touch(self) -> None:
        """Something was taken or settled: the task is to look soon."""
        self._is_touched = True
        if self._is_asleep:
            self._woken.set()

    def wake(self) -> None:
        """Somebody waits: the task is to look now."""
        self._woken.set()

    def refused(self, refusal: UpstreamQuota) -> None:
        """The upstream refused a request with 429: the ledger is to hear of it."""
        for penalty in penalties(refusal, self.definition.limits, self._clocks.wall()):
            self.holder.penalize(penalty, self._clocks.now_ms())
        self.wake()

    def pause(self, until_ms: float) -> None:
        """Let nothing leave before, whatever is held."""
        self.holder.pause(until_ms, self._clocks.now_ms())
        self.wake()

    def headroom(self, now: float) -> float:
        """The part of its scarcest limit that is left as far as is known; 0.0 too while it gives nothing."""
        return 0.0 if self.holder.is_stopped(now) else self._headroom.at(now)

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost if it were closed now."""
        return not (self.holder.waiting or self.holder.lease.is_holding or self.holder.lease.log)

    async def run(self) -> None:
        """Exchange reports with the ledger until cancelled."""
        while True:
            now = self._clocks.now_ms()
            due = self.holder.due(now)
            if due is not None and due <= now:
                await self._gather(now)
                await self._exchange(is_closing=False)
            else:
                await self._sleep(due, now)

    async def close(self) -> None:
        """Sign off, so that nothing is kept for this sidecar. `run` must have ended."""
        if self.holder.lease.is_known:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SIGN_OFF_S):
                    await self._exchange(is_closing=True)

    async def _gather(self, now: float) -> None:
        """Let more calls come to wait, when the last report was made a moment ago, there is much to do, and
        not one call comes after the other.
        """
        passed_ms = now - self._asked_at
        if not self.holder.waiting or now >= self._crowded_until or passed_ms >= _APART_MS:
            return
        if self._clocks.spent_ms() - self._spent_ms > _BUSY * passed_ms:
            await asyncio.sleep((_APART_MS - passed_ms) / 1000)

    async def _exchange(self, is_closing: bool) -> None:
        terms = self._terms(self.definition.limits, self._clocks.wall())
        self._asked_at, self._spent_ms = self._clocks.now_ms(), self._clocks.spent_ms()
        if self.holder.waiting > 1:
            self._crowded_until = self._asked_at + _CROWDED_MS
        report = self.holder.report(terms, self._asked_at, is_closing)
        try:
            answer = await self._ledger.exchange(report)
        except LedgerUnavailable as error:
            self._note(str(error))
            self.holder.failed(self._clocks.now_ms())
        except BaseException:  # cancelled in the middle: whether it arrived is not known
            self.holder.failed(self._clocks.now_ms())
            raise
        else:
            self._heard(report, answer, self._clocks.now_ms())

    def _heard(self, report: Report, answer: Answer, now: float) -> None:
        self._note("")
        self._compare(answer.clock_ms / 1000 - self._clocks.wall().timestamp())
        self.told_at, self.learning_until = now, now + answer.learning_ms
        self.has_signed_off = report.is_leaving
        self._headroom.note(report.terms, answer.levels, now)
        self.holder.answer(answer, now)

    async def _sleep(self, due: float | None, now: float) -> None:
        """Wait for the moment that is due, for who waits to be served from the licence, or to be woken.

        While calls come, it looks every now and then by itself: to be woken by each would cost each of them.
        """
        if self.holder.is_cut_off and self.holder.waiting:
            self.holder.serve(now)
            due = min(due or now + _LICENCE_TICK_MS, now + _LICENCE_TICK_MS)
        self._is_asleep, self._is_touched = not self._is_touched, False
        if not self._is_asleep:
            due = min(due or now + _LOOK_MS, now + _LOOK_MS)
        self._woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else (due - now) / 1000):
                await self._woken.wait()

    def _note(self, trouble: str) -> None:
        if bool(trouble) != bool(self.trouble):
            told = {"group": self.definition.name, "trouble": trouble}
            if trouble:
                _log.warning("the ledger cannot be asked; its lease is used up first", extra={"fields": told})
            else:
                _log.info("the ledger answers again", extra={"fields": told})
        self.trouble = trouble

    def _compare(self, skew_s: float) -> None:
        """Alarm when the ledger's clock and ours come to be far apart: they name other days."""
        is_skewed = abs(skew_s) > _SKEW_MOST_S
        if is_skewed and not self._is_skewed:
            told = {"group": self.definition.name, "skew_s": round(skew_s)}
            _log.error(
                "the ledger's clock is far from this machine's: set one of them", extra={"fields": told}
            )
        self._is_skewed = is_skewed

    @staticmethod
    def _terms(limits: Sequence[Limit], wall: datetime) -> list[Terms]:
        return [terms_of(limit, wall) for limit in limits]


def _picker(definition: LimitGroup) -> Callable[[Charge], Sequence[int]]:
    """Finds in a Charge what each limit counts."""
    places = [Charge._fields.index(limit.unit) for limit in definition.limits]
    return itemgetter(*places) if len(places) > 1 else lambda charge: (charge[places[0]],)


LedgerFactory = Callable[[str], GroupLedger]
"""Makes the ledger of the group with this name."""
