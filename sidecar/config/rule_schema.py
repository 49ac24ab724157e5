"""Rules as the Policy has them: the shape of their YAML, and the rules made of it.

What rules must be to each other and to the rest of the file is checked in `rule_checks`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from sidecar.config.checks import not_a_bool
from sidecar.config.faults import Unacceptable
from sidecar.config.names import Line, Name
from sidecar.config.quota_schema import PrincipalPattern, Tier
from sidecar.config.values import Slice
from sidecar.core.call import Method
from sidecar.core.feature import Feature
from sidecar.core.rules import DEFAULT_RULE, Callers, Deeds, Effect, Rule, Rules
from sidecar.core.spiffe import SCHEME, is_prefix, trust_domain

_OUTPUT_TOKENS_MAX = 1_000_000_000


def _known_pattern(value: str) -> str:
    """A pattern that some principal can match: what begins as a SPIFFE id must go on as one."""
    if value == "*":
        raise Unacceptable("matches everybody", "leave principals out")
    if not value.lower().startswith("spiffe:"):
        return value
    if value.endswith("*"):
        if not is_prefix(value[:-1]):
            remedy = f"write {SCHEME}TRUST_DOMAIN/*, or more of the path: {SCHEME}TRUST_DOMAIN/ns/NAMESPACE/*"
            raise Unacceptable("is no beginning of SPIFFE ids of one trust domain", remedy)
    elif not trust_domain(value):
        raise Unacceptable("is no SPIFFE id", f"write {SCHEME}TRUST_DOMAIN/PATH, or end it with *")
    return value


def _rule_name(value: str) -> str:
    if value == DEFAULT_RULE:
        raise Unacceptable("is what the decision without a rule is called", "take another name")
    return value


CallerPattern: TypeAlias = Annotated[PrincipalPattern, AfterValidator(_known_pattern)]
Word: TypeAlias = Literal["allow", "deny"]
OutputTokens: TypeAlias = Annotated[int, BeforeValidator(not_a_bool), Field(ge=0, le=_OUTPUT_TOKENS_MAX)]


class RuleSchema(Slice):
    """Calls that match every selector that is set are allowed, or denied; at least one is set."""

    name: Annotated[Name, AfterValidator(_rule_name)]
    """What refusals call it; unique."""
    effect: Word
    """What becomes of the calls that match."""
    principals: Annotated[list[CallerPattern], Field(min_length=1)] | None = None
    """Callers by identity, or by a prefix that ends with `*`."""
    namespaces: Annotated[list[Name], Field(min_length=1)] | None = None
    """Callers by the Kubernetes namespace in their SPIFFE id."""
    tenants: Annotated[list[Name], Field(min_length=1)] | None = None
    """Callers by tenant."""
    scopes: Annotated[list[Line], Field(min_length=1)] | None = None
    """Callers whose token has all of these scopes."""
    methods: Annotated[list[Method], Field(min_length=1)] | None = None
    """Calls by method, such as Generate."""
    models: Annotated[list[Line], Field(min_length=1)] | None = None
    """Calls by model: ids or aliases of listed models; an alias stands for its model under every name."""
    tiers: Annotated[list[Tier], Field(min_length=1)] | None = None
    """Calls by service tier; one that names none is `standard`."""
    max_output_tokens: OutputTokens | None = None
    """Calls that ask for at most so many tokens for each candidate; one that sets no bound does not match."""
    features: Annotated[list[Feature], Field(min_length=1)] | None = None
    """Calls that make use of any of these features."""
    only_features: list[Feature] | None = None
    """Calls that make use of no feature but these; empty: of none at all."""


SELECTORS = tuple(key for key in RuleSchema.model_fields if key not in ("name", "effect"))


def rules_of(entries: Sequence[RuleSchema], default: Word | None, models: Mapping[str, str]) -> Rules:
    """The rules; `models` has the id of a listed model by every name of it. Pure."""
    return Rules(
        tuple(
            Rule(entry.name, Effect(entry.effect), _callers(entry), _deeds(entry, models))
            for entry in entries
        ),
        Effect(default) if default else None,
    )


def _callers(entry: RuleSchema) -> Callers:
    patterns = entry.principals or ()
    return Callers(
        principals=frozenset(pattern for pattern in patterns if not pattern.endswith("*")),
        prefixes=tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*")),
        namespaces=frozenset(entry.namespaces or ()),
        tenants=frozenset(entry.tenants or ()),
        scopes=frozenset(entry.scopes or ()),
    )


def _deeds(entry: RuleSchema, models: Mapping[str, str]) -> Deeds:
    return Deeds(
        methods=frozenset(entry.methods or ()),
        models=frozenset(models.get(name, name) for name in entry.models or ()),
        tiers=frozenset(entry.tiers or ()),
        output_tokens_at_most=entry.max_output_tokens,
        features=frozenset(entry.features or ()),
        only_features=None if entry.only_features is None else frozenset(entry.only_features),
    )
