"""`envoy`: the bootstrap on stdout, or all files in their place, or what the settings lack."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from sidecar.mesh.bootstrap import ARGUMENTS

Run = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    listen = {"socket": f"{tmp_path}/local.sock", "envoy_socket": f"{tmp_path}/envoy.sock"}
    tree = {
        "limits": {"scope": "process"},
        "listen": listen,
        "identity": {"trust_domain": "mesh.test"},
        "envoy": {"directory": f"{tmp_path}/run", "certificates": f"{tmp_path}/certs"},
    }
    path = tmp_path / "sidecar.yaml"
    path.write_text(json.dumps(tree))
    return path


def test_the_bootstrap_is_printed_and_nothing_is_written(run: Run, config: Path) -> None:
    result = run("envoy", "--config", str(config))
    assert (result.exit_code, result.stderr) == (0, "")
    bootstrap = json.loads(result.stdout)
    assert [each["name"] for each in bootstrap["static_resources"]["listeners"]] == [
        "inbound",
        "app",
        "probe",
    ]
    assert os.listdir(config.parent / "run") == []


def test_all_that_envoy_needs_is_written_into_its_directory(run: Run, config: Path) -> None:
    result = run("envoy", "--config", str(config), "--write")
    folder = config.parent / "run"
    assert (result.exit_code, result.stdout) == (0, f"{folder}/bootstrap.json\n")
    assert sorted(os.listdir(folder)) == ["authorities.json", "bootstrap.json", "certificate.json"]
    assert json.loads((folder / "bootstrap.json").read_text()) == json.loads(
        run("envoy", "--config", str(config)).stdout
    )
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o640}


def test_no_policy_and_no_key_is_needed(run: Run, config: Path) -> None:
    assert run("envoy", "--config", str(config)).exit_code == 0
    assert run("check", "--config", str(config)).exit_code == 2


def test_settings_that_lack_something_for_an_envoy_are_told_of_it(run: Run) -> None:
    result = run("envoy", "--limits-scope", "process")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "envoy.directory" in result.stderr
    assert "listen.socket" in result.stderr


def test_a_directory_that_cannot_be_written_fails(run: Run, config: Path) -> None:
    (config.parent / "run" / "bootstrap.json").mkdir()
    result = run("envoy", "--config", str(config), "--write")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_how_envoy_is_started_is_told_alike_everywhere(run: Run) -> None:
    readme = Path(__file__).parents[3] / "README.md"
    for told in (run("envoy", "--help").stdout, readme.read_text()):
        assert " ".join(ARGUMENTS) in " ".join(told.replace("\\\n", " ").split())
