"""Asking upstream: one attempt after another, each on its own Grant, until one answers or none may follow."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.errors import GrantLapsed, SidecarError
from sidecar.pipeline.admit import Admission
from sidecar.pipeline.settle import Journal, ended_by
from sidecar.upstream.rank import rank
from sidecar.upstream.retry import may_repeat

Answer = TypeVar("Answer")


async def attempts(
    call: Call, admission: Admission, journal: Journal, ask: Callable[[Attempt], Awaitable[Answer]]
) -> Answer:
    """Ask the permitted candidates, best first. Raises the error that ended the last attempt."""
    permit, hold = admission.permit, admission.hold
    while True:
        grant = await journal.queued(hold.reserve(rank(permit, journal.attempts)))
        attempt = Attempt(call, number=len(journal.attempts) + 1, grant=grant)
        try:
            return await _settled(attempt, journal, ask)
        except GrantLapsed:  # connecting took longer than the lease: nothing left, so it was no attempt
            continue
        except SidecarError as error:
            if not may_repeat(error, journal.attempts, permit):
                raise


async def _settled(attempt: Attempt, journal: Journal, ask: Callable[[Attempt], Awaitable[Answer]]) -> Answer:
    """Make one attempt; settle its grant and note its end, whatever that is."""
    journal.begin(attempt)
    failure: BaseException | None = None
    try:
        return await ask(attempt)
    except BaseException as error:
        failure = error
        raise
    finally:
        journal.spend(attempt.grant.settle(failure, journal.usage, journal.chunks))
        journal.end(None if isinstance(failure, GrantLapsed) else ended_by(failure))
