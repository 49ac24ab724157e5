"""One class of one holder: who waits, how fast requests come and go, what to ask for and when. Pure: time is
passed in, in milliseconds.
"""

from collections.abc import Sequence

from sidecar.core.quota import Share
from sidecar.limits.demand import Demand
from sidecar.limits.message import Want
from sidecar.limits.queue import Line

HORIZON_MS = 200.0
"""How far ahead a lease reaches unless told otherwise, and how long a refused class waits at least."""
_MOST_WAITING = 1_000
"""So many may wait while nothing is known to be scarce: a burst is served by the next answer."""
_IDLE_CLASS_MS = 60_000.0


class Backlog:
    """What a holder knows of one class, for which it holds units `ahead_ms` ahead."""

    def __init__(self, share: Share, limits: int, now: float, ahead_ms: float = HORIZON_MS) -> None:
        self.share = share
        self.line = Line(limits)
        self.demand = Demand(limits, now)
        self.ask_at = 0.0
        self.is_short = False
        """Whether the ledger had less than it needed when it was last asked."""
        self.unheld = 0.0
        """Requests that the licence let go in this outage, over the weight of the class."""
        self._ahead_ms = ahead_ms
        self._served_at = now

    def __repr__(self) -> str:
        return f"<Backlog of {self.share.name}: {len(self.line)} waiting, {self.demand!r}>"

    def served(self, now: float) -> None:
        """A request was let go."""
        self.demand.served()
        self._served_at = now

    def is_hopeless(self, wait_ms: float, is_scarce: bool) -> bool:
        """Whether a request that can wait so long would wait for nothing: more are before it than can be
        kept, or, where units are scarce, than are likely to be served.
        """
        if len(self.line) >= _MOST_WAITING:
            return True
        return is_scarce and self.line.is_hopeless(wait_ms, self.demand.served_per_ms)

    def queue_ms(self) -> float:
        """How long the line takes, as far as is known."""
        rate = self.demand.served_per_ms
        return (len(self.line) + 1) / rate if rate else 0.0

    def is_low(self, free: Sequence[int]) -> bool:
        """Whether it holds less than half of what it is likely to need."""
        return any(have < 0.5 * want for have, want in zip(free, self.target(), strict=True))

    def target(self) -> list[int]:
        """Of each limit, what it should hold."""
        return self.demand.target(self._ahead_ms)

    def is_over(self, now: float) -> bool:
        """Whether it can be forgotten, if it holds nothing."""
        return not len(self.line) and self.demand.is_idle and now - self._served_at > _IDLE_CLASS_MS

    def want(self, free: Sequence[int], is_leaving: bool) -> Want | None:
        """What to ask for, beyond what it holds."""
        need = head = prefetch = [0] * len(free)
        if (first := self.line.head()) is not None:
            need = [max(0, need - have) for need, have in zip(self.line.need, free, strict=True)]
            head = [max(0, amount - have) for amount, have in zip(first.amounts, free, strict=True)]
        if not is_leaving:
            prefetch = [max(0, want - have) for want, have in zip(self.target(), free, strict=True)]
        if not (any(need) or any(prefetch)):
            return None
        return Want(self.share.name, self.share.weight, need, head, prefetch)
