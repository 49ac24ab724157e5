"""What rules must be to each other and to the rest of a Policy file: each must be able to match some call.

Pure and over the raw tree, for the reason that `policy_checks` gives. A rule that can never match is refused,
because whoever wrote it believes that it does. It cannot when an earlier rule covers it: in every selector
the earlier one has nothing, or at least what this one has.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.config.document import TreePath
from sidecar.config.faults import Fault
from sidecar.config.policy_outline import Outline
from sidecar.config.rule_schema import SELECTORS
from sidecar.config.validation import Raw, near
from sidecar.core.call import Method
from sidecar.core.spiffe import SCHEME

_RULES = ("rules",)
_WITHOUT_MODEL = frozenset({str(Method.LIST_MODELS)})
_ANY_OF = ("methods", "models", "tiers", "features")


def check_rules(raw: Raw, known: Outline) -> Iterator[Fault]:
    """All rules that can match nothing, and those that allow more than they seem to."""
    before: list[_Outlined] = []
    for entry in raw.below(_RULES):
        if not any(raw.at((*entry, key)) is not None for key in SELECTORS):
            yield raw.fault(
                entry, "matches every call", "set `default: allow` or `default: deny` in its place"
            )
            continue
        yield from _names(raw, entry, known)
        yield from _callers(raw, entry, known)
        yield from _features(raw, entry)
        rule = _Outlined.of(raw, entry, known)
        if rule.methods and rule.methods <= _WITHOUT_MODEL and rule.models:
            yield raw.fault((*entry, "models"), "can never match: ListModels names no model", "remove it")
        for earlier in before:
            if earlier.covers(rule, known):
                reason = f"can never match: rule {earlier.name!r} before it matches all that it would"
                yield raw.fault(entry, reason, "move it up, narrow the other one, or remove it")
                break
        before.append(rule)


def _names(raw: Raw, entry: TreePath, known: Outline) -> Iterator[Fault]:
    for path, model in raw.texts(raw.below((*entry, "models"))):
        if model not in known.routes and model not in known.aliases:
            remedy = near(model, (*known.routes, *known.aliases)) or "list it in `models`"
            yield raw.fault(path, "is no listed model, nor an alias of one", remedy)
    for path, tenant in raw.texts(raw.below((*entry, "tenants"))):
        if tenant not in known.tenants:
            yield raw.fault(
                path, "is no tenant of this file", near(tenant, known.tenants) or "name a listed tenant"
            )


def _callers(raw: Raw, entry: TreePath, known: Outline) -> Iterator[Fault]:
    rule = _Outlined.of(raw, entry, known)
    if rule.principals and rule.namespaces:
        remedy = "write the namespace into the principals, such as spiffe://DOMAIN/ns/NAMESPACE/*"
        yield raw.fault((*entry, "namespaces"), "selects what principals do already", remedy)
    if not rule.tenants or not rule.tenants <= known.tenants.keys():
        return
    members = frozenset[str]().union(*(known.tenants[tenant] for tenant in rule.tenants))
    told = f"can never match: belongs to no tenant of this rule ({', '.join(sorted(rule.tenants))})"
    for path, pattern in raw.texts(raw.below((*entry, "principals"))):
        if not any(_within(member, pattern) for member in members):
            yield raw.fault(path, told, "add it to such a tenant, or take it off this rule")
    for path, namespace in raw.texts(raw.below((*entry, "namespaces"))):
        if namespace not in map(_namespace, members):
            yield raw.fault(path, told, "add a principal of it to such a tenant, or take it off this rule")


def _features(raw: Raw, entry: TreePath) -> Iterator[Fault]:
    some, only = (raw.at((*entry, key)) for key in ("features", "only_features"))
    path = (*entry, "features")
    if isinstance(some, list) and isinstance(only, list):
        if not set(map(str, some)) & set(map(str, only)):
            reason = "can never match: only_features has none of these"
            yield raw.fault(path, reason, "add them to only_features, or remove one of the two")
    elif isinstance(some, list) and raw.at((*entry, "effect")) == "allow":
        reason = "allows whatever else such a call makes use of"
        yield raw.fault(path, reason, "write only_features: all that a call may use")


@dataclass(frozen=True, slots=True)
class _Outlined:
    """A rule as far as a raw tree has it: what is of the wrong type is left out. None: no such selector."""

    name: str
    principals: frozenset[str] | None
    namespaces: frozenset[str] | None
    tenants: frozenset[str] | None
    scopes: frozenset[str] | None
    methods: frozenset[str] | None
    models: frozenset[str] | None
    tiers: frozenset[str] | None
    features: frozenset[str] | None
    only_features: frozenset[str] | None
    max_output_tokens: int | None

    @classmethod
    def of(cls, raw: Raw, entry: TreePath, known: Outline) -> "_Outlined":
        def texts(key: str) -> frozenset[str] | None:
            if raw.at((*entry, key)) is None:
                return None
            return frozenset(text for _, text in raw.texts(raw.below((*entry, key))))

        models, most = texts("models"), raw.at((*entry, "max_output_tokens"))
        if models is not None:
            models = frozenset(known.aliases.get(model, model) for model in models)
        sets = {key: texts(key) for key in SELECTORS if key not in ("models", "max_output_tokens")}
        most = most if isinstance(most, int) else None
        return cls(name=str(raw.at((*entry, "name"))), models=models, max_output_tokens=most, **sets)

    def covers(self, later: "_Outlined", known: Outline) -> bool:
        """Whether every call that `later` matches is one that this one matches."""
        most = self.max_output_tokens
        return (
            all(_contains(getattr(self, key), getattr(later, key)) for key in _ANY_OF)
            and _contains(self.only_features, later.only_features)
            and _contains(later.scopes or frozenset(), self.scopes or frozenset())
            and (most is None or (later.max_output_tokens is not None and later.max_output_tokens <= most))
            and self._covers_callers(later, known)
        )

    def _covers_callers(self, later: "_Outlined", known: Outline) -> bool:
        theirs = later._patterns(known)
        return (
            (self.tenants is None or self._covers_tenants(later, known))
            and (self.principals is None or _all_within(theirs, self.principals))
            and (
                self.namespaces is None
                or _contains(self.namespaces, later.namespaces)
                or (theirs is not None and frozenset(map(_namespace, theirs)) <= self.namespaces)
            )
        )

    def _covers_tenants(self, later: "_Outlined", known: Outline) -> bool:
        tenants = self.tenants or frozenset()
        if _contains(tenants, later.tenants):
            return True
        members = frozenset[str]().union(*(known.tenants.get(tenant, frozenset()) for tenant in tenants))
        return _contains(members, later.principals)

    def _patterns(self, known: Outline) -> frozenset[str] | None:
        """Patterns of principals that match all of its callers; None when they may be anybody."""
        if self.principals is not None:
            return self.principals
        if self.tenants is None:
            return None
        return frozenset[str]().union(*(known.tenants.get(tenant, frozenset()) for tenant in self.tenants))


def _contains(earlier: frozenset[str] | None, later: frozenset[str] | None) -> bool:
    return earlier is None or (later is not None and later <= earlier)


def _all_within(patterns: frozenset[str] | None, others: frozenset[str]) -> bool:
    return patterns is not None and all(
        any(_within(pattern, other) for other in others) for pattern in patterns
    )


def _within(pattern: str, other: str) -> bool:
    """Whether all principals of a pattern are of another one too."""
    if other.endswith("*"):
        return pattern.removesuffix("*").startswith(other[:-1])
    return pattern == other


def _namespace(pattern: str) -> str:
    """The namespace that all principals of a pattern have; empty when there is none for sure."""
    _, *path = pattern.removeprefix(SCHEME).split("/")
    return path[1] if len(path) > 2 and path[0] == "ns" else ""
