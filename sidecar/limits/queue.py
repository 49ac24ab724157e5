"""Requests that wait for a limit, by class and deadline. Pure: time is passed in, in milliseconds.

A class is a heap by deadline: who must be served first is. What has been served elsewhere or given up is only
marked, and passed over when its turn comes; the sums that the ledger is asked for are right at once.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Protocol

from sidecar.core.quota import Share

_ALWAYS_MAY_WAIT = 3
"""So many of a class may wait whatever is known about how fast it is served."""


class Waiter(Protocol):
    """Who holds tickets, one in each group that could serve it."""

    def granted(self, ticket: "Ticket", source: int) -> None:
        """The units of `ticket` were taken; `source` as `Holder.take` returns it."""

    def refused(self, ticket: "Ticket", retry_ms: float) -> None:
        """`ticket` cannot be served before its deadline; it may be after `retry_ms`."""


class Ticket:
    """One request's place in the queue of one group."""

    __slots__ = ("amounts", "deadline", "is_live", "share", "since", "waiter")

    def __init__(
        self, share: Share, amounts: Sequence[int], since: float, deadline: float, waiter: Waiter
    ) -> None:
        self.share = share
        self.amounts = amounts
        self.since = since
        self.deadline = deadline
        self.waiter = waiter
        self.is_live = True

    def __lt__(self, other: "Ticket") -> bool:
        return self.deadline < other.deadline

    def __repr__(self) -> str:
        return f"<Ticket of {self.share.name} for {list(self.amounts)}{'' if self.is_live else ', over'}>"


class Line:
    """Those of one class who wait."""

    def __init__(self, limits: int) -> None:
        self._heap: list[Ticket] = []
        self.length = 0
        """So many of them."""
        self.need = [0] * limits
        """Of each limit, for all who wait."""

    def __repr__(self) -> str:
        return f"<Line of {self.length}>"

    def join(self, ticket: Ticket) -> None:
        """Stand in line."""
        heapq.heappush(self._heap, ticket)
        self.length += 1
        for number, amount in enumerate(ticket.amounts):
            self.need[number] += amount

    def leave(self, ticket: Ticket) -> None:
        """Wait no more. Idempotent."""
        if ticket.is_live:
            ticket.is_live = False
            self.length -= 1
            for number, amount in enumerate(ticket.amounts):
                self.need[number] -= amount
        if len(self._heap) > 2 * self.length + 16:  # mostly marked ones: sweep
            self._heap = [waiting for waiting in self._heap if waiting.is_live]
            heapq.heapify(self._heap)

    def head(self) -> Ticket | None:
        """Who is served next."""
        while self._heap and not self._heap[0].is_live:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def late(self, moment: float) -> Iterator[Ticket]:
        """Take out all whose deadline is not after `moment`."""
        while (head := self.head()) is not None and head.deadline <= moment:
            self.leave(head)
            yield head

    def is_hopeless(self, deadline_in: float, served_per_ms: float) -> bool:
        """Whether the line is longer than what is likely to be served in so much time."""
        return self.length > _ALWAYS_MAY_WAIT + served_per_ms * max(0.0, deadline_in)
