"""The deadline of a call, over all its stages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sidecar.core.errors import DeadlineExceeded
from sidecar.pipeline.settle import Journal


@asynccontextmanager
async def within_deadline(journal: Journal) -> AsyncIterator[None]:
    """Cancel what runs inside when the call's deadline comes, and raise DeadlineExceeded in its place."""
    arrival = journal.arrival
    try:
        async with asyncio.timeout_at(arrival.deadline) as timeout:
            yield
    except TimeoutError:
        if not timeout.expired():
            raise
        message = f"no complete answer within the {arrival.allowed_s:.3g} s that the deadline allowed"
        raise DeadlineExceeded(message, metadata=journal.progress()) from None
