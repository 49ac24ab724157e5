"""Asking upstream: one attempt after another, each on its own Grant, until one answers or none may follow.

Whom to ask and whether to ask again the Pool decides; it is told of every attempt what came of it. Between
two attempts a call may wait, but never in vain: not past its deadline, and not in a sidecar that drains. And
when nobody may be asked after all, the caller hears how the last attempt ended: that is news of the upstream,
where what kept another from being made is not.
"""

import asyncio
from collections.abc import Sequence

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.errors import GrantLapsed, SidecarError, UpstreamCredentials, UpstreamQuota
from sidecar.core.outcome import AttemptKind, AttemptRecord
from sidecar.core.permit import Candidate, Permit
from sidecar.core.ports import Grant
from sidecar.pipeline.admit import Admission
from sidecar.pipeline.attempt import Answer, Ask, make
from sidecar.pipeline.hedge import Asking, hedged
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages

_HOMES_MOST = 8
"""Names that an error gives; trailers are small."""


async def attempts(
    call: Call, admission: Admission, stages: Stages, journal: Journal, ask: Ask[Answer]
) -> Answer:
    """Ask the permitted candidates, best first. Raises the error that ended the last attempt, or an earlier
    one that passes where that does not; of a call that only some projects could be asked for, because they
    alone have what it refers to, it names these.
    """
    try:
        return await _attempts(call, admission, stages, journal, ask)
    except SidecarError as error:
        if home := admission.permit.home:
            error.metadata["home"] = ", ".join(home[:_HOMES_MOST])
        raise


async def _attempts(
    call: Call, admission: Admission, stages: Stages, journal: Journal, ask: Ask[Answer]
) -> Answer:
    permit, pool = admission.permit, stages.pool
    failed: SidecarError | None = None
    while True:
        try:
            grant = await _reserved(call, admission, stages, journal)
        except SidecarError as refusal:
            if failed is None:
                raise
            raise _waiting_for_both(failed, refusal) from failed.__cause__
        tried = journal.attempts
        attempt = Attempt(call, grant, _kind(grant.candidate, permit, tried))
        try:
            after_s = pool.hedge_after(attempt, tried)
            if after_s is None:
                return await make(journal.begin(attempt), pool.began(attempt), journal, ask)
            return await hedged(attempt, after_s, Asking(call, admission, pool, journal, ask))
        except GrantLapsed:  # connecting took longer than the lease: nothing left, so it was no attempt
            continue
        except SidecarError as error:
            if journal.chunks:  # something has gone to the caller that cannot be taken back
                raise
            delay_s = pool.retry(error, call, permit, journal.attempts)
            failed = _speaking_for_the_call(error, failed)
            if delay_s is None or not await _waited(delay_s, call, stages):
                raise failed from failed.__cause__


async def _reserved(call: Call, admission: Admission, stages: Stages, journal: Journal) -> Grant:
    """The right to make another attempt, at whom the Pool ranks best."""
    while True:
        ranked = stages.pool.rank(call, admission.permit, journal.attempts)
        grant = await journal.queued(admission.hold.reserve(ranked))
        if stages.pool.has_room(grant.candidate):
            return grant
        grant.settle(None, None, 0)  # while it stood in line others have begun there: look elsewhere


def _speaking_for_the_call(last: SidecarError, before: SidecarError | None) -> SidecarError:
    """The last failure, unless it is of a project that serves nobody until its operator acts, and another has
    failed in a way that passes: then waiting helps the caller, who must not be told otherwise.
    """
    is_lasting = isinstance(last, UpstreamQuota | UpstreamCredentials) and last.retry_after_s is None
    return before if before is not None and before.retry_after_s is not None and is_lasting else last


def _waiting_for_both(failed: SidecarError, refusal: SidecarError) -> SidecarError:
    """How the last attempt failed; a caller who comes again finds what refused another still there, so it is
    to wait for whichever takes longer.
    """
    told = [error.retry_after_s for error in (failed, refusal) if error.retry_after_s is not None]
    failed.retry_after_s = max(told, default=None)
    return failed


async def _waited(delay_s: float, call: Call, stages: Stages) -> bool:
    """Wait until another attempt may be made; False when none should be."""
    if delay_s >= call.arrival.deadline - asyncio.get_running_loop().time():
        return False
    return await stages.gate.pause(delay_s) if delay_s else True


def _kind(candidate: Candidate, permit: Permit, tried: Sequence[AttemptRecord]) -> AttemptKind:
    if candidate.step > permit.candidates[0].step:
        return AttemptKind.FALLBACK
    return AttemptKind.RETRY if tried else AttemptKind.FIRST
