"""Make quota groups, budgets and weights of what a valid Policy file says. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sidecar.config.quota_schema import LIMITS, BudgetSchema, LimitedSchema, QuotaSchema
from sidecar.core.policy import STANDARD_PRIORITY, Budget, Each, QuotaKey
from sidecar.core.quota import Limit, LimitGroup, OnLoss, Unit


def quota_groups(entries: Iterable[QuotaSchema]) -> Mapping[QuotaKey, LimitGroup]:
    """The group of each project, model and tier that is metered."""
    groups: dict[QuotaKey, LimitGroup] = {}
    for entry in entries:
        tier = entry.tier or ""
        name = "/".join(filter(None, ("quota", entry.project, entry.models[0], tier)))
        group = LimitGroup(name, _limits(entry))
        groups.update(((entry.project, model, tier), group) for model in entry.models)
    return MappingProxyType(groups)


def budget_of(entry: BudgetSchema) -> Budget:
    """A budget, its selectors sorted out into exact principals and prefixes."""
    patterns = entry.principals or ()
    return Budget(
        name=entry.name,
        principals=frozenset(pattern for pattern in patterns if not pattern.endswith("*")),
        prefixes=tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*")),
        tenants=frozenset(entry.tenants or ()),
        labels=MappingProxyType(dict(entry.labels or {})),
        each=Each(entry.each),
        limits=_limits(entry),
    )


def default_priority(weights: Mapping[str, float]) -> str:
    """The priority of whoever is given none: `standard` where there is one, else the heaviest."""
    if STANDARD_PRIORITY in weights:
        return STANDARD_PRIORITY
    return max(weights, key=lambda name: (weights[name], name))


def _limits(entry: LimitedSchema) -> tuple[Limit, ...]:
    amounts = {name: getattr(entry, name, None) for name in LIMITS}
    return tuple(_limit(entry, name, amount) for name, amount in amounts.items() if amount is not None)


def _limit(entry: LimitedSchema, name: str, amount: int) -> Limit:
    unit, window = LIMITS[name]
    default = OnLoss.CLOSED if unit is Unit.MONEY else OnLoss.SHARE
    return Limit(
        name=name,
        unit=unit,
        amount=amount,
        window=window,
        on_loss=OnLoss(entry.on_redis_loss.get(name, default)),
        is_shadow=name in entry.shadow,
        burst=entry.burst,
    )
