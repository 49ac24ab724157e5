"""What a good Policy file becomes."""

import re
from pathlib import Path

import pytest

from sidecar.core.policy import Api, Endpoint, ModelRoute, Policy, Tenant
from sidecar.core.secret import Secret
from tests.unit.config.builders import KEY, Folder

WHOLE = """
projects:
  - name: main
    api: gemini
    key: {file: $/key}
  - name: eu
    api: vertex
    project: my-cloud-project
    location: europe-west4
    credentials: {file: $/sa.json}
models:
  gemini-3.8-flash:
    aliases: [fast]
    projects: [eu]
  gemini-3-pro:
unlisted_models: deny
unknown_fields: allow
tenants:
  search: {principals: ["spiffe://corp/ns/search/sa/web"]}
"""


def policy_of(folder: Folder, text: str, environ: dict[str, str] | None = None) -> Policy:
    reading = folder.read(text, environ)
    assert reading.faults == ()
    assert reading.policy is not None
    return reading.policy


def test_a_whole_policy_is_read(folder: Folder) -> None:
    policy = policy_of(folder, WHOLE)
    assert policy.endpoints == (
        Endpoint(
            project="main",
            api=Api.GEMINI,
            base_url="https://generativelanguage.googleapis.com",
            api_version="v1beta",
            keys=(Secret(KEY),),
        ),
        Endpoint(
            project="eu",
            api=Api.VERTEX,
            base_url="https://europe-west4-aiplatform.googleapis.com",
            api_version="v1beta1",
            cloud_project="my-cloud-project",
            location="europe-west4",
            credentials_file=folder.path / "sa.json",
        ),
    )
    flash = ModelRoute("gemini-3.8-flash", ("eu",))
    pro = ModelRoute("gemini-3-pro", ("main", "eu"))
    assert policy.routes == {"gemini-3.8-flash": flash, "fast": flash, "gemini-3-pro": pro}
    assert (policy.unlisted_models, policy.unknown_fields) == (False, True)
    assert policy.tenants == (Tenant("search", frozenset({"spiffe://corp/ns/search/sa/web"})),)


@pytest.mark.parametrize("number", [0, 1])
def test_every_example_of_the_readme_is_a_policy(folder: Folder, number: int) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    examples = re.findall(r"```yaml\n(projects:.*?)```", readme, re.DOTALL)
    assert len(examples) == 2
    example = examples[number].replace("/run/secrets/gemini-key", "$/key")
    example = example.replace("/run/secrets/service-account.json", "$/sa.json")
    policy = policy_of(folder, example, {"GEMINI_API_KEY": KEY})
    assert policy.quotas
    assert policy.budgets


def test_the_smallest_policy_allows_any_model_and_no_unknown_field(folder: Folder) -> None:
    policy = policy_of(folder, "projects: [{name: main, api: gemini, key: {env: K}}]", {"K": KEY})
    assert (policy.routes, policy.unlisted_models, policy.unknown_fields) == ({}, True, False)


def test_sections_whose_content_is_commented_out_are_empty(folder: Folder) -> None:
    text = "projects: [{name: main, api: gemini, key: {file: $/key}}]\nmodels:\ntenants:\n"
    assert policy_of(folder, text).tenants == ()


@pytest.mark.parametrize(
    ("location", "base_url"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("us-central1", "https://us-central1-aiplatform.googleapis.com"),
    ],
)
def test_vertex_has_a_host_for_each_kind_of_location(folder: Folder, location: str, base_url: str) -> None:
    text = f"projects: [{{name: eu, api: vertex, project: p, location: {location}}}]"
    (endpoint,) = policy_of(folder, text).endpoints
    assert (endpoint.base_url, endpoint.credentials_file) == (base_url, None)


def test_vertex_is_global_unless_told_otherwise(folder: Folder) -> None:
    (endpoint,) = policy_of(folder, "projects: [{name: eu, api: vertex, project: p}]").endpoints
    assert (endpoint.location, endpoint.base_url) == ("global", "https://aiplatform.googleapis.com")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://proxy.example/", "https://proxy.example"),
        ("https://Proxy.Example:8443/gemini/", "https://proxy.example:8443/gemini"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://localhost:8081/a/b", "http://localhost:8081/a/b"),
        ("http://[::1]:8081", "http://[::1]:8081"),
    ],
)
def test_a_base_url_is_read_in_one_spelling(folder: Folder, given: str, read: str) -> None:
    text = f"projects: [{{name: main, api: gemini, key: {{file: $/key}}, base_url: '{given}'}}]"
    (endpoint,) = policy_of(folder, text).endpoints
    assert endpoint.base_url == read


def test_equal_content_has_an_equal_digest_however_it_is_written(folder: Folder) -> None:
    spelled_out = WHOLE.replace("gemini-3-pro:", "gemini-3-pro: {aliases: [], projects: [main, eu]}  # all\n")
    assert policy_of(folder, WHOLE).digest == policy_of(folder, spelled_out).digest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("fast", "quick"),
        ("deny", "allow"),
        ("search:", "find:"),
        ("europe-west4", "us-east1"),
        ("[eu]", "[main]"),
    ],
)
def test_other_content_has_another_digest(folder: Folder, before: str, after: str) -> None:
    assert policy_of(folder, WHOLE).digest != policy_of(folder, WHOLE.replace(before, after)).digest


RULES = """
rules: [{name: a, effect: allow, models: [fast], max_output_tokens: 9}]
default: deny
tokens: required
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("effect: allow", "effect: deny"),
        ("name: a", "name: b"),
        ("models: [fast]", "models: [gemini-3-pro]"),
        ("max_output_tokens: 9", "max_output_tokens: 8"),
        ("max_output_tokens: 9", "only_features: []"),
        ("default: deny", "default: allow"),
        ("tokens: required", "tokens: optional"),
    ],
)
def test_other_rules_make_another_digest(folder: Folder, before: str, after: str) -> None:
    text = WHOLE + RULES
    assert policy_of(folder, text).digest != policy_of(folder, text.replace(before, after)).digest
    assert (
        policy_of(folder, text).digest
        == policy_of(folder, text.replace("models: [fast]", "models: [gemini-3.8-flash]")).digest
    )


def test_a_policy_does_not_change(folder: Folder) -> None:
    with pytest.raises(TypeError):
        policy_of(folder, WHOLE).routes["x"] = ModelRoute("x", ())  # type: ignore[index]
