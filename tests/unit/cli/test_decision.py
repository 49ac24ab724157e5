"""`check --as`: what the Policy says of one call, by exit code and by name of the rule."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
WEB = "spiffe://corp/ns/shop/sa/web"
POLICY = """
projects: [{name: main, api: gemini, key: {file: KEY}}]
models: {gemini-3.8-flash: {aliases: [fast]}, deep: {}}
unlisted_models: deny
tenants: {shop: {principals: ["spiffe://corp/ns/shop/sa/web"]}}
rules:
  - {name: no-code, effect: deny, features: [code_execution]}
  - {name: readers, effect: allow, scopes: [read], methods: [CountTokens, ListModels]}
  - {name: shop, effect: allow, tenants: [shop], models: [fast], tiers: [standard], max_output_tokens: 100}
  - {name: all-of-shop, effect: allow, tenants: [shop], models: [fast]}
"""
ASKED = [
    ("pod --model fast", 0, "default"),
    ("pod --model deep", 0, "default"),
    ("pod --model deep --scope write", 1, "default"),
    ("pod --model other", 1, "unlisted_models"),
    ("pod --model fast --feature unknown_fields", 1, "unknown_fields"),
    ("pod --model fast --feature media --feature code_execution", 1, "no-code"),
    (f"{WEB} --model fast --max-output-tokens 100", 0, "shop"),
    (f"{WEB} --model gemini-3.8-flash --max-output-tokens 101", 0, "all-of-shop"),
    (f"{WEB} --model fast", 0, "all-of-shop"),
    (f"{WEB} --model fast --tier flex --max-output-tokens 9", 0, "all-of-shop"),
    (f"{WEB} --model deep", 1, "default"),
    (f"{WEB} --model models/fast", 0, "all-of-shop"),
    ("pod --model models/deep", 0, "default"),
    (f"{WEB} --model publishers/google/models/gemini-3.8-flash", 0, "all-of-shop"),
    ("nobody --model fast", 1, "default"),
    ("nobody --model deep --method CountTokens --scope read --scope write", 0, "readers"),
    ("nobody --method ListModels --scope read", 0, "readers"),
]


@pytest.fixture
def policy(tmp_path: Path) -> str:
    (tmp_path / "key").write_text("a-key")
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY.replace("KEY", str(tmp_path / "key")))
    return str(file)


@pytest.mark.parametrize(("arguments", "code", "rule"), ASKED)
def test_the_deciding_rule_is_printed(run: Run, policy: str, arguments: str, code: int, rule: str) -> None:
    result = run("check", "--limits-scope", "process", "--policy", policy, "--as", *arguments.split())
    assert (result.exit_code, result.stderr) == (code, "")
    assert result.stdout.startswith(f"{'denied' if code else 'allowed'} by {rule}: {arguments.split()[0]}")


@pytest.mark.parametrize(
    ("arguments", "code", "rule"),
    [
        (f"{WEB} --model fast", 1, "tokens"),
        (f"{WEB} --model fast --scope any", 0, "all-of-shop"),
        ("pod --model fast", 0, "default"),
    ],
)
def test_a_policy_that_asks_for_tokens_denies_whoever_shows_none(
    run: Run, policy: str, arguments: str, code: int, rule: str
) -> None:
    Path(policy).write_text(f"tokens: required\n{Path(policy).read_text()}")
    test_the_deciding_rule_is_printed(run, policy, arguments, code, rule)


def test_the_answer_is_json_for_programs(run: Run, policy: str) -> None:
    asked = ("--as", WEB, "--model", "fast", "--json")
    result = run("check", "--limits-scope", "process", "--policy", policy, *asked)
    assert json.loads(result.stdout) == {
        "allowed": True,
        "rule": "all-of-shop",
        "principal": WEB,
        "tenant": "shop",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--as pod", "--as needs --model"),
        ("--model fast", "go with --as"),
        ("--as pod --model fast --feature telepathy", "telepathy"),
        ("--as pod --model fast --emulator", "--emulator has none to ask"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(run: Run, arguments: str, words: str) -> None:
    result = run("check", "--limits-scope", "process", *arguments.split())
    assert result.exit_code == 2
    assert words in result.stderr
