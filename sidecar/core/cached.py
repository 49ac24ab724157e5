"""How a cache stands to a call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bypass:
    """The cache plays no part in this call, and why."""

    reason: str
