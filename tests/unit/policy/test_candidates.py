"""Which ways there are to serve a call, and in which order."""

from typing import Any

import pytest

from sidecar.core.call import Body, Method
from sidecar.core.errors import NoEndpoint
from sidecar.core.feature import Feature
from sidecar.core.policy import Endpoint, ModelRoute, Tenant, TierRule
from sidecar.policy.candidates import Known, ways_of
from tests.support import facts

BEST, SPARE = "gemini-4-argon", facts.MODEL
CODE = {**facts.HELLO, "tools": [{"codeExecution": {}}]}
FLEX_FIRST = TierRule(("flex", "standard"))


def routes(*projects: str, fallback: tuple[str, ...] = ()) -> dict[str, ModelRoute]:
    best = ModelRoute(BEST, projects, fallback)
    return {BEST: best, "best": best, SPARE: ModelRoute(SPARE, projects)}


def ways(*endpoints: Endpoint, spent: float = 0.0, **given: Any) -> list[tuple[str, str, str, int]]:
    """Project, model, tier and step of each candidate. What is no fact of a call is one of the Policy."""
    of_call = {"method", "model", "body", "allow_fallback", "arrival"}
    call = {"model": "best", **{name: value for name, value in given.items() if name in of_call}}
    rest = {name: value for name, value in given.items() if name not in of_call}
    names = tuple(endpoint.project for endpoint in endpoints)
    policy = facts.policy(*endpoints, **{"routes": routes(*names), **rest})
    found = ways_of(facts.call(policy=policy, **call), tenant="", known=Known(spent)).candidates
    return [(one.endpoint.project, one.model, one.tier, one.step) for one in found]


def named(name: str, **fields: Any) -> Endpoint:
    return facts.gemini(project=name, **fields)


A, B = named("a"), named("b")


def test_projects_of_one_level_are_one_step() -> None:
    assert ways(A, B) == [("a", BEST, "", 0), ("b", BEST, "", 0)]


def test_lower_levels_come_first_wherever_they_stand() -> None:
    found = ways(named("far", level=2), named("near", level=0), named("mid", level=1), named("too", level=0))
    assert [project for project, *_ in found] == ["near", "too", "mid", "far"]
    assert {step for *_, step in found} == {0}


def test_a_project_that_lacks_what_a_call_makes_use_of_is_left_out() -> None:
    plain = named("plain", lacks=frozenset({Feature.CODE_EXECUTION}))
    assert ways(plain, B, body=CODE) == [("b", BEST, "", 0)]
    assert ways(plain, B) == [("plain", BEST, "", 0), ("b", BEST, "", 0)]


def test_a_project_may_lack_fields_that_nobody_knows() -> None:
    plain = named("plain", lacks=frozenset({Feature.UNKNOWN_FIELDS}))
    body = Body({**facts.HELLO, "newer": 1}, has_unknown_fields=True)
    assert ways(plain, B, body=body) == [("b", BEST, "", 0)]


def test_a_project_is_asked_only_for_tiers_that_it_serves() -> None:
    cheap, fast = named("cheap", tiers=frozenset({"flex"})), named("fast", tiers=frozenset({"priority"}))
    assert ways(cheap, fast, B, body={**facts.HELLO, "serviceTier": "PRIORITY"}) == [
        ("fast", BEST, "", 0),
        ("b", BEST, "", 0),
    ]
    assert ways(cheap, fast, B) == [("b", BEST, "", 0)]


@pytest.mark.parametrize("method", [Method.COUNT_TOKENS, Method.EMBED_CONTENT])
def test_calls_without_a_tier_are_served_whatever_tiers_there_are(method: Method) -> None:
    cheap = named("cheap", tiers=frozenset({"flex"}))
    assert ways(cheap, method=method, tier_rules=(FLEX_FIRST,)) == [("cheap", BEST, "", 0)]


def test_tiers_of_the_rule_are_steps_in_their_order() -> None:
    assert ways(A, B, tier_rules=(FLEX_FIRST,)) == [
        ("a", BEST, "flex", 0),
        ("b", BEST, "flex", 0),
        ("a", BEST, "standard", 1),
        ("b", BEST, "standard", 1),
    ]


def test_a_tier_that_none_of_the_projects_serves_is_no_step() -> None:
    dear = named("dear", tiers=frozenset({"standard"}))
    assert ways(dear, tier_rules=(FLEX_FIRST,)) == [("dear", BEST, "standard", 0)]


def test_a_call_that_names_its_tier_keeps_it() -> None:
    body = {**facts.HELLO, "serviceTier": "STANDARD"}
    assert ways(A, tier_rules=(FLEX_FIRST,), body=body) == [("a", BEST, "", 0)]


