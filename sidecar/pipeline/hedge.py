"""Asking a second endpoint while the first is silent (Dean and Barroso, "The Tail at Scale", 2013).

Whoever speaks first gives the answer; the other is cancelled in that moment, which closes its connection, and
settled like every attempt that was abandoned. One that fails leaves the call to the other. A hedge is made of
what is to spare, quota and retry budget, and waits for neither: a pool that is slow because it is busy is not
made busier.

Only here attempts are tasks of their own. Their group belongs to the task of the call, so whatever ends that
task ends them first.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.errors import GrantLapsed, SidecarError
from sidecar.core.outcome import AttemptKind
from sidecar.core.ports import Pool, Trip
from sidecar.pipeline.admit import Admission
from sidecar.pipeline.attempt import Answer, Ask, make
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.settle import Journal


@dataclass(frozen=True, slots=True)
class Asking(Generic[Answer]):
    """How attempts of a call are made."""

    call: Call
    admission: Admission
    pool: Pool
    journal: Journal
    ask: Ask[Answer]


async def hedged(first: Attempt, after_s: float, asking: Asking[Answer]) -> Answer:
    """Make an attempt, and if it is silent for `after_s` another beside it, where that can be had.

    Raises the error of the attempt that spoke, or when none did that of the last.
    """
    race = _Race(asking)
    try:
        async with asyncio.TaskGroup() as group:
            race.enter(first, group)
            if await race.is_silent_for(after_s) and (second := _second(first, asking)) is not None:
                race.enter(second, group)
    finally:
        race.close()
    return race.result()


def _second(first: Attempt, asking: Asking[Answer]) -> Attempt | None:
    """An attempt for the same at another endpoint; None when there is nothing to spare for one."""
    asked = first.candidate
    try:
        ranked = asking.pool.rank(asking.call, asking.admission.permit, asking.journal.attempts)
    except SidecarError:  # all others are to be left alone
        return None
    others = [each for each in ranked if each.step == asked.step and each.endpoint != asked.endpoint]
    grant = asking.admission.hold.try_reserve(others)
    if grant is None:
        return None
    if not asking.pool.take_hedge(first):
        grant.settle(None, None, 0)
        return None
    return Attempt(asking.call, grant, AttemptKind.HEDGE)


class _Race(Generic[Answer]):
    """The attempts that run side by side, and who was first."""

    def __init__(self, asking: Asking[Answer]) -> None:
        self._asking = asking
        self._runners: list[_Runner[Answer]] = []
        self._winner: _Runner[Answer] | None = None
        self._broken_silence = asyncio.Event()
        """Set when an attempt has spoken or ended."""

    def __repr__(self) -> str:
        return f"<Race of {len(self._runners)}: {'won' if self._winner else 'open'}>"

    def enter(self, attempt: Attempt, group: asyncio.TaskGroup) -> None:
        """Let an attempt begin, as a task of the group."""
        runner = _Runner(self, self._asking.journal.begin(attempt), self._asking.pool.began(attempt))
        self._runners.append(runner)
        runner.task = group.create_task(self._run(runner), name="attempt")

    async def is_silent_for(self, seconds: float) -> bool:
        """Wait until an attempt has spoken or ended, no longer than so; whether none has."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._broken_silence.wait()
        return not self._broken_silence.is_set()

    def spoke(self, runner: "_Runner[Answer]") -> None:
        """Content of an attempt has come: it gives the answer, and no other is needed."""
        if self._winner is not None:
            return
        self._winner = runner
        self._asking.journal.answers(runner.entry)
        self._broken_silence.set()
        for other in self._runners:
            if other is not runner and other.task is not None:
                other.task.cancel()

    def result(self) -> Answer:
        """What came of it when all have ended."""
        if self._winner is None:
            failures = [runner.failure for runner in self._runners if runner.failure is not None]
            made = [failure for failure in failures if not isinstance(failure, GrantLapsed)]
            raise (made or failures)[-1]
        if self._winner.failure is not None:
            raise self._winner.failure
        (answer,) = self._winner.answer
        return answer

    def close(self) -> None:
        """End those that were cancelled before their task had its first turn: nothing of it has run."""
        for runner in self._runners:
            if not runner.is_over:
                never_begun = asyncio.CancelledError()
                runner.ended(never_begun)
                self._asking.journal.end(runner.entry, never_begun)

    async def _run(self, runner: "_Runner[Answer]") -> None:
        try:
            runner.answer = [await make(runner.entry, runner, self._asking.journal, self._asking.ask)]
        except Exception as error:
            runner.failure = error
        finally:
            self._broken_silence.set()


class _Runner(Generic[Answer]):
    """One of the attempts; stands between the attempt and its Trip."""

    def __init__(self, race: _Race[Answer], entry: Entry, trip: Trip) -> None:
        self.entry = entry
        self.task: asyncio.Task[None] | None = None
        self.answer: list[Answer] = []
        self.failure: Exception | None = None
        self.is_over = False
        self._race = race
        self._trip = trip

    def __repr__(self) -> str:
        return f"<Runner {self.entry!r}>"

    def first_content(self) -> None:
        """Content has come; see `core.ports.Trip`."""
        self._trip.first_content()
        self._race.spoke(self)

    def ended(self, failure: BaseException | None) -> None:
        """The attempt is over; see `core.ports.Trip`."""
        self.is_over = True
        self._trip.ended(failure)
