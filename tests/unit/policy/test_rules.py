from typing import Any

import pytest

from sidecar.core.call import Body, Method
from sidecar.core.errors import NoEndpoint, PermissionDenied, Reason
from sidecar.core.permit import Permit
from sidecar.core.policy import ModelRoute, TierRule
from sidecar.core.principal import Principal
from sidecar.core.rules import Deeds, Effect, Rule, Rules
from sidecar.policy.rules import permit
from tests.support import facts

POD = Principal("pod", "red", is_pod=True)
MAIN, SPARE = facts.gemini(project="main"), facts.vertex(project="spare")
ROUTES = {
    "fast": ModelRoute("gemini-3.8-flash", ("spare", "main")),
    "gemini-3.8-flash": ModelRoute("gemini-3.8-flash", ("main",)),
}


def decided(model: str, method: Method = Method.GENERATE, unknown: bool = False, **policy: Any) -> Permit:
    facts_of_policy = {"routes": ROUTES, **policy}
    call = facts.call(
        method,
        model=model,
        body=Body(json={}, has_unknown_fields=unknown),
        policy=facts.policy(MAIN, SPARE, **facts_of_policy),
    )
    return permit(POD, call)


def asked(permit: Permit) -> list[tuple[str, str]]:
    return [(candidate.endpoint.project, candidate.model) for candidate in permit.candidates]


def test_an_alias_goes_to_its_projects_in_their_order() -> None:
    allowed = decided("fast")
    assert asked(allowed) == [("spare", "gemini-3.8-flash"), ("main", "gemini-3.8-flash")]
    assert allowed.principal == POD


def test_a_listed_model_goes_to_its_projects_alone() -> None:
    assert asked(decided("gemini-3.8-flash")) == [("main", "gemini-3.8-flash")]


def test_an_unlisted_model_goes_to_every_project() -> None:
    assert asked(decided("gemini-x")) == [("main", "gemini-x"), ("spare", "gemini-x")]


def test_an_unlisted_model_may_be_denied() -> None:
    with pytest.raises(PermissionDenied, match="'gemini-x' is not listed") as error:
        decided("gemini-x", unlisted_models=False)
    assert error.value.reason == Reason.PERMISSION_DENIED


def test_a_listed_model_is_allowed_where_unlisted_ones_are_denied() -> None:
    assert asked(decided("fast", unlisted_models=False))


def test_a_call_that_names_no_model_may_ask_any_project() -> None:
    allowed = decided("", Method.LIST_MODELS, unlisted_models=False)
    assert asked(allowed) == [("main", ""), ("spare", "")]


def test_names_are_taken_literally() -> None:
    assert asked(decided("FAST")) == [("main", "FAST"), ("spare", "FAST")]


def test_unknown_fields_need_leave() -> None:
    with pytest.raises(PermissionDenied, match="unknown_fields: allow") as error:
        decided("fast", unknown=True)
    assert error.value.reason == Reason.UNKNOWN_FIELDS_DENIED
    assert asked(decided("fast", unknown=True, unknown_fields=True))


def test_unknown_fields_are_asked_about_first() -> None:
    with pytest.raises(PermissionDenied) as error:
        decided("gemini-x", unknown=True, unlisted_models=False)
    assert error.value.reason == Reason.UNKNOWN_FIELDS_DENIED


def test_a_policy_without_projects_serves_nobody() -> None:
    call = facts.call(policy=facts.policy(endpoints=()))
    with pytest.raises(NoEndpoint, match=r"gemini-3\.8-flash"):
        permit(POD, call)


def test_a_route_without_projects_serves_nobody() -> None:
    with pytest.raises(NoEndpoint):
        decided("empty", routes={"empty": ModelRoute("m", ())})


# ------------------------------------------------------------- rules, and what the Policy has beside the call

DENY_BEST = Rules(
    (Rule("no-pro", Effect.DENY, deeds=Deeds(models=frozenset({"gemini-4-argon"}))),), Effect.ALLOW
)
DENY_FLEX = Rules((Rule("no-flex", Effect.DENY, deeds=Deeds(tiers=frozenset({"flex"}))),), Effect.ALLOW)
WITH_FALLBACK = {
    "fast": ModelRoute("gemini-3.8-flash", ("main",), fallback=("gemini-4-argon",)),
    "gemini-4-argon": ModelRoute("gemini-4-argon", ("main",)),
}


def permitted(rules: Rules, *tiers: str) -> list[tuple[str, str]]:
    """Model and tier of each way to serve a call for `fast`."""
    policy = facts.policy(
        MAIN, routes=WITH_FALLBACK, rules=rules, tier_rules=(TierRule(tiers),) if tiers else ()
    )
    allowed = permit(POD, facts.call(model="fast", policy=policy, allow_fallback=True))
    return [(candidate.model, candidate.tier) for candidate in allowed.candidates]


def test_a_fallback_model_must_be_allowed_itself() -> None:
    assert permitted(Rules(default=Effect.ALLOW)) == [("gemini-3.8-flash", ""), ("gemini-4-argon", "")]
    assert permitted(DENY_BEST) == [("gemini-3.8-flash", "")]


def test_a_tier_that_the_policy_asks_for_must_be_allowed_itself() -> None:
    assert permitted(DENY_FLEX, "flex", "standard") == [
        ("gemini-3.8-flash", "standard"),
        ("gemini-4-argon", "standard"),
    ]


def test_when_no_tier_of_the_policy_is_allowed_the_rule_is_named() -> None:
    with pytest.raises(PermissionDenied, match="no-flex"):
        permitted(DENY_FLEX, "flex")
