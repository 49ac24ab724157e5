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


def take(share: Share, places: Sequence[Place], now: float) -> Served | None:
    """The first place whose lease covers the request at once; None: it has to wait."""
    for number, (holder, amounts) in enumerate(places):
        if source := holder.take(share, amounts, now):
            return Served(number, source)
    return None


class Standing:
    """A request in the lines of its places, which are numbered as they are joined. `on_end` is called with
    the place that serves it, and then no more; or, whenever the last line has refused it, with the
    milliseconds after which it is worth trying again.
    """

    def __init__(self, share: Share, deadline: float, on_end: Callable[[Served | float], None]) -> None:
        self._share = share
        self._deadline = deadline
        self._on_end = on_end
        self._places: list[Place] = []
        self._tickets: list[Ticket | None] = []

    def __repr__(self) -> str:
        lines = len([ticket for ticket in self._tickets if ticket is not None])
        return f"<Standing of {self._share.name} in {lines} of {len(self._places)} lines>"

    def join(self, places: Sequence[Place], now: float) -> bool:
        """Stand in every line of these that may move before the deadline, beside those where it stands
        already. False: there is none among them.
        """
        joined = False
        for place in places:
            ticket = Ticket(self._share, place.amounts, now, self._deadline, self)
            is_in_line = place.holder.join(ticket, now)
            self._places.append(place)
            self._tickets.append(ticket if is_in_line else None)
            joined = joined or is_in_line
        return joined

    @property
    def is_in_line(self) -> bool:
        """Whether it stands anywhere."""
        return any(self._tickets)

    def retry_ms(self, now: float) -> float:
        """When it is worth trying again at one of its places."""
        return min(holder.retry_ms(self._share, now) for holder, _ in self._places)

    def leave(self) -> None:
        """Give up. Idempotent."""
        for (holder, _), ticket in zip(self._places, self._tickets, strict=True):
            if ticket is not None:
                holder.leave(ticket)
        self._tickets = [None] * len(self._places)

    def granted(self, ticket: Ticket, source: int) -> None:
        """See `queue.Waiter`."""
        number = self._tickets.index(ticket)
        self.leave()
        self._on_end(Served(number, source))

    def refused(self, ticket: Ticket, retry_ms: float) -> None:
        """See `queue.Waiter`."""
        self._tickets[self._tickets.index(ticket)] = None
        if not self.is_in_line:
            self._on_end(retry_ms)
