"""Asking upstream: one attempt after another, each on its own Grant, until one answers or none may follow.

Whom to ask and whether to ask again the Pool decides; it is told of every attempt what came of it. Between
two attempts a call may wait, but never in vain: not past its deadline, and not in a sidecar that drains.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.errors import GrantLapsed, SidecarError
from sidecar.core.outcome import AttemptKind, AttemptRecord
from sidecar.core.permit import Candidate, Permit
from sidecar.core.ports import Trip
from sidecar.pipeline.admit import Admission
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages

Answer = TypeVar("Answer")
Ask: TypeAlias = Callable[[Entry, Trip], Awaitable[Answer]]
"""Makes one attempt, and tells its Trip when content comes."""


async def attempts(
    call: Call, admission: Admission, stages: Stages, journal: Journal, ask: Ask[Answer]
) -> Answer:
    """Ask the permitted candidates, best first. Raises the error that ended the last attempt."""
    permit, hold, pool = admission.permit, admission.hold, stages.pool
    while True:
        tried = journal.attempts
        grant = await journal.queued(hold.reserve(pool.rank(call, permit, tried)))
        attempt = Attempt(call, grant, _kind(grant.candidate, permit, tried))
        try:
            return await _made(journal.begin(attempt), pool.began(attempt), journal, ask)
        except GrantLapsed:  # connecting took longer than the lease: nothing left, so it was no attempt
            continue
        except SidecarError as error:
            if journal.chunks:  # something has gone to the caller that cannot be taken back
                raise
            delay_s = pool.retry(error, call, permit, journal.attempts)
            if delay_s is None or not await _waited(delay_s, call, stages):
                raise


async def _made(entry: Entry, trip: Trip, journal: Journal, ask: Ask[Answer]) -> Answer:
    """Make one attempt; settle its grant, end its trip and note its end, whatever that is."""
    failure: BaseException | None = None
    try:
        return await ask(entry, trip)
    except BaseException as error:
        failure = error
        raise
    finally:
        trip.ended(failure)
        journal.end(entry, failure)


async def _waited(delay_s: float, call: Call, stages: Stages) -> bool:
    """Wait until another attempt may be made; False when none should be."""
    if delay_s >= call.arrival.deadline - asyncio.get_running_loop().time():
        return False
    return await stages.gate.pause(delay_s) if delay_s else True


def _kind(candidate: Candidate, permit: Permit, tried: Sequence[AttemptRecord]) -> AttemptKind:
    if candidate.step > permit.candidates[0].step:
        return AttemptKind.FALLBACK
    return AttemptKind.RETRY if tried else AttemptKind.FIRST
