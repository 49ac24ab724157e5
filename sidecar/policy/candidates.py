"""The ways to serve a call: which models, at which service tiers, at which endpoints. Pure.

A listed model, or an alias of it, is asked at the projects that the Policy names for it, an unlisted one at
all of them; calls that name no model may ask any project. Left out are endpoints that do not serve the tier
asked for, or lack a feature that the call makes use of; and, for a call that refers to what somebody issued,
all others (`issuer`), unless it may leave there without its thought signatures.

The order is one of preference. First, step by step, come the alternatives: the service tiers of the Policy's
rule, for calls that name none; the same away from home, without signatures; then all of it for each fallback
model, for callers that allow it. Within a step lower levels come first. Who of one step and level is asked,
`upstream/rank` decides.

Calls that are at home nowhere and differ in nothing that counts here have the same ways: they are worked out
once for a snapshot of the Policy and kept with it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sidecar.core.call import Call, Method
from sidecar.core.errors import NoEndpoint, PermissionDenied
from sidecar.core.feature import Feature
from sidecar.core.permit import Candidate, tier_named
from sidecar.core.policy import Endpoint
from sidecar.policy.features import features_of
from sidecar.policy.handles import NO_HANDLES, handles_of
from sidecar.policy.issuer import Bound, bound_of

_TIERED = frozenset({Method.GENERATE, Method.STREAM_GENERATE})
_NOTHING: frozenset[Feature] = frozenset()
_KINDS_MOST = 1024
"""Kinds of calls whose ways a Policy keeps; callers may make up models without end."""


class Known(NamedTuple):
    """What is known of a call beside what it says."""

    spent: float = 0.0
    """The share used up of the scarcest spend limit that covers it."""
    issuers: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda opaques: ()
    """Looks up who gave out thought signatures and tokens, the one of the last first."""


NOTHING_KNOWN = Known()


class Ways(NamedTuple):
    """All ways to serve a call."""

    candidates: tuple[Candidate, ...]
    """Best first."""
    home: tuple[str, ...] = ()
    """As `Permit.home` has it."""


def ways_of(call: Call, tenant: str, known: Known = NOTHING_KNOWN) -> Ways:
    """All ways to serve a call.

    Raises PermissionDenied for a model that may not be asked for, NoEndpoint when nobody serves the call,
    InvalidRequest when it must say whose what it refers to is.
    """
    policy, needs = call.policy, _needs(call)
    tiers = _tiers(call, tenant, known.spent)
    if policy.has_choice:
        handles = handles_of(call.body.json)
        if call.project or handles is not NO_HANDLES:
            bound = bound_of(call, handles, known.issuers(handles.opaques))
            if bound is not None:
                return Ways(_expanded(call, needs, tiers, bound), _home(call, bound))
    kind = (call.model, call.allow_fallback, needs, tiers)
    ways: Ways | None = policy.memo.get(kind)
    if ways is None:
        if len(policy.memo) >= _KINDS_MOST:
            policy.memo.clear()
        ways = policy.memo[kind] = Ways(_expanded(call, needs, tiers, None))
    return ways


class _Needs(NamedTuple):
    """What an endpoint must serve."""

    tier: str
    """Of the body; empty for calls without tiers."""
    features: frozenset[Feature]


def _needs(call: Call) -> _Needs:
    tier = tier_named(call.body.json) if call.arrival.method in _TIERED else ""
    return _Needs(tier, features_of(call.body) if call.policy.has_lacks else _NOTHING)


def _expanded(
    call: Call, needs: _Needs, tiers: tuple[str, ...], bound: Bound | None
) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    step = 0
    for model, endpoints in _models(call):
        for places, strips in _places(endpoints, bound):
            for tier in tiers:
                served = tier or needs.tier
                alternative = [
                    Candidate(endpoint, model, tier, step, strips)
                    for endpoint in places
                    if endpoint.serves(served, needs.features)
                ]
                found += alternative
                step += bool(alternative)
    if not found:
        raise NoEndpoint(_why_nobody(call, needs, bound))
    return tuple(found)


def _home(call: Call, bound: Bound) -> tuple[str, ...]:
    """The projects that a call is bound to, where others serve its model too."""
    others = {endpoint.project for endpoint in call.policy.serving(call.model)} - bound.projects
    return tuple(sorted(bound.projects)) if others and not bound.may_leave else ()


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


def _places(endpoints: Sequence[Endpoint], bound: Bound | None) -> Iterator[tuple[Sequence[Endpoint], bool]]:
    """Where to ask, in order of preference, each with whether signatures are to be left out there."""
    if bound is None:
        yield endpoints, False
        return
    yield [endpoint for endpoint in endpoints if endpoint.project in bound.projects], bound.is_mixed
    if bound.may_leave:
        yield [endpoint for endpoint in endpoints if endpoint.project not in bound.projects], True


def _tiers(call: Call, tenant: str, spent: float) -> tuple[str, ...]:
    """The tiers to ask for; an empty one stands for what the body says."""
    if call.arrival.method not in _TIERED or "serviceTier" in call.body.json:
        return ("",)
    return call.policy.tiers_for(tenant, call.arrival.priority, call.arrival.allowed_s, spent)


def _why_nobody(call: Call, needs: _Needs, bound: Bound | None) -> str:
    """What each endpoint of the model lacks; a tier of the Policy's choice is checked when it is loaded."""
    reasons = "; ".join(_why_not(endpoint, needs, bound) for endpoint in call.policy.serving(call.model))
    asked = f"model {call.model!r}" if call.model else "this call"
    return f"no project of the Policy serves {asked}{f': {reasons}' if reasons else ''}"


def _why_not(endpoint: Endpoint, needs: _Needs, bound: Bound | None) -> str:
    if bound and endpoint.project not in bound.projects and not bound.may_leave:
        return f"{endpoint.project} does not have what the call refers to, {bound.why}"
    if lacking := sorted(endpoint.lacks & needs.features):
        return f"{endpoint.project} lacks {', '.join(lacking)}"
    return f"{endpoint.project} does not serve the tier {needs.tier}"
