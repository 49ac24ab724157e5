"""What a Policy makes of loads: groups, classes, rates, and loads that it cannot place."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from sidecar.config.faults import Unacceptable
from sidecar.core.calendar import Period
from sidecar.core.policy import Budget, Each, ModelRoute, Policy, Tenant
from sidecar.core.quota import Calendar, InFlight, Limit, LimitGroup, Rolling, Unit
from sidecar.limits.simulate_call import Step
from sidecar.limits.simulate_load import Load
from sidecar.limits.simulate_plan import plan
from tests.support import facts

TODAY = date(2026, 11, 24)
MODEL = facts.MODEL


def rpm(amount: int, **values: Any) -> Limit:
    return Limit("requests_per_minute", Unit.REQUESTS, amount, Rolling(60), **values)


def quota(project: str, *limits: Limit) -> LimitGroup:
    return LimitGroup(f"quota/{project}/{MODEL}", limits or (rpm(600),))


def policy(*quotas: LimitGroup, **values: Any) -> Policy:
    """A Policy with projects a and b, both of which serve MODEL, alias `fast`; quotas as named."""
    route = ModelRoute(MODEL, ("a", "b"))
    keyed = {(group.name.split("/")[1], MODEL, ""): group for group in quotas}
    endpoints = (facts.gemini(project="a"), facts.gemini(project="b"))
    return facts.policy(*endpoints, routes={MODEL: route, "fast": route}, quotas=keyed, **values)


def path(made: Policy, load: Load) -> Sequence[Step]:
    return plan(made, [load], TODAY).traffic[0].caller.path


def test_a_call_may_go_to_the_quota_of_every_candidate_in_their_order() -> None:
    made = plan(policy(quota("b"), quota("a")), [Load("web", 1, model="fast")], TODAY)
    assert made.traffic[0].caller.path == (Step([f"quota/a/{MODEL}", f"quota/b/{MODEL}"]),)
    assert [group.name for group in made.groups] == [f"quota/a/{MODEL}", f"quota/b/{MODEL}"]


def test_candidates_count_up_to_the_first_without_a_quota() -> None:
    assert path(policy(quota("a")), Load("web", 1)) == (Step([f"quota/a/{MODEL}"], is_optional=True),)
    assert path(policy(quota("b")), Load("web", 1)) == (Step([], is_optional=True),)


def test_budgets_come_first_in_the_order_of_their_names() -> None:
    budgets = (
        Budget("zoo", limits=(rpm(10),)),
        Budget("all", each=Each.PRINCIPAL, limits=(rpm(10),)),
        Budget("other", principals=frozenset({"somebody"}), limits=(rpm(10),)),
        Budget("labelled", labels={"team": "x"}, limits=(rpm(10),)),
    )
    load = Load("web", 1, principal="me")
    made = plan(policy(quota("a"), quota("b"), budgets=budgets), [load], TODAY)
    names = [list(step.groups) for step in made.traffic[0].caller.path]
    assert names == [["budget/all/me"], ["budget/zoo"], [f"quota/a/{MODEL}", f"quota/b/{MODEL}"]]


def test_each_load_has_the_class_of_its_tenant_and_can_only_lower_it() -> None:
    tenants = (Tenant("shop", frozenset({"me"}), priority="standard", weight=2.0),)
    loads = [
        Load("mine", 1, principal="me"),
        Load("lower", 1, principal="me", priority="batch"),
        Load("higher", 1, principal="me", priority="critical"),
        Load("other", 1),
    ]
    made = plan(policy(quota("a"), quota("b"), tenants=tenants), loads, TODAY)
    shares = [(traffic.caller.share.name, traffic.caller.share.weight) for traffic in made.traffic]
    assert shares == [
        ("shop/standard", 16.0),
        ("shop/batch", 2.0),
        ("shop/standard", 16.0),
        ("/standard", 8.0),
    ]


def test_a_relative_rate_is_of_what_the_tightest_limit_of_each_quota_sustains() -> None:
    tokens = Limit("input_tokens_per_minute", Unit.INPUT_TOKENS, 60_000, Rolling(60))
    shadow = rpm(1, is_shadow=True)
    flights = Limit("concurrent_calls", Unit.CALLS, 1, InFlight())
    daily = Limit("requests_per_day", Unit.REQUESTS, 1, Calendar(Period.DAY, "UTC"))
    quotas = quota("a", rpm(600), tokens), quota("b", rpm(180), shadow, flights, daily)
    load = Load("web", 2.0, is_relative=True, tokens=500)
    made = plan(policy(*quotas), [load], TODAY)
    assert made.traffic[0].caller.per_s == pytest.approx(2.0 * (2.0 + 3.0))


def test_without_loads_the_first_model_is_asked_for_twice_its_quota() -> None:
    made = plan(policy(quota("a", rpm(600)), quota("b", rpm(300))), [], TODAY)
    (traffic,) = made.traffic
    assert traffic.caller.per_s == pytest.approx(30.0)
    assert traffic.load.name == "load"


def test_the_first_model_with_a_quota_is_taken_where_none_is_listed() -> None:
    group = quota("main")
    made = plan(facts.policy(quotas={("main", MODEL, ""): group}), [], TODAY)
    assert made.groups == (group,)


@pytest.mark.parametrize(
    ("made", "load", "reason"),
    [
        (facts.policy(), Load("web", 1), "load web names no model, nor does the Policy"),
        (
            policy(unlisted_models=False),
            Load("web", 1, model="gpt"),
            "load web asks for model 'gpt', which the Policy denies",
        ),
        (
            policy(),
            Load("web", 1, priority="urgent"),
            "load web asks for priority 'urgent', which the Policy does not have",
        ),
        (
            policy(),
            Load("web", 2, is_relative=True),
            f"load web has a rate relative to the quotas of model '{MODEL}', which set no limit per minute",
        ),
        (
            policy(quota("a", Limit("concurrent_calls", Unit.CALLS, 1, InFlight())), quota("b")),
            Load("web", 2, is_relative=True),
            f"load web has a rate relative to the quotas of model '{MODEL}', which set no limit per minute",
        ),
    ],
    ids=["no model", "denied model", "unknown priority", "no quota", "no rolling limit"],
)
def test_a_load_that_the_policy_cannot_place_is_told(made: Policy, load: Load, reason: str) -> None:
    with pytest.raises(Unacceptable) as raised:
        plan(made, [load], TODAY)
    assert raised.value.reason == reason
    assert raised.value.remedy


def test_an_unlisted_model_is_served_by_every_project() -> None:
    made = plan(policy(quota("a")), [Load("web", 1, model="new")], TODAY)
    assert made.traffic[0].caller.path == (Step([], is_optional=True),)
