"""What a Policy file says of pools, levels, tiers and fallbacks: what it becomes, and what is refused."""

from math import inf

import pytest
import yaml

from sidecar.config.show import effective
from sidecar.core.feature import Feature
from sidecar.core.policy import Endpoint, Policy, TierRule
from sidecar.core.pooling import BreakerRules, HedgeRules, PoolRules, RetryRules
from sidecar.core.secret import Secret
from tests.unit.config.builders import KEY, Folder

EU = "{name: eu, api: vertex, project: acme, location: europe-west4}"
BOTH = f"projects: [{{name: main, api: gemini, key: {{file: $/key}}}}, {EU}]"
WHOLE = """
projects:
  - name: main
    api: gemini
    keys: [{file: $/key}, {env: OTHER_KEY}]
    weight: 3
    level: 1
    concurrency: 50
    tiers: [standard, flex]
    lacks: [code_execution, files]
    files: true
  - {name: eu, api: vertex, project: acme}
models:
  gemini-4-argon: {aliases: [best], fallback: [gemini-3.8-flash]}
  gemini-3.8-flash: {fallback: [gemini-4-argon]}
budgets:
  - {name: shop, spend_per_day: $5}
tiers:
  - {priorities: [batch], least_deadline: 5m, spend_used: 80%, ask: [flex, standard]}
  - {ask: [standard]}
cross_issuer: strip
pools:
  retry: {attempts: 4, budget_share: 20%, budget_floor: 0.5, backoff: 100ms, backoff_max: 4s, wait_max: 5s}
  breaker:
    {failures: 3, failure_share: 40%, window: 20s, open: 2s, open_max: 1m, slow: 15s, evicted_share: 30%}
  hedge: {quantile: 99%, least: 250ms}
  affinity: false
  spill_after: 2s
"""


def policy_of(folder: Folder, text: str) -> Policy:
    reading = folder.read(text, {"OTHER_KEY": "another-key"})
    assert reading.faults == ()
    assert reading.policy is not None
    return reading.policy


def endpoint_of(folder: Folder, **fields: str) -> Endpoint:
    text = ", ".join(f"{name}: {value}" for name, value in fields.items())
    return policy_of(folder, f"projects: [{{name: eu, api: vertex, project: acme, {text}}}]").endpoints[0]


def test_a_policy_that_says_nothing_has_the_defaults_of_the_rules(folder: Folder) -> None:
    policy = policy_of(folder, BOTH + "\npools:\ntiers:\n")
    assert policy.pools == PoolRules()
    assert policy.tier_rules == ()
    assert not policy.strips_signatures
    assert {(endpoint.level, endpoint.weight, endpoint.concurrency) for endpoint in policy.endpoints} == {
        (0, 1.0, None)
    }


def test_all_rules_of_pools_are_read(folder: Folder) -> None:
    assert policy_of(folder, WHOLE).pools == PoolRules(
        retry=RetryRules(4, 0.2, 0.5, 0.1, 4.0, 5.0),
        breaker=BreakerRules(3, 0.4, 20.0, 2.0, 60.0, 15.0, 0.3),
        hedge=HedgeRules(0.99, 0.25),
        affinity=False,
        spill_after_s=2.0,
    )


def test_hedging_with_nothing_said_takes_the_defaults(folder: Folder) -> None:
    assert policy_of(folder, BOTH + "\npools: {hedge: {}}").pools.hedge == HedgeRules()


def test_slowness_is_no_failure_unless_a_bound_is_given(folder: Folder) -> None:
    assert policy_of(folder, BOTH + "\npools: {breaker: {failures: 2}}").pools.breaker.slow_s == inf


def test_what_a_project_takes_and_lacks_is_read(folder: Folder) -> None:
    main, eu = policy_of(folder, WHOLE).endpoints
    assert main.keys == (Secret(KEY), Secret("another-key"))
    assert (main.weight, main.level, main.concurrency) == (3.0, 1, 50)
    assert main.tiers == {"standard", "flex"}
    assert main.lacks == {Feature.CODE_EXECUTION, Feature.FILES}
    assert (main.holds_files, eu.holds_files) == (True, False)
    assert (eu.keys, eu.tiers, eu.lacks) == ((), frozenset(), frozenset())


def test_one_key_is_a_ring_of_one(folder: Folder) -> None:
    assert policy_of(folder, BOTH).endpoints[0].keys == (Secret(KEY),)


def test_two_models_may_stand_in_for_each_other(folder: Folder) -> None:
    routes = policy_of(folder, WHOLE).routes
    assert routes["best"].fallback == ("gemini-3.8-flash",)
    assert routes["gemini-3.8-flash"].fallback == ("gemini-4-argon",)


