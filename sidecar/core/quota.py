"""What is limited: units, windows, limits, and the groups in which they are counted together.

A quota group stands for what Google counts at one project, location, model and tier; a budget group for what
a caller was given. Both are a LimitGroup: a name and some Limits. A call is charged to every limit of a group
or to none.
"""

import operator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sidecar.core.calendar import Period


class Unit(StrEnum):
    """What a limit counts."""

    REQUESTS = "requests"
    """Requests that left for the upstream."""
    INPUT_TOKENS = "input_tokens"
    """Prompt tokens, cached ones included."""
    TOKENS = "tokens"
    """Prompt, tool, thinking and answer tokens together."""
    MONEY = "money"
    """Micro-dollars."""
    CALLS = "calls"
    """Calls in flight: held until settled, never used up."""


class Charge(NamedTuple):
    """What one call costs, in every unit."""

    requests: int = 1
    input_tokens: int = 0
    tokens: int = 0
    money: int = 0
    calls: int = 1

    def of(self, unit: Unit) -> int:
        """The amount in one unit."""
        return self[_POSITIONS[unit]]

    def plus(self, other: "Charge") -> "Charge":
        """Both together, unit by unit."""
        if self is NOTHING:  # of nearly all calls there is but one
            return other
        return Charge(*map(operator.add, self, other))


_POSITIONS = {unit: position for position, unit in enumerate(Unit)}
NOTHING = Charge(0, 0, 0, 0, 0)
"""What a call costs that never left."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """Every stretch of `seconds`, wherever it begins."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """A period of the calendar of `zone` (an IANA name), counted anew at its end."""

    period: Period
    zone: str


@dataclass(frozen=True, slots=True)
class InFlight:
    """No window: what is reserved counts until it is settled."""


Window: TypeAlias = Rolling | Calendar | InFlight


class OnLoss(StrEnum):
    """What holds when Redis cannot be asked and the lease has run out."""

    SHARE = "share"
    """A paced share of the limit, which the ledger sets aside meanwhile: never above the limit."""
    CLOSED = "closed"
    """Nothing."""
    OPEN = "open"
    """Everything: bounded by demand alone."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `unit` in `window`."""

    name: str
    """Unique in its group and stable: `requests_per_minute`. Names the limit in errors, metrics and Redis."""
    unit: Unit
    amount: int
    """At least 1 but for a limit that closes its group, 0; money in micro-dollars."""
    window: Window
    on_loss: OnLoss = OnLoss.SHARE
    is_shadow: bool = False
    """Counted and reported as if it held, but refuses nothing."""
    burst: float = 0.05
    """Share of `amount` that may be spent at once out of a quiet window, the rest is paced; rolling only."""


@dataclass(frozen=True, slots=True)
class LimitGroup:
    """Limits that are counted together: one ledger, one slot of Redis Cluster."""

    name: str
    """`quota/main/gemini-3.8-flash` or `budget/checkout`; the hash tag of its keys."""
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """Whom a call is served with, when several wait for the same limit."""

    name: str
    """The class of the fair queue: `tenant/priority`."""
    weight: float
    """Served in proportion to this while others wait."""
