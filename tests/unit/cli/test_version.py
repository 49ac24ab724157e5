import json
import platform
from collections.abc import Callable

from click.testing import Result


def test_versions_are_printed_for_a_person_and_as_json(run: Callable[..., Result]) -> None:
    printed = json.loads(run("version", "--json").stdout)
    assert set(printed) == {"gemini-sidecar", "api", "python", "grpc"}
    assert printed["api"] == "sidecar.v1"
    assert printed["python"] == platform.python_version()
    lines = [f"{name} {version}" for name, version in printed.items()]
    assert run("version").stdout.splitlines() == lines