def test_rules_of_tiers_are_read_in_their_order(folder: Folder) -> None:
    assert policy_of(folder, WHOLE).tier_rules == (
        TierRule(("flex", "standard"), frozenset({"batch"}), 300.0, 0.8),
        TierRule(("standard",)),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("weight: 3", "weight: 2"),
        ("level: 1", "level: 2"),
        ("concurrency: 50", "concurrency: 51"),
        ("tiers: [standard, flex]", "tiers: [flex, standard, priority]"),
        ("lacks: [code_execution, files]", "lacks: [files]"),
        ("files: true", "files: false"),
        ("keys: [{file: $/key}, {env: OTHER_KEY}]", "keys: [{env: OTHER_KEY}]"),
        ("fallback: [gemini-4-argon]", "fallback: []"),
        ("attempts: 4", "attempts: 5"),
        ("slow: 15s", "slow: 16s"),
        ("hedge: {quantile: 99%, least: 250ms}", "hedge:"),
        ("ask: [flex, standard]", "ask: [standard, flex]"),
        ("cross_issuer: strip", "cross_issuer: refuse"),
    ],
)
def test_every_word_is_in_the_digest(folder: Folder, before: str, after: str) -> None:
    assert before in WHOLE
    assert policy_of(folder, WHOLE).digest != policy_of(folder, WHOLE.replace(before, after)).digest


def test_what_is_shown_of_pools_is_what_a_file_may_say(folder: Folder) -> None:
    folder.write("second", "another-key")
    policy = policy_of(folder, WHOLE.replace("{env: OTHER_KEY}", "{file: $/second}"))
    shown = effective(folder.load(f"policy: {{file: {folder.path / 'policy.yaml'}}}"))["policy"]
    again = yaml.safe_dump({name: shown[name] for name in ("pools", "tiers", "cross_issuer")})
    shorter = policy_of(folder, BOTH + "\nbudgets: [{name: shop, spend_per_day: $5}]\n" + again)
    assert (shorter.pools, shorter.tier_rules) == (policy.pools, policy.tier_rules)
    assert shown["projects"][0]["keys"] == ["****", "****"]
    assert [project["tiers"] for project in shown["projects"]] == [["flex", "standard"], None]
    assert shown["projects"][0]["lacks"] == ["code_execution", "files"]
    assert shown["models"]["gemini-4-argon"]["fallback"] == ["gemini-3.8-flash"]


