"""When an endpoint is left alone for a model, and when it is asked again: a pure state machine.

closed     it is asked
open       it has failed: nobody asks, until a time that is drawn at random around the Policy's `open_s`
half-open  that time is over: one call is sent, the probe, and how it ends closes or opens again, for twice as
           long up to `open_max_s`

It opens by so many failures in a row, or by a share of the recent attempts: the first finds an outage within
a few calls, the second an endpoint that fails every other time. What counts as a failure, `blame` says.

An endpoint that has healed comes back slowly: for as long as `open_s` its weight rises from a tenth to the
whole ("slow start"). What fails in that time relapses: the doubling goes on where it was.

Only news counts. An attempt from before the opening may end well or badly long after it; neither proves
anything. One that began later and is answered closes the breaker even when it was no probe: an endpoint that
could not be spared was asked all the time.

What another sidecar tells
--------------------------
It is believed by a sidecar that knows no better: the later deadline wins, and each draws its own moment for
its own probe. A sidecar to which the endpoint has answered within the last second knows better. Its evidence
is as fresh as the notice, and the teller's own network may be what is broken: one sick pod must not take an
endpoint from a whole fleet. But it is warned: until the deadline a single failure of its own opens the
breaker, so a true outage costs each sidecar one call and no more.
"""

from enum import IntEnum
from math import inf
from typing import NamedTuple

from sidecar.core.pooling import BreakerRules
from sidecar.upstream.sliding_count import SlidingCount

_FRESH_S = 1.0
"""An answer that is younger speaks against what others tell: a notice may be as old."""
_SAME_S = 0.5
"""A notice that went by the store's clock comes back a little later than it was; so little is no news."""
_OFFER_S = 1.0
"""Whom a probe was offered may stand in line for a quota; so long nobody else is offered one."""
_LEAST_WEIGHT = 0.1


