"""Whether anything of a limit group may be granted, and whether what is held may leave. Pure: time is passed
in, in milliseconds.
"""

import math
from collections.abc import Sequence

from sidecar.limits.message import Answer, Terms

_CLOSED_MS = 3_600_000.0


class Closure:
    """What keeps a group closed in this sidecar."""

    __slots__ = ("blocked_until", "is_closed", "paused_until")

    def __init__(self) -> None:
        self.blocked_until = 0.0
        """The ledger grants nothing before."""
        self.paused_until = 0.0
        """Nothing may leave before, whatever is held: the upstream asked to be left alone."""
        self.is_closed = False
        """Whether the upstream grants nothing at all of a limit: it would refuse, whatever is held."""

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else f"blocked until {self.blocked_until:.0f}"
        return f"<Closure: {state}, paused until {self.paused_until:.0f}>"

    def serves_at(self, now: float) -> float:
        """Nobody is served before; infinity: for as long as it is closed."""
        return math.inf if self.is_closed else max(now, self.blocked_until, self.paused_until)

    def opens_in_ms(self, now: float) -> float:
        """How long nothing is served, as far as is known; what is closed, is for an hour at a time."""
        known_ms = max(self.blocked_until, self.paused_until) - now
        return _CLOSED_MS if self.is_closed and known_ms <= 0 else max(0.0, known_ms)

    def is_shut(self, now: float) -> bool:
        """Whether nothing may leave."""
        return self.is_closed or now < self.paused_until

    def is_blocked(self, now: float) -> bool:
        """Whether nothing is granted, or nothing may leave."""
        return self.is_shut(now) or now < self.blocked_until

    def pause(self, until: float) -> None:
        """Let nothing leave before; an earlier end changes nothing."""
        self.paused_until = max(self.paused_until, until)

    def paused_ms(self, now: float) -> int:
        """For how long nothing may leave, whatever is held."""
        return max(0, math.ceil(self.paused_until - now))

    def heard(self, answer: Answer, terms: Sequence[Terms], is_zero_owed: bool, now: float) -> None:
        """The ledger told where the limits stand; `is_zero_owed`: it has not heard yet of a limit of which
        the upstream grants nothing.
        """
        self.blocked_until = now + answer.blocked_ms if answer.blocked_ms else 0.0
        self.is_closed = is_zero_owed or any(
            not (level.permille or term.is_shadow) for level, term in zip(answer.levels, terms, strict=True)
        )
