"""The digest of a Policy: equal for equal content, however it is written, and another for any other.

Secrets are in it, so that a rotated key makes another Policy; of the digest nothing leads back to them.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from sidecar.config.prices import prices_content
from sidecar.core.policy import Budget, Endpoint, Policy, TierRule
from sidecar.core.rules import Rule


def digest_of(policy: Policy, credentials_hashes: Iterable[str]) -> str:
    """The digest of all that a Policy says. `credentials_hashes` stand for the files that it only names."""
    content = {
        "endpoints": list(map(_endpoint_content, policy.endpoints)),
        "credentials": list(credentials_hashes),
        "routes": {name: asdict(route) for name, route in policy.routes.items()},
        "unlisted_models": policy.unlisted_models,
        "unknown_fields": policy.unknown_fields,
        "tenants": {
            tenant.name: [sorted(tenant.principals), tenant.priority, tenant.weight]
            for tenant in policy.tenants
        },
        "priorities": [dict(policy.priorities), policy.default_priority],
        "quotas": [[key, asdict(group)] for key, group in sorted(policy.quotas.items(), key=itemgetter(0))],
        "budgets": list(map(_budget_content, policy.budgets)),
        "pools": asdict(policy.pools),
        "tiers": list(map(_tier_content, policy.tier_rules)),
        "strips_signatures": policy.strips_signatures,
        "rules": [policy.rules.default, list(map(_rule_content, policy.rules.ordered))],
        "asks_for_tokens": policy.asks_for_tokens,
        "prices": prices_content(policy.prices),
    }
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _endpoint_content(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "project": endpoint.project,
        "api": endpoint.api,
        "place": [endpoint.base_url, endpoint.api_version, endpoint.cloud_project, endpoint.location],
        "keys": [key.reveal() for key in endpoint.keys],
        "credentials_file": str(endpoint.credentials_file or ""),
        "share": [endpoint.weight, endpoint.level, endpoint.concurrency],
        "tiers": sorted(endpoint.tiers),
        "lacks": sorted(endpoint.lacks),
        "holds_files": endpoint.holds_files,
    }


def _budget_content(budget: Budget) -> dict[str, Any]:
    return {
        "name": budget.name,
        "principals": [sorted(budget.principals), sorted(budget.prefixes)],
        "tenants": sorted(budget.tenants),
        "labels": dict(budget.labels),
        "each": budget.each,
        "limits": list(map(asdict, budget.limits)),
    }


def _rule_content(rule: Rule) -> list[Any]:
    selectors = {**asdict(rule.callers), **asdict(rule.deeds)}
    sets = {key: sorted(value) for key, value in selectors.items() if isinstance(value, frozenset)}
    return [rule.name, rule.effect, {**selectors, **sets}]


def _tier_content(rule: TierRule) -> list[Any]:
    return [rule.tiers, sorted(rule.priorities), rule.least_s, rule.spent]
