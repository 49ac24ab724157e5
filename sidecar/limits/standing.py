"""One request that stands in line in several groups at once, to be served by the first that can. Pure.

Whichever group's lease covers it first wins; in the same moment it leaves all other lines, so it is served
once. Units that another group was granted for it stay in that group's lease for the next request there.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sidecar.core.quota import Share
from sidecar.limits.holder import Holder
from sidecar.limits.queue import Ticket


class Place(NamedTuple):
    """A group that could serve the request, and what it would take there."""

    holder: Holder
    amounts: Sequence[int]


class Served(NamedTuple):
    """Which place serves the request, and where its units are from, as `Holder.take` returns it."""

    place: int
    source: int


class Standing:
    """A request and its places. `on_end` is called at most once, with the place that serves it, or with the
    milliseconds after which it is worth trying again.
    """

    def __init__(
        self,
        share: Share,
        places: Sequence[Place],
        deadline: float,
        on_end: Callable[["Served | float"], None],
    ) -> None:
        self._share = share
        self._places = places
        self._deadline = deadline
        self._on_end = on_end
        self._tickets: list[Ticket | None] = []

    def __repr__(self) -> str:
        return f"<Standing of {self._share.name} in {len(self._tickets)} of {len(self._places)} lines>"

    def take(self, now: float) -> "Served | None":
        """The first place whose lease covers the request at once; None: it has to wait."""
        for number, (holder, amounts) in enumerate(self._places):
            if source := holder.take(self._share, amounts, now):
                return Served(number, source)
        return None

    def join(self, now: float) -> float | None:
        """Stand in every line that may move before the deadline. None, or in how many milliseconds to try
        again when there is no such line.
        """
        for holder, amounts in self._places:
            ticket = Ticket(self._share, amounts, now, self._deadline, self)
            self._tickets.append(ticket if holder.join(ticket, now) else None)
        if any(self._tickets):
            return None
        return self.retry_ms(now)

    def retry_ms(self, now: float) -> float:
        """When it is worth trying again."""
        return min(holder.retry_ms(self._share, now) for holder, _ in self._places)

    def leave(self) -> None:
        """Give up. Idempotent."""
        for (holder, _), ticket in zip(self._places, self._tickets, strict=False):
            if ticket is not None:
                holder.leave(ticket)
        self._tickets = []

    def granted(self, ticket: Ticket, source: int) -> None:
        """See `queue.Waiter`."""
        number = self._tickets.index(ticket)
        self.leave()
        self._on_end(Served(number, source))

    def refused(self, ticket: Ticket, retry_ms: float) -> None:
        """See `queue.Waiter`."""
        self._tickets[self._tickets.index(ticket)] = None
        if not any(self._tickets):
            self._tickets = []
            self._on_end(retry_ms)
