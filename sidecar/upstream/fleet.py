"""The Pool port: how the endpoints are, as this process has found them and others have told.

Decisions are made elsewhere and are pure: `rank` and `affinity` whom to ask, `breaker` whom to leave alone,
`retry` and `budget` whether to ask again. Here they meet the clock, chance and the bulletin. Everything but
`listen` is synchronous, so no lock is needed.
"""

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Never

from sidecar.core.attempt import Attempt
from sidecar.core.bulletin import Snapshot
from sidecar.core.call import FREE, Call, Method
from sidecar.core.errors import Overloaded, SidecarError, UpstreamCredentials, UpstreamUnavailable
from sidecar.core.outcome import AttemptKind, AttemptRecord
from sidecar.core.permit import Candidate, Permit
from sidecar.core.pooling import BreakerRules
from sidecar.core.ports import Bulletin, PoolObserver
from sidecar.core.quantile import Sketch
from sidecar.core.recent import Recent
from sidecar.upstream.affinity import home, prefix_of
from sidecar.upstream.budget import Budget
from sidecar.upstream.course import Course, Surroundings
from sidecar.upstream.health import Health, Healths
from sidecar.upstream.peers import Peers
from sidecar.upstream.rank import Standing, View, rank, ready_at
from sidecar.upstream.retry import backoff_s, may_follow, may_return, return_s

KIND = "breaker"
"""Of notices: the key is a Health's, the value the length of the opening in seconds."""
_KEY_MAX_CHARS = 128
_MODELS_MAX = 1024
"""What is remembered by model: names may come from callers."""
_KINDS_MAX = 256
"""Kinds of calls of which it is remembered how their candidates compare."""
_NEW_CALLS = (AttemptKind.FIRST, AttemptKind.FALLBACK)
"""Attempts that are the first of their call at a model."""
_SKETCH_S = (0.01, 600.0, 1.1)


