"""Every way quotas and budgets can be refused, and the ways that only look like one."""

import pytest

from sidecar.config.faults import Fault
from tests.unit.config.builders import Folder

PROJECTS = """
projects:
  - {name: main, api: gemini, key: {file: $/key}}
  - {name: eu, api: vertex, project: my-cloud}
"""
LISTED = f"""{PROJECTS}
unlisted_models: deny
models:
  fast: {{aliases: [quick]}}
  deep: {{projects: [eu]}}
tenants:
  shop: {{principals: [corp/shop/web, corp/shop/cart]}}
  ops: {{principals: [corp/ops/pager]}}
"""


def quota(fields: str, head: str = LISTED) -> str:
    return f"{head}quotas: [{{project: main, models: [fast], {fields}}}]"


def quotas(*entries: str) -> str:
    return f"{LISTED}quotas: [{', '.join(f'{{requests_per_minute: 1, {entry}}}' for entry in entries)}]"


def budget(fields: str, head: str = LISTED) -> str:
    return f"{head}budgets: [{{name: b, {fields}}}]"


BAD_ENTRIES = [
    # limits
    (quota("requests_per_minute: 0"), "quotas[0].requests_per_minute", "would allow nothing"),
    (quota("requests_per_day: -5"), "quotas[0].requests_per_day", "would allow nothing"),
    (quota("requests_per_day: 2T"), "quotas[0].requests_per_day", "is not a count"),
    (quota("requests_per_day: 1.5"), "quotas[0].requests_per_day", "is not a count"),
    (quota("requests_per_day: true"), "quotas[0].requests_per_day", "is not a count"),
    (quota("requests_per_day: "), "quotas[0].requests_per_day", "is not a count"),
    (quota("requests_per_day: 2000G"), "quotas[0].requests_per_day", "is out of range"),
    (quota("spend_per_10_minutes: $0"), "quotas[0].spend_per_10_minutes", "would allow nothing"),
    (quota("spend_per_10_minutes: 5€"), "quotas[0].spend_per_10_minutes", "is not an amount of money"),
    (quota("concurrent_calls: 5, burst: 5"), "quotas[0].burst", "is not a percentage"),
    (quota("concurrent_calls: 5, burst: 0.5%"), "quotas[0].burst", "is out of range"),
    (quota("shadow: []"), "quotas[0]", "sets no limit"),
    (quota("concurrent_calls: 5, shadow: concurrent_calls"), "quotas[0].shadow", "is not a list"),
    (
        quota("concurrent_calls: 5, shadow: [requests_per_day]"),
        "quotas[0].shadow[0]",
        "requests_per_day is no limit that is set here",
    ),
    (
        quota("concurrent_calls: 5, on_redis_loss: {requests_per_day: open}"),
        "quotas[0].on_redis_loss.requests_per_day",
        "requests_per_day is no limit that is set here",
    ),
    (
        quota("concurrent_calls: 5, on_redis_loss: {concurrent_calls: shut}"),
        "quotas[0].on_redis_loss.concurrent_calls",
        "is not a known word",
    ),
    (
        quota("concurrent_calls: 5, on_redis_loss: {burst: open}"),
        "quotas[0].on_redis_loss.burst",
        "burst is no limit that is set here",
    ),
    (quota("concurrent_calls: 5, tokens_per_day: 5"), "quotas[0].tokens_per_day", "is not a known key"),
    # quotas
    (f"{LISTED}quotas: {{main: 5}}", "quotas", "is not a list"),
    (f"{LISTED}quotas: [5]", "quotas[0]", "is not a mapping"),
    (quotas("models: [fast]"), "quotas[0].project", "is missing"),
    (quotas("project: main"), "quotas[0].models", "is missing"),
    (quotas("project: main, models: []"), "quotas[0].models", "is empty"),
    (quotas("project: mian, models: [fast]"), "quotas[0].project", "is no project of this file"),
    (quotas("project: main, models: [fast], tier: free"), "quotas[0].tier", "is not a known word"),
    (quotas("project: main, models: [fats]"), "quotas[0].models[0]", "is not a listed model"),
    (quotas("project: main, models: [quick]"), "quotas[0].models[0]", "is an alias"),
    (quotas("project: main, models: [deep]"), "quotas[0].models[0]", "is not served by project main"),
    (quotas("project: main, models: [fast, fast]"), "quotas[0].models[1]", "is in this entry of the same"),
    (
        quotas(
            "project: main, models: [fast]", "project: eu, models: [fast]", "project: main, models: [fast]"
        ),
        "quotas[2].models[0]",
        "is in another entry, quotas[0], of the same project and tier already",
    ),
    (
        quotas("project: eu, models: [fast], tier: flex", "project: eu, models: [deep, fast], tier: flex"),
        "quotas[1].models[1]",
        "is in another entry, quotas[0], of the same project and tier already",
    ),
    # budgets
    (f"{LISTED}budgets: {{b: 5}}", "budgets", "is not a list"),
    (f"{LISTED}budgets: [{{tokens_per_day: 5}}]", "budgets[0].name", "is missing"),
    (
        f"{LISTED}budgets: [{{name: B, tokens_per_day: 5}}]",
        "budgets[0].name",
        "is not a valid name here",
    ),
    (
        f"{LISTED}budgets: [{{name: b, tokens_per_day: 5}}, {{name: b, tokens_per_day: 6}}]",
        "budgets[1].name",
        "is the name of another budget too",
    ),
    (budget("tenants: [shop]"), "budgets[0]", "sets no limit"),
    (budget("tokens_per_day: 5, project: main"), "budgets[0].project", "is not a known key"),
    (budget("tokens_per_day: 5, tenants: [shpo]"), "budgets[0].tenants[0]", "is no tenant of this file"),
    (budget("tokens_per_day: 5, tenants: []"), "budgets[0].tenants", "is empty"),
    (budget("tokens_per_day: 5, each: label"), "budgets[0].each", "is not a known word"),
    (budget("tokens_per_day: 5, labels: {team: 7}"), "budgets[0].labels.team", "is not text"),
    (budget("tokens_per_day: 5, labels: {'a b': c}"), 'budgets[0].labels["a b"]', "is empty or has white"),
    (
        budget("tokens_per_day: 5, principals: ['*/web']"),
        "budgets[0].principals[0]",
        "has a * before its end",
    ),
    (budget("tokens_per_day: 5, principals: ['a b']"), "budgets[0].principals[0]", "is empty or has white"),
    (
        budget("tokens_per_day: 5, tenants: [shop], principals: [corp/ops/pager]"),
        "budgets[0].principals[0]",
        "can never match: belongs to no tenant of this budget (shop)",
    ),
    (
        budget("tokens_per_day: 5, tenants: [shop, ops], principals: ['corp/*', 'corp/ads/*']"),
        "budgets[0].principals[1]",
        "can never match: belongs to no tenant of this budget (ops, shop)",
    ),
    (
        budget("tokens_per_day: 5, each: tenant", PROJECTS),
        "budgets[0].each",
        "asks for a budget for each tenant, but there is no tenant",
    ),
]


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    BAD_ENTRIES,
    ids=[f"{number}: {path} {reason}" for number, (_, path, reason) in enumerate(BAD_ENTRIES)],
)
def test_a_bad_entry_is_blamed_where_it_stands(folder: Folder, text: str, path: str, reason: str) -> None:
    reading = folder.read(text)
    assert reading.policy is None
    (fault,) = reading.faults
    assert fault.path == path
    assert fault.reason.startswith(reason)
    assert fault.remedy
    assert fault.source.startswith(str(folder.path / "policy.yaml"))


