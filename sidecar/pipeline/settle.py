"""The books of one call, closed exactly once.

A Journal is opened when a call arrives and closed when it leaves, by whatever door: answered, failed,
cancelled. Closing settles the Hold and tells the Observer the Outcome. Both are synchronous, so no
cancellation can come between.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from types import TracebackType
from typing import TypeVar

from sidecar.core.attempt import Attempt
from sidecar.core.call import FREE, Arrival
from sidecar.core.cost import Cost
from sidecar.core.errors import Reason, SidecarError
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import CANCELLED, OK, AttemptRecord, Outcome, Reply, Usage
from sidecar.core.ports import Hold, Observer
from sidecar.core.quota import NOTHING, Charge

Reserved = TypeVar("Reserved")


class Journal:
    """Collects what happens to one call. Stages write to it, nobody decides by it. `today` is the day in UTC
    whose prices count.
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
        self.attempts: list[AttemptRecord] = []
        self.usage: Usage | None = None
        """The latest report of the attempt that runs."""
        self.chunks = 0
        self.service_tier = ""
        """The tier that served it, as far as the upstream has said."""
        self.queued_s = 0.0
        """Spent standing in line for limits."""
        self.mode = LimitsMode.UNUSED
        """How the limits are kept that the latest attempt was charged to."""
        self.charge = NOTHING
        """What the attempts cost that have ended."""
        self._running: tuple[Attempt, float] | None = None
        self._first_chunk_s: float | None = None
        self._observer = observer
        self._today = today
        self._latest: Attempt | None = None
        self._cost: tuple[Usage, str, Cost] | None = None

    def __repr__(self) -> str:
        return f"<Journal {self.arrival.request_id}: {len(self.attempts)} attempts, {self.chunks} chunks>"

    def begin(self, attempt: Attempt) -> None:
        """Note that an attempt begins."""
        self._running = (attempt, self.clock())
        self._latest, self._cost = attempt, None
        self.usage, self.service_tier, self.mode = None, "", attempt.grant.mode

    def end(self, ended: str | None) -> None:
        """Note how the running attempt ended; None: it was none."""
        if ended is not None:
            self.attempts = list(self.attempts_so_far(ended))
        self._running = None

    async def queued(self, waiting: Awaitable[Reserved]) -> Reserved:
        """Note how long it takes to reserve."""
        began = self.clock()
        try:
            return await waiting
        finally:
            self.queued_s += self.clock() - began

    def spend(self, charge: Charge) -> None:
        """Note what an attempt cost."""
        self.charge = self.charge.plus(charge)

    def attempts_so_far(self, ended: str = OK) -> tuple[AttemptRecord, ...]:
        """All attempts, the running one as if it had `ended` now."""
        if self._running is None:
            return tuple(self.attempts)
        attempt, began = self._running
        record = AttemptRecord(
            attempt.number, attempt.candidate, ended, self.clock() - began, attempt.grant.is_sent
        )
        return (*self.attempts, record)

    def saw(self, reply: Reply) -> None:
        """Note what an answer or chunk reports of usage and tier; without any the last stays standing."""
        if reply.usage is not None:
            self.usage = reply.usage
        self.service_tier = reply.service_tier or self.service_tier

    def cost(self) -> Cost | None:
        """What the latest attempt costs so far, at the tier that serves it or else the tier asked for; None:
        no usage that costs is known.
        """
        usage, latest = self.usage, self._latest
        if usage is None or latest is None or self.arrival.method in FREE:
            return None
        call = latest.call
        tier = self.service_tier or call.body.json.get("serviceTier") or ""
        if self._cost is None or self._cost[:2] != (usage, tier):
            cost = call.policy.prices.cost(latest.candidate.model, usage, tier, self._today())
            self._cost = (usage, tier, cost)
        return self._cost[2]

    def chunk_sent(self) -> None:
        """Note that a message of a stream has gone to the caller: from the first on, nothing can be taken
        back.
        """
        if not self.chunks:
            self._first_chunk_s = self.clock() - self.arrival.received_at
        self.chunks += 1

    def progress(self) -> dict[str, str]:
        """How far a stream came, as metadata for its error."""
        told = {"chunks_sent": str(self.chunks)}
        if self.usage:
            told |= {"prompt_tokens": str(self.usage.prompt), "total_tokens": str(self.usage.total)}
        return told

    @property
    def was_sent(self) -> bool:
        """Whether any attempt may have reached the upstream."""
        return any(attempt.sent for attempt in self.attempts_so_far())

    def __enter__(self) -> "Journal":
        self._observer.arrived(self.arrival)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        if self.hold is not None:
            self.hold.settle(self.charge)
        self._observer.ended(
            Outcome(
                arrival=self.arrival,
                model=self.model,
                principal=self.principal,
                ended=ended_by(error),
                message=_text(error) if isinstance(error, SidecarError) else "",
                attempts=tuple(self.attempts),
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