class Fleet:
    """All endpoints that were asked; see `core.ports.Pool`."""

    def __init__(
        self,
        bulletin: Bulletin,
        observer: PoolObserver,
        headroom: Callable[[Call, Candidate], float],
        clock: Callable[[], float],
        draw: Callable[[], float],
    ) -> None:
        """`headroom` tells how much is left of a candidate's quota, from 0 to 1; `clock` is the event loop's;
        `draw` gives random numbers from 0 to below 1.
        """
        self._bulletin = bulletin
        self._headroom = headroom
        self._around = Surroundings(clock, draw, observer, self._announce)
        self._healths = Healths()
        self._known_peers: Recent[tuple[int, Method], Peers] = Recent(_KINDS_MAX)
        self._budgets: Recent[str, Budget] = Recent(_MODELS_MAX)
        self._sketches: Recent[tuple[str, bool], Sketch] = Recent(_MODELS_MAX)
        self._rules = BreakerRules()
        """Those of the latest call: what another sidecar tells comes without any."""

    def __repr__(self) -> str:
        return f"<Fleet {self._healths!r}>"

    # ------------------------------------------------------------------------------------------ whom to ask

    def rank(self, call: Call, permit: Permit, tried: Sequence[AttemptRecord] = ()) -> tuple[Candidate, ...]:
        """Who may be asked now, best first; see `core.ports.Pool`."""
        candidates, now = permit.candidates, self._around.clock()
        if len(candidates) == 1 and self._is_plain(candidates[0], call, now):
            return candidates
        peers = None if tried else self._peers(call, candidates, now)
        if peers is not None and peers.are_well(now):
            order = peers.by_load(self._around.draw)
        else:
            standings = self._standings(call, candidates, tried)
            order = self._order(call, standings, now)
            if not order:
                raise _nobody(call, standings, now)
        first = order[0].health.breaker
        if first.wants_probe(now):
            first.offer(now)
        elif not tried and call.policy.pools.affinity:
            order = self._at_home(call, order, now)
        return tuple([standing.candidate for standing in order])

    def _is_plain(self, candidate: Candidate, call: Call, now: float) -> bool:
        """Whether it may be asked if it is the only one: never left alone for its breaker."""
        health = self._health(candidate, call)
        return health.paused_until <= now and candidate.endpoint.concurrency is None

    def _peers(self, call: Call, candidates: tuple[Candidate, ...], now: float) -> Peers:
        """The candidates as all calls of this method find them. Those of which the Policy thinks alike have
        the same tuple of candidates, not only an equal one.
        """
        key = id(candidates), call.arrival.method
        peers = self._known_peers.get(key)
        if peers is None or peers.candidates is not candidates or not peers.is_known(now):
            peers = Peers(candidates, self._standings(call, candidates, ()), self._view(call, now))
            self._known_peers.put(key, peers)
        return peers

    def _standings(
        self, call: Call, candidates: Iterable[Candidate], tried: Sequence[AttemptRecord]
    ) -> list[Standing]:
        health, headroom = self._health, self._headroom
        asked = [record.candidate for record in tried]
        return [
            Standing(candidate, health(candidate, call), headroom(call, candidate), asked.count(candidate))
            for candidate in candidates
        ]

    def _health(self, candidate: Candidate, call: Call) -> Health:
        rules = self._rules = call.policy.pools.breaker
        return self._healths.of(candidate.endpoint, _asked_for(candidate, call), rules)

    def _order(self, call: Call, standings: Sequence[Standing], now: float) -> list[Standing]:
        return rank(standings, self._view(call, now))

    def _view(self, call: Call, now: float) -> View:
        is_streamed = call.arrival.method is Method.STREAM_GENERATE
        return View(call.policy.pools.breaker, is_streamed, now, self._around.draw)

    def _at_home(self, call: Call, order: list[Standing], now: float) -> list[Standing]:
        """The order with the home of the call's prefix first, if it has one among the best."""
        best = order[0].candidate
        prefix = prefix_of(best.model, call.body.json)
        if prefix is None:
            return order
        peers = [peer for peer in order if peer.is_peer_of(best) and not peer.health.breaker.is_open]
        found = home(prefix, peers, [peer.share(now) for peer in peers])
        if found is None:
            return order
        return [found, *(standing for standing in order if standing is not found)]

    def has_room(self, candidate: Candidate) -> bool:
        """Whether another attempt may be open there; see `core.ports.Pool`."""
        if candidate.endpoint.concurrency is None:
            return True
        health = self._healths.of(candidate.endpoint, candidate.model, self._rules)
        return Standing(candidate, health).has_room()

    # ----------------------------------------------------------------------------------------- what it learns

    def began(self, attempt: Attempt) -> Course:
        """An attempt begins; see `core.ports.Pool`."""
        candidate, pools = attempt.candidate, attempt.call.policy.pools
        if attempt.kind in _NEW_CALLS:
            self._budget(candidate.model).called(self._around.clock())
        sketch = None if pools.hedge is None else self._sketch(attempt)
        return Course(self._around, attempt, self._health(candidate, attempt.call), sketch)

    # --------------------------------------------------------------------------------------- another attempt

    def retry(
        self, error: SidecarError, call: Call, permit: Permit, tried: Sequence[AttemptRecord]
    ) -> float | None:
        """When another attempt may follow; see `core.ports.Pool`."""
        rules = call.policy.pools.retry
        if len(tried) >= rules.attempts or not may_follow(error):
            return None
        now = self._around.clock()
        delay_s = self._delay_s(error, call, permit, tried)
        if delay_s is None or delay_s > rules.wait_max_s or now + delay_s >= call.arrival.deadline:
            return None
        failed = tried[-1].candidate
        if not self._budget(failed.model).take(rules, now):
            self._around.observer.refused(failed.endpoint.project, failed.model)
            return None
        self._around.observer.retried(failed.endpoint.project, failed.model, error.reason)
        return delay_s

    def hedge_after(self, attempt: Attempt, tried: Sequence[AttemptRecord] = ()) -> float | None:
        """For how long an attempt may be silent; see `core.ports.Pool`."""
        pools = attempt.call.policy.pools
        rules = pools.hedge
        if rules is None or len(tried) + 1 >= pools.retry.attempts:
            return None
        sketch = self._sketch(attempt)
        return max(rules.least_s, sketch.quantile(rules.quantile)) if sketch.is_known else None

    def take_hedge(self, attempt: Attempt) -> bool:
        """Whether another may join it; see `core.ports.Pool`."""
        candidate = attempt.candidate
        told = (candidate.endpoint.project, candidate.model)
        if not self._budget(candidate.model).take(attempt.call.policy.pools.retry, self._around.clock()):
            self._around.observer.refused(*told)
            return False
        self._around.observer.hedged(*told)
        return True

    def _delay_s(
        self, error: SidecarError, call: Call, permit: Permit, tried: Sequence[AttemptRecord]
    ) -> float | None:
        """For how long to wait until the best of those left may be asked; None when nobody is left."""
        failed, rules = tried[-1].candidate, call.policy.pools.retry
        left = [c for c in permit.candidates if may_return(error) or not _is_refused(c, failed, error)]
        if not left:
            return None
        now, draw = self._around.clock(), self._around.draw
        standings = self._standings(call, left, tried)
        order = self._order(call, standings, now)
        if not order:  # all are to be left alone for a while
            return max(0.0, ready_at(standings) - now) + draw() * rules.backoff_s
        best = order[0]
        if best.candidate == failed:
            return return_s(rules, error, best.tried, draw())
        return backoff_s(rules, best.tried, draw())

    def _budget(self, model: str) -> Budget:
        return self._budgets.at(model, Budget)

    def _sketch(self, attempt: Attempt) -> Sketch:
        key = (
            _asked_for(attempt.candidate, attempt.call),
            attempt.call.arrival.method is Method.STREAM_GENERATE,
        )
        return self._sketches.at(key, lambda: Sketch(*_SKETCH_S))

    # ------------------------------------------------------------------------------- what all sidecars know

    async def listen(self) -> Never:
        """Heed what other sidecars tell of their breakers, until cancelled."""
        seen = self._bulletin.watch(KIND)
        while True:
            self._heed(seen)
            seen = await self._bulletin.changed(KIND, seen)

    def _heed(self, seen: Snapshot) -> None:
        now, draw = self._around.clock(), self._around.draw
        for key, notice in seen.live(now).items():
            health, length_s = self._healths.named(key, self._rules), _seconds(notice.value)
            if health is None or length_s is None:
                continue
            if health.breaker.told(notice.until, length_s, now, draw()):
                self._around.observer.breaker(health.project, health.model, is_open=True)

    def _announce(self, health: Health) -> None:
        if len(health.key) <= _KEY_MAX_CHARS:  # model names of callers may be of any length
            breaker = health.breaker
            self._bulletin.put(KIND, health.key, f"{breaker.length_s:g}", breaker.told_until)


