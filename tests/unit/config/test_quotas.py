"""What quotas, budgets and priorities of a Policy file become."""

import pytest
import yaml

from sidecar.config.quota_schema import BUDGET_LIMITS, LIMITS, QUOTA_LIMITS, BudgetSchema, LimitedSchema
from sidecar.config.show import effective
from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.policy import PRIORITIES, Budget, Each, Policy
from sidecar.core.quota import Calendar, InFlight, Limit, LimitGroup, OnLoss, Rolling, Share, Unit
from tests.unit.config.builders import Folder

MAIN = "projects: [{name: main, api: gemini, key: {file: $/key}}]\n"
DAY, HOUR, MONTH = (Calendar(period, PACIFIC) for period in (Period.DAY, Period.HOUR, Period.MONTH))
WHOLE = (
    MAIN
    + """
models: {gemini-3.8-flash: , gemini-3-pro: }
unlisted_models: deny
tenants:
  shop: {principals: [web], priority: critical, weight: 2}
  ops: {principals: [pager]}
quotas:
  - project: main
    models: [gemini-3.8-flash, gemini-3-pro]
    requests_per_minute: 2000
    input_tokens_per_minute: 2_000_000
    requests_per_day: 100_000
    spend_per_10_minutes: $50
    concurrent_calls: 200
    shadow: [requests_per_day]
    on_redis_loss: {requests_per_day: closed, spend_per_10_minutes: open}
    burst: 10%
  - {project: main, models: [gemini-3-pro], tier: flex, requests_per_minute: 5}
budgets:
  - name: checkout
    principals: ["spiffe://prod.example/ns/checkout/*", "spiffe://prod.example/ns/shop/sa/cart"]
    labels: {team: search}
    each: principal
    tokens_per_month: 2M
    spend_per_day: "$0.5"
  - {name: all, requests_per_minute: 100}
priorities: {critical: 10, batch: 0.5}
"""
)


def policy_of(folder: Folder, text: str) -> Policy:
    reading = folder.read(text)
    assert reading.faults == ()
    assert reading.policy is not None
    return reading.policy


def limits_of(folder: Folder, fields: str) -> tuple[Limit, ...]:
    (budget,) = policy_of(folder, f"{MAIN}budgets: [{{name: b, {fields}}}]").budgets
    return budget.limits


def test_a_quota_is_read(folder: Folder) -> None:
    policy = policy_of(folder, WHOLE)
    group = policy.quota_of("main", "gemini-3.8-flash", "standard")
    assert group == LimitGroup(
        "quota/main/gemini-3.8-flash",
        (
            Limit("requests_per_minute", Unit.REQUESTS, 2000, Rolling(60), burst=0.1),
            Limit("input_tokens_per_minute", Unit.INPUT_TOKENS, 2_000_000, Rolling(60), burst=0.1),
            Limit("requests_per_day", Unit.REQUESTS, 100_000, DAY, OnLoss.CLOSED, is_shadow=True, burst=0.1),
            Limit("spend_per_10_minutes", Unit.MONEY, 50_000_000, Rolling(600), OnLoss.OPEN, burst=0.1),
            Limit("concurrent_calls", Unit.CALLS, 200, InFlight(), burst=0.1),
        ),
    )


def test_models_of_one_entry_are_counted_together_and_a_tier_of_its_own_apart(folder: Folder) -> None:
    policy = policy_of(folder, WHOLE)
    together = policy.quota_of("main", "gemini-3-pro", "standard")
    assert together is policy.quota_of("main", "gemini-3.8-flash", "flex")
    flex = policy.quota_of("main", "gemini-3-pro", "flex")
    assert flex is not None
    assert (flex.name, [limit.amount for limit in flex.limits]) == ("quota/main/gemini-3-pro/flex", [5])


def test_a_budget_is_read(folder: Folder) -> None:
    checkout, everybody = policy_of(folder, WHOLE).budgets
    assert checkout == Budget(
        name="checkout",
        principals=frozenset({"spiffe://prod.example/ns/shop/sa/cart"}),
        prefixes=("spiffe://prod.example/ns/checkout/",),
        labels={"team": "search"},
        each=Each.PRINCIPAL,
        limits=(
            Limit("tokens_per_month", Unit.TOKENS, 2_000_000, MONTH),
            Limit("spend_per_day", Unit.MONEY, 500_000, DAY, OnLoss.CLOSED),
        ),
    )
    assert everybody == Budget("all", limits=(Limit("requests_per_minute", Unit.REQUESTS, 100, Rolling(60)),))


def test_a_lone_star_selects_every_principal(folder: Folder) -> None:
    text = f"{MAIN}budgets: [{{name: b, principals: ['*'], tokens_per_day: 1}}]"
    (budget,) = policy_of(folder, text).budgets
    assert budget.covers("anybody", "", {})


@pytest.mark.parametrize(
    ("limit", "unit", "window"),
    [
        ("requests_per_minute: 1", Unit.REQUESTS, Rolling(60)),
        ("input_tokens_per_minute: 1", Unit.INPUT_TOKENS, Rolling(60)),
        ("requests_per_day: 1", Unit.REQUESTS, DAY),
        ("spend_per_10_minutes: $1", Unit.MONEY, Rolling(600)),
        ("concurrent_calls: 1", Unit.CALLS, InFlight()),
        ("tokens_per_minute: 1", Unit.TOKENS, Rolling(60)),
        ("tokens_per_hour: 1", Unit.TOKENS, HOUR),
        ("tokens_per_day: 1", Unit.TOKENS, DAY),
        ("tokens_per_month: 1", Unit.TOKENS, MONTH),
        ("spend_per_hour: $1", Unit.MONEY, HOUR),
        ("spend_per_day: $1", Unit.MONEY, DAY),
        ("spend_per_month: $1", Unit.MONEY, MONTH),
    ],
)
def test_each_limit_counts_its_unit_in_its_window_and_money_closes_without_redis(
    folder: Folder, limit: str, unit: Unit, window: object
) -> None:
    (read,) = limits_of(folder, limit)
    assert (read.name, read.unit, read.window) == (limit.partition(":")[0], unit, window)
    assert read.on_loss is (OnLoss.CLOSED if unit is Unit.MONEY else OnLoss.SHARE)
    assert (read.is_shadow, read.burst) == (False, 0.05)


