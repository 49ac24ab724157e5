"""What rules decide: for each selector what it matches, the order, and what decides without a rule."""

from collections.abc import Mapping
from typing import Any

import pytest

from sidecar.core.call import Body, Call, Method
from sidecar.core.errors import PermissionDenied
from sidecar.core.feature import Feature
from sidecar.core.policy import ModelRoute
from sidecar.core.principal import Principal
from sidecar.core.rules import Callers, Decision, Deeds, Effect, Rule, Rules
from sidecar.policy.authorization import authorize, decide, deed_of
from tests.support import facts

POD = Principal("pod", is_pod=True)
NARROWED = Principal("pod", is_pod=True, scopes=frozenset({"read"}))
WEB = Principal("spiffe://corp/ns/shop/sa/web", "shop")
ALICE = Principal("jwt:corp/alice", scopes=frozenset({"read", "write"}))
ROUTES = {name: ModelRoute("gemini-3.8-flash", ("main",)) for name in ("fast", "gemini-3.8-flash")}


def asked(
    rules: Rules, method: Method = Method.GENERATE, model: str = "gemini-3.8-flash", **body: Any
) -> Call:
    policy = facts.policy(rules=rules, routes=ROUTES)
    has_unknown = bool(body.pop("has_unknown_fields", False))
    return facts.call(method, Body({**facts.HELLO, **body}, has_unknown), model=model, policy=policy)


def allowing(callers: Callers = Callers(), **deeds: Any) -> Rules:  # noqa: B008 - it is frozen
    """One rule that allows; everything else is denied, by default."""
    return Rules((Rule("r", Effect.ALLOW, callers, Deeds(**deeds)),), Effect.DENY)


def is_allowed(principal: Principal, call: Call) -> bool:
    try:
        authorize(principal, call)
    except PermissionDenied:
        return False
    return True


@pytest.mark.parametrize(
    ("principal", "default", "allowed"),
    [
        (POD, None, True),
        (NARROWED, None, False),
        (WEB, None, False),
        (ALICE, None, False),
        (Principal("pod"), None, False),
        (Principal("spiffe://corp/ns/ai/sa/gemini", is_pod=True), None, True),
        (POD, Effect.DENY, False),
        (WEB, Effect.ALLOW, True),
        (NARROWED, Effect.ALLOW, True),
    ],
)
def test_without_a_rule_the_pod_may_and_nobody_else(
    principal: Principal, default: Effect | None, allowed: bool
) -> None:
    assert is_allowed(principal, asked(Rules((), default))) is allowed


@pytest.mark.parametrize(
    ("callers", "those"),
    [
        (Callers(principals=frozenset({"pod"})), [POD, NARROWED]),
        (Callers(prefixes=("spiffe://corp/ns/",)), [WEB]),
        (Callers(principals=frozenset({"pod"}), prefixes=("jwt:",)), [POD, NARROWED, ALICE]),
        (Callers(namespaces=frozenset({"shop"})), [WEB]),
        (Callers(namespaces=frozenset({"corp"})), []),
        (Callers(tenants=frozenset({"shop", "ops"})), [WEB]),
        (Callers(scopes=frozenset({"read"})), [NARROWED, ALICE]),
        (Callers(scopes=frozenset({"read", "write"})), [ALICE]),
        (Callers(prefixes=("spiffe:",), scopes=frozenset({"read"})), []),
    ],
)
def test_callers_match_by_every_selector(callers: Callers, those: list[Principal]) -> None:
    call = asked(allowing(callers))
    assert [who for who in (POD, NARROWED, WEB, ALICE) if is_allowed(who, call)] == those


BOUNDED = {"generationConfig": {"maxOutputTokens": 100}}
SEARCH = {"tools": [{"googleSearch": {}}]}


