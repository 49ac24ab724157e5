"""Writing to a caller who may have gone, or who does not read.

Two habits of grpc.aio end here. A write that its task gives up goes on underneath, and until it is through
grpc takes no status: so each write is a task of its own, and whoever wants to end the call waits for the last
one. And a write to a caller who has gone fails a moment before the cancellation arrives: that failure is made
the cancellation that it is.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import grpc.aio
from google.protobuf.message import Message

from sidecar.edge.context import Context


class Writer:
    """Writes the messages of one stream, one at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._writing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        is_writing = self._writing is not None and not self._writing.done()
        return f"<Writer {'writing' if is_writing else 'idle'}>"

    async def write(self, message: Message) -> None:
        """Write `message`; returns when the caller has room for it. Cancelled, it is written all the same."""
        writing = self._writing = self._loop.create_task(self._context.write(message))
        try:
            await asyncio.shield(writing)
        except grpc.aio.InternalError as error:
            raise asyncio.CancelledError from error
        except asyncio.CancelledError:
            writing.add_done_callback(_ignore_failure)
            raise

    async def idle(self) -> None:
        """Wait until the last message is through, or the caller has gone."""
        if self._writing is not None:
            await asyncio.wait({self._writing})


def _ignore_failure(writing: asyncio.Future[None]) -> None:
    if not writing.cancelled():
        writing.exception()


@contextmanager
def gone_is_cancelled() -> Iterator[None]:
    """Raise CancelledError where grpc reports that the call is over."""
    try:
        yield
    except grpc.aio.InternalError as error:
        raise asyncio.CancelledError from error
