"""Every way rules can be refused, and the ways that only look like one."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config.policy_checks import cross_check
from sidecar.config.rule_schema import RuleSchema, rules_of
from sidecar.config.validation import Raw
from sidecar.core.rules import Caller, Deed
from tests.unit.config.builders import Folder

HEAD = """
projects: [{name: main, api: gemini, key: {file: $/key}}]
models:
  fast: {aliases: [quick]}
  deep: {}
tenants:
  shop: {principals: ["spiffe://corp/ns/shop/sa/web", "spiffe://corp/ns/shop/sa/cart"]}
  ops: {principals: [pager]}
"""


def rules(*entries: str) -> str:
    listed = ", ".join(
        f"{{name: r{number}, effect: allow, {entry}}}"
        if "effect" not in entry
        else f"{{name: r{number}, {entry}}}"
        for number, entry in enumerate(entries)
    )
    return f"{HEAD}rules: [{listed}]"


BAD = [
    # what a selector may be
    (rules("principals: []"), "rules[0].principals", "is empty"),
    (rules("methods: []"), "rules[0].methods", "is empty"),
    (rules("methods: [Drain]"), "rules[0].methods[0]", "is not a known word"),
    (rules("features: [telepathy], effect: deny"), "rules[0].features[0]", "is not a known word"),
    (rules("tiers: [gold]"), "rules[0].tiers[0]", "is not a known word"),
    (rules("max_output_tokens: -1"), "rules[0].max_output_tokens", "is out of range"),
    (rules("max_output_tokens: true"), "rules[0].max_output_tokens", "is not a whole number"),
    (rules("methods: [Generate], effect: maybe"), "rules[0].effect", "is not a known word"),
    (rules("model: [fast], tiers: [flex]"), "rules[0].model", "is not a known key"),
    (f"{HEAD}default: maybe", "default", "is not a known word"),
    (f"{HEAD}tokens: yes", "tokens", "is not a known word"),
    (f"{HEAD}rules: [{{name: default, effect: deny, methods: [Generate]}}]", "rules[0].name", "is what the"),
    (
        f"{HEAD}rules: [{{name: a, effect: deny, tiers: [flex]}}, "
        "{name: a, effect: deny, tiers: [priority]}]",
        "rules[1].name",
        "is the name of another rule too",
    ),
    # principals
    (rules('principals: ["*"]'), "rules[0].principals[0]", "matches everybody"),
    (rules('principals: ["spiffe://corp/*/web"]'), "rules[0].principals[0]", "has a * before its end"),
    (
        rules('principals: ["spiffe://corp*"]'),
        "rules[0].principals[0]",
        "is no beginning of SPIFFE ids of one",
    ),
    (rules('principals: ["spiffe://*"]'), "rules[0].principals[0]", "is no beginning of SPIFFE ids of one"),
    (rules('principals: ["spiffe://corp"]'), "rules[0].principals[0]", "is no SPIFFE id"),
    (rules('principals: ["SPIFFE://corp/a"]'), "rules[0].principals[0]", "is no SPIFFE id"),
    (
        rules('principals: ["spiffe://corp/ns/shop/*"], namespaces: [shop]'),
        "rules[0].namespaces",
        "selects what principals do already",
    ),
    # names that lead nowhere
    (rules("models: [fats]"), "rules[0].models[0]", "is no listed model, nor an alias of one"),
    (rules("tenants: [shops]"), "rules[0].tenants[0]", "is no tenant of this file"),
    (rules("tenants: [shop], principals: [pager]"), "rules[0].principals[0]", "belongs to no tenant of this"),
    (
        rules("tenants: [shop], namespaces: [ops]"),
        "rules[0].namespaces[0]",
        "belongs to no tenant of this rule",
    ),  # what matches nothing, or too much
    (f"{HEAD}rules: [{{name: a, effect: deny}}]", "rules[0]", "matches every call"),
    (rules("methods: [ListModels], models: [fast]"), "rules[0].models", "ListModels names no model"),
    (rules("features: [media]"), "rules[0].features", "allows whatever else such a call makes use of"),
    (
        rules("features: [media], only_features: [files]"),
        "rules[0].features",
        "only_features has none of these",
    ),
    # what an earlier rule decides
    (rules("models: [fast]", "models: [quick], effect: deny"), "rules[1]", "rule 'r0' before it"),
    (rules("models: [fast, deep]", "models: [deep], methods: [Generate]"), "rules[1]", "rule 'r0' before it"),
    (rules("principals: [a*]", "principals: [ab*, ac], effect: deny"), "rules[1]", "rule 'r0' before it"),
    (
        rules("namespaces: [shop]", 'principals: ["spiffe://corp/ns/shop/*"]'),
        "rules[1]",
        "rule 'r0' before it",
    ),
    (rules("namespaces: [shop]", "tenants: [shop], scopes: [a]"), "rules[1]", "rule 'r0' before it"),
    (rules("tenants: [ops]", "principals: [pager]"), "rules[1]", "rule 'r0' before it"),
    (rules("scopes: [a]", "scopes: [a, b], effect: deny"), "rules[1]", "rule 'r0' before it"),
    (rules("max_output_tokens: 9", "max_output_tokens: 8"), "rules[1]", "rule 'r0' before it"),
    (rules("only_features: [media, files]", "only_features: []"), "rules[1]", "rule 'r0' before it"),
    (
        rules("effect: deny, features: [media, files]", "effect: deny, features: [files]"),
        "rules[1]",
        "rule 'r0' before it",
    ),
    (rules("tiers: [flex]", "methods: [Generate]", "tiers: [flex], models: [deep]"), "rules[2]", "rule 'r0'"),
]


@pytest.mark.parametrize(("text", "path", "reason"), BAD, ids=[text[len(HEAD) :] for text, _, _ in BAD])
def test_a_bad_rule_is_blamed_where_it_stands(folder: Folder, text: str, path: str, reason: str) -> None:
    (fault,) = folder.read(text).faults
    assert fault.path == path
    assert reason in fault.reason
    assert fault.remedy


GOOD = [
    rules("models: [quick]", "models: [deep], effect: deny"),
    rules("scopes: [a, b]", "scopes: [a], effect: deny"),
    rules("max_output_tokens: 8", "max_output_tokens: 9"),
    rules("max_output_tokens: 0"),
    rules("only_features: []", "only_features: [media]"),
    rules("features: [media], only_features: [media, files]"),
    rules("principals: [ab*]", "principals: [a*]"),
    rules("namespaces: [shop]", 'principals: ["spiffe://corp/ns/shopping/*"]'),
    rules("namespaces: [shop]", 'principals: ["spiffe://corp/ns/shop*"]'),
    rules("tenants: [shop]", 'principals: ["spiffe://corp/ns/shop/*"]'),
    rules("tenants: [shop], models: [fast]", "tenants: [shop]"),
    rules("methods: [ListModels, GetModel], models: [fast]"),
    rules('principals: ["jwt:corp/alice", web.shop.serviceaccount.identity.linkerd.cluster.local]'),
    f"{HEAD}rules:\ndefault: deny\ntokens: required",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_only_looks_like_a_fault_is_accepted(folder: Folder, text: str) -> None:
    assert folder.read(text).faults == ()


def some(*words: str, least: int = 1) -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.lists(st.sampled_from(words), min_size=least, unique=True)


ENTRIES = st.fixed_dictionaries(
    {
        "principals": some("pager", "p*", "spiffe://corp/ns/shop/*", "spiffe://corp/ns/shop/sa/web"),
        "namespaces": some("shop", "ai"),
        "tenants": some("shop", "ops"),
        "scopes": some("a", "b"),
        "methods": some("Generate", "ListModels"),
        "models": some("fast", "quick", "deep"),
        "max_output_tokens": st.none() | st.integers(0, 2),
        "features": some("media", "files"),
        "only_features": some("media", "files", least=0),
    }
)
TENANTS = {"spiffe://corp/ns/shop/sa/web": "shop", "pager": "ops"}
CALLERS = [
    Caller(principal, TENANTS.get(principal, ""), frozenset(scopes))
    for principal, scopes in product(
        [*TENANTS, "spiffe://corp/ns/shop/sa/new", "spiffe://corp/ns/ai/sa/x", "pod", "q"], ["", "a", "ab"]
    )
]


def deeds() -> Iterator[Deed]:
    used = [[], ["media"], ["files"], ["media", "files"], ["grounding"]]
    for model, most, features in product(["fast", "deep"], [None, 0, 1, 2, 3], used):
        yield Deed("Generate", model, "standard", most, frozenset(features))  # type: ignore[arg-type]
    yield Deed("ListModels", output_tokens=0)


@given(st.lists(ENTRIES, min_size=2, max_size=4))
def test_a_rule_that_is_said_never_to_match_decides_nothing(entries: list[dict[str, Any]]) -> None:
    """The faults of a file are held against every caller and call of a small world."""
    listed = [
        {"name": f"r{number}", "effect": "deny"}
        | {key: value for key, value in entry.items() if value is not None}
        for number, entry in enumerate(entries)
    ]
    tree = {
        "models": {"fast": {"aliases": ["quick"]}, "deep": {}},
        "tenants": {
            "shop": {"principals": ["spiffe://corp/ns/shop/sa/web"]},
            "ops": {"principals": ["pager"]},
        },
        "rules": listed,
    }
    faults = cross_check(Raw(tree, lambda path: "", lambda path: ""))
    never = {fault.path for fault in faults if "can never match" in fault.reason and fault.path[-1] == "]"}
    schema = [RuleSchema.model_validate(json.loads(json.dumps(rule))) for rule in listed]
    made = rules_of(schema, None, {"fast": "fast", "quick": "fast", "deep": "deep"})
    decided = {
        made.decide(caller, deed, is_unbounded_pod=False).rule for caller, deed in product(CALLERS, deeds())
    }
    shadowed = {f"r{path.removeprefix('rules[').removesuffix(']')}" for path in never if path.count("[") == 1}
    assert not shadowed & decided
