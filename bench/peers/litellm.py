"""LiteLLM's proxy as it is measured: one worker, no database, no cache, errors alone logged, a master key.

It has an environment of its own, because its requirements are not ours.
"""

import json
import subprocess
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.http_load import HttpQuestion
from bench.peers.peer import FOLDER, MODEL, Peer, chat
from bench.processes import Server, free_port, serving

_VERSION = "1.106.2"
_ENVIRONMENT = FOLDER / "litellm"
_MASTER_KEY = "sk-bench-5f0c2d7e9a41b386"
_ENVIRON = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # prices from the package, not from the network
}


def _install() -> None:
    venv.create(_ENVIRONMENT, with_pip=True, clear=True)
    python = str(_ENVIRONMENT / "bin" / "python")
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, f"litellm[proxy]=={_VERSION}"], check=True)


def _obstacle() -> str | None:
    installed = any(_ENVIRONMENT.glob(f"lib/python*/site-packages/litellm-{_VERSION}.dist-info"))
    return None if installed else f"{_VERSION} is not installed"


@contextmanager
def _serving(upstream_port: int, core: set[int]) -> Iterator[Server]:
    upstream = {
        "model": f"gemini/{MODEL}",
        "api_base": f"http://127.0.0.1:{upstream_port}/v1beta",
        "api_key": "bench",
    }
    settings = {
        "model_list": [{"model_name": MODEL, "litellm_params": upstream}],
        "litellm_settings": {"telemetry": False},
        "general_settings": {"master_key": _MASTER_KEY},
    }
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps(settings))  # JSON is YAML
        port = free_port()
        command = [
            str(_ENVIRONMENT / "bin" / "litellm"),
            f"--config={config}",
            "--host=127.0.0.1",
            f"--port={port}",
            "--num_workers=1",
        ]
        with serving(command, port, core, _ENVIRON) as server:
            yield server


def _question(_upstream_port: int) -> HttpQuestion:
    return chat({"Authorization": f"Bearer {_MASTER_KEY}"})


LITELLM = Peer("litellm", _VERSION, _install, _obstacle, _serving, _question)
