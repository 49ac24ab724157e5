"""Where limits stand, and how they are kept: facts for those who look, nobody decides by them."""

from collections.abc import Iterable, Sequence
from enum import IntEnum, StrEnum
from typing import NamedTuple

from sidecar.core.quota import Limit


class LimitsMode(IntEnum):
    """How limits are kept, from good to bad."""

    UNUSED = 0
    """Not at all, or not yet."""
    NORMAL = 1
    """The ledger answers: limits hold over all sidecars."""
    LEARNING = 2
    """The ledger may have lost what it knew and listens before it grants."""
    LEASE = 3
    """The ledger does not answer; what it had granted is used up. Limits hold."""
    SHARE = 4
    """The ledger does not answer; calls live on a paced share. Limits hold."""
    OPEN = 5
    """The ledger does not answer, and everything goes."""
    CLOSED = 6
    """The ledger does not answer, and nothing goes."""


def worst(modes: Iterable[LimitsMode]) -> LimitsMode:
    """The worst of them; UNUSED when there are none."""
    return max(modes, default=LimitsMode.UNUSED)


class GroupKind(StrEnum):
    """Whose limits a group has: the first part of its name."""

    QUOTA = "quota"
    BUDGET = "budget"


class LimitLevel(NamedTuple):
    """Where one limit stands, over all sidecars; amounts are in its unit."""

    used: int
    held: int
    """Granted and not used yet."""
    available: int
    """What may still be granted."""
    amount: int
    """In force: the lowest of all live sidecars' Policies."""
    factor: float
    """How much of the amount is granted, as learned from the upstream; 1: not cut."""


class LimitState(NamedTuple):
    """One limit as this sidecar knows it."""

    limit: Limit
    level: LimitLevel | None = None
    """None: the ledger has not told it yet."""
    denials: int = 0
    """How often units were refused for lack of it."""
    shadow_denials: int = 0


class GroupState(NamedTuple):
    """One limit group as this sidecar knows it."""

    name: str
    mode: LimitsMode
    limits: tuple[LimitState, ...]
    trouble: str = ""
    """Why the ledger could not be asked last; empty when it answered."""
    holders: int = 0
    """Sidecars that share the group; 0: not told yet."""
    waiting: int = 0
    """Calls in line here."""
    blocked_ms: float = 0.0
    """How long nothing will be granted, whatever is given back."""
    age_ms: float | None = None
    """How long ago the ledger told the levels; None: not yet."""

    @property
    def kind(self) -> GroupKind:
        """Whose limits these are."""
        return GroupKind(self.name.partition("/")[0])

    @property
    def family(self) -> str:
        """The name without the principal or tenant that a budget is counted apart for: there are as many
        families as the Policy has entries.
        """
        return "/".join(self.name.split("/", 2)[:2]) if self.kind is GroupKind.BUDGET else self.name

    @property
    def lasting(self) -> "GroupState":
        """Without what changes by itself as time passes: equal when nothing happened."""
        return self._replace(blocked_ms=float(self.blocked_ms > 0), age_ms=None)


class EstimateError(NamedTuple):
    """How good the estimates for one model are: estimated/actual, so below 1 is too low."""

    model: str
    part: str
    """`input` or `output`."""
    mean: float
    low: float
    """The 5th percentile."""
    median: float
    high: float
    """The 95th percentile."""


class LimitsReading(NamedTuple):
    """All that there is to see of limits at one moment."""

    groups: Sequence[GroupState] = ()
    errors: Sequence[EstimateError] = ()
