"""The ways to serve a call: which models, at which service tiers, at which endpoints. Pure.

A listed model, or an alias of it, is asked at the projects that the Policy names for it, an unlisted one at
all of them; calls that name no model may ask any project. Left out are endpoints that do not serve the tier
asked for, or lack a feature that the call makes use of.

The order is one of preference. First, step by step, come the alternatives: the service tiers of the Policy's
rule, for calls that name none, then the same for each fallback model, for callers that allow it. Within a
step lower levels come first. Who of one step and level is asked, `upstream/rank` decides.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sidecar.core.call import Call, Method
from sidecar.core.errors import NoEndpoint, PermissionDenied
from sidecar.core.feature import Feature
from sidecar.core.permit import Candidate, tier_named
from sidecar.core.policy import Endpoint
from sidecar.policy.features import features_of

_TIERED = frozenset({Method.GENERATE, Method.STREAM_GENERATE})
_NOTHING: frozenset[Feature] = frozenset()


def candidates(call: Call, tenant: str, spent: float = 0.0) -> tuple[Candidate, ...]:
    """All ways to serve a call, best first. `spent` is the share used up of the scarcest spend limit that
    covers it.

    Raises PermissionDenied for a model that may not be asked for, NoEndpoint when nobody serves the call.
    """
    needs = _needs(call)
    found: list[Candidate] = []
    step = 0
    for model, endpoints in _models(call):
        for tier in _tiers(call, tenant, spent):
            served = tier or needs.tier
            alternative = [
                Candidate(endpoint, model, tier, step)
                for endpoint in endpoints
                if endpoint.serves(served, needs.features)
            ]
            found += alternative
            step += bool(alternative)
    if not found:
        raise NoEndpoint(_why_nobody(call, needs))
    return tuple(found)


class _Needs(NamedTuple):
    """What an endpoint must serve."""

    tier: str
    """Of the body; empty for calls without tiers."""
    features: frozenset[Feature]


def _needs(call: Call) -> _Needs:
    tier = tier_named(call.body.json) if call.arrival.method in _TIERED else ""
    return _Needs(tier, features_of(call.body) if call.policy.has_lacks else _NOTHING)


def _models(call: Call) -> Iterator[tuple[str, Sequence[Endpoint]]]:
    """The models to ask for, by their ids, each with its endpoints."""
    policy = call.policy
    route = policy.routes.get(call.model)
    if route is None:
        if call.model and not policy.unlisted_models:
            raise PermissionDenied(
                f"model {call.model!r} is not listed in the Policy, which denies unlisted models"
            )
        yield call.model, policy.serving("")
        return
    yield route.model, policy.serving(call.model)
    if call.allow_fallback:
        for model in route.fallback:
            yield model, policy.serving(model)


def _tiers(call: Call, tenant: str, spent: float) -> tuple[str, ...]:
    """The tiers to ask for; an empty one stands for what the body says."""
    if call.arrival.method not in _TIERED or "serviceTier" in call.body.json:
        return ("",)
    return call.policy.tiers_for(tenant, call.arrival.priority, call.arrival.allowed_s, spent)


def _why_nobody(call: Call, needs: _Needs) -> str:
    """What each endpoint of the model lacks; a tier of the Policy's choice is checked when it is loaded."""
    reasons = "; ".join(_why_not(endpoint, needs) for endpoint in call.policy.serving(call.model))
    asked = f"model {call.model!r}" if call.model else "this call"
    return f"no project of the Policy serves {asked}{f': {reasons}' if reasons else ''}"


def _why_not(endpoint: Endpoint, needs: _Needs) -> str:
    if lacking := sorted(endpoint.lacks & needs.features):
        return f"{endpoint.project} lacks {', '.join(lacking)}"
    return f"{endpoint.project} does not serve the tier {needs.tier}"
