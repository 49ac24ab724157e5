"""Who is served next when several classes wait for the same limits: start-time fair queueing. Pure.

Each class has a virtual time that advances by what it is granted over its weight, measured on its dominant
resource, the limit of which the grant is the largest part. A class may run at most a quantum ahead of the
least served one that waits anywhere in the fleet; one that comes back after a pause starts at the time of
those who waited, so that it neither claims the past nor loses its place. While nobody waits nobody is
deprived: then all begin anew at the time of the best served one, which owes the others nothing.

The same arithmetic, line by line, is in `lua/ledger.lua`.
"""

from collections.abc import Iterable, Mapping

_FORGOTTEN_MS = 120_000


class Lane:
    """One class: how far it was served, and how many of its requests wait."""

    __slots__ = ("seen", "served", "waiting")

    def __init__(self, served: float) -> None:
        self.served = served
        self.seen = 0
        self.waiting = 0


class FairQueue:
    """The classes of one group."""

    def __init__(self, quantum: float, fresh_ms: int) -> None:
        self.quantum = quantum
        self.fresh_ms = fresh_ms
        self.virtual = 0.0
        self.lanes: dict[str, Lane] = {}

    def __repr__(self) -> str:
        return f"<FairQueue of {len(self.lanes)} classes at {self.virtual:.3f}>"

    def withdraw(self, waiting: Mapping[str, int]) -> None:
        """Requests that a holder had waiting do so no more."""
        for share, count in waiting.items():
            if share in self.lanes:
                self.lanes[share].waiting = max(0, self.lanes[share].waiting - count)

    def wait(self, share: str, count: int, now: int) -> None:
        """Requests of a class begin to wait."""
        lane = self.lanes[share]
        lane.waiting += count
        lane.seen = now

    def is_contended(self, now: int) -> bool:
        """Whether anybody waits."""
        return any(self._waits(lane, now) for lane in self.lanes.values())

    def enter(self, shares: Iterable[str], now: int) -> None:
        """Classes ask: bring the virtual time up to those who wait, forget who is long gone, let newcomers
        start now.
        """
        self.virtual = max(self.virtual, self._reached(now))
        for share, lane in list(self.lanes.items()):
            if not self._waits(lane, now) and now - lane.seen > _FORGOTTEN_MS and lane.served <= self.virtual:
                del self.lanes[share]
        for share in shares:
            lane = self.lanes.setdefault(share, Lane(self.virtual))
            if not self._waits(lane, now):
                lane.served = max(lane.served, self.virtual)

    def _reached(self, now: int) -> float:
        """How far all who wait were served. When nobody has waited for a while, what was served to anybody is
        forgiven: it was taken from nobody.
        """
        lanes = self.lanes.values()
        if waiting := [lane.served for lane in lanes if self._waits(lane, now)]:
            return min(waiting)
        if any(now - lane.seen <= self.fresh_ms for lane in lanes):
            return self.virtual
        return max((lane.served for lane in lanes), default=0.0)

    def served(self, share: str) -> float:
        """The virtual time of a class."""
        return self.lanes[share].served

    def lead(self, share: str, weight: float, now: int) -> float | None:
        """How much, as part of a limit, a class may be granted before it runs ahead; None: no other waits."""
        others = [
            lane.served for name, lane in self.lanes.items() if name != share and self._waits(lane, now)
        ]
        if not others:
            return None
        return max(0.0, (min(others) + self.quantum - self.lanes[share].served) * weight)

    def serve(self, share: str, weight: float, cost: float) -> None:
        """A class was granted `cost`, as part of its dominant limit."""
        self.lanes[share].served += cost / weight

    def _waits(self, lane: Lane, now: int) -> bool:
        return lane.waiting > 0 and now - lane.seen <= self.fresh_ms
