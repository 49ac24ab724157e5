"""Asking upstream: one attempt after another, each on its own Grant, until one answers or none may follow."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.errors import GrantLapsed, SidecarError
from sidecar.core.outcome import AttemptKind
from sidecar.pipeline.admit import Admission
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.settle import Journal
from sidecar.upstream.rank import rank
from sidecar.upstream.retry import may_repeat

Answer = TypeVar("Answer")


async def attempts(
    call: Call, admission: Admission, journal: Journal, ask: Callable[[Entry], Awaitable[Answer]]
) -> Answer:
    """Ask the permitted candidates, best first. Raises the error that ended the last attempt."""
    permit, hold = admission.permit, admission.hold
    while True:
        tried = journal.attempts
        grant = await journal.queued(hold.reserve(rank(permit, tried)))
        attempt = Attempt(call, grant, AttemptKind.RETRY if tried else AttemptKind.FIRST)
        try:
            return await _settled(journal.begin(attempt), journal, ask)
        except GrantLapsed:  # connecting took longer than the lease: nothing left, so it was no attempt
            continue
        except SidecarError as error:
            if not may_repeat(error, journal.attempts, permit):
                raise


async def _settled(entry: Entry, journal: Journal, ask: Callable[[Entry], Awaitable[Answer]]) -> Answer:
    """Make one attempt; settle its grant and note its end, whatever that is."""
    failure: BaseException | None = None
    try:
        return await ask(entry)
    except BaseException as error:
        failure = error
        raise
    finally:
        journal.end(entry, failure)
