"""How long an endpoint takes to answer, as far as it matters for the next call. Pure.

Theory of operation. The estimate is a peak-sensitive moving average (Finagle's and linkerd's "Peak EWMA"): a
time longer than the estimate replaces it at once, a shorter one pulls it down with a weight that depends on
the time since the last, so that a burst of quick answers does not hide that the endpoint was slow a second
ago. Without news the estimate itself decays: who was slow is tried again some day.
"""

from math import exp

_MEMORY_S = 10.0
"""After so long an observation counts 1/e."""


class Latency:
    """The decayed time of one kind of answer. Times are in seconds on any clock that does not jump."""

    __slots__ = ("_at", "_value_s")

    def __init__(self) -> None:
        self._value_s = 0.0
        self._at = 0.0

    def __repr__(self) -> str:
        return f"<Latency {self._value_s:.3f} s>"

    def observe(self, taken_s: float, now: float) -> None:
        """An answer took so long."""
        kept = self._kept(now)
        if taken_s >= self._value_s * kept:
            self._value_s = taken_s
        else:
            self._value_s += (taken_s - self._value_s) * (1.0 - kept)
        self._at = now

    def waited(self, silent_s: float, now: float) -> None:
        """An answer was given up that had not come after so long: the truth is longer, so shorter waits tell
        nothing.
        """
        if silent_s > self.estimate_s(now):
            self.observe(silent_s, now)

    def estimate_s(self, now: float) -> float:
        """What to expect; 0 before anything was observed."""
        return self._value_s * exp((self._at - now) / _MEMORY_S) if now > self._at else self._value_s

    def _kept(self, now: float) -> float:
        return exp((self._at - now) / _MEMORY_S) if now > self._at else 1.0
