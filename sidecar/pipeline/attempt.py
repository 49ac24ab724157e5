"""One attempt, from its beginning to its end."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from sidecar.core.ports import Trip
from sidecar.pipeline.entry import Entry
from sidecar.pipeline.settle import Journal

Answer = TypeVar("Answer")
Ask: TypeAlias = Callable[[Entry, Trip], Awaitable[Answer]]
"""Makes one attempt, and tells its Trip when content comes."""


async def make(entry: Entry, trip: Trip, journal: Journal, ask: Ask[Answer]) -> Answer:
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