@pytest.mark.parametrize(
    ("deeds", "how", "allowed"),
    [
        ({"methods": {"Generate"}}, {}, True),
        ({"methods": {"Generate"}}, {"method": Method.STREAM_GENERATE}, False),
        ({"models": {"gemini-3.8-flash"}}, {}, True),
        ({"models": {"gemini-3.8-flash"}}, {"model": "fast"}, True),
        ({"models": {"gemini-3.8-flash"}}, {"model": "publishers/other/models/gemini-3.8-flash"}, False),
        ({"models": {"gemini-3.8-flash"}}, {"model": "gemini-3.8-flash-001"}, False),
        ({"models": {"gemini-3.8-flash"}}, {"method": Method.LIST_MODELS, "model": ""}, False),
        ({"tiers": {"standard"}}, {}, True),
        ({"tiers": {"standard"}}, {"serviceTier": "priority"}, False),
        ({"tiers": {"priority"}}, {"serviceTier": "PRIORITY"}, True),
        ({"output_tokens_at_most": 100}, BOUNDED, True),
        ({"output_tokens_at_most": 99}, BOUNDED, False),
        ({"output_tokens_at_most": 99}, {}, False),
        ({"output_tokens_at_most": 99}, {"generationConfig": {}}, False),
        ({"output_tokens_at_most": 99}, {"generationConfig": {"maxOutputTokens": 0}}, False),
        ({"output_tokens_at_most": 99}, {"generationConfig": {"maxOutputTokens": -1}}, False),
        ({"output_tokens_at_most": 99}, {"method": Method.COUNT_TOKENS}, True),
        ({"features": {Feature.GROUNDING, Feature.FILES}}, SEARCH, True),
        ({"features": {Feature.GROUNDING}}, {}, False),
        ({"only_features": set()}, {}, True),
        ({"only_features": set()}, SEARCH, False),
        ({"only_features": {Feature.GROUNDING, Feature.MEDIA}}, SEARCH, True),
        ({"only_features": {Feature.MEDIA}}, SEARCH, False),
        (
            {"only_features": {Feature.UNKNOWN_FIELDS}},
            {"has_unknown_fields": True, "extraJson": {"tools": [{"code_execution": {}}]}},
            False,
        ),
        ({"methods": {"Generate"}, "tiers": {"flex"}}, {}, False),
    ],
)
def test_calls_match_by_every_selector(
    deeds: Mapping[str, Any], how: Mapping[str, Any], allowed: bool
) -> None:
    given = {key: frozenset(value) if isinstance(value, set) else value for key, value in deeds.items()}
    assert is_allowed(POD, asked(allowing(**given), **how)) is allowed


def test_the_first_rule_that_matches_decides() -> None:
    rules = Rules(
        (
            Rule("no-search", Effect.DENY, deeds=Deeds(features=frozenset({Feature.GROUNDING}))),
            Rule("shop", Effect.ALLOW, Callers(tenants=frozenset({"shop"}))),
            Rule("nobody-else", Effect.DENY, deeds=Deeds(methods=frozenset({"Generate"}))),
        )
    )
    plain, search = asked(rules), asked(rules, **SEARCH)
    assert decide(plain.policy, WEB, deed_of(plain)) == Decision(True, "shop")
    assert decide(search.policy, WEB, deed_of(search)) == Decision(False, "no-search")
    assert decide(plain.policy, POD, deed_of(plain)) == Decision(False, "nobody-else")


def test_a_refusal_names_the_rule() -> None:
    with pytest.raises(PermissionDenied, match=r"rule 'r'.*spiffe://corp/ns/shop/sa/web") as refusal:
        authorize(WEB, asked(Rules((Rule("r", Effect.DENY, deeds=Deeds(tiers=frozenset({"standard"}))),))))
    assert refusal.value.metadata == {"rule": "r"}


def test_features_are_looked_for_only_when_a_rule_asks() -> None:
    assert deed_of(asked(allowing(tiers=frozenset({"flex"})), **SEARCH)).features == frozenset()
    assert deed_of(asked(allowing(only_features=frozenset()), **SEARCH)).features == {Feature.GROUNDING}
