"""What a Policy answers: quotas, budgets, tenants and shares."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.policy import PRIORITIES, Budget, Each, Policy, Tenant
from sidecar.core.quota import Limit, LimitGroup, Rolling, Share, Unit
from tests.support import facts

LIMITS = (Limit("requests_per_minute", Unit.REQUESTS, 60, Rolling(60)),)
SHOP = Tenant("shop", frozenset({"web", "cart"}), "standard", 2.0)
OPS = Tenant("ops", frozenset({"pager"}), "critical")
POLICY = facts.policy(tenants=(SHOP, OPS))


def test_a_quota_of_the_tier_goes_before_the_one_of_every_tier() -> None:
    every, flex = LimitGroup("quota/main/m", LIMITS), LimitGroup("quota/main/m/flex", LIMITS)
    policy = facts.policy(quotas={("main", "m", ""): every, ("main", "m", "flex"): flex})
    assert policy.quota_of("main", "m", "flex") is flex
    assert policy.quota_of("main", "m", "standard") is every


def test_what_no_quota_names_is_unmetered() -> None:
    policy = facts.policy(quotas={("main", "m", "flex"): LimitGroup("quota/main/m/flex", LIMITS)})
    assert policy.quota_of("main", "m", "standard") is None
    assert policy.quota_of("eu", "m", "flex") is None
    assert policy.quota_of("main", "n", "flex") is None


@pytest.mark.parametrize(
    ("budget", "is_covered"),
    [
        (Budget("b"), True),
        (Budget("b", principals=frozenset({"corp/shop/web"})), True),
        (Budget("b", principals=frozenset({"corp/shop"})), False),
        (Budget("b", prefixes=("corp/shop/",)), True),
        (Budget("b", prefixes=("shop/", "corp/")), True),
        (Budget("b", prefixes=("shop/",)), False),
        (Budget("b", prefixes=("",)), True),
        (Budget("b", principals=frozenset({"other"}), prefixes=("corp/",)), True),
        (Budget("b", tenants=frozenset({"shop"})), True),
        (Budget("b", tenants=frozenset({"ops"})), False),
        (Budget("b", labels={"team": "search"}), True),
        (Budget("b", labels={"team": "search", "env": "prod"}), False),
        (Budget("b", labels={"team": "ads"}), False),
        (Budget("b", tenants=frozenset({"shop"}), labels={"team": "ads"}), False),
    ],
)
def test_a_budget_covers_the_calls_that_match_every_selector(budget: Budget, is_covered: bool) -> None:
    assert budget.covers("corp/shop/web", "shop", {"team": "search", "job": "7"}) is is_covered


WORDS = st.sampled_from(["", "a", "b", "ab", "abc"])
LABELS = st.dictionaries(WORDS, WORDS, max_size=2)
BUDGETS = st.builds(
    Budget,
    name=st.just("b"),
    principals=st.frozensets(WORDS, max_size=2),
    prefixes=st.lists(WORDS, max_size=2).map(tuple),
    tenants=st.frozensets(WORDS, max_size=2),
    labels=LABELS,
)


@given(BUDGETS, WORDS, WORDS, LABELS)
def test_a_further_selector_never_covers_more(
    budget: Budget, principal: str, tenant: str, labels: dict[str, str]
) -> None:
    if budget.covers(principal, tenant, labels):
        assert replace(budget, tenants=frozenset()).covers(principal, tenant, labels)
        assert replace(budget, labels={}).covers(principal, tenant, labels)
        assert replace(budget, principals=frozenset(), prefixes=()).covers(principal, tenant, labels)
        assert replace(budget, labels={**budget.labels, "other": "x"}).covers(
            principal, tenant, {**labels, "other": "x"}
        )
        assert not replace(budget, labels={**budget.labels, "other": "x"}).covers(principal, tenant, labels)


@pytest.mark.parametrize(
    ("each", "name"),
    [
        (Each.ALL, "budget/checkout"),
        (Each.PRINCIPAL, "budget/checkout/web"),
        (Each.TENANT, "budget/checkout/shop"),
    ],
)
def test_a_budget_is_one_for_all_or_one_for_each(each: Each, name: str) -> None:
    group = Budget("checkout", each=each, limits=LIMITS).group("web", "shop")
    assert group == LimitGroup(name, LIMITS)


def test_calls_of_one_owner_find_the_same_ledger() -> None:
    budget = Budget("checkout", each=Each.PRINCIPAL, limits=LIMITS)
    ledgers = {budget.group("web", "shop"): "ledger"}
    assert ledgers[budget.group("web", "another tenant does not matter")] == "ledger"
    assert budget.group("cart", "shop") not in ledgers


def test_a_principal_belongs_to_the_tenant_that_lists_it_or_to_none() -> None:
    assert [POLICY.tenant_of(principal) for principal in ("cart", "pager", "nobody")] == ["shop", "ops", ""]


def test_a_replaced_policy_answers_by_its_own_tenants() -> None:
    assert replace(POLICY, tenants=(replace(OPS, name="crew"),)).tenant_of("pager") == "crew"


@pytest.mark.parametrize(
    ("tenant", "wanted", "share"),
    [
        ("shop", "", Share("shop/standard", 16.0)),
        ("shop", "batch", Share("shop/batch", 2.0)),
        ("shop", "critical", Share("shop/standard", 16.0)),
        ("shop", "unheard-of", Share("shop/standard", 16.0)),
        ("ops", "standard", Share("ops/standard", 8.0)),
        ("", "", Share("/standard", 8.0)),
        ("", "critical", Share("/standard", 8.0)),
        ("", "batch", Share("/batch", 1.0)),
    ],
)
def test_a_share_is_of_the_tenant_at_the_priority_wanted_or_its_own(
    tenant: str, wanted: str, share: Share
) -> None:
    assert POLICY.share_of(tenant, wanted) == share


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.floats(min_value=0.001, max_value=1e6), min_size=1),
    st.data(),
)
def test_no_wish_raises_a_priority(weights: dict[str, float], data: st.DataObject) -> None:
    own = data.draw(st.sampled_from(sorted(weights)))
    tenant = Tenant("t", frozenset({"p"}), own, data.draw(st.floats(min_value=0.001, max_value=1e6)))
    policy: Policy = facts.policy(tenants=(tenant,), priorities=weights, default_priority=own)
    wanted = data.draw(st.sampled_from(sorted(weights)) | st.text(max_size=3))
    share = policy.share_of("t", wanted)
    assert share.weight <= policy.share_of("t").weight
    assert share.name in {f"t/{name}" for name in weights}


def test_priorities_are_weights_and_each_has_some() -> None:
    assert facts.policy().priorities == PRIORITIES
    assert all(weight > 0 for weight in PRIORITIES.values())
