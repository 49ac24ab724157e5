"""What a Policy makes of loads: which groups each call goes to, in which class, and how often. Pure.

Follows `limiter`: every budget that covers the caller, in the order of their names; then the quotas of the
candidates in the Policy's order, up to the first candidate that no quota covers. Requests carry no labels, so
budgets that select by label are not met.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sidecar.config.faults import Unacceptable, shown
from sidecar.core.policy import ModelRoute, Policy
from sidecar.core.quota import Charge, LimitGroup, Rolling
from sidecar.limits.simulate_call import Caller, Step
from sidecar.limits.simulate_load import RATES, Load, draw_of, mean_charge

_TIER = "standard"
_DEFAULT_RATE = 2.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """One load, as the Policy has it."""

    load: Load
    caller: Caller
    mean: Charge
    """What a call costs on average."""
    quotas: tuple[LimitGroup, ...]
    """Of the candidates that it may ask; empty: no quota covers it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be simulated."""

    groups: tuple[LimitGroup, ...]
    """Every budget and quota that a load meets: budgets first, in the order in which calls take them."""
    traffic: tuple[Traffic, ...]


def plan(policy: Policy, loads: Sequence[Load], on: date) -> Plan:
    """Let `loads` meet `policy`, at the prices of a day; without loads, one that asks its first model for
    twice what the quotas sustain. Raises Unacceptable for a load that the Policy cannot place.
    """
    loads = loads or [Load("load", _DEFAULT_RATE, is_relative=True)]
    traffic = [_traffic(policy, load, on) for load in loads]
    budgets = {group.name: group for load in loads for group in _budgets(policy, load)}
    quotas = {group.name: group for each in traffic for group in each.quotas}
    return Plan((*(budgets[name] for name in sorted(budgets)), *quotas.values()), tuple(traffic))


def _traffic(policy: Policy, load: Load, on: date) -> Traffic:
    route = _route(policy, load)
    quotas, is_metered = _quotas(policy, route)
    price = policy.prices.price(route.model, _TIER, on)
    mean = mean_charge(load, price)
    budgets = [Step([group.name]) for group in _budgets(policy, load)]
    if load.priority and load.priority not in policy.priorities:
        raise Unacceptable(
            f"load {load.name} asks for priority {shown(load.priority)}, which the Policy does not have",
            f"take one of {', '.join(policy.priorities)}",
        )
    caller = Caller(
        share=policy.share_of(policy.tenant_of(load.caller), load.priority),
        per_s=load.rate * _sustained(load, route.model, quotas, mean) if load.is_relative else load.rate,
        draw=draw_of(load, price),
        patience_ms=load.patience_s * 1000,
        rate=RATES[load.shape],
        path=(*budgets, Step([group.name for group in quotas], is_optional=not is_metered)),
        name=load.name,
    )
    return Traffic(load, caller, mean, quotas)


def _route(policy: Policy, load: Load) -> ModelRoute:
    model = load.model or _first_model(policy, load)
    route = policy.routes.get(model)
    if route is not None:
        return route
    if not policy.unlisted_models:
        raise Unacceptable(
            f"load {load.name} asks for model {shown(model)}, which the Policy denies",
            f"take one of {', '.join(sorted(policy.routes))}",
        )
    return ModelRoute(model, tuple(endpoint.project for endpoint in policy.endpoints))


def _first_model(policy: Policy, load: Load) -> str:
    """The first listed model, else the first that has a quota."""
    named = [*policy.routes, *(model for _, model, _ in policy.quotas)]
    if not named:
        raise Unacceptable(f"load {load.name} names no model, nor does the Policy", "name one: model=MODEL")
    return named[0]


def _quotas(policy: Policy, route: ModelRoute) -> tuple[tuple[LimitGroup, ...], bool]:
    """The groups of the candidates up to the first that is in none, and whether there is no such one."""
    groups: dict[str, LimitGroup] = {}
    for project in route.projects:
        group = policy.quota_of(project, route.model, _TIER)
        if group is None:
            return tuple(groups.values()), False
        groups[group.name] = group
    return tuple(groups.values()), True


def _budgets(policy: Policy, load: Load) -> list[LimitGroup]:
    tenant = policy.tenant_of(load.caller)
    covering = [
        budget.group(load.caller, tenant)
        for budget in policy.budgets
        if budget.covers(load.caller, tenant, {})
    ]
    return sorted(covering, key=lambda group: group.name)


def _sustained(load: Load, model: str, quotas: Iterable[LimitGroup], mean: Charge) -> float:
    """Calls a second that the rolling limits of the quotas allow in the long run, all groups together."""
    rates = [_rate_of(group, mean) for group in quotas]
    if not rates or math.inf in rates:
        raise Unacceptable(
            f"load {load.name} has a rate relative to the quotas of model {shown(model)}, "
            "which set no limit per minute",
            "write calls a second, such as 40/s",
        )
    return sum(rates)


def _rate_of(group: LimitGroup, mean: Charge) -> float:
    rates = [
        limit.amount / limit.window.seconds / cost
        for limit in group.limits
        if isinstance(limit.window, Rolling) and not limit.is_shadow and (cost := mean.of(limit.unit))
    ]
    return min(rates, default=math.inf)