GOOD_ENTRIES = [
    quota("requests_per_minute: 2000, requests_per_day: 100"),
    quota("requests_per_minute: 1", PROJECTS),
    quotas("project: main, models: [fast]", "project: eu, models: [fast]"),
    quotas("project: main, models: [fast]", "project: main, models: [fast], tier: flex"),
    budget("tokens_per_day: 5, each: tenant"),
    budget("tokens_per_day: 5, each: principal", PROJECTS),
    budget("tokens_per_day: 5, tenants: [shop], principals: ['corp/shop/*']"),
    budget("tokens_per_day: 5, tenants: [ops, shop], principals: [corp/shop/web, 'corp/ops/*']"),
    budget("tokens_per_day: 5, principals: [corp/ads/web]"),
]


@pytest.mark.parametrize("text", GOOD_ENTRIES, ids=map(str, range(len(GOOD_ENTRIES))))
def test_what_can_match_and_bind_is_accepted(folder: Folder, text: str) -> None:
    assert folder.read(text).faults == ()


def remedies(folder: Folder, text: str) -> list[str]:
    return [fault.remedy for fault in folder.read(text).faults]


def test_a_limit_of_nothing_is_answered_with_how_to_deny_the_model(folder: Folder) -> None:
    (remedy,) = remedies(folder, quota("requests_per_minute: 0"))
    assert "deny the model" in remedy


def test_a_misspelled_limit_in_shadow_is_answered_with_the_one_that_is_set(folder: Folder) -> None:
    (remedy,) = remedies(folder, quota("requests_per_day: 5, shadow: [request_per_day]"))
    assert remedy == "did you mean requests_per_day?"


