"""The Policy file as it is written: the shape of its YAML, and what each single value may be.

What values must be to each other (names that are used twice or lead nowhere) is checked in `policy_checks`;
the Policy itself, with every default filled in, is made in `policy`.
"""

from typing import Annotated, Literal

from pydantic import Field

from sidecar.config.document import TreePath
from sidecar.config.names import Alias, Line, ModelId, Name, default_when_empty
from sidecar.config.pool_schema import BreakerSchema, HedgeSchema, PoolSchema, RetrySchema, TierRuleSchema
from sidecar.config.prices import ModalityRates, ModelPrices, PriceSchema
from sidecar.config.project_schema import GeminiProject, Project, VertexProject
from sidecar.config.quota_schema import BudgetSchema, QuotaSchema, Weight
from sidecar.config.references import KeyReference
from sidecar.config.rule_schema import RuleSchema
from sidecar.config.validation import near
from sidecar.config.values import Slice
from sidecar.core.policy import PRIORITIES


class ModelSchema(Slice):
    """A model, under its id upstream."""

    aliases: Annotated[list[Alias], default_when_empty(list)] = Field(default_factory=list)
    """Further names that callers may use; unique over all models."""
    projects: Annotated[list[Name], Field(min_length=1)] | None = None
    """The projects that serve it. None: all."""
    fallback: Annotated[list[ModelId], default_when_empty(list)] = Field(default_factory=list)
    """Listed models to ask, in this order, when every project of this one is out, for callers that allow it
    (`allow_fallback`). Their own fallbacks do not count."""


class TenantSchema(Slice):
    """Principals that share an account."""

    principals: Annotated[list[Line], Field(min_length=1)]
    """Their identities; each belongs to one tenant at most."""
    priority: Name | None = None
    """The highest priority that its calls may have. None: `standard` if there is one, else the heaviest."""
    weight: Weight = 1.0
    """How much of what is scarce its calls get, beside those of other tenants at the same priority."""


class PolicySchema(Slice):
    """The Policy file's root."""

    projects: Annotated[list[Project], Field(min_length=1)]
    """Where models are asked; at least one."""
    models: Annotated[
        dict[ModelId, Annotated[ModelSchema, default_when_empty(dict)]], default_when_empty(dict)
    ] = Field(default_factory=dict)
    """Models by their id upstream."""
    unlisted_models: Literal["allow", "deny"] = "allow"
    """Whether a model that is not listed may be asked for; any project then serves it."""
    unknown_fields: Literal["allow", "deny"] = "deny"
    """Whether a request may carry fields that the schema does not know (`extra_json`)."""
    tenants: Annotated[dict[Name, TenantSchema], default_when_empty(dict)] = Field(default_factory=dict)
    """Principals by the tenant that they belong to; a principal in none has none."""
    quotas: Annotated[list[QuotaSchema], default_when_empty(list)] = Field(default_factory=list)
    """What Google grants, one entry for all that it counts together; a model in none is not limited."""
    budgets: Annotated[list[BudgetSchema], default_when_empty(list)] = Field(default_factory=list)
    """What callers were given; a call may fall under several, and then under all of them."""
    priorities: Annotated[
        dict[Name, Weight], Field(min_length=1), default_when_empty(lambda: dict(PRIORITIES))
    ] = Field(default_factory=lambda: dict(PRIORITIES))
    """Priorities by weight: while calls wait, each priority is served in proportion to its weight."""
    pools: Annotated[PoolSchema, default_when_empty(PoolSchema)] = Field(default_factory=PoolSchema)
    """How projects are chosen, retried and left alone."""
    tiers: Annotated[list[TierRuleSchema], default_when_empty(list)] = Field(default_factory=list)
    """Service tiers of calls that name none: the first entry that matches decides. Default: standard."""
    cross_issuer: Literal["refuse", "strip"] = "refuse"
    """What becomes of a call whose thought signatures are of a project that cannot serve it: it is refused,
    or goes to another project without them, which its reply tells."""
    rules: Annotated[list[RuleSchema], default_when_empty(list)] = Field(default_factory=list)
    """Who may do what: the first rule that matches a call decides."""
    default: Literal["allow", "deny"] | None = None
    """What becomes of calls that no rule matches. None: what the pod asks by itself is allowed, and denied
    what callers from outside ask, or who shows a token."""
    tokens: Literal["optional", "required"] = "optional"
    """Whether callers from outside the pod, but for its replicas, must show an OAuth 2.0 token beside their
    certificate."""
    prices: Annotated[dict[ModelId, ModelPrices], default_when_empty(dict)] = Field(default_factory=dict)
    """Prices by model id, in place of those that the release knows."""


_SIBLINGS: dict[str, dict[str, type[Slice]]] = {
    "projects": {"projects with api: gemini": GeminiProject, "projects with api: vertex": VertexProject},
    "quotas": {"budgets": BudgetSchema},
    "budgets": {"quotas": QuotaSchema},
}
_SCHEMAS: tuple[type[Slice], ...] = (
    PolicySchema,
    GeminiProject,
    VertexProject,
    ModelSchema,
    TenantSchema,
    QuotaSchema,
    BudgetSchema,
    RuleSchema,
    PoolSchema,
    RetrySchema,
    BreakerSchema,
    HedgeSchema,
    TierRuleSchema,
    KeyReference,
    PriceSchema,
    ModalityRates,
)
_KEYS = {key for schema in _SCHEMAS for key in schema.model_fields}


def key_hint(path: TreePath) -> str:
    """What to do about an unknown key: of another kind of entry, or misspelled; empty without a guess."""
    key = str(path[-1])
    if len(path) == 3:
        for kind, schema in _SIBLINGS.get(str(path[0]), {}).items():
            if key in schema.model_fields:
                return f"remove it: it belongs to {kind}"
    return near(key, _KEYS)
