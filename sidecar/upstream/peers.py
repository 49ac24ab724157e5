"""The candidates of many calls, which find nothing changed but who of them is busy. Pure: time is passed in.

Ranking weighs latencies, weights, headroom and breakers, of which only the attempts in flight change from one
call to the next. So all else is weighed now and then, and a call compares one number for each candidate. That
is for calls that have tried nobody yet, while all candidates are well; for every other `rank` is asked.
"""

from collections.abc import Callable, Sequence
from math import log

from sidecar.core.permit import Candidate
from sidecar.upstream.rank import RANDOM_PART, Standing, View, costs, grouped

_KEPT_S = 0.05
"""How old what was weighed may be."""


class Peers:
    """Some candidates, and what an attempt at each of them weighs."""

    __slots__ = ("_kept_until", "_weighed", "candidates")

    def __init__(self, candidates: tuple[Candidate, ...], standings: Sequence[Standing], view: View) -> None:
        """`standings` are those of the candidates for a call that has tried none."""
        self.candidates = candidates
        self._weighed = [
            (standing, number, cost)
            for number, group in enumerate(grouped(standings))
            for standing, cost in zip(group, costs(group, view), strict=True)
        ]
        self._kept_until = view.now + _KEPT_S

    def __repr__(self) -> str:
        return f"<Peers {[standing.candidate.endpoint.project for standing, _, _ in self._weighed]}>"

    def is_known(self, now: float) -> bool:
        """Whether what was weighed still counts."""
        return now < self._kept_until

    def are_well(self, now: float) -> bool:
        """Whether each has room, and none was to be left alone lately."""
        for (candidate, health, _, _), _, _ in self._weighed:
            if health.breaker.steady_at > now or health.paused_until > now:
                return False
            most = candidate.endpoint.concurrency
            if most is not None and health.place.in_flight >= most:
                return False
        return True

    def by_load(self, draw: Callable[[], float]) -> list[Standing]:
        """All of them, the least loaded of the best group first."""
        loads = [
            (number, (standing[1].in_flight - log(1.0 - draw()) * RANDOM_PART) * cost, place)
            for place, (standing, number, cost) in enumerate(self._weighed)
        ]
        loads.sort()
        return [self._weighed[place][0] for _, _, place in loads]
