"""The way of a call that gets a stream of chunks.

Chunks are pushed to the caller from within the attempt, in one task: whatever ends that task (an error, the
deadline, the caller going away while a chunk is being written) leaves the exchange and so closes the upstream
connection. The first chunk sent is the commit point; a failure after it is a StreamInterrupted, which no
retry follows. Chunks that say nothing, such as usage alone, are not worth committing for: they wait for the
first content, so that an upstream which falls silent after them costs an attempt and not the call.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from sidecar.core.call import Call
from sidecar.core.errors import Draining, ReplyTooLarge, StreamInterrupted, UpstreamError
from sidecar.core.outcome import Reply
from sidecar.core.ports import Trip
from sidecar.pipeline.admit import admit
from sidecar.pipeline.attempts import attempts
from sidecar.pipeline.deadline import within_deadline
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.hear import hear
from sidecar.pipeline.settle import Journal
from sidecar.pipeline.stages import Stages
from sidecar.upstream.judge import has_content

_SILENT_MOST = 16
"""Chunks without content that wait at most."""


async def stream(
    read: Callable[[], Awaitable[Call]],
    stages: Stages,
    journal: Journal,
    emit: Callable[[Reply], Awaitable[None]],
) -> None:
    """Answer the call that `read` finds in the request, chunk by chunk; returns when the stream is complete.

    Raises SidecarError.
    """

    async def send(chunk: Reply, entry: Entry) -> None:
        try:
            await emit(chunk)
        except asyncio.CancelledError:  # the chunk was on its way and may arrive all the same
            journal.chunk_sent(entry)
            raise
        journal.chunk_sent(entry)

    async def ask(entry: Entry, trip: Trip) -> None:
        try:
            async with stages.transport.stream(entry.attempt) as chunks:
                beginning = await _until_content(chunks, entry, stages)
                trip.first_content()
                for chunk in beginning:
                    await send(chunk, entry)
                async for chunk in chunks:
                    hear(chunk, entry, stages)
                    await send(chunk, entry)
        except (UpstreamError, ReplyTooLarge) as error:
            if entry.chunks:
                raise _interrupted(error, journal) from error
            raise

    try:
        with within_deadline(journal), stages.gate.slot():
            call = await read()  # not before there is a place: what is shed costs nothing
            admission = await admit(call, stages, journal)
            await attempts(call, admission, stages, journal, ask)
    except Draining as error:  # the gate cut a call that had begun to answer
        if journal.chunks:
            raise _interrupted(error, journal) from error
        raise


async def _until_content(chunks: AsyncIterator[Reply], entry: Entry, stages: Stages) -> list[Reply]:
    """The first chunks, up to and with the first that says something."""
    read: list[Reply] = []
    async for chunk in chunks:
        hear(chunk, entry, stages)
        read.append(chunk)
        if len(read) > _SILENT_MOST or has_content(chunk.json):
            break
    return read


def _interrupted(error: UpstreamError | ReplyTooLarge | Draining, journal: Journal) -> StreamInterrupted:
    """What the caller is told of a failure after the commit point: the cause with its metadata, and how far
    the stream came.
    """
    return StreamInterrupted(
        f"the stream broke off after {journal.chunks} chunks: {error.message}",
        metadata=error.metadata | journal.progress() | {"cause": str(error.reason)},
    )
