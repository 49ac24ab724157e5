"""The figures of the sidecar itself: how each is measured.

A figure is a coroutine over a Bench. Processes are started anew for each, warmed up, and measured on a core
of their own.
"""

import asyncio
import statistics
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from bench.load import Question, run_load
from bench.pairs import Measure, Ratio, ratio
from bench.processes import Server, program
from bench.sidecars import sidecar
from bench.upstream import CHUNKS
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest

CONCURRENCY = 32
_WARM_UP_S = 0.5
_SETTLE_S = 2.0
_STARTS = 7
_PROMPT = "y" * 1024

UNARY = Question(
    "/sidecar.v1.GeminiService/Generate", GenerateRequest(model="m", prompt=_PROMPT).SerializeToString(), 2048
)
"""1 KiB of prompt, 2 KiB of answer."""
STREAM = Question(
    "/sidecar.v1.GeminiService/StreamGenerate",
    StreamGenerateRequest(model="m", prompt=_PROMPT).SerializeToString(),
    CHUNKS * 40,
)
"""1 KiB of prompt, 50 chunks of 40 bytes."""


@dataclass(frozen=True, slots=True)
class Bench:
    """How long to measure, and where."""

    pairs: int
    seconds: float
    measured: set[int]
    """The core of what is measured."""
    rest: set[int]
    """The cores of load and upstream."""


@dataclass(frozen=True, slots=True)
class Found:
    """A figure, and what a reader should know beside it."""

    value: float
    remark: str


async def unary_vs_echo(bench: Bench) -> Found:
    """Generate against a bare grpc.aio server with the same messages."""
    return await _vs_echo(bench, UNARY)


async def stream_vs_echo(bench: Bench) -> Found:
    """StreamGenerate against a bare grpc.aio server with the same messages; a unit is a chunk."""
    return await _vs_echo(bench, STREAM)


async def rest_vs_sdk_unary(bench: Bench) -> Found:
    """Generate over our REST client against the same over google-genai."""
    return await _vs_sdk(bench, UNARY)


async def rest_vs_sdk_stream(bench: Bench) -> Found:
    """StreamGenerate over our REST client against the same over google-genai."""
    return await _vs_sdk(bench, STREAM)


async def added_p50_ms(bench: Bench) -> Found:
    """What the sidecar adds to the median latency of the upstream itself, one call at a time."""
    with program("bench.upstream", bench.rest) as upstream, sidecar(upstream.port, bench.measured) as served:
        await _run(served, UNARY, 1, _WARM_UP_S)
        load = await run_load(served.port, UNARY, 1, bench.seconds * 3)
    p50_ms = statistics.median(load.latencies_s) * 1000
    return Found(p50_ms, "the fake upstream's own 0.03 ms included")


async def rss_idle_mib(bench: Bench) -> Found:
    """Resident memory of a sidecar that has served nothing yet."""
    with program("bench.upstream", bench.rest) as upstream, sidecar(upstream.port, bench.measured) as served:
        await asyncio.sleep(_SETTLE_S)
        return Found(served.process.memory_info().rss / 2**20, "MiB")


async def ready_s(bench: Bench) -> Found:
    """From the start of the command to the first connection taken."""
    starts: list[float] = []
    with program("bench.upstream", bench.rest) as upstream:
        for _ in range(_STARTS):
            with sidecar(upstream.port, bench.measured) as served:
                starts.append(served.ready_s)
    return Found(statistics.median(starts), f"s, median of {_STARTS}")


FIGURES: Mapping[str, Callable[[Bench], Coroutine[Any, Any, Found]]] = {
    "unary_vs_echo": unary_vs_echo,
    "stream_vs_echo": stream_vs_echo,
    "rest_vs_sdk_unary": rest_vs_sdk_unary,
    "rest_vs_sdk_stream": rest_vs_sdk_stream,
    "added_p50_ms": added_p50_ms,
    "rss_idle_mib": rss_idle_mib,
    "ready_s": ready_s,
}


async def _vs_echo(bench: Bench, question: Question) -> Found:
    with (
        program("bench.upstream", bench.rest) as upstream,
        program("bench.echo", bench.measured) as echo,
        sidecar(upstream.port, bench.measured) as served,
    ):
        return await compared(bench, question, served, echo)


async def _vs_sdk(bench: Bench, question: Question) -> Found:
    with (
        program("bench.upstream", bench.rest) as upstream,
        sidecar(upstream.port, bench.measured, environ={"SIDECAR_UPSTREAM_TRANSPORT": "sdk"}) as sdk,
        sidecar(upstream.port, bench.measured) as rest,
    ):
        return await compared(bench, question, rest, sdk)


async def compared(bench: Bench, question: Question, side: Server, other: Server) -> Found:
    """The throughput of one server over that of another."""
    found = await ratio(_measure(bench, side, question), _measure(bench, other, question), bench.pairs)
    unit = "chunks/s" if question is STREAM else "calls/s"
    return Found(found.median, _remark(found, unit, CHUNKS if question is STREAM else 1))


def _measure(bench: Bench, server: Server, question: Question) -> Measure:
    return lambda: _run(server, question, CONCURRENCY, bench.seconds)


async def _run(server: Server, question: Question, concurrency: int, seconds: float) -> float:
    return (await run_load(server.port, question, concurrency, seconds)).calls_per_s


def _remark(found: Ratio, unit: str, units: int) -> str:
    spread = f"quartiles {found.low:.3f} to {found.high:.3f}"
    return f"{found.side * units:,.0f} against {found.other * units:,.0f} {unit}; {spread}"
