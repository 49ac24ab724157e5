"""The way of a call that gets one answer."""

from collections.abc import Awaitable, Callable

from sidecar.core.call import Call
from sidecar.core.outcome import Reply
from sidecar.core.ports import Trip
from sidecar.pipeline.admit import admit
from sidecar.pipeline.attempts import attempts
from sidecar.pipeline.deadline import within_deadline
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.hear import hear
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages


async def generate(read: Callable[[], Awaitable[Call]], stages: Stages, journal: Journal) -> Reply:
    """Answer the call that `read` finds in the request. Raises SidecarError."""

    async def ask(entry: Entry, trip: Trip) -> Reply:
        reply = await stages.transport.send(entry.attempt)
        trip.first_content()
        hear(reply, entry, stages)
        return reply

    with within_deadline(journal), stages.gate.slot():
        call = await read()  # not before there is a place: what is shed costs nothing
        admission = await admit(call, stages, journal)
        return await attempts(call, admission, stages, journal, ask)
