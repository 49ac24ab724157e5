"""Which candidate to ask first. Pure: reads what is known of the endpoints, reserves nothing.

Theory of operation. Candidates of one step (alternative of model and tier) and one level are peers. Groups of
peers come in the order of the Policy. In a group:

- An endpoint whose breaker is open is left out, but never more than the Policy's `evicted_share` of a group,
  and never all of it. Those that cannot be spared stay behind their closed peers, for when these are full.
- A group in which nobody is well is passed over while another has somebody; when none has, those that cannot
  be spared are all there is, and are asked.
- An endpoint that is due for a probe comes first, for one call; see `breaker`.
- The others by least load: attempts in flight, by latency, by the share that each is to take: its weight,
  less while it recovers, less when its quota runs out. This is join-the-shortest-queue with weights; of idle
  endpoints each is taken with a chance in proportion to its share, because then the random part decides.

Latencies that differ by less than a half, or by a blink, are taken as equal: they are noise, and to follow
noise is to move all calls to and fro.

Whom this call has tried already comes after everybody else, whatever the group.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import NamedTuple

from sidecar.core.permit import Candidate
from sidecar.core.pooling import BreakerRules
from sidecar.upstream.health import Health

_NOISE = 1.5
_BLINK_S = 0.02
RANDOM_PART = 1 / 3
"""Mean of what is added to the attempts in flight: large enough to decide between the idle, too small to
outweigh an attempt often. Exponential, so that the least of several falls to each in proportion to its share.
"""
_LEAST_HEADROOM = 0.05


class Standing(NamedTuple):
    """A candidate, and what counts for and against it."""

    candidate: Candidate
    health: Health
    headroom: float = 1.0
    """Of its quota, from 0 to 1."""
    tried: int = 0
    """How often this call has asked it."""

    def has_room(self) -> bool:
        """Whether another attempt may be open at it."""
        most = self.candidate.endpoint.concurrency
        return most is None or self.health.place.in_flight < most

    def is_ready(self, now: float) -> bool:
        """Whether nothing but its room speaks against asking it."""
        breaker = self.health.breaker
        return self.health.paused_until <= now and (not breaker.is_open or breaker.wants_probe(now))

    def is_peer_of(self, other: Candidate) -> bool:
        """Whether both are as good to the Policy."""
        candidate = self.candidate
        return candidate.step == other.step and candidate.endpoint.level == other.endpoint.level

    def share(self, now: float) -> float:
        """How much it is to take beside its peers."""
        return self.candidate.endpoint.weight * self.health.breaker.weight(now)


class View(NamedTuple):
    """How a call looks at endpoints."""

    rules: BreakerRules
    is_streamed: bool
    now: float
    draw: Callable[[], float]
    """Random, from 0 to below 1, anew at each call."""


def rank(standings: Sequence[Standing], view: View) -> list[Standing]:
    """Who may be asked now, best first; empty when nobody may."""
    return sorted(_by_group(standings, view), key=_times_tried)


def ready_at(standings: Sequence[Standing]) -> float:
    """When the first of those that may not be asked now may be asked again."""
    return min(
        max(s.health.paused_until, s.health.breaker.reopens_at if s.health.breaker.is_open else 0.0)
        for s in standings
    )


def _times_tried(standing: Standing) -> int:
    return standing.tried


def grouped(standings: Sequence[Standing]) -> list[list[Standing]]:
    """Peers together, in the order of their steps and levels."""
    groups: dict[tuple[int, int], list[Standing]] = {}
    for standing in standings:
        candidate = standing.candidate
        groups.setdefault((candidate.step, candidate.endpoint.level), []).append(standing)
    return [groups[key] for key in sorted(groups)]


def costs(peers: Sequence[Standing], view: View) -> list[float]:
    """What an attempt at each weighs: its latency, where that is no noise, by the share it is to take."""
    taken_s = [peer.health.latency(view.is_streamed).estimate_s(view.now) for peer in peers]
    best_s = min(filter(None, taken_s), default=0.0)
    noise_s = max(_NOISE * best_s, best_s + _BLINK_S)
    return [
        (latency_s / best_s if latency_s > noise_s else 1.0)
        / (peer.share(view.now) * max(peer.headroom, _LEAST_HEADROOM))
        for peer, latency_s in zip(peers, taken_s, strict=True)
    ]


def _by_group(standings: Sequence[Standing], view: View) -> list[Standing]:
    """Group by group, those that are to be left alone left out."""
    well: list[Standing] = []
    sick: list[Standing] = []
    for group in grouped(standings):
        ready = [s for s in _kept(group, view) if s.health.paused_until <= view.now and s.has_room()]
        is_well = any(s.is_ready(view.now) for s in ready)
        (well if is_well else sick).extend(_by_load(ready, view))
    return well or sick


def _kept(group: list[Standing], view: View) -> list[Standing]:
    """Those of a group that are not left out for their breakers."""
    shut = [s for s in group if s.health.breaker.is_open and not s.health.breaker.wants_probe(view.now)]
    if not shut:
        return group
    spared = min(int(len(group) * view.rules.evicted_share), len(group) - 1)
    shut.sort(key=lambda s: -s.health.breaker.reopens_at)
    evicted = {id(s) for s in shut[:spared]}
    return [s for s in group if id(s) not in evicted]


def _by_load(group: Sequence[Standing], view: View) -> list[Standing]:
    """Peers in the order in which they are to be asked."""
    if len(group) < 2:
        return list(group)
    keyed = []
    for place, (standing, cost) in enumerate(zip(group, costs(group, view), strict=True)):
        breaker, turn = standing.health.breaker, 0
        if breaker.is_open:
            is_probe = breaker.wants_probe(view.now) and not standing.tried
            turn = -1 if is_probe else int(_has_steady(group, view.now))
        load = (standing.health.in_flight - log(1.0 - view.draw()) * RANDOM_PART) * cost
        keyed.append((turn, load, place))
    keyed.sort()
    return [group[place] for _, _, place in keyed]


def _has_steady(group: Sequence[Standing], now: float) -> bool:
    return any(standing.health.breaker.steady_at <= now for standing in group)
