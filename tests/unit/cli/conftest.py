import os
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from sidecar.cli.main import main
from tests.unit.cli.fake_sidecar import FakeSidecar


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration leaks in from whoever runs the tests."""
    for name in os.environ:
        if name.startswith("SIDECAR_") or name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GRPC_VERBOSITY", "NONE")  # the command sets it; this takes it back


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run `gemini-sidecar` with arguments, in this process."""

    def invoke(*arguments: str, stdin: str | bytes = b"") -> Result:
        return CliRunner().invoke(main, arguments, input=stdin, prog_name="gemini-sidecar")

    return invoke


@pytest.fixture
def sidecar() -> Iterator[FakeSidecar]:
    with FakeSidecar() as served:
        yield served
