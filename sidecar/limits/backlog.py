"""The classes of one holder: who waits, how fast requests come and go, what to ask for and when. Pure: time
is passed in, in milliseconds.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from sidecar.core.quota import Share
from sidecar.limits.demand import Demand
from sidecar.limits.message import Granted, Want
from sidecar.limits.queue import Line

HORIZON_MS = 200.0
"""How far ahead a lease reaches unless told otherwise, and how long a refused class waits at least."""
_MOST_WAITING = 1_000
"""So many may wait while nothing is known to be scarce: a burst is served by the next answer."""
_IDLE_CLASS_MS = 60_000.0


class Backlog:
    """What a holder knows of one class, for which it holds units of each limit `ahead_ms` ahead."""

    def __init__(self, share: Share, ahead_ms: Sequence[float], now: float) -> None:
        self.share = share
        self.line = Line(len(ahead_ms))
        self.demand = Demand(len(ahead_ms), now)
        self.ask_at = 0.0
        self.is_short = False
        """Whether the ledger had less than it needed when it was last asked."""
        self.unheld = 0.0
        """Requests that the licence let go in this outage, over the weight of the class."""
        self._ahead_ms = ahead_ms

    def __repr__(self) -> str:
        return f"<Backlog of {self.share.name}: {self.line.length} waiting, {self.demand!r}>"

    def is_hopeless(self, wait_ms: float, is_scarce: bool) -> bool:
        """Whether a request that can wait so long would wait for nothing: more are before it than can be
        kept, or, where units are scarce, than are likely to be served.
        """
        if self.line.length >= _MOST_WAITING:
            return True
        return is_scarce and self.line.is_hopeless(wait_ms, self.demand.served_per_ms)

    def queue_ms(self) -> float:
        """How long the line takes, as far as is known."""
        rate = self.demand.served_per_ms
        return (self.line.length + 1) / rate if rate else 0.0

    def is_low(self, free: Sequence[int]) -> bool:
        """Whether it holds less than half of what it is likely to need."""
        return any(have < 0.5 * want for have, want in zip(free, self.target(), strict=True))

    def target(self) -> list[int]:
        """Of each limit, what it should hold."""
        return self.demand.target(self._ahead_ms)

    def is_over(self, now: float) -> bool:
        """Whether it can be forgotten, if it holds nothing."""
        return not self.line.length and self.demand.is_idle and now - self.demand.served_at > _IDLE_CLASS_MS

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


class Backlogs:
    """All classes of a holder, of each limit `ahead_ms` ahead. What a class holds is passed in by the name of
    its share.
    """

    def __init__(self, ahead_ms: Sequence[float]) -> None:
        self._ahead_ms = ahead_ms
        self._by_name: dict[str, Backlog] = {}

    def __repr__(self) -> str:
        return f"<Backlogs {list(self._by_name.values())}>"

    def __iter__(self) -> Iterator[Backlog]:
        return iter(self._by_name.values())

    def of(self, share: Share, now: float) -> Backlog:
        """The class of a share; made when it is asked for first."""
        known = self._by_name.get(share.name)
        if known is None:
            known = self._by_name[share.name] = Backlog(share, self._ahead_ms, now)
        known.share = share  # its weight may have changed
        return known

    def get(self, name: str) -> Backlog | None:
        """The class of that name; None when nothing is known of it."""
        return self._by_name.get(name)

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return sum(known.line.length for known in self._by_name.values())

    @property
    def ask_at(self) -> float:
        """When the first class that waits is to ask; infinity: none waits."""
        return min((known.ask_at for known in self if known.line.length), default=math.inf)

    def look(self, now: float) -> None:
        """Let the rates follow what was seen."""
        for known in self:
            known.demand.look(now)

    def is_low(self, free: Mapping[str, Sequence[int]]) -> bool:
        """Whether a class holds less than half of what it is likely to need."""
        nothing = [0] * len(self._ahead_ms)
        return any(known.is_low(free.get(name, nothing)) for name, known in self._by_name.items())

    def wants(self, free: Mapping[str, Sequence[int]], is_leaving: bool) -> list[Want]:
        """What to ask for."""
        nothing = [0] * len(self._ahead_ms)
        wants = (known.want(free.get(name, nothing), is_leaving) for name, known in self._by_name.items())
        return [want for want in wants if want is not None]

    def schedule(self, grants: Sequence[Granted], blocked_ms: float, now: float, random: Random) -> None:
        """When each is to ask again for what it was not granted: at a random moment around the one told."""
        waits = {granted.share: granted.wait_ms for granted in grants}
        for name, known in self._by_name.items():
            known.is_short = waits.get(name, 0) > 0
            wait = max(waits.get(name, 0), blocked_ms)
            spread = 0.75 + 0.5 * random.random()
            known.ask_at = now + max(wait, HORIZON_MS) * spread if wait else 0.0

    def forget_idle(self, free: Mapping[str, Sequence[int]], now: float) -> None:
        """Drop the classes that are over and hold nothing."""
        over = [name for name, known in self._by_name.items() if name not in free and known.is_over(now)]
        for name in over:
            del self._by_name[name]