def test_an_entry_without_limits_is_answered_with_all_it_may_have(folder: Folder) -> None:
    (remedy,) = remedies(folder, quota("burst: 5%"))
    assert remedy == (
        "set at least one of: requests_per_minute, input_tokens_per_minute, requests_per_day, "
        "spend_per_10_minutes, concurrent_calls"
    )


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (quota("concurrent_calls: 5, spend_per_day: 5"), "remove it: it belongs to budgets"),
        (budget("concurrent_calls: 5, tier: flex"), "remove it: it belongs to quotas"),
        (quotas("project: main, models: [quick]"), "name the model: fast"),
        (quotas("project: main, models: [fats]"), "did you mean fast?"),
        (budget("concurrent_calls: 5, tenants: [shpo]"), "did you mean shop?"),
    ],
)
def test_a_misplaced_name_is_answered_with_where_it_belongs_or_what_was_meant(
    folder: Folder, text: str, remedy: str
) -> None:
    assert remedies(folder, text) == [remedy]


# Every project, model and tier is under a quota here, so there are ceilings: the sums of the three entries.
METERED = f"""{LISTED}
quotas:
  - {{project: main, models: [fast], requests_per_minute: 100, spend_per_10_minutes: $1, MAIN}}
  - {{project: eu, models: [deep, fast], requests_per_minute: 200, spend_per_10_minutes: $2.5}}
  - {{project: eu, models: [deep], tier: flex, requests_per_minute: 50, spend_per_10_minutes: $1, FLEX}}
budgets:
  - {{name: b, BUDGET}}
"""


def ceiling_faults(
    folder: Folder, budget: str, main: str = "burst: 5%", flex: str = "burst: 5%", head: str = ""
) -> tuple[Fault, ...]:
    text = METERED.replace("BUDGET", budget).replace("MAIN", main).replace("FLEX", flex)
    return folder.read(text.replace("unlisted_models: deny", head or "unlisted_models: deny")).faults


@pytest.mark.parametrize(
    ("budget", "path", "reason"),
    [
        ("requests_per_minute: 351", "requests_per_minute", "can never bind: all quotas together give 350"),
        (
            "spend_per_10_minutes: $4.51",
            "spend_per_10_minutes",
            "can never bind: all quotas together give $4.5",
        ),
        (
            "each: principal, requests_per_minute: 2M",
            "requests_per_minute",
            "can never bind: all quotas together give 350",
        ),
    ],
)
def test_a_budget_above_all_quotas_together_is_refused(
    folder: Folder, budget: str, path: str, reason: str
) -> None:
    (fault,) = ceiling_faults(folder, budget)
    assert (fault.path, fault.reason) == (f"budgets[0].{path}", reason)


@pytest.mark.parametrize(
    "budget",
    [
        "requests_per_minute: 350",
        "spend_per_10_minutes: $4.5",
        "requests_per_day: 1G",
        "spend_per_hour: $1_000_000",
        "concurrent_calls: 1M",
    ],
)
def test_a_budget_that_quotas_could_fill_or_do_not_know_is_accepted(folder: Folder, budget: str) -> None:
    assert ceiling_faults(folder, budget) == ()


def test_an_unmetered_call_lifts_every_ceiling(folder: Folder) -> None:
    budget = "requests_per_minute: 1M"
    assert ceiling_faults(folder, budget, head="unlisted_models: allow") == ()
    text = METERED.replace("BUDGET", budget).replace("MAIN", "burst: 5%").replace("FLEX", "burst: 5%")
    assert folder.read(text.replace("[deep, fast]", "[fast]")).faults == ()
    assert folder.read(text.replace("[fast], requests", "[fast], tier: flex, requests")).faults == ()


@pytest.mark.parametrize(
    "mode", ["shadow: [requests_per_minute]", "on_redis_loss: {requests_per_minute: open}"]
)
def test_a_quota_that_does_not_always_hold_lifts_the_ceiling_of_that_limit_alone(
    folder: Folder, mode: str
) -> None:
    both = "requests_per_minute: 1M, spend_per_10_minutes: $1_000"
    assert [fault.path for fault in ceiling_faults(folder, both, flex=mode)] == [
        "budgets[0].spend_per_10_minutes"
    ]


def test_one_bad_entry_hides_no_other(folder: Folder) -> None:
    text = METERED.replace("BUDGET", "requests_per_minute: 1M, tenants: [shpo], each: label")
    text = text.replace("MAIN", "shadow: [tokens]").replace("FLEX", "burst: none")
    text = text.replace("projects: [eu]", "projects: [eu, us]")
    assert {fault.path for fault in folder.read(text).faults} == {
        "models.deep.projects[1]",
        "quotas[0].shadow[0]",
        "quotas[2].burst",
        "budgets[0].tenants[0]",
        "budgets[0].each",
    }
