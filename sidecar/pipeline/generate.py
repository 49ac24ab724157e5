"""The way of a call that gets one answer."""

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.outcome import Reply
from sidecar.pipeline.admit import admit
from sidecar.pipeline.attempts import attempts
from sidecar.pipeline.deadline import within_deadline
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages


async def generate(call: Call, stages: Stages, journal: Journal) -> Reply:
    """Answer `call`. Raises SidecarError."""

    async def ask(attempt: Attempt) -> Reply:
        reply = await stages.transport.send(attempt)
        journal.saw(reply)
        return reply

    async with within_deadline(journal), stages.gate.slot():
        admission = await admit(call, stages, journal)
        return await attempts(call, admission.permit, stages.limits, journal, ask)
