"""The wheel carries the fragments: `gemini-sidecar envoy` works where there is no source tree."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_wheel_prints_a_bootstrap_in_an_empty_folder(tmp_path: Path) -> None:
    folders = built, installed, empty = [tmp_path / name for name in ("built", "installed", "empty")]
    for folder in folders:
        folder.mkdir()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = built.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)

    script = (
        "from sidecar.cli.main import main; from sidecar.mesh import fragments; import sys;"
        f"assert fragments.__file__.startswith({str(installed)!r}), fragments.__file__;"
        "main(sys.argv[1:])"
    )
    settings = {
        "SIDECAR_LIMITS_SCOPE": "process",
        "SIDECAR_LISTEN_SOCKET": "local.sock",
        "SIDECAR_ENVOY_DIRECTORY": ".",
    }
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), **settings}
    command = [sys.executable, "-c", script, "envoy"]
    ran = subprocess.run(command, cwd=empty, env=environment, check=True, capture_output=True, text=True)
    bootstrap = json.loads(ran.stdout)
    assert bootstrap["admin"]["address"]["pipe"]["path"] == str(empty / "admin.sock")
    assert list(empty.iterdir()) == []
