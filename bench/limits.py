"""The figures of limits: what keeping them in Redis costs a call."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import UNARY, Bench, Found, compared
from bench.processes import program
from bench.sidecars import sidecar

_START_TIMEOUT_S = 10.0
_QUOTA = """\
models: {m: {}}
quotas:
  - project: bench
    models: [m]
    requests_per_minute: 1G
    input_tokens_per_minute: 1000G
    concurrent_calls: 1M
"""
"""So wide that no call waits: what is measured is the way, not the limit."""


async def limits_lease_kept(bench: Bench) -> Found:
    """Generate under a quota that a lease covers, against the same without a quota."""
    return await _kept(bench, "true")


async def limits_direct_kept(bench: Bench) -> Found:
    """Generate under a quota that Redis is asked about for every call, against the same without a quota."""
    return await _kept(bench, "false")


FIGURES: Mapping[str, Callable[[Bench], Coroutine[Any, Any, Found]]] = {
    "limits_lease_kept": limits_lease_kept,
    "limits_direct_kept": limits_direct_kept,
}


async def _kept(bench: Bench, prefetch: str) -> Found:
    with _redis(bench.rest) as address, program("bench.upstream", bench.rest) as upstream:
        environ = {
            "SIDECAR_LIMITS_SCOPE": "redis",
            "SIDECAR_REDIS_ADDRESSES": address,
            "SIDECAR_LIMITS_PREFETCH": prefetch,
        }
        with (
            sidecar(upstream.port, bench.measured, policy=_QUOTA, environ=environ) as limited,
            sidecar(upstream.port, bench.measured) as free,
        ):
            return await compared(bench, UNARY, limited, free)


@contextmanager
def _redis(core: set[int]) -> Iterator[str]:
    """A Redis of our own on a unix socket; its address as the setting takes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", folder]
        command = ["taskset", "-c", ",".join(map(str, core)), "redis-server", *options]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            give_up = time.perf_counter() + _START_TIMEOUT_S
            while not path.exists() and time.perf_counter() < give_up:
                time.sleep(0.01)
            yield f"unix:{path}"
        finally:
            server.terminate()
            server.wait()
