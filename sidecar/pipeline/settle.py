"""The books of one call, closed exactly once.

A Journal is opened when a call arrives and closed when it leaves, by whatever door: answered, failed,
cancelled. Each attempt has an `entry`; ending it settles its Grant. Closing settles the Hold and tells the
Observer the Outcome. All of that is synchronous, so no cancellation can come between.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from types import TracebackType
from typing import TypeVar

from sidecar.core.attempt import Attempt
from sidecar.core.call import FREE, Arrival
from sidecar.core.cost import Cost
from sidecar.core.errors import GrantLapsed, Reason, SidecarError
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import CANCELLED, OK, AttemptRecord, Outcome, Usage
from sidecar.core.permit import Candidate
from sidecar.core.ports import Hold, Observer
from sidecar.core.quota import NOTHING
from sidecar.pipeline.entry import Entry

Reserved = TypeVar("Reserved")


class Journal:
    """Collects what happens to one call. Stages write to it, nobody decides by it. `today` is the day in UTC
    whose prices count.

    Of several attempts one counts for the call: the one whose answer the caller gets, and until there is one
    the last that began.
    """

    def __init__(
        self,
        arrival: Arrival,
        observer: Observer,
        clock: Callable[[], float],
        today: Callable[[], date],
    ) -> None:
        self.arrival = arrival
        self.clock = clock
        self.model = ""
        self.principal = ""
        self.hold: Hold | None = None
        self.queued_s = 0.0
        """Spent standing in line for limits."""
        self.charge = NOTHING
        """What the attempts cost that have ended."""
        self._entries: list[Entry] = []
        self._counting: Entry | None = None
        self._first_chunk_s: float | None = None
        self._observer = observer
        self._today = today
        self._cost: tuple[Usage, str, Cost] | None = None
        """Of a usage, at the tier that was reported."""
        self._ended: tuple[AttemptRecord, ...] | None = None
        """All attempts, once none runs."""

    def __repr__(self) -> str:
        return f"<Journal {self.arrival.request_id}: {len(self._entries)} attempts, {self.chunks} chunks>"

    def begin(self, attempt: Attempt) -> Entry:
        """Note that an attempt begins; returns what is to be told how it goes."""
        entry = Entry(attempt, self.clock())
        self._entries.append(entry)
        self._counting, self._cost, self._ended = entry, None, None
        return entry

    def end(self, entry: Entry, failure: BaseException | None) -> None:
        """Settle the grant of an attempt that ended so. One whose grant had lapsed was none."""
        self.charge = self.charge.plus(entry.attempt.grant.settle(failure, entry.usage, entry.chunks))
        self._ended = None
        if isinstance(failure, GrantLapsed):
            self._entries.remove(entry)
            if entry is self._counting:
                self._counting = self._entries[-1] if self._entries else None
        else:
            entry.end(ended_by(failure), self.clock())

    def answers(self, entry: Entry) -> None:
        """Note that of attempts that run beside each other this one gives the answer."""
        if entry is not self._counting:
            self._counting, self._cost = entry, None

    async def queued(self, waiting: Awaitable[Reserved]) -> Reserved:
        """Note how long it takes to reserve."""
        began = self.clock()
        try:
            return await waiting
        finally:
            self.queued_s += self.clock() - began

    @property
    def attempts(self) -> tuple[AttemptRecord, ...]:
        """All attempts in the order in which they began. What still runs is told as it will end if all goes
        well: the attempt that counts OK, one beside it cancelled.
        """
        if not self._entries:
            return ()
        if self._ended is not None:
            return self._ended
        now, counting = self.clock(), self._counting
        told = [
            entry.record(number, now, OK if entry is counting else CANCELLED)
            for number, entry in enumerate(self._entries, 1)
        ]
        records = tuple(told)
        if all(entry.ended for entry in self._entries):
            self._ended = records
        return records

    @property
    def served(self) -> Candidate | None:
        """Whom the attempt asked that counts."""
        return self._counting.attempt.candidate if self._counting is not None else None

    @property
    def usage(self) -> Usage | None:
        """The latest report of the attempt that counts."""
        return self._counting.usage if self._counting is not None else None

    @property
    def chunks(self) -> int:
        """Messages of a stream that have gone to the caller."""
        return self._counting.chunks if self._counting is not None else 0

    @property
    def mode(self) -> LimitsMode:
        """How the limits are kept that the attempt is charged to that counts."""
        return self._counting.attempt.grant.mode if self._counting is not None else LimitsMode.UNUSED

    def cost(self) -> Cost | None:
        """What the attempt that counts costs so far, at the tier that serves it or else the tier asked for;
        None: no usage that costs is known.
        """
        entry = self._counting
        if entry is None or entry.usage is None or self.arrival.method in FREE:
            return None
        usage, reported = entry.usage, entry.service_tier
        if self._cost is None or self._cost[0] is not usage or self._cost[1] != reported:
            call, candidate = entry.attempt.call, entry.attempt.candidate
            tier = reported or candidate.tier_of(call.body.json)
            cost = call.policy.prices.cost(candidate.model, usage, tier, self._today())
            self._cost = (usage, reported, cost)
        return self._cost[2]

    def chunk_sent(self, entry: Entry) -> None:
        """Note that a message of an attempt's stream has gone to the caller: from the first on, nothing can
        be taken back.
        """
        if not entry.chunks:
            self._first_chunk_s = self.clock() - self.arrival.received_at
        entry.chunks += 1

    def progress(self) -> dict[str, str]:
        """How far a stream came, as metadata for its error."""
        told = {"chunks_sent": str(self.chunks)}
        if usage := self.usage:
            told |= {"prompt_tokens": str(usage.prompt), "total_tokens": str(usage.total)}
        return told

    @property
    def was_sent(self) -> bool:
        """Whether any attempt may have reached the upstream."""
        return any(entry.attempt.grant.is_sent for entry in self._entries)

    def __enter__(self) -> "Journal":
        self._observer.arrived(self.arrival)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        if self.hold is not None:
            self.hold.settle(self.charge)
        attempts = self.attempts
        counting = self._counting
        self._observer.ended(
            Outcome(
                arrival=self.arrival,
                model=self.model,
                principal=self.principal,
                ended=ended_by(error),
                message=_text(error) if isinstance(error, SidecarError) else "",
                attempts=attempts,
                answered=attempts[self._entries.index(counting)] if counting is not None else None,
                usage=self.usage,
                chunks=self.chunks,
                first_chunk_s=self._first_chunk_s,
                duration_s=self.clock() - self.arrival.received_at,
                queued_s=self.queued_s,
                cost=self.cost(),
            )
        )


def _text(error: SidecarError) -> str:
    return f"{error.message} ({error.operator_text})" if error.operator_text else error.message


def ended_by(error: BaseException | None) -> str:
    """The one word for an end: `OK`, `CANCELLED` or a Reason."""
    if error is None:
        return OK
    if isinstance(error, SidecarError):
        return error.reason
    return CANCELLED if isinstance(error, asyncio.CancelledError) else Reason.INTERNAL
