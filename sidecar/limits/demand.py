"""How fast one class spends, and what it should hold ahead. Pure: time is passed in, in milliseconds."""

import math
from collections.abc import Sequence
from operator import add

_ARRIVALS_OVER_MS = 1_000.0
_SERVED_OVER_MS = 2_000.0
_LOOK_EVERY_MS = 50.0
_AHEAD = 1.25
_DEVIATIONS = 3.0
"""How far above what is likely a number of arrivals may be by chance, in roots of that number."""
_IDLE_PER_MS = 1 / 5_000


class Demand:
    """Exponentially weighted rates of what arrives and of what is served; a burst counts at once, as far as
    it is no chance, or its first second would be spent waiting for leases.
    """

    def __init__(self, limits: int, now: float) -> None:
        self._seen = [0] * limits
        self._arrivals = 0
        self._rates = [0.0] * (limits + 1)  # the last is of requests, whatever they ask for
        self._looked_at = now
        self._served = 0
        self._served_since = now
        self.served_at = now
        """When it was last seen that a request was let go."""
        self.served_per_ms = 0.0
        """Requests served; 0 before anything is known."""

    def __repr__(self) -> str:
        return f"<Demand {self.requests_per_ms * 1000:.3g}/s, served {self.served_per_ms * 1000:.3g}/s>"

    @property
    def requests_per_ms(self) -> float:
        """Requests that arrive."""
        return self._rates[-1]

    @property
    def is_idle(self) -> bool:
        """Whether next to nothing arrives."""
        return self._rates[-1] < _IDLE_PER_MS

    def arrived(self, amounts: Sequence[int]) -> None:
        """A request asks for `amounts`, of each limit."""
        self._seen = list(map(add, self._seen, amounts))
        self._arrivals += 1

    def served(self) -> None:
        """A request was let go."""
        self._served += 1

    def look(self, now: float) -> None:
        """Let the rates follow what was seen since the last look."""
        if (passed := now - self._looked_at) >= _LOOK_EVERY_MS:
            gain = 1 - math.exp(-passed / _ARRIVALS_OVER_MS)
            certain = 1 - _DEVIATIONS / math.sqrt(self._arrivals) if self._arrivals else 0.0
            self._rates = [
                max(rate + gain * (seen / passed - rate), certain * seen / passed)
                for rate, seen in zip(self._rates, (*self._seen, self._arrivals), strict=True)
            ]
            self._seen, self._arrivals = [0] * len(self._seen), 0
            self._looked_at = now
        if (passed := now - self._served_since) >= _SERVED_OVER_MS / 4:
            gain = 1 - math.exp(-passed / _SERVED_OVER_MS)
            self.served_per_ms += gain * (self._served / passed - self.served_per_ms)
            self.served_at = now if self._served else self.served_at
            self._served, self._served_since = 0, now

    def target(self, horizons_ms: Sequence[float]) -> list[int]:
        """Of each limit, what is likely to be used within its horizon: at least one average request. Nothing
        where there is no horizon.
        """
        requests = self._rates[-1]
        if self.is_idle:
            return [0] * len(horizons_ms)
        return [
            math.ceil(max(requests * horizon_ms * _AHEAD, 1.0) * rate / requests) if horizon_ms else 0
            for horizon_ms, rate in zip(horizons_ms, self._rates, strict=False)
        ]
