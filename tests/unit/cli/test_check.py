"""`check` and `serve` before they serve: what is in force, or every fault and exit code 2."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from sidecar import app
from sidecar.config.faults import ConfigError, Fault
from sidecar.config.load import Configuration

Run = Callable[..., Result]
SCOPE = ("--limits-scope", "process")
GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
KEY = "a-key-nobody-may-read"

BAD_POLICY = """\
projects: [{name: eu, api: vertex, project: my-cloud}]
models: {gemini-3.8-flash: {aliases: [fast]}}
unlisted_models: deny
tenants:
  shop: {principals: [web], priority: urgent, weight: 0}
quotas:
  - project: eu
    models: [gemini-3.8-flash, fast]
    requests_per_minute: 2k
    requests_per_day: 0
    shadow: [requests_per_hour]
    burst: half
  - project: us
    models: [gemini-3.8-flash, gemini-3.8-flsh]
budgets:
  - name: checkout
    principals: ["spiffe://prod.example/*/checkout"]
    requests_per_minute: 3k
    spend_per_day: 5 EUR
    on_redis_loss: {spend_per_month: open}
  - name: checkout
    tenants: [shop]
    principals: [pager]
    each: team
    project: eu
priorities: {standard: 8, batch: 1}
"""


def policy_file(folder: Path) -> Path:
    (folder / "key").write_text(KEY)
    file = folder / "policy.yaml"
    file.write_text(f"projects: [{{name: main, api: gemini, key: {{file: {folder / 'key'}}}}}]")
    return file


def test_the_effective_tree_is_printed_with_keys_masked(run: Run, tmp_path: Path) -> None:
    result = run("check", *SCOPE, "--policy", str(policy_file(tmp_path)))
    assert (result.exit_code, result.stderr) == (0, "")
    tree = yaml.safe_load(result.stdout)
    assert tree["settings"]["limits"] == {"scope": "process", "wait": "30s", "prefetch": True}
    assert tree["policy"]["projects"][0]["key"] == "****"
    assert KEY not in result.output


def test_json_is_the_same_tree(run: Run, tmp_path: Path) -> None:
    arguments = ("check", *SCOPE, "--policy", str(policy_file(tmp_path)))
    assert json.loads(run(*arguments, "--json").stdout) == yaml.safe_load(run(*arguments).stdout)


def test_every_flag_reaches_its_setting(run: Run, tmp_path: Path) -> None:
    result = run(
        "check",
        "--emulator",
        *SCOPE,
        *("--listen", "127.0.0.1:0"),
        *("--socket", str(tmp_path / "local.sock")),
        *("--log-format", "json"),
        *("--telemetry-address", ""),
        *("--redis", "127.0.0.1:6379"),
    )
    settings = yaml.safe_load(result.stdout)["settings"]
    assert settings["listen"]["address"] == "127.0.0.1:0"
    assert settings["listen"]["socket"] == str(tmp_path / "local.sock")
    assert settings["telemetry"]["log_format"] == "json"
    assert settings["telemetry"]["address"] is None
    assert settings["redis"]["addresses"] == ["127.0.0.1:6379"]


def test_all_faults_are_printed_with_their_sources(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "sidecar.yaml"
    file.write_text("drain: {limit: never}\n")
    monkeypatch.setenv("SIDECAR_CONFIG", str(file))
    monkeypatch.setenv("SIDECAR_LISTEN_SOKET", "x")
    result = run("check", "--listen", "0.0.0.0:1")
    assert (result.exit_code, result.stdout) == (2, "")
    golden = (GOLDEN / "faults.txt").read_text()
    assert result.stderr == golden.replace("SETTINGS_FILE", str(file))


def test_all_faults_of_a_policy_are_printed_with_their_lines(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(BAD_POLICY)
    result = run("check", *SCOPE, "--policy", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    golden = (GOLDEN / "policy_faults.txt").read_text()
    assert result.stderr == golden.replace("POLICY_FILE", str(file))


def test_faults_are_json_for_a_program(run: Run) -> None:
    result = run("check", "--emulator", "--json")
    assert result.exit_code == 2
    (fault,) = json.loads(result.stdout)["faults"]
    assert fault["path"] == "limits.scope"


@pytest.mark.parametrize("kind", ["settings", "policy"])
def test_a_schema_needs_no_configuration(run: Run, kind: str) -> None:
    result = run("check", "--schema", kind)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["type"] == "object"


def test_serve_refuses_what_check_refuses_and_serves_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "run", lambda _: pytest.fail("served"))
    checked, served = run("check"), run("serve")
    assert served.exit_code == 2
    assert served.stderr == checked.stderr


def test_serve_runs_the_configuration_and_ends_with_its_code(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Configuration] = []

    def record(configuration: Configuration) -> int:
        ran.append(configuration)
        return 7

    monkeypatch.setattr(app, "run", record)
    assert run("serve", *SCOPE, "--emulator").exit_code == 7
    assert ran[0].policy is None
    assert ran[0].settings.limits.scope == "process"


def test_serve_tells_of_an_address_that_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(_: Configuration) -> int:
        raise ConfigError([Fault("listen.address", "127.0.0.1:1", "is taken", "take another")])

    monkeypatch.setattr(app, "run", taken)
    result = run("serve", *SCOPE, "--emulator")
    assert result.exit_code == 2
    assert "The configuration has 1 fault:" in result.stderr
    assert "is taken" in result.stderr
