"""Asking upstream: one attempt after another, each on its own Grant, until one answers or none may follow.

Whom to ask and whether to ask again the Pool decides; it is told of every attempt what came of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.errors import GrantLapsed, SidecarError
from sidecar.core.outcome import AttemptKind
from sidecar.core.ports import Pool, Trip
from sidecar.pipeline.admit import Admission
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.settle import Journal

Answer = TypeVar("Answer")
Ask: TypeAlias = Callable[[Entry, Trip], Awaitable[Answer]]
"""Makes one attempt, and tells its Trip when content comes."""


async def attempts(
    call: Call, admission: Admission, pool: Pool, journal: Journal, ask: Ask[Answer]
) -> Answer:
    """Ask the permitted candidates, best first. Raises the error that ended the last attempt."""
    permit, hold = admission.permit, admission.hold
    while True:
        tried = journal.attempts
        grant = await journal.queued(hold.reserve(pool.rank(call, permit, tried)))
        attempt = Attempt(call, grant, AttemptKind.RETRY if tried else AttemptKind.FIRST)
        try:
            return await _settled(journal.begin(attempt), pool.began(attempt), journal, ask)
        except GrantLapsed:  # connecting took longer than the lease: nothing left, so it was no attempt
            continue
        except SidecarError as error:
            delay_s = pool.retry(error, call, permit, journal.attempts)
            if delay_s is None:
                raise
            if delay_s:
                await asyncio.sleep(delay_s)


async def _settled(entry: Entry, trip: Trip, journal: Journal, ask: Ask[Answer]) -> Answer:
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