RULES = (
    TierRule(("priority",), priorities=frozenset({"critical"})),
    TierRule(("flex",), priorities=frozenset({"batch"}), least_s=600.0),
    TierRule(("flex", "standard"), spent=0.8),
)


@pytest.mark.parametrize(
    ("wanted", "allowed_s", "spent", "tiers"),
    [
        ("", 60.0, 0.0, [""]),
        ("batch", 60.0, 0.0, [""]),
        ("batch", 600.0, 0.0, ["flex"]),
        ("batch", 599.9, 0.8, ["flex", "standard"]),
        ("", 60.0, 0.8, ["flex", "standard"]),
        ("", 60.0, 0.79, [""]),
        ("critical", 60.0, 0.0, [""]),  # more than the caller may have
    ],
)
def test_the_first_rule_that_matches_decides(
    wanted: str, allowed_s: float, spent: float, tiers: list[str]
) -> None:
    arrival = facts.arrival(allowed_s=allowed_s, priority=wanted)
    found = ways(A, arrival=arrival, spent=spent, tier_rules=RULES)
    assert [tier for *_, tier, _ in found] == tiers


def test_the_priority_of_the_tenant_counts() -> None:
    tenants = (Tenant("gold", frozenset({"me"}), priority="critical"),)
    policy = facts.policy(A, tenants=tenants, tier_rules=RULES)
    found = ways_of(facts.call(policy=policy), tenant="gold").candidates
    assert [candidate.tier for candidate in found] == ["priority"]


def test_a_fallback_model_comes_after_all_of_the_model_when_the_caller_allows_it() -> None:
    spare_at_b = {
        "best": ModelRoute(BEST, ("a", "b"), fallback=(SPARE,)),
        SPARE: ModelRoute(SPARE, ("b",), fallback=(BEST,)),
    }
    assert ways(A, B, routes=spare_at_b) == [("a", BEST, "", 0), ("b", BEST, "", 0)]
    assert ways(A, B, routes=spare_at_b, allow_fallback=True) == [
        ("a", BEST, "", 0),
        ("b", BEST, "", 0),
        ("b", SPARE, "", 1),
    ]


def test_tiers_go_before_fallback_models() -> None:
    found = ways(A, routes=routes("a", fallback=(SPARE,)), tier_rules=(FLEX_FIRST,), allow_fallback=True)
    assert [(model, tier, step) for _, model, tier, step in found] == [
        (BEST, "flex", 0),
        (BEST, "standard", 1),
        (SPARE, "flex", 2),
        (SPARE, "standard", 3),
    ]


def test_a_fallback_may_serve_what_the_model_s_projects_lack() -> None:
    plain = named("plain", lacks=frozenset({Feature.CODE_EXECUTION}))
    split = {
        "best": ModelRoute(BEST, ("plain",), fallback=(SPARE,)),
        SPARE: ModelRoute(SPARE, ("b",)),
    }
    assert ways(plain, B, routes=split, body=CODE, allow_fallback=True) == [("b", SPARE, "", 0)]


def test_who_cannot_serve_a_call_is_told_project_by_project() -> None:
    plain = named("plain", lacks=frozenset({Feature.CODE_EXECUTION, Feature.FILES}))
    cheap = named("cheap", tiers=frozenset({"flex"}))
    with pytest.raises(NoEndpoint) as error:
        ways(plain, cheap, body=CODE)
    assert error.value.message == (
        "no project of the Policy serves model 'best': plain lacks code_execution; "
        "cheap does not serve the tier standard"
    )


def test_calls_of_one_kind_have_the_same_ways_however_many_models_callers_make_up() -> None:
    policy = facts.policy(A, B)
    first = ways_of(facts.call(policy=policy, model="gemini-x"), "")
    assert ways_of(facts.call(policy=policy, model="gemini-x"), "") is first
    assert ways_of(facts.call(policy=policy, model="gemini-y"), "") != first
    for number in range(3000):
        ways_of(facts.call(policy=policy, model=f"made-up-{number}"), "")
    assert len(policy.memo) <= 1024


def test_what_counts_makes_another_kind_of_call() -> None:
    policy = facts.policy(
        named("a", tiers=frozenset({"standard"}), lacks=frozenset({Feature.CODE_EXECUTION})),
        B,
        routes=routes("a", "b", fallback=(SPARE,)),
        tier_rules=(TierRule(("flex",), spent=0.5),),
    )

    def count(body: Any = facts.HELLO, spent: float = 0.0, **call: Any) -> int:
        asked = facts.call(body=body, policy=policy, model="best", **call)
        return len(ways_of(asked, "", Known(spent)).candidates)

    for _ in range(2):  # the second time out of memory
        assert count() == 2
        assert count(CODE) == 1
        assert count({**facts.HELLO, "serviceTier": "FLEX"}) == 1
        assert count(allow_fallback=True) == 4
        assert count(spent=0.5) == 1
