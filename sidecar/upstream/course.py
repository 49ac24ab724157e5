"""The Trip port: what one attempt tells of its endpoint."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.errors import UpstreamUnavailable
from sidecar.core.ports import PoolObserver
from sidecar.core.quantile import Sketch
from sidecar.upstream.blame import Blame, blame
from sidecar.upstream.health import Health


class Surroundings(NamedTuple):
    """What the decisions about endpoints do not have by themselves."""

    clock: Callable[[], float]
    """Seconds, on the event loop's clock."""
    draw: Callable[[], float]
    """Random, from 0 to below 1."""
    observer: PoolObserver
    announce: Callable[[Health], None]
    """Tells the other sidecars that a breaker has opened."""


class Course:
    """The way of one attempt; see `core.ports.Trip`."""

    __slots__ = (
        "_around",
        "_asked",
        "_attempt",
        "_has_content",
        "_health",
        "_is_over",
        "_is_slow",
        "_sketch",
    )

    def __init__(
        self, around: Surroundings, attempt: Attempt, health: Health, sketch: Sketch | None = None
    ) -> None:
        """`sketch` learns how long first contents take; None where nobody will ask."""
        self._around = around
        self._attempt = attempt
        self._health = health
        self._sketch = sketch
        self._asked = health.breaker.began(around.clock())
        self._has_content = self._is_slow = self._is_over = False
        health.in_flight += 1
        health.place.in_flight += 1

    def __repr__(self) -> str:
        state = "over" if self._is_over else "answering" if self._has_content else "silent"
        return f"<Course to {self._health.key}, {state}>"

    def first_content(self) -> None:
        """Content has come."""
        if self._has_content or self._is_over:
            return
        self._has_content = True
        now = self._around.clock()
        taken_s = now - self._asked.at
        self._health.latency(self._is_streamed).observe(taken_s, now)
        if self._sketch is not None:
            self._sketch.add(taken_s)
        self._is_slow = taken_s > self._attempt.call.policy.pools.breaker.slow_s
        if self._is_slow:  # not to be learned when its stream ends, minutes later
            self._judge(Blame.FAILED, now)
            return
        health = self._health
        if health.breaker.answered(self._asked, now) or not health.has_answered:
            health.has_answered = True
            self._around.observer.breaker(health.project, health.model, is_open=False)

    def ended(self, failure: BaseException | None) -> None:
        """The attempt is over."""
        if self._is_over:
            return
        if failure is None:
            self.first_content()
        self._is_over = True
        health = self._health
        health.in_flight -= 1
        health.place.in_flight -= 1
        now = self._around.clock()
        if failure is None and not self._is_slow:  # of nearly all
            health.breaker.succeeded(now)
            return
        if isinstance(failure, UpstreamUnavailable) and failure.pushback_s:
            most_s = self._attempt.call.policy.pools.breaker.open_max_s
            health.pause(min(failure.pushback_s, most_s), now)
        if not self._is_slow:
            self._judge(self._verdict(failure, now), now)

    @property
    def _is_streamed(self) -> bool:
        return self._attempt.call.arrival.method is Method.STREAM_GENERATE

    def _verdict(self, failure: BaseException | None, now: float) -> Blame:
        verdict = blame(failure)
        if isinstance(failure, asyncio.CancelledError) and not self._has_content:
            silent_s = now - self._asked.at
            self._health.latency(self._is_streamed).waited(silent_s, now)
            if silent_s > self._attempt.call.policy.pools.breaker.slow_s:
                return Blame.FAILED  # whoever gave up: it was slow before that
        return verdict

    def _judge(self, verdict: Blame, now: float) -> None:
        breaker, rules = self._health.breaker, self._attempt.call.policy.pools.breaker
        has_opened = False
        if verdict is Blame.ANSWERED:
            breaker.succeeded(now)
        elif verdict is Blame.FAILED:
            has_opened = breaker.failed(rules, self._asked, now, self._around.draw())
        elif verdict is Blame.REFUSED:
            has_opened = breaker.refused(rules, self._asked, now, self._around.draw())
        else:
            breaker.released(self._asked)
        if has_opened:
            self._around.observer.breaker(self._health.project, self._health.model, is_open=True)
            self._around.announce(self._health)
