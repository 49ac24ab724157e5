"""The sidecar as it is measured: the installed command, one process on one core, before the fake upstream."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Server, free_port, serving

_POLICY = """\
projects:
  - name: bench
    api: gemini
    key: {{env: BENCH_KEY}}
    base_url: http://127.0.0.1:{port}
"""


@contextmanager
def sidecar(upstream_port: int, core: set[int], transport: str = "rest") -> Iterator[Server]:
    """A serving sidecar, ready for calls. Logs go nowhere but are made."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.yaml"
        policy.write_text(_POLICY.format(port=upstream_port))
        port = free_port()
        command = [
            str(Path(sys.executable).with_name("gemini-sidecar")),
            "serve",
            "--limits-scope=process",
            f"--listen=127.0.0.1:{port}",
            f"--telemetry-address=127.0.0.1:{free_port()}",
            f"--policy={policy}",
        ]
        environ = {"BENCH_KEY": "bench", "SIDECAR_UPSTREAM_TRANSPORT": transport}
        clean = {name: "" for name in os.environ if name.startswith("SIDECAR_")}
        with serving(command, port, core, clean | environ) as server:
            yield server
