"""The figures of Envoy in front: what the app's way through it costs, against calling the sidecar itself.

Envoy runs on the cores of the load: in production it has its own container, and the sidecar is what is busy.
Its access log is on, as it is there.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figures import UNARY, Bench, Found, compared
from bench.load import LoadError, run_load
from bench.processes import Server, free_port, program, serving
from bench.sidecars import sidecar
from sidecar.mesh.bootstrap import ARGUMENTS

_BIN = Path(sys.executable).parent
_TRIES, _TRY_S = 50, 0.2


async def envoy_kept(bench: Bench) -> Found:
    """Generate through Envoy over Generate asked of the sidecar itself."""
    with _both(bench) as (direct, through):
        await _healthy(through)
        return await compared(bench, UNARY, through, direct)


async def envoy_added_p50_ms(bench: Bench) -> Found:
    """What Envoy adds to the median latency, one call at a time: the median of differences of pairs."""
    with _both(bench) as (direct, through):
        await _healthy(through)
        added: list[float] = []
        for number in range(bench.pairs):
            first, second = (through, direct) if number % 2 else (direct, through)
            a, b = await _p50_ms(first, bench.seconds), await _p50_ms(second, bench.seconds)
            added.append(a - b if number % 2 else b - a)
    low, median, high = statistics.quantiles(added, n=4)
    return Found(median, f"quartiles {low:.3f} to {high:.3f}")


FIGURES: Mapping[str, Callable[[Bench], Coroutine[Any, Any, Found]]] = {
    "envoy_kept": envoy_kept,
    "envoy_added_p50_ms": envoy_added_p50_ms,
}


async def _healthy(through: Server) -> None:
    """Wait until Envoy has found the sidecar well; it listens before."""
    for _ in range(_TRIES):
        try:
            await run_load(through.port, UNARY, 1, _TRY_S)
        except LoadError:
            await asyncio.sleep(_TRY_S)
        else:
            return
    raise RuntimeError("Envoy does not find the sidecar well")


async def _p50_ms(server: Server, seconds: float) -> float:
    load = await run_load(server.port, UNARY, 1, seconds)
    return statistics.median(load.latencies_s) * 1000


@contextmanager
def _both(bench: Bench) -> Iterator[tuple[Server, Server]]:
    """A sidecar, and the Envoy in front of it."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "SIDECAR_LIMITS_SCOPE": "process",
            "SIDECAR_LISTEN_SOCKET": f"{folder}/local.sock",
            "SIDECAR_ENVOY_DIRECTORY": folder,
            "SIDECAR_ENVOY_APP_ADDRESS": f"127.0.0.1:{free_port()}",
            "SIDECAR_ENVOY_PROBE_ADDRESS": "127.0.0.1:0",
            "SIDECAR_ENVOY_ACCESS_LOG": f"{folder}/access.jsonl",
        }
        write = [str(_BIN / "gemini-sidecar"), "envoy", "--write"]
        subprocess.run(write, env={**os.environ, **environ}, check=True, stdout=subprocess.DEVNULL)
        envoy = [str(_BIN / "envoy"), "-c", f"{folder}/bootstrap.json", "-l", "off", *ARGUMENTS]
        port = int(environ["SIDECAR_ENVOY_APP_ADDRESS"].rpartition(":")[2])
        with (
            program("bench.upstream", bench.rest) as upstream,
            sidecar(upstream.port, bench.measured, environ=environ) as direct,
            serving(envoy, port, bench.rest, {}) as through,
        ):
            yield direct, through