GEMINI = "projects: [{name: main, api: gemini, "
MODELS = BOTH + "\nmodels: {a: {aliases: [x], fallback: "
RULE = BOTH + "\ntiers: [{"
BAD = [
    # keys
    (GEMINI + "keys: []}]", "projects[0].keys", "is empty"),
    (GEMINI + "key: {file: $/key}, keys: [{env: A}]}]", "projects[0].keys", "stands beside `key`"),
    (GEMINI + "keys: [{env: A}, {env: B}, {env: A}]}]", "projects[0].keys[2]", "leads to the same key as"),
    (GEMINI + "keys: [{file: $/key}, {env: NOT_SET}]}]", "projects[0].keys[1].env", "names a variable"),
    (GEMINI + "keys: [hidden]}]", "projects[0].keys[0]", "is a literal or no reference"),
    # projects
    (GEMINI + "key: {env: A}, level: -1}]", "projects[0].level", "is out of range"),
    (GEMINI + "key: {env: A}, level: true}]", "projects[0].level", "is not a whole number"),
    (GEMINI + "key: {env: A}, weight: 0}]", "projects[0].weight", "is out of range"),
    (GEMINI + "key: {env: A}, concurrency: 0}]", "projects[0].concurrency", "would allow nothing"),
    (GEMINI + "key: {env: A}, concurrency: }]", "projects[0].concurrency", "is not a count"),
    (GEMINI + "key: {env: A}, tiers: []}]", "projects[0].tiers", "is empty"),
    (GEMINI + "key: {env: A}, tiers: [cheap]}]", "projects[0].tiers[0]", "is not a known word"),
    (GEMINI + "key: {env: A}, lacks: [magic]}]", "projects[0].lacks[0]", "is not a known word"),
    (
        GEMINI + "key: {env: A}, files: true}, {name: b, api: gemini, key: {env: B}, files: true}]",
        "projects[1].files",
        "is true for projects[0] too",
    ),
    (
        "projects: [{name: eu, api: vertex, project: p, files: true}]",
        "projects[0].files",
        "is not a known key",
    ),
    # fallbacks
    (MODELS + "[b]}}", "models.a.fallback[0]", "is no listed model"),
    (MODELS + "[a]}}", "models.a.fallback[0]", "is the model itself"),
    (MODELS + "[x]}}", "models.a.fallback[0]", "is an alias"),
    (MODELS + "[b, b]}, b: }", "models.a.fallback[1]", "is listed twice"),
    # pools
    (BOTH + "\npools: {retry: {attempts: 0}}", "pools.retry.attempts", "is out of range"),
    (BOTH + "\npools: {retry: {budget_share: 0.1}}", "pools.retry.budget_share", "is not a percentage"),
    (
        BOTH + "\npools: {retry: {backoff: 10s}}",
        "pools.retry.backoff",
        "backoff is 10s, above backoff_max, 8s",
    ),
    (BOTH + "\npools: {retry: {backoff_max: 0.1s}}", "pools.retry.backoff_max", "backoff is 250ms, above"),
    (BOTH + "\npools: {breaker: {open: 1m}}", "pools.breaker.open", "open is 1m, above open_max, 30s"),
    (BOTH + "\npools: {breaker: {window: soon}}", "pools.breaker.window", "is not a duration"),
    (BOTH + "\npools: {hedge: {quantile: 10%}}", "pools.hedge.quantile", "is out of range"),
    (BOTH + "\npools: {hedge: true}", "pools.hedge", "is not a mapping"),
    (BOTH + "\npools: {hedge: {}, retry: {attempts: 1}}", "pools.hedge", "is a second attempt"),
    (
        f"projects: [{EU}]\npools: {{hedge: {{}}}}",
        "pools.hedge",
        "can never hedge: no model has two projects",
    ),
    (
        BOTH + "\nmodels: {a: {projects: [eu]}}\nunlisted_models: deny\npools: {hedge: {}}",
        "pools.hedge",
        "can never hedge",
    ),
    (BOTH + "\npools: {hedging: {}}", "pools.hedging", "is not a known key"),
    # tiers
    (RULE + "priorities: [batch]}]", "tiers[0].ask", "is missing"),
    (RULE + "ask: []}]", "tiers[0].ask", "is empty"),
    (RULE + "ask: [cheap]}]", "tiers[0].ask[0]", "is not a known word"),
    (RULE + "ask: [flex, flex]}]", "tiers[0].ask[1]", "is listed twice"),
    (RULE + "priorities: [btach], ask: [flex]}]", "tiers[0].priorities[0]", "is no priority of this file"),
    (RULE + "spend_used: 80%, ask: [flex]}]", "tiers[0].spend_used", "no budget limits spend"),
    (RULE + "ask: [flex]}, {ask: [standard]}]", "tiers[0]", "decides for every call"),
    (
        "projects: [{name: eu, api: vertex, project: p, tiers: [standard]}]\n"
        "tiers: [{ask: [flex, standard]}]",
        "tiers[0].ask[0]",
        "is a tier that no project serves",
    ),
    (
        "projects: [{name: eu, api: vertex, project: p, tiers: [standard]}, "
        "{name: us, api: vertex, project: p}]\nmodels: {a: {projects: [eu]}}\ntiers: [{ask: [flex]}]",
        "tiers[0].ask",
        "leaves a unserved: none of its projects serves flex",
    ),
    (
        "projects: [{name: eu, api: vertex, project: p, tiers: [standard]}]\n"
        "quotas: [{project: eu, models: [m], tier: flex, requests_per_minute: 1}]",
        "quotas[0].tier",
        "is not served by project eu",
    ),
    (BOTH + "\ncross_issuer: allow", "cross_issuer", "is not a known word"),
]


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    BAD,
    ids=[f"{number}: {path} {reason}" for number, (_, path, reason) in enumerate(BAD)],
)
def test_what_means_nothing_is_refused_where_it_stands(
    folder: Folder, text: str, path: str, reason: str
) -> None:
    reading = folder.read(text, {"A": "key-a-hidden", "B": "key-b-hidden"})
    assert reading.policy is None
    (fault,) = reading.faults
    assert (fault.path, fault.reason.startswith(reason)) == (path, True), fault
    assert fault.remedy
    assert "idden" not in str(fault)
    assert KEY not in str(fault)


def test_a_misspelled_priority_is_answered_with_its_neighbour(folder: Folder) -> None:
    (fault,) = folder.read(RULE + "priorities: [btach], ask: [flex]}]").faults
    assert fault.remedy == "did you mean batch?"