def test_limits_stand_in_one_order_however_they_are_written(folder: Folder) -> None:
    first = limits_of(folder, "spend_per_day: 1, tokens_per_hour: 2, requests_per_minute: 3")
    second = limits_of(folder, "requests_per_minute: 3, spend_per_day: 1, tokens_per_hour: 2")
    assert first == second
    assert [limit.name for limit in first] == ["requests_per_minute", "tokens_per_hour", "spend_per_day"]


def test_every_limit_of_the_schema_is_in_the_table_and_the_other_way_round() -> None:
    others = {"shadow", "on_redis_loss", "burst"}
    assert set(QUOTA_LIMITS) == set(LimitedSchema.model_fields) - others
    selectors = {"name", "principals", "tenants", "labels", "each"}
    assert set(BUDGET_LIMITS) == set(BudgetSchema.model_fields) - others - selectors == set(LIMITS)


def test_a_tenant_has_its_own_priority_and_weight(folder: Folder) -> None:
    policy = policy_of(folder, WHOLE)
    assert policy.share_of("shop") == Share("shop/critical", 20.0)
    assert policy.share_of("shop", "batch") == Share("shop/batch", 1.0)


@pytest.mark.parametrize(
    ("priorities", "default"),
    [
        ("", "standard"),
        ("priorities: {a: 1, standard: 2, b: 3}", "standard"),
        ("priorities: {a: 2, b: 3, c: 1}", "b"),
    ],
)
def test_who_is_given_no_priority_is_standard_else_the_heaviest(
    folder: Folder, priorities: str, default: str
) -> None:
    policy = policy_of(folder, f"{MAIN}tenants: {{ops: {{principals: [pager]}}}}\n{priorities}")
    assert policy.share_of("ops").name == f"ops/{default}"
    assert policy.share_of("").name == f"/{default}"


def test_sections_whose_content_is_commented_out_are_as_if_absent(folder: Folder) -> None:
    policy = policy_of(folder, f"{MAIN}quotas:\nbudgets:\npriorities:\n")
    assert (policy.quotas, policy.budgets, policy.priorities) == ({}, (), PRIORITIES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2000\n", "2001\n"),
        ("2_000_000", "3M"),
        ("shadow: [requests_per_day]", "shadow: [concurrent_calls]"),
        ("requests_per_day: closed", "requests_per_day: open"),
        ("burst: 10%", "burst: 11%"),
        ("tier: flex", "tier: priority"),
        ("[gemini-3.8-flash, gemini-3-pro]", "[gemini-3.8-flash]"),
        ("name: checkout", "name: cashdesk"),
        ("sa/cart", "sa/car"),
        ("checkout/*", "checkout*"),
        ("team: search", "team: ads"),
        ("each: principal", "each: tenant"),
        ("tokens_per_month", "tokens_per_day"),
        ("$0.5", "$0.6"),
        ("name: all", "name: all, tenants: [shop]"),
        ("critical: 10", "critical: 11"),
        ("weight: 2", "weight: 3"),
        ("priority: critical", "priority: batch"),
    ],
)
def test_another_limit_selector_or_weight_has_another_digest(folder: Folder, before: str, after: str) -> None:
    assert before in WHOLE
    assert policy_of(folder, WHOLE).digest != policy_of(folder, WHOLE.replace(before, after)).digest


@pytest.mark.parametrize(
    ("before", "after"),
    [("2_000_000", "2M"), ("$50", "50.0"), ("{name: all,", "{name: all, each: all, burst: 5%,")],
)
def test_another_spelling_has_the_same_digest(folder: Folder, before: str, after: str) -> None:
    assert before in WHOLE
    assert policy_of(folder, WHOLE).digest == policy_of(folder, WHOLE.replace(before, after)).digest


def test_what_is_shown_reads_as_the_same_policy(folder: Folder) -> None:
    policy = policy_of(folder, WHOLE)
    shown = effective(folder.load(f"policy: {{file: {folder.path / 'policy.yaml'}}}"))["policy"]
    sections = {key: shown[key] for key in ("tenants", "quotas", "budgets", "priorities")}
    head, _, _ = WHOLE.partition("tenants:")
    assert policy_of(folder, head + yaml.safe_dump(sections, sort_keys=False)) == policy


def test_a_quota_and_a_budget_are_shown_in_the_spelling_of_the_file(folder: Folder) -> None:
    policy_of(folder, WHOLE)
    shown = effective(folder.load(f"policy: {{file: {folder.path / 'policy.yaml'}}}"))["policy"]
    assert shown["quotas"][1] == {
        "project": "main",
        "models": ["gemini-3-pro"],
        "tier": "flex",
        "requests_per_minute": 5,
        "shadow": [],
        "on_redis_loss": {"requests_per_minute": "share"},
        "burst": "5%",
    }
    assert shown["budgets"][0]["spend_per_day"] == "$0.5"
    assert shown["tenants"]["ops"] == {"principals": ["pager"], "priority": "critical", "weight": 1.0}
