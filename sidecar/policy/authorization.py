"""Whether a caller may do what it asks for: the Policy's rules before a call. Pure.

A rule sees a call as upstream will: aliases are resolved to model ids, a call that names no tier is of
the standard one, and features are found in whatever spelling they come. What is listed under another name
than the model's own (a version, a tuned model) is another model.
"""

from dataclasses import replace
from functools import cache

from sidecar.core.call import Call, Method, model_named
from sidecar.core.errors import PermissionDenied
from sidecar.core.feature import Feature
from sidecar.core.permit import Candidate
from sidecar.core.policy import STANDARD_TIER, Policy
from sidecar.core.principal import Principal
from sidecar.core.rules import Caller, Decision, Deed
from sidecar.policy.features import features_of

_WITH_OUTPUT = (Method.GENERATE, Method.STREAM_GENERATE)


def authorize(principal: Principal, call: Call) -> None:
    """Raises PermissionDenied, which names the rule, when the Policy's rules do not allow the call."""
    rules = call.policy.rules
    if rules.allow_all_of(principal.is_unbounded_pod):
        return
    decision = decide(call.policy, principal, deed_of(call))
    if not decision.is_allowed:
        raise denial(principal, decision)


def only_allowed(
    principal: Principal, call: Call, candidates: tuple[Candidate, ...]
) -> tuple[Candidate, ...]:
    """Those of the ways to serve an allowed call whose own model and tier the rules allow too: the Policy may
    have other ones than the call names. Raises PermissionDenied when none is left.
    """
    policy, body = call.policy, call.body.json
    if policy.rules.allow_all_of(principal.is_unbounded_pod):
        return candidates
    deed = deed_of(call)

    @cache
    def decision(model: str, tier: str) -> Decision:
        return decide(policy, principal, replace(deed, model=model_id(policy, model), tier=tier))

    decided = [(one, decision(one.model, one.tier_of(body))) for one in candidates]
    allowed = tuple(candidate for candidate, its in decided if its.is_allowed)
    if not allowed:
        raise denial(principal, decided[0][1])
    return allowed


def decide(policy: Policy, principal: Principal, deed: Deed) -> Decision:
    """What the Policy says of a deed, and by which rule."""
    caller = Caller(principal.id, principal.tenant, principal.scopes or frozenset())
    return policy.rules.decide(caller, deed, is_unbounded_pod=principal.is_unbounded_pod)


def explain(policy: Policy, principal: Principal, name: str, deed: Deed) -> Decision:
    """What becomes of a deed at the model of this name, in any spelling, and what in the Policy decides it: a
    rule, or the key that denies what rules allow.
    """
    name = model_named(name)
    decision = decide(policy, principal, replace(deed, model=model_id(policy, name)))
    if not decision.is_allowed:
        return decision
    if Feature.UNKNOWN_FIELDS in deed.features and not policy.unknown_fields:
        return Decision(False, "unknown_fields")
    if name and name not in policy.routes and not policy.unlisted_models:
        return Decision(False, "unlisted_models")
    return decision


def denial(principal: Principal, decision: Decision) -> PermissionDenied:
    """The refusal of a caller by a decision."""
    return PermissionDenied(
        f"rule {decision.rule!r} of the Policy does not allow {principal.id} this call; "
        "`gemini-sidecar check --as` shows what it decides on",
        metadata={"rule": decision.rule},
    )


def deed_of(call: Call) -> Deed:
    """What a call asks for."""
    body = call.body.json
    return Deed(
        method=call.arrival.method,
        model=model_id(call.policy, call.model),
        tier=(body.get("serviceTier") or STANDARD_TIER).lower(),
        output_tokens=_output_tokens(call),
        features=features_of(call.body) if call.policy.rules.looks_at_features else frozenset(),
    )


def model_id(policy: Policy, name: str) -> str:
    """The model behind a name."""
    route = policy.routes.get(name)
    return route.model if route else name


def _output_tokens(call: Call) -> int | None:
    if call.arrival.method not in _WITH_OUTPUT:
        return 0
    bound = (call.body.json.get("generationConfig") or {}).get("maxOutputTokens")
    return bound if isinstance(bound, int) and bound > 0 else None  # upstream may take 0 for no bound