def _asked_for(candidate: Candidate, call: Call) -> str:
    """The model that a call asks for there; empty when it only asks about models."""
    return "" if call.arrival.method in FREE else candidate.model


def _is_refused(candidate: Candidate, failed: Candidate, error: SidecarError) -> bool:
    """Whether an error that will not pass at `failed` concerns another candidate: credentials are those of
    the endpoint, whatever the model and tier.
    """
    if isinstance(error, UpstreamCredentials):
        return candidate.endpoint == failed.endpoint
    return candidate == failed


def _nobody(call: Call, standings: Sequence[Standing], now: float) -> SidecarError:
    """Why nobody may be asked, and when somebody may be."""
    free = [standing for standing in standings if standing.has_room()]
    if len(free) < len(standings) and any(s.is_ready(now) for s in standings):
        return Overloaded(
            f"every project that serves model {call.model!r} has as many calls open as the Policy allows "
            "(concurrency)"
        )
    error = UpstreamUnavailable(
        f"every project that serves model {call.model!r} has failed of late and is left alone for a while"
    )
    wait_s = ready_at(standings) - now
    if wait_s > 0.0:  # else a probe is out, and nobody knows when it ends
        error.retry_after_s = wait_s
    return error


def _seconds(value: str) -> float | None:
    """The length in a notice; None for what no version of ours has written."""
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if isfinite(seconds) and seconds > 0.0 else None
