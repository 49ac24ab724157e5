import json
import re

import yaml

from sidecar.config.settings import Settings
from sidecar.config.show import effective, json_schema
from sidecar.config.units import parse_duration
from tests.unit.config.builders import Folder


def test_the_effective_settings_are_a_settings_file(folder: Folder) -> None:
    loaded = folder.load("drain: {limit: 90s}\nlisten: {message_limit: 65536}")
    printed = yaml.safe_dump(effective(loaded)["settings"])
    assert folder.load(printed).settings == loaded.settings
    assert parse_duration(yaml.safe_load(printed)["drain"]["limit"]) == 90
    assert yaml.safe_load(printed)["listen"]["message_limit"] == "64KiB"


def test_the_policy_is_shown_by_model_with_its_aliases(folder: Folder) -> None:
    policy = "projects: [{name: main, api: gemini, key: {file: $/key}}]\nmodels: {a: {aliases: [b, c]}}"
    folder.read(policy)
    shown = effective(folder.load(f"policy: {{file: {folder.path / 'policy.yaml'}}}"))["policy"]
    assert shown["models"] == {"a": {"aliases": ["b", "c"], "projects": ["main"], "fallback": []}}


def test_rules_are_shown_as_a_file_may_say_them(folder: Folder) -> None:
    head = "projects: [{name: main, api: gemini, key: {file: $/key}}]\nmodels: {a: {aliases: [b]}}\n"
    rules = [
        {
            "name": "one",
            "effect": "allow",
            "principals": ["pager", "spiffe://corp/ns/shop/*"],
            "scopes": ["read"],
            "methods": ["Generate"],
            "models": ["a"],
            "tiers": ["flex"],
            "max_output_tokens": 0,
            "only_features": [],
        },
        {"name": "two", "effect": "deny", "namespaces": ["shop"], "features": ["files", "media"]},
    ]
    said = {"rules": rules, "default": "deny", "tokens": "required"}
    folder.read(head + yaml.safe_dump(said))
    shown = effective(folder.load(f"policy: {{file: {folder.path / 'policy.yaml'}}}"))["policy"]
    assert {key: shown[key] for key in said} == said


def test_the_policy_of_an_emulator_is_not_there_yet(folder: Folder) -> None:
    assert "emulator" in effective(folder.load(emulator=True))["policy"]


def test_the_schema_of_settings_describes_every_key() -> None:
    schema = json_schema("settings")
    for group in schema["properties"].values():
        properties = schema["$defs"][group["$ref"].rpartition("/")[2]]["properties"]
        for name, key in properties.items():
            assert key["description"], name
            assert "\n" not in key["description"]
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert schema["required"] == ["limits"]


def test_the_schema_of_the_policy_knows_both_apis() -> None:
    text = json.dumps(json_schema("policy"))
    assert "GeminiProject" in text
    assert "VertexProject" in text


def test_the_schema_of_the_policy_describes_every_key() -> None:
    schema = json_schema("policy")
    kinds = {**schema["$defs"], "PolicySchema": schema}
    assert {"QuotaSchema", "BudgetSchema", "TenantSchema"} <= set(kinds)
    silent = [
        f"{kind}.{name}"
        for kind, described in kinds.items()
        for name, key in described.get("properties", {}).items()
        if not key.get("description")
    ]
    assert silent == []


def test_the_schema_of_the_policy_takes_amounts_as_numbers_and_as_text() -> None:
    budget = json_schema("policy")["$defs"]["BudgetSchema"]["properties"]
    for limit in ("tokens_per_day", "spend_per_day"):
        number, text = budget[limit]["anyOf"]
        assert (number["type"] in ("integer", "number"), text["type"]) == (True, "string")
    assert re.fullmatch(budget["tokens_per_day"]["anyOf"][1]["pattern"], "2_000_000")
    assert re.fullmatch(budget["spend_per_day"]["anyOf"][1]["pattern"], "$0.5")
    assert budget["burst"]["default"] == "5%"
