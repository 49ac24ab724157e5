"""When to ask a server again that has failed: a pure state machine.

closed     every command is sent
open       after two failures in a row: nothing is sent until a backoff has passed
half-open  the backoff has passed: one command is sent, and its outcome closes or opens again

The backoff grows from 50 ms to 2 s and is drawn at random over its whole range ("full jitter", Brooker,
"Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that a fleet does not come back at once.
That half-open is one command at a time is kept by `lane`, which sends one batch after the other.
"""

_TOLERATED = 1
_BASE_S, _MOST_S = 0.05, 2.0


def backoff_s(attempt: int, draw: float) -> float:
    """Seconds to wait before a new attempt: `attempt` counts the waits from 0, `draw` is random, 0 to 1."""
    bound = min(_MOST_S, _BASE_S * 2.0 ** min(attempt + 1, 16))
    return _BASE_S + draw * (bound - _BASE_S)


class Circuit:
    """Counts failures in a row. Times are in seconds on any clock that does not jump."""

    def __init__(self) -> None:
        self._failures = 0
        self._retry_at = 0.0

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else f"not closed after {self._failures} failures"
        return f"<Circuit {state}>"

    @property
    def is_closed(self) -> bool:
        """Whether commands may be sent without restraint."""
        return self._failures <= _TOLERATED

    def refuses(self, now: float) -> bool:
        """Whether nothing may be sent now."""
        return not self.is_closed and now < self._retry_at

    def succeeded(self) -> None:
        """Note that the server has answered as it should."""
        self._failures = 0

    def failed(self, now: float, draw: float) -> None:
        """Note a failure; `draw` is random from 0 to 1."""
        self._failures += 1
        if not self.is_closed:
            self._retry_at = now + backoff_s(self._failures - _TOLERATED - 1, draw)
