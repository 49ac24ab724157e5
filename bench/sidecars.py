"""The sidecar as it is measured: the installed command, one process on one core, before the fake upstream."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from bench.processes import Server, free_port, serving

_POLICY = """\
projects:
  - name: bench
    api: gemini
    key: {{env: BENCH_KEY}}
    base_url: http://127.0.0.1:{port}
"""


@contextmanager
def sidecar(
    upstream_port: int, core: set[int], policy: str = "", environ: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    """A serving sidecar, ready for calls. Logs go nowhere but are made. `policy` is added to the Policy,
    `environ` to the environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        policy_file = Path(folder) / "policy.yaml"
        policy_file.write_text(_POLICY.format(port=upstream_port) + policy)
        port = free_port()
        command = [
            str(Path(sys.executable).with_name("gemini-sidecar")),
            "serve",
            f"--listen=127.0.0.1:{port}",
            f"--telemetry-address=127.0.0.1:{free_port()}",
            f"--policy={policy_file}",
        ]
        own = {"BENCH_KEY": "bench", "SIDECAR_LIMITS_SCOPE": "process"}
        clean = {name: "" for name in os.environ if name.startswith("SIDECAR_")}
        with serving(command, port, core, {**clean, **own, **environ}) as server:
            yield server