class State(IntEnum):
    """Where a breaker stands."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Asked(NamedTuple):
    """An attempt, as its breaker knows it."""

    at: float
    is_probe: bool


class Breaker:
    """Of one endpoint and model. Times are in seconds on a clock that does not jump; `draw` is random, from 0
    to 1.
    """

    __slots__ = (
        "_attempts",
        "_failures",
        "_failures_in_row",
        "_length_s",
        "_opened_at",
        "_probe_until",
        "_ramp_s",
        "_success_at",
        "_told_until",
        "_until",
        "_warned_until",
        "_window_s",
        "is_open",
        "steady_at",
    )

    def __init__(self, rules: BreakerRules) -> None:
        self.is_open = False
        """Whether it is not closed."""
        self.steady_at = -inf
        """From when on it takes its whole share; infinity while it is open."""
        self._ramp_s = rules.open_s
        self._look_back(rules.window_s)
        self._failures_in_row = 0
        self._length_s = 0.0
        """How long the last opening was, without its jitter."""
        self._opened_at = self._until = -inf
        self._probe_until = -inf
        """So long no other probe is sent."""
        self._success_at = -inf
        self._told_until = self._warned_until = -inf

    def __repr__(self) -> str:
        if self.is_open:
            return f"<Breaker open until {self._until:.1f}>"
        return f"<Breaker closed, {self._failures_in_row} failures in a row>"

    def state(self, now: float) -> State:
        """Where it stands."""
        if not self.is_open:
            return State.CLOSED
        return State.OPEN if now < self._until else State.HALF_OPEN

    def wants_probe(self, now: float) -> bool:
        """Whether the next call is to be sent here to see how things are."""
        return self.is_open and now >= self._until and now >= self._probe_until

    @property
    def reopens_at(self) -> float:
        """When it is to be asked again, if it is open."""
        return self._until

    @property
    def told_until(self) -> float:
        """The deadline that the whole fleet knows, or is to know."""
        return self._told_until

    @property
    def length_s(self) -> float:
        """How long the last opening was, without its jitter."""
        return self._length_s

    def weight(self, now: float) -> float:
        """Which part of its share an endpoint takes: all of it, but for one that has just healed; and for one
        that is open and cannot be spared, the least.
        """
        if self.steady_at <= now:
            return 1.0
        return (
            _LEAST_WEIGHT if self.is_open else max(_LEAST_WEIGHT, 1.0 - (self.steady_at - now) / self._ramp_s)
        )

    def offer(self, now: float) -> None:
        """A call is about to be sent as a probe."""
        self._probe_until = now + _OFFER_S

    def began(self, now: float) -> Asked:
        """An attempt begins."""
        is_probe = self.is_open and now >= self._until and self._probe_until < inf
        if is_probe:
            self._probe_until = inf
        return Asked(now, is_probe)

    def answered(self, asked: Asked, now: float) -> bool:
        """An attempt brings content; whether that closes the breaker."""
        self._success_at = now
        if not self.is_open or not self._is_news(asked):
            return False
        self.is_open = False
        self.steady_at = now + self._ramp_s
        self._probe_until = -inf
        self._forget()
        return True

    def succeeded(self, now: float) -> None:
        """An attempt has ended well."""
        self._failures_in_row = 0
        self._attempts.add(now)

    def failed(self, rules: BreakerRules, asked: Asked, now: float, draw: float) -> bool:
        """An attempt has failed; whether that opens the breaker."""
        if not self._is_news(asked):
            return False
        if self.is_open:
            return asked.is_probe and self._opened(rules, now, draw)
        if rules.window_s != self._window_s:  # there is another Policy
            self._look_back(rules.window_s)
        self._attempts.add(now)
        self._failures.add(now)
        self._failures_in_row += 1
        return self._has_failed(rules, now) and self._opened(rules, now, draw)

    def refused(self, rules: BreakerRules, asked: Asked, now: float, draw: float) -> bool:
        """Our credentials were refused, and more of the same would be. Whether that opens the breaker."""
        if not self._is_news(asked) or (self.is_open and not asked.is_probe):
            return False
        return self._opened(rules, now, draw)

    def released(self, asked: Asked) -> None:
        """An attempt has ended without saying anything; if it was the probe, the next call is another."""
        if asked.is_probe and self._is_news(asked):
            self._probe_until = -inf

    def told(self, until: float, length_s: float, now: float, draw: float) -> bool:
        """Another sidecar leaves the endpoint alone until then, for `length_s`; whether that opens ours."""
        if until <= max(self._told_until + _SAME_S, now):
            return False
        self._told_until = until
        if not self.is_open and now - self._success_at <= _FRESH_S:
            self._warned_until = until
            return False
        was_open, self.is_open, self.steady_at = self.is_open, True, inf
        self._length_s = max(self._length_s, length_s)
        self._until = max(self._until, until + _jitter(length_s, draw))
        if not was_open:
            self._opened_at = now
        return not was_open

    def _look_back(self, window_s: float) -> None:
        self._window_s = window_s
        self._attempts, self._failures = SlidingCount(window_s), SlidingCount(window_s)

    def _is_news(self, asked: Asked) -> bool:
        return asked.at > self._opened_at

    def _has_failed(self, rules: BreakerRules, now: float) -> bool:
        if self._failures_in_row >= rules.failures or now < self._warned_until:
            return True
        attempts = self._attempts.count(now)
        return attempts >= 2 * rules.failures and self._failures.count(now) >= rules.failure_share * attempts

    def _opened(self, rules: BreakerRules, now: float, draw: float) -> bool:
        is_again = self.is_open or now < self.steady_at
        self._length_s = min(2 * self._length_s if is_again else rules.open_s, rules.open_max_s)
        self.is_open, self.steady_at = True, inf
        self._opened_at, self._ramp_s = now, rules.open_s
        self._until = now + self._length_s + _jitter(self._length_s, draw)
        self._told_until = now + self._length_s
        self._probe_until = -inf
        self._forget()
        return True

    def _forget(self) -> None:
        self._failures_in_row = 0
        self._attempts.clear()
        self._failures.clear()
        self._warned_until = -inf


def _jitter(length_s: float, draw: float) -> float:
    """Up to a fifth less or more: sidecars that fail together must not probe together."""
    return length_s * 0.4 * (draw - 0.5)
