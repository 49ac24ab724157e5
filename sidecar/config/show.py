"""A configuration for the eye: what is in force, with credentials masked, and each file's JSON Schema."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Literal, TypeAlias

from sidecar.config.amounts import format_money, format_share
from sidecar.config.faults import MASK
from sidecar.config.load import Configuration
from sidecar.config.policy import DIGEST_SHOWN_CHARS
from sidecar.config.policy_schema import PolicySchema
from sidecar.config.settings import Settings
from sidecar.config.units import format_duration
from sidecar.core.policy import Budget, Endpoint, Policy, Tenant, TierRule
from sidecar.core.pooling import PoolRules
from sidecar.core.quota import Limit, Unit
from sidecar.core.rules import Rule

FileKind: TypeAlias = Literal["settings", "policy"]


def effective(configuration: Configuration) -> dict[str, Any]:
    """All values in force, defaults and environment included, as plain JSON types in the files' spelling."""
    policy = configuration.policy
    return {
        "settings": configuration.settings.model_dump(mode="json"),
        "policy": _policy(policy) if policy else "of the emulator, which `serve` starts",
    }


def json_schema(kind: FileKind) -> dict[str, Any]:
    """The JSON Schema of a file, for editors and reviewers; checks that span several values are not in it."""
    schema = Settings if kind == "settings" else PolicySchema
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_unwrapped(schema.model_json_schema()),
    }


def _policy(policy: Policy) -> dict[str, Any]:
    models: dict[str, dict[str, Any]] = {}
    for name, route in policy.routes.items():
        listed = models.setdefault(
            route.model,
            {"aliases": [], "projects": list(route.projects), "fallback": list(route.fallback)},
        )
        if name != route.model:
            listed["aliases"].append(name)
    return {
        "digest": policy.digest[:DIGEST_SHOWN_CHARS],
        "projects": [_endpoint(endpoint) for endpoint in policy.endpoints],
        "models": models,
        "unlisted_models": "allow" if policy.unlisted_models else "deny",
        "unknown_fields": "allow" if policy.unknown_fields else "deny",
        "tenants": {tenant.name: _tenant(tenant) for tenant in policy.tenants},
        "quotas": _quotas(policy),
        "budgets": list(map(_budget, policy.budgets)),
        "priorities": dict(policy.priorities),
        "rules": list(map(_rule, policy.rules.ordered)),
        **({"default": str(policy.rules.default)} if policy.rules.default else {}),
        "tokens": "required" if policy.asks_for_tokens else "optional",
        "pools": _pools(policy.pools),
        "tiers": list(map(_tier_rule, policy.tier_rules)),
        "cross_issuer": "strip" if policy.strips_signatures else "refuse",
    }


def _tenant(tenant: Tenant) -> dict[str, Any]:
    return {
        "principals": sorted(tenant.principals),
        "priority": tenant.priority,
        "weight": tenant.weight,
    }


def _quotas(policy: Policy) -> list[dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    for (project, model, tier), group in policy.quotas.items():
        entry = entries.setdefault(
            group.name,
            {"project": project, "models": [], **({"tier": tier} if tier else {}), **_limits(group.limits)},
        )
        entry["models"].append(model)
    return list(entries.values())


def _budget(budget: Budget) -> dict[str, Any]:
    selectors = {
        "principals": sorted((*budget.principals, *(f"{prefix}*" for prefix in budget.prefixes))),
        "tenants": sorted(budget.tenants),
        "labels": dict(budget.labels),
    }
    given = {key: value for key, value in selectors.items() if value}
    return {"name": budget.name, **given, "each": str(budget.each), **_limits(budget.limits)}


def _pools(rules: PoolRules) -> dict[str, Any]:
    retry, breaker, hedge = rules.retry, rules.breaker, rules.hedge
    return {
        "retry": {
            "attempts": retry.attempts,
            "budget_share": format_share(retry.budget_share),
            "budget_floor": retry.budget_floor,
            "backoff": format_duration(retry.backoff_s),
            "backoff_max": format_duration(retry.backoff_max_s),
            "wait_max": format_duration(retry.wait_max_s),
        },
        "breaker": {
            "failures": breaker.failures,
            "failure_share": format_share(breaker.failure_share),
            "window": format_duration(breaker.window_s),
            "open": format_duration(breaker.open_s),
            "open_max": format_duration(breaker.open_max_s),
            "slow": format_duration(breaker.slow_s) if isfinite(breaker.slow_s) else None,
            "evicted_share": format_share(breaker.evicted_share),
        },
        "hedge": {"quantile": format_share(hedge.quantile), "least": format_duration(hedge.least_s)}
        if hedge
        else None,
        "affinity": rules.affinity,
        "spill_after": format_duration(rules.spill_after_s),
    }


def _tier_rule(rule: TierRule) -> dict[str, Any]:
    selectors = {
        "priorities": sorted(rule.priorities),
        "least_deadline": format_duration(rule.least_s) if rule.least_s else "",
        "spend_used": format_share(rule.spent) if rule.spent else "",
    }
    return {**{key: value for key, value in selectors.items() if value}, "ask": list(rule.tiers)}


def _rule(rule: Rule) -> dict[str, Any]:
    callers, deeds = rule.callers, rule.deeds
    selectors: dict[str, Any] = {
        "principals": sorted((*callers.principals, *(f"{prefix}*" for prefix in callers.prefixes))),
        "namespaces": sorted(callers.namespaces),
        "tenants": sorted(callers.tenants),
        "scopes": sorted(callers.scopes),
        "methods": sorted(deeds.methods),
        "models": sorted(deeds.models),
        "tiers": sorted(deeds.tiers),
        "features": sorted(map(str, deeds.features)),
    }
    given = {key: value for key, value in selectors.items() if value}
    if deeds.output_tokens_at_most is not None:
        given["max_output_tokens"] = deeds.output_tokens_at_most
    if deeds.only_features is not None:
        given["only_features"] = sorted(map(str, deeds.only_features))
    return {"name": rule.name, "effect": str(rule.effect), **given}


def _limits(limits: tuple[Limit, ...]) -> dict[str, Any]:
    amounts = {
        limit.name: format_money(limit.amount) if limit.unit is Unit.MONEY else limit.amount
        for limit in limits
    }
    return {
        **amounts,
        "shadow": [limit.name for limit in limits if limit.is_shadow],
        "on_redis_loss": {limit.name: str(limit.on_loss) for limit in limits},
        "burst": format_share(limits[0].burst),
    }


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": endpoint.project, "api": str(endpoint.api)}
    if endpoint.keys:
        masked = [MASK] * len(endpoint.keys)
        shown |= {"keys": masked} if len(masked) > 1 else {"key": MASK}
        shown["files"] = endpoint.holds_files
    else:
        file = endpoint.credentials_file
        shown["project"] = endpoint.cloud_project
        shown["location"] = endpoint.location
        shown["credentials"] = {"file": str(file)} if file else "application-default"
    return {
        **shown,
        "base_url": endpoint.base_url,
        "api_version": endpoint.api_version,
        "weight": endpoint.weight,
        "level": endpoint.level,
        "concurrency": endpoint.concurrency,
        "tiers": sorted(endpoint.tiers) or None,
        "lacks": sorted(endpoint.lacks),
    }


def _unwrapped(schema: Any) -> Any:
    """The schema with each description, a docstring wrapped for the source, on one line."""
    if isinstance(schema, Mapping):
        return {key: _unwrapped(value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_unwrapped(item) for item in schema]
    return " ".join(schema.split()) if isinstance(schema, str) else schema
