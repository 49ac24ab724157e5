"""The Policy: an immutable snapshot of what the fleet has agreed on.

`config/policy` reads, checks and replaces snapshots; a Call keeps the one it began with until it is settled.
Later facts (rules) join as further fields.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from sidecar.core.cost import PriceTable
from sidecar.core.feature import Feature
from sidecar.core.pooling import PoolRules
from sidecar.core.quota import Limit, LimitGroup, Share, Unit
from sidecar.core.rules import Rules
from sidecar.core.secret import Secret

STANDARD_TIER = "standard"
"""The service tier of a request that asks for none."""
STANDARD_PRIORITY = "standard"
PRIORITIES: Mapping[str, float] = MappingProxyType({"critical": 64.0, STANDARD_PRIORITY: 8.0, "batch": 1.0})
"""Weights where a Policy names none. Weights and no ranks: what waits as batch is served too, if seldom."""

QuotaKey: TypeAlias = tuple[str, str, str]
"""Project, model id upstream, and tier; an empty tier stands for every one without an entry of its own."""


class Api(StrEnum):
    """Which of Google's two faces a project is reached through."""

    GEMINI = "gemini"
    """The Gemini Developer API: an API key, paths under `models/`."""
    VERTEX = "vertex"
    """Vertex AI: OAuth credentials, a Google Cloud project and a location."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that can be asked: a project, for Vertex at one location, with the credential it takes."""

    project: str
    """The project's name in the Policy; appears in replies, logs and metrics."""
    api: Api
    base_url: str
    """Scheme, host and optional path prefix, without a trailing slash."""
    api_version: str
    keys: tuple[Secret, ...] = ()
    """Developer API only: keys of one project, which share its quota, so each serves as well as any other."""
    cloud_project: str = ""
    """Vertex only: the Google Cloud project id."""
    location: str = ""
    """Vertex only: a region, a multi-region or `global`."""
    credentials_file: Path | None = None
    """Vertex only: a Google credentials file; None means application-default credentials."""
    weight: float = 1.0
    """How much of what its level serves it takes, beside the others."""
    level: int = 0
    """Lower levels are asked first."""
    concurrency: int | None = None
    """The most attempts that this process may have open at it; None: any number."""
    tiers: frozenset[str] = frozenset()
    """Service tiers that it serves; empty means all."""
    lacks: frozenset[Feature] = frozenset()
    """What may not be asked of it."""
    holds_files: bool = False
    """Developer API only: whether files and caches that a request names without their project are its own."""

    @property
    def issuer(self) -> str:
        """By whom its thought signatures are given out: with all endpoints of one issuer they are valid."""
        return self.project if self.api is Api.GEMINI else f"projects/{self.cloud_project}"

    def serves(self, tier: str, features: frozenset[Feature]) -> bool:
        """Whether it may be asked for a service tier (`flex`; empty for calls without one) with these
        features.
        """
        if self.tiers and tier and tier not in self.tiers:
            return False
        return self.lacks.isdisjoint(features)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A group of principals that share an account; never chosen by the caller."""

    name: str
    principals: frozenset[str]
    priority: str = STANDARD_PRIORITY
    """The highest that its calls may have."""
    weight: float = 1.0
    """Of its calls, beside those of other tenants at the same priority."""


class Each(StrEnum):
    """For whom a budget is counted apart."""

    PRINCIPAL = "principal"
    TENANT = "tenant"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Budget:
    """What callers were given. Covers the calls that match every selector; an empty selector matches all."""

    name: str
    principals: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    """Beginnings of principals; one selector together with `principals`."""
    tenants: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    """All of which a request must carry."""
    each: Each = Each.ALL
    limits: tuple[Limit, ...] = ()

    def covers(self, principal: str, tenant: str, labels: Mapping[str, str]) -> bool:
        """Whether a call falls under it; `tenant` is empty for principals without one."""
        if self.tenants and tenant not in self.tenants:
            return False
        if not self._selects(principal):
            return False
        return all(labels.get(key) == value for key, value in self.labels.items())

    def group(self, principal: str, tenant: str) -> LimitGroup:
        """Where a covered call is counted; equal for all calls that are counted together."""
        if self.each is Each.ALL:
            return LimitGroup(f"budget/{self.name}", self.limits)
        owner = principal if self.each is Each.PRINCIPAL else tenant
        return LimitGroup(f"budget/{self.name}/{owner}", self.limits)

    def _selects(self, principal: str) -> bool:
        if not self.principals and not self.prefixes:
            return True
        return principal in self.principals or principal.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """A model of the Policy: its id upstream, and the projects that serve it."""

    model: str
    projects: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    """Ids of listed models to ask when every endpoint of this one is out, in order; theirs do not count."""


@dataclass(frozen=True, slots=True)
class TierRule:
    """Which service tiers are asked for, by calls that name none themselves."""

    tiers: tuple[str, ...]
    """In order of preference."""
    priorities: frozenset[str] = frozenset()
    """Of the call; empty: any."""
    least_s: float = 0.0
    """The time that a call must have."""
    spent: float = 0.0
    """The share of a spend limit, among the budgets that cover the call, that must be used up."""

    def matches(self, priority: str, allowed_s: float, spent: float) -> bool:
        """Whether it decides for a call of this priority, with so many seconds and such a share spent."""
        if self.priorities and priority not in self.priorities:
            return False
        return allowed_s >= self.least_s and spent >= self.spent


@dataclass(frozen=True, slots=True)
class Policy:
    """One validated snapshot; equal content has an equal `digest`."""

    digest: str
    endpoints: tuple[Endpoint, ...]
    """All of them, in the order of the file."""
    routes: Mapping[str, ModelRoute] = field(default_factory=dict)
    """By every name a caller may use: model ids and aliases."""
    unlisted_models: bool = True
    """Whether a model without a route may be asked for; it is then served by any project."""
    unknown_fields: bool = False
    """Whether `extra_json` may carry fields that the schema does not type."""
    tenants: tuple[Tenant, ...] = ()
    priorities: Mapping[str, float] = field(default_factory=lambda: PRIORITIES)
    """Weights by name."""
    default_priority: str = STANDARD_PRIORITY
    """The highest priority of callers without a tenant."""
    quotas: Mapping[QuotaKey, LimitGroup] = field(default_factory=dict)
    """What Google grants. Models that are counted together have the same group."""
    budgets: tuple[Budget, ...] = ()
    """What callers were given; a call may fall under several."""
    rules: Rules = field(default_factory=Rules)
    """Who may do what."""
    asks_for_tokens: bool = False
    """Whether callers from outside the pod, but for its replicas, must show a token, whatever else proves who
    they are."""
    pools: PoolRules = field(default_factory=PoolRules)
    """How endpoints are chosen, retried and left alone."""
    tier_rules: tuple[TierRule, ...] = ()
    """The first that matches decides; none: the upstream's standard tier."""
    strips_signatures: bool = False
    """Whether a call may leave the issuer of its thought signatures, without them."""
    prices: PriceTable = field(default_factory=PriceTable)
    """What tokens cost: the release's prices, with those of the Policy file in place of them."""
    memo: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What a stage has worked out of the snapshot alone and keeps with it; the stage bounds it."""
    _tenants: Mapping[str, Tenant] = field(init=False, repr=False, compare=False)
    _owners: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _shares: Mapping[tuple[str, str], Share] = field(init=False, repr=False, compare=False)
    _serving: Mapping[str, tuple[Endpoint, ...]] = field(init=False, repr=False, compare=False)
    has_lacks: bool = field(init=False, repr=False, compare=False)
    """Whether any endpoint lacks a feature, so that the features of calls matter."""
    watches_spend: bool = field(init=False, repr=False, compare=False)
    """Whether any tier rule asks what was spent."""
    counts_money: bool = field(init=False, repr=False, compare=False)
    """Whether any limit does, so that it matters what calls will cost."""

    def __post_init__(self) -> None:  # indices, so that a call's lookups do not grow with the Policy
        owners = {principal: tenant.name for tenant in self.tenants for principal in tenant.principals}
        by_name = {endpoint.project: endpoint for endpoint in self.endpoints}
        serving = {
            name: _by_level(by_name[project] for project in route.projects)
            for name, route in self.routes.items()
        }
        object.__setattr__(self, "_tenants", {tenant.name: tenant for tenant in self.tenants})
        object.__setattr__(self, "_owners", owners)
        weights = {"": 1.0, **{tenant.name: tenant.weight for tenant in self.tenants}}
        shares = {
            (tenant, priority): Share(f"{tenant}/{priority}", weight * of_priority)
            for tenant, weight in weights.items()
            for priority, of_priority in self.priorities.items()
        }
        object.__setattr__(self, "_shares", shares)
        object.__setattr__(self, "_serving", {**serving, "": _by_level(self.endpoints)})
        object.__setattr__(self, "has_lacks", any(endpoint.lacks for endpoint in self.endpoints))
        object.__setattr__(self, "watches_spend", any(rule.spent for rule in self.tier_rules))
        limits = [group.limits for group in self.quotas.values()] + [budget.limits for budget in self.budgets]
        units = {limit.unit for each in limits for limit in each}
        object.__setattr__(self, "counts_money", Unit.MONEY in units)

    @property
    def has_choice(self) -> bool:
        """Whether there is more than one endpoint, so that it matters where a call is at home."""
        return len(self.endpoints) > 1

    def serving(self, name: str) -> tuple[Endpoint, ...]:
        """The endpoints of a model, by any of its names, lowest level first; all for one without a route."""
        return self._serving.get(name, self._serving[""])

    def tiers_for(self, tenant: str, wanted: str, allowed_s: float, spent: float) -> tuple[str, ...]:
        """The service tiers to ask for, best first, by a call that names none: of this tenant, which asks for
        a priority, has so many seconds, and of whose budgets such a share is spent.
        """
        if self.tier_rules:
            priority = self.priority_of(tenant, wanted)
            for rule in self.tier_rules:
                if rule.matches(priority, allowed_s, spent):
                    return rule.tiers
        return ("",)

    def tenant_of(self, principal: str) -> str:
        """The tenant that a principal belongs to; empty for none."""
        return self._owners.get(principal, "")

    def quota_of(self, project: str, model: str, tier: str) -> LimitGroup | None:
        """The group that Google counts a request in: of its tier (`standard`, `priority`, `flex`), else of
        every tier. None: unmetered.
        """
        return self.quotas.get((project, model, tier)) or self.quotas.get((project, model, ""))

    def budgets_of(self, principal: str, tenant: str, labels: Mapping[str, str]) -> list[LimitGroup]:
        """The groups of all budgets that cover a call, in the one order in which all calls take them."""
        groups = [
            budget.group(principal, tenant)
            for budget in self.budgets
            if budget.covers(principal, tenant, labels)
        ]
        return sorted(groups, key=attrgetter("name"))

    def share_of(self, tenant: str, wanted: str = "") -> Share:
        """Whom a call is served with; `tenant` is empty for callers without one.

        `wanted` can lower the priority and never raise it; an unknown one is passed over.
        """
        priority = self.priority_of(tenant, wanted)
        return self._shares.get((tenant, priority)) or Share(
            f"{tenant}/{priority}", self.priorities[priority]
        )

    def priority_of(self, tenant: str, wanted: str = "") -> str:
        """The name of the priority that `share_of` serves a call at."""
        known = self._tenants.get(tenant)
        priority = known.priority if known else self.default_priority
        return wanted if self.priorities.get(wanted, inf) <= self.priorities[priority] else priority


def _by_level(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(sorted(endpoints, key=attrgetter("level")))
