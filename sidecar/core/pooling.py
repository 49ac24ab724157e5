"""How a pool of endpoints is used: what the Policy says of retries, breakers, affinity and hedging.

A pool is all endpoints that serve one model. Durations are in seconds.
"""

from dataclasses import dataclass, field
from math import inf


@dataclass(frozen=True, slots=True)
class RetryRules:
    """When a failed attempt may be followed by another."""

    attempts: int = 3
    """The most that one call may make, the first included."""
    budget_share: float = 0.1
    """Retries that a pool may make for each call of the last ten seconds."""
    budget_floor: float = 1.0
    """Retries a second that a pool may make however few calls there were."""
    backoff_s: float = 0.25
    """Upper end of the first random delay at an endpoint that has failed this call; doubles with each."""
    backoff_max_s: float = 8.0
    """Upper end of every delay that no server has asked for."""
    wait_max_s: float = 30.0
    """The longest delay that a call is held for; a longer one is the caller's to wait out."""


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When an endpoint is left alone for a model, and when it is asked again."""

    failures: int = 5
    """So many in a row open the breaker."""
    failure_share: float = 0.5
    """So large a part of the attempts of the window opens it too, if at least twice `failures` were made."""
    window_s: float = 10.0
    """How far back attempts count."""
    open_s: float = 5.0
    """From opening until the first probe, less or more by a fifth at random."""
    open_max_s: float = 30.0
    """Between probes that fail: the time doubles up to here."""
    slow_s: float = inf
    """A first content that takes longer counts as a failure; where nothing is streamed, the whole answer."""
    evicted_share: float = 0.5
    """The largest part of the endpoints of one level that may be left alone at once."""


@dataclass(frozen=True, slots=True)
class HedgeRules:
    """When a second endpoint is asked while the first is silent."""

    quantile: float = 0.95
    """Of the times to first content: who waits longer is hedged."""
    least_s: float = 0.5
    """Never earlier than this."""


@dataclass(frozen=True, slots=True)
class PoolRules:
    """All of them, with the defaults of a Policy that says nothing."""

    retry: RetryRules = field(default_factory=RetryRules)
    breaker: BreakerRules = field(default_factory=BreakerRules)
    hedge: HedgeRules | None = None
    """None: no call is hedged."""
    affinity: bool = True
    """Whether calls that share a long prefix meet the same endpoint, whose implicit cache serves them."""
    spill_after_s: float = 1.0
    """How long a call stands in line at the best level before the next level is asked as well."""
