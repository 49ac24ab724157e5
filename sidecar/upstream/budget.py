"""How many retries a pool can bear: a budget, because counts alone make storms. Pure.

Three attempts a call are harmless while one call in a thousand fails, and three times the load when all do,
at the moment when the upstream can bear it least. So retries are also bounded by the calls of the last ten
seconds: a share of them, and a floor so that a quiet pool may retry at all (Finagle's RetryBudget; tower's
and linkerd's have the same shape).

Everything beyond a call's first attempt is paid for, also where nothing was sent: a failover from a region
that refuses connections doubles nobody's load while the others are well, but it moves a region's whole load
to them within a second, and when they fail too each call would knock at every door. What the budget refuses
in the first moment of an outage is little: the breaker opens after a few failures, and from then on no call
begins where it must fail.
"""

from sidecar.core.pooling import RetryRules
from sidecar.upstream.sliding_count import SlidingCount

WINDOW_S = 10.0
"""How far back calls and retries count."""


class Budget:
    """The retries of one pool. Times are in seconds on a clock that does not jump."""

    __slots__ = ("_calls", "_retries")

    def __init__(self) -> None:
        self._calls = SlidingCount(WINDOW_S)
        self._retries = SlidingCount(WINDOW_S)

    def __repr__(self) -> str:
        return f"<Budget calls {self._calls!r}, retries {self._retries!r}>"

    def called(self, now: float) -> None:
        """A call makes its first attempt."""
        self._calls.add(now)

    def take(self, rules: RetryRules, now: float) -> bool:
        """Whether one attempt more may be made; if so, it is paid for."""
        allowed = rules.budget_share * self._calls.count(now) + rules.budget_floor * WINDOW_S
        if self._retries.count(now) + 1 > allowed:
            return False
        self._retries.add(now)
        return True
