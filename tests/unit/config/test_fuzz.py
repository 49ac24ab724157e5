"""No tree of plain values makes validation raise: whatever a file says, the operator reads faults."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sidecar.config.document import Document
from sidecar.config.files import FileReader
from sidecar.config.policy_checks import cross_check
from sidecar.config.policy_schema import PolicySchema, key_hint
from sidecar.config.quota_schema import BudgetSchema, QuotaSchema
from sidecar.config.references import Sources
from sidecar.config.settings import Settings
from sidecar.config.sources import merge, setting_names
from sidecar.config.validation import Raw, validate

KEYS = [
    "projects",
    "models",
    "tenants",
    "name",
    "api",
    "key",
    "credentials",
    "file",
    "env",
    "base_url",
    "location",
]
KEYS += ["quotas", "budgets", "priorities", "priority", "weight"]
KEYS += ["aliases", "principals", "unlisted_models", "project", "gemini", "vertex", "", "[key]", "a b"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([*KEYS, "http://[", "https://\u2100", "https://a:b", "5s", "../..", "\0", "\udcff"]),
)


def trees(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=20,
    )


POLICY_TREES = st.dictionaries(st.sampled_from(KEYS), trees(st.sampled_from(KEYS)), max_size=5)
PROJECTS = st.dictionaries(st.sampled_from(KEYS), SCALARS, max_size=6).flatmap(
    lambda project: st.sampled_from(["gemini", "vertex"]).map(lambda api: {**project, "api": api})
)


def read(tree: dict[str, Any]) -> None:
    raw = Raw(tree, lambda _: "", key_hint)
    schema, faults = validate(PolicySchema, raw, Sources({}, FileReader()))
    assert (schema is None) == bool(faults)
    assert "\n  reason: " in "".join(map(str, [*faults, *cross_check(raw)])) or schema


@given(POLICY_TREES)
def test_no_tree_makes_the_policy_raise(tree: dict[str, Any]) -> None:
    read(tree)


@given(
    st.lists(PROJECTS, max_size=3),
    st.dictionaries(st.text(max_size=5), trees(st.sampled_from(KEYS)), max_size=3),
)
def test_no_project_and_no_model_make_the_policy_raise(projects: list[Any], models: dict[str, Any]) -> None:
    read({"projects": projects, "models": models})


ENTRY_KEYS = sorted({*QuotaSchema.model_fields, *BudgetSchema.model_fields})
ENTRIES = st.dictionaries(
    st.sampled_from(ENTRY_KEYS),
    trees(st.sampled_from(ENTRY_KEYS)) | st.sampled_from([5, "5%", "2M", "$5", "main", ["main"], "tenant"]),
    max_size=8,
)


@given(st.lists(ENTRIES, max_size=3), st.lists(ENTRIES, max_size=3), st.sampled_from(["allow", "deny"]))
def test_no_quota_and_no_budget_make_the_policy_raise(
    quotas: list[Any], budgets: list[Any], unlisted: str
) -> None:
    project = {"name": "main", "api": "vertex", "project": "p"}
    named = {"projects": [project], "models": {"main": None}, "tenants": {"main": {"principals": ["main"]}}}
    read({**named, "quotas": quotas, "budgets": budgets, "unlisted_models": unlisted})


SETTING_KEYS = sorted({name for names in setting_names().values() for name in names})


@given(
    st.dictionaries(
        st.sampled_from(SETTING_KEYS),
        st.dictionaries(st.sampled_from(SETTING_KEYS), SCALARS) | SCALARS,
        max_size=6,
    ),
    st.dictionaries(st.sampled_from(sorted(setting_names())), st.text(max_size=8), max_size=4),
)
def test_no_tree_and_no_environment_make_settings_raise(
    tree: dict[str, Any], environ: dict[str, str]
) -> None:
    raw, faults = merge(Document("f", tree), environ, [])
    settings, refused = validate(Settings, raw)
    assert (settings is None) == bool(refused)
    assert all(fault.reason and fault.remedy for fault in (*faults, *refused))
