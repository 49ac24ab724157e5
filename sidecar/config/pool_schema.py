"""How pools are used, and which tiers are asked for, as the Policy file has it: the shape of its YAML.

Every default is that of `core/pooling`. What values must be to each other is checked in `pool_checks`; the
rules themselves are made in `pools`.
"""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from sidecar.config.amounts import SHARE_PATTERN, format_share, parse_share
from sidecar.config.checks import between, not_a_bool
from sidecar.config.names import Name, default_when_empty
from sidecar.config.quota_schema import Tier
from sidecar.config.values import Seconds, Slice
from sidecar.core.pooling import BreakerRules, HedgeRules, PoolRules, RetryRules

_RETRY, _BREAKER, _HEDGE, _POOL = RetryRules(), BreakerRules(), HedgeRules(), PoolRules()
_ATTEMPTS_MAX = 10
_FAILURES_MAX = 1000

Share: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(format_share, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": SHARE_PATTERN}),
]
Quantile: TypeAlias = Annotated[Share, AfterValidator(between(0.5, 0.999, format_share))]
Rate: TypeAlias = Annotated[float, BeforeValidator(not_a_bool), Field(ge=0, le=1000)]


class RetrySchema(Slice):
    """When a failed attempt may be followed by another."""

    attempts: Annotated[int, BeforeValidator(not_a_bool), Field(ge=1, le=_ATTEMPTS_MAX)] = _RETRY.attempts
    """The most that one call may make, the first included; 1: no retries."""
    budget_share: Share = _RETRY.budget_share
    """Retries that the projects of a model may cost, as a share of the model's calls in the last 10 s."""
    budget_floor: Rate = _RETRY.budget_floor
    """Retries a second that a model may cost however few calls there were."""
    backoff: Seconds = _RETRY.backoff_s
    """Upper end of the first random wait before a project that has failed the call is asked again; doubles
    with each."""
    backoff_max: Seconds = _RETRY.backoff_max_s
    """Upper end of every wait that no server has asked for."""
    wait_max: Seconds = _RETRY.wait_max_s
    """The longest wait before another attempt, within the deadline; what asks for more ends the call, whose
    error says how long."""


class BreakerSchema(Slice):
    """When a project is left alone for a model, and when it is asked again."""

    failures: Annotated[int, BeforeValidator(not_a_bool), Field(ge=1, le=_FAILURES_MAX)] = _BREAKER.failures
    """So many in a row open the breaker."""
    failure_share: Share = _BREAKER.failure_share
    """So large a part of the attempts of the window opens it too, if at least twice `failures` were made."""
    window: Seconds = _BREAKER.window_s
    """How far back attempts count."""
    open: Seconds = _BREAKER.open_s
    """From opening until the first probe, less or more by a fifth at random."""
    open_max: Seconds = _BREAKER.open_max_s
    """Between probes that fail: the time doubles up to here."""
    slow: Seconds | None = None
    """A first content that takes longer counts as a failure; of an answer that is not streamed the whole is
    meant, thoughts included. None: slowness is no failure."""
    evicted_share: Share = _BREAKER.evicted_share
    """The largest part of the projects of one level that may be left alone at once."""


class HedgeSchema(Slice):
    """When a second project is asked while the first is silent."""

    quantile: Quantile = _HEDGE.quantile
    """Of the model's times to first content: who waits longer is hedged."""
    least: Seconds = _HEDGE.least_s
    """Never earlier than this."""


class PoolSchema(Slice):
    """How the projects that serve a model are chosen, retried and left alone."""

    retry: Annotated[RetrySchema, default_when_empty(RetrySchema)] = Field(default_factory=RetrySchema)
    """How often and how soon an attempt is followed by another."""
    breaker: Annotated[BreakerSchema, default_when_empty(BreakerSchema)] = Field(
        default_factory=BreakerSchema
    )
    """When a project that fails is left alone, and for how long."""
    hedge: HedgeSchema | None = None
    """When a second project is asked while the first is silent; `{}` takes the defaults. None: never."""
    affinity: bool = _POOL.affinity
    """Whether calls that share a long prefix meet the same project, whose implicit cache serves them."""
    spill_after: Seconds = _POOL.spill_after_s
    """How long a call stands in line at the best level before the next level is asked as well."""


class TierRuleSchema(Slice):
    """Which service tiers calls ask for that name none themselves; every selector that is set must match."""

    priorities: Annotated[list[Name], Field(min_length=1)] | None = None
    """Priorities of the calls."""
    least_deadline: Seconds | None = None
    """The time that a call must have."""
    spend_used: Share | None = None
    """The share that must be used up of a spend limit, in a budget that covers the call."""
    ask: Annotated[list[Tier], Field(min_length=1)]
    """The tiers to ask for, in order of preference."""
