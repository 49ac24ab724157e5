"""Who has no store does not pay for one: the client library takes a third of a second and 10 MiB."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["sidecar.app", "sidecar.config.load", "sidecar.store.memory", "sidecar.store.errors"]
)
def test_the_client_library_is_not_imported(module: str) -> None:
    script = f"import sys, {module}\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert {"redis", "hiredis"}.isdisjoint(ran.stdout.split())
