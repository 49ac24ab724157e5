"""The way of a call that gets a stream of chunks.

Chunks are pushed to the caller from within the attempt, in one task: whatever ends that task (an error, the
deadline, the caller going away while a chunk is being written) leaves the exchange and so closes the upstream
connection. The first chunk sent is the commit point; a failure after it is a StreamInterrupted, which no
retry follows.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sidecar.core.call import Call
from sidecar.core.errors import Draining, ReplyTooLarge, StreamInterrupted, UpstreamError
from sidecar.core.outcome import Reply
from sidecar.core.ports import Trip
from sidecar.pipeline.admit import admit
from sidecar.pipeline.attempts import attempts
from sidecar.pipeline.deadline import within_deadline
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages


async def stream(
    read: Callable[[], Awaitable[Call]],
    stages: Stages,
    journal: Journal,
    emit: Callable[[Reply], Awaitable[None]],
) -> None:
    """Answer the call that `read` finds in the request, chunk by chunk; returns when the stream is complete.

    Raises SidecarError.
    """

    async def ask(entry: Entry, trip: Trip) -> None:
        try:
            async with stages.transport.stream(entry.attempt) as chunks:
                async for chunk in chunks:
                    trip.first_content()
                    entry.saw(chunk)
                    try:
                        await emit(chunk)
                    except asyncio.CancelledError:  # the chunk was on its way and may arrive all the same
                        journal.chunk_sent(entry)
                        raise
                    journal.chunk_sent(entry)
        except (UpstreamError, ReplyTooLarge) as error:
            if journal.chunks:
                raise _interrupted(error, journal) from error
            raise

    try:
        with within_deadline(journal), stages.gate.slot():
            call = await read()  # not before there is a place: what is shed costs nothing
            admission = await admit(call, stages, journal)
            await attempts(call, admission, stages.pool, journal, ask)
    except Draining as error:  # the gate cut a call that had begun to answer
        if journal.chunks:
            raise _interrupted(error, journal) from error
        raise


def _interrupted(error: UpstreamError | ReplyTooLarge | Draining, journal: Journal) -> StreamInterrupted:
    """What the caller is told of a failure after the commit point: the cause with its metadata, and how far
    the stream came.
    """
    return StreamInterrupted(
        f"the stream broke off after {journal.chunks} chunks: {error.message}",
        metadata=error.metadata | journal.progress() | {"cause": str(error.reason)},
    )
