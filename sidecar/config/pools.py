"""Make the rules of pools and tiers of what a valid Policy file says. Pure."""

from math import inf

from sidecar.config.pool_schema import BreakerSchema, HedgeSchema, PoolSchema, RetrySchema, TierRuleSchema
from sidecar.core.policy import TierRule
from sidecar.core.pooling import BreakerRules, HedgeRules, PoolRules, RetryRules


def pool_rules(entry: PoolSchema) -> PoolRules:
    """How pools are used."""
    return PoolRules(
        retry=_retry(entry.retry),
        breaker=_breaker(entry.breaker),
        hedge=_hedge(entry.hedge) if entry.hedge else None,
        affinity=entry.affinity,
        spill_after_s=entry.spill_after,
    )


def tier_rule(entry: TierRuleSchema) -> TierRule:
    """One rule of tiers; a selector that is not set matches every call."""
    return TierRule(
        tiers=tuple(entry.ask),
        priorities=frozenset(entry.priorities or ()),
        least_s=entry.least_deadline or 0.0,
        spent=entry.spend_used or 0.0,
    )


def _retry(entry: RetrySchema) -> RetryRules:
    return RetryRules(
        attempts=entry.attempts,
        budget_share=entry.budget_share,
        budget_floor=entry.budget_floor,
        backoff_s=entry.backoff,
        backoff_max_s=entry.backoff_max,
        wait_max_s=entry.wait_max,
    )


def _breaker(entry: BreakerSchema) -> BreakerRules:
    return BreakerRules(
        failures=entry.failures,
        failure_share=entry.failure_share,
        window_s=entry.window,
        open_s=entry.open,
        open_max_s=entry.open_max,
        slow_s=inf if entry.slow is None else entry.slow,
        evicted_share=entry.evicted_share,
    )


def _hedge(entry: HedgeSchema) -> HedgeRules:
    return HedgeRules(quantile=entry.quantile, least_s=entry.least)
