"""Who may do what, as the Policy says it: rules in order, of which the first that matches decides. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from sidecar.core.feature import Feature
from sidecar.core.spiffe import namespace

DEFAULT_RULE = "default"
"""What decides when no rule matches; no rule has this name."""


class Effect(StrEnum):
    """What a rule says of the calls that it matches."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as rules look at it."""

    principal: str
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    """Of its token; empty without one."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is asked for, as far as rules look at it."""

    method: str
    """As on the wire, such as `Generate`."""
    model: str = ""
    """The model's id upstream, aliases resolved; empty for a method that names none."""
    tier: str = ""
    """The service tier, such as `standard`."""
    output_tokens: int | None = None
    """The most that each candidate may have; 0 for a method without output, None for no bound."""
    features: frozenset[Feature] = frozenset()


@dataclass(frozen=True, slots=True)
class Callers:
    """Whom a rule is about: callers that match every selector; an empty one matches all."""

    principals: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    """Beginnings of principals; one selector together with `principals`."""
    namespaces: frozenset[str] = frozenset()
    """Of SPIFFE ids."""
    tenants: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    """All of which the caller's token must have."""

    def matches(self, caller: Caller) -> bool:
        """Whether the rule is about this caller."""
        if (self.principals or self.prefixes) and not (
            caller.principal in self.principals or caller.principal.startswith(self.prefixes)
        ):
            return False
        if self.namespaces and namespace(caller.principal) not in self.namespaces:
            return False
        return (not self.tenants or caller.tenant in self.tenants) and self.scopes <= caller.scopes


@dataclass(frozen=True, slots=True)
class Deeds:
    """What a rule is about: calls that match every selector; an empty one matches all."""

    methods: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    output_tokens_at_most: int | None = None
    """Calls that ask for no more than this."""
    features: frozenset[Feature] = frozenset()
    """Calls that make use of any of these."""
    only_features: frozenset[Feature] | None = None
    """Calls that make use of none but these; None: whatever they use."""

    @property
    def looks_at_features(self) -> bool:
        """Whether it makes a difference which features a call makes use of."""
        return bool(self.features) or self.only_features is not None

    def matches(self, deed: Deed) -> bool:
        """Whether the rule is about this call."""
        return (
            (not self.methods or deed.method in self.methods)
            and (not self.models or deed.model in self.models)
            and (not self.tiers or deed.tier in self.tiers)
            and self._bounds(deed.output_tokens)
            and (not self.features or not self.features.isdisjoint(deed.features))
            and (self.only_features is None or deed.features <= self.only_features)
        )

    def _bounds(self, output_tokens: int | None) -> bool:
        most = self.output_tokens_at_most
        return most is None or (output_tokens is not None and output_tokens <= most)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, by the name that refusals give for it."""

    name: str
    effect: Effect
    callers: Callers = Callers()
    deeds: Deeds = Deeds()


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and by which rule."""

    is_allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a Policy."""

    ordered: tuple[Rule, ...] = ()
    default: Effect | None = None
    """For what no rule matches. None: allow what the pod asks by itself, deny everything else."""
    looks_at_features: bool = field(init=False, default=False)
    """Whether any rule does."""

    def __post_init__(self) -> None:
        looks = any(rule.deeds.looks_at_features for rule in self.ordered)
        object.__setattr__(self, "looks_at_features", looks)

    def allow_all_of(self, is_unbounded_pod: bool) -> bool:
        """Whether nothing that such a caller asks can be denied."""
        return not self.ordered and self._default(is_unbounded_pod)

    def decide(self, caller: Caller, deed: Deed, *, is_unbounded_pod: bool) -> Decision:
        """The decision of the first rule that matches, else of the default."""
        for rule in self.ordered:
            if rule.callers.matches(caller) and rule.deeds.matches(deed):
                return Decision(rule.effect is Effect.ALLOW, rule.name)
        return Decision(self._default(is_unbounded_pod), DEFAULT_RULE)

    def _default(self, is_unbounded_pod: bool) -> bool:
        return is_unbounded_pod if self.default is None else self.default is Effect.ALLOW
