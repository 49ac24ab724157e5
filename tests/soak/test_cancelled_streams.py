"""Thousands of streams, three in ten cancelled in the middle, against a sidecar in a process of its own: its
memory stays flat, and nothing of them is left in it or upstream.

The states in which streams are cancelled come from a seeded generator. How far a stream has come then is up
to the scheduling of the machine, and so all the more various.
"""

import asyncio
import gc
import json
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any

import aiohttp
import grpc
import grpc.aio
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sidecar.emulator import Emulator
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import StreamGenerateRequest
from tests.support import process
from tests.support.endings import connections_at, connections_to

CALLERS = 32
CANCELLED_SHARE = 0.3
GROWTH_BYTES = 5 << 20
SAMPLES = 200
WINDOW = 0.2
"""Of all samples: the warm-up, those after it, and the last, which are judged against those."""
CHUNKS = 8
CHANNEL_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.http2.lookahead_bytes", 16 * 1024))
"""A connection for each channel; a caller that does not read soon blocks the sidecar's writes."""


@dataclass
class Figures:
    """What came of a run."""

    calls: int
    completed: int = 0
    cancelled: Counter[str] = field(default_factory=Counter)
    rss_bytes: list[int] = field(default_factory=list)
    duration_s: float = 0.0

    @property
    def growth_bytes(self) -> float:
        """The mean of the last samples above the mean of those after the warm-up."""
        count = round(len(self.rss_bytes) * WINDOW)
        return fmean(self.rss_bytes[-count:]) - fmean(self.rss_bytes[count : 2 * count])

    def line(self) -> str:
        """One JSON object."""
        mib = [round(rss / (1 << 20), 2) for rss in self.rss_bytes]
        warm = round(len(mib) * WINDOW)
        return json.dumps(
            {
                "calls": self.calls,
                "completed": self.completed,
                "cancelled": dict(sorted(self.cancelled.items())),
                "duration_s": round(self.duration_s, 1),
                "rss_mib": {"first": mib[0], "warm": mib[warm], "last": mib[-1], "most": max(mib)},
                "growth_mib": round(self.growth_bytes / (1 << 20), 2),
            }
        )


def asking(directive: str) -> StreamGenerateRequest:
    return StreamGenerateRequest(model="gemini-3.8-flash", prompt=f"hi [[emulate: {directive}]]")


async def completed(gemini: Any, rng: random.Random) -> None:
    stream = gemini.StreamGenerate(asking(f"words=40 chunks={rng.randint(1, CHUNKS)}"))
    assert [chunk async for chunk in stream][-1].candidates[0].finish_reason


async def cancelled_at_once(gemini: Any, rng: random.Random) -> None:
    """Before the request, or while it is on its way to the sidecar or the upstream."""
    stream = gemini.StreamGenerate(asking("fault=stall after=0"))
    for _ in range(rng.randint(0, 20)):
        await asyncio.sleep(0)
    stream.cancel()


async def cancelled_before_the_first_chunk(gemini: Any, rng: random.Random) -> None:
    stream = gemini.StreamGenerate(asking("fault=stall after=0"), timeout=rng.uniform(0.02, 0.1))
    assert await stream.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def cancelled_between_chunks(gemini: Any, rng: random.Random) -> None:
    stream = gemini.StreamGenerate(asking(f"fault=stall words=40 chunks={CHUNKS} after={CHUNKS - 1}"))
    for _ in range(rng.randint(1, CHUNKS - 1)):
        await stream.read()
    stream.cancel()


async def cancelled_while_chunks_flow(gemini: Any, rng: random.Random) -> None:
    stream = gemini.StreamGenerate(asking(f"words=400 chunks={rng.randint(50, 100)} gap=1ms"))
    for _ in range(rng.randint(1, 10)):
        await stream.read()
    stream.cancel()


async def cancelled_while_a_write_is_blocked(gemini: Any, rng: random.Random) -> None:
    stream = gemini.StreamGenerate(asking("fault=oversized size=256KiB after=1 chunks=2 words=10"))
    await stream.read()
    for _ in range(rng.randint(0, 50)):
        await asyncio.sleep(0)
    stream.cancel()


WAYS = [
    cancelled_at_once,
    cancelled_before_the_first_chunk,
    cancelled_between_chunks,
    cancelled_while_chunks_flow,
    cancelled_while_a_write_is_blocked,
]


async def put_through(calls: int, address: str, child: psutil.Process) -> Figures:
    """Make the calls from `CALLERS` callers at a time; each caller closes its channel now and then."""
    rng = random.Random(42)  # noqa: S311 - it is to be the same every time
    figures = Figures(calls)
    began = perf_counter()
    remaining = iter(range(calls))
    every = max(1, calls // SAMPLES)

    async def caller() -> None:
        while True:
            async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
                gemini = GeminiServiceStub(channel)
                for _ in range(50):
                    number = next(remaining, None)
                    if number is None:
                        return
                    if number % every == 0:
                        figures.rss_bytes.append(child.memory_info().rss)
                    await call(gemini)

    async def call(gemini: Any) -> None:
        if rng.random() < CANCELLED_SHARE:
            way = rng.choice(WAYS)
            await way(gemini, rng)
            figures.cancelled[way.__name__] += 1
        else:
            await completed(gemini, rng)
            figures.completed += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
    figures.duration_s = perf_counter() - began
    return figures


async def in_flight(sidecar: process.SidecarProcess) -> float:
    async with aiohttp.ClientSession(sidecar.telemetry_url) as http, http.get("/metrics") as response:
        families = list(text_string_to_metric_families(await response.text()))
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "sidecar_calls_in_flight"
    )


@pytest.mark.parametrize(
    ("warm_up", "calls"),
    [
        pytest.param(2_000, 2_000, id="2,000 calls"),  # so few do not warm a process up beside being judged
        pytest.param(0, 20_000, id="20,000 calls", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_cancelled_streams_leave_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], warm_up: int, calls: int
) -> None:
    async with Emulator() as emulator:
        async with process.serving(*process.configured(tmp_path, emulator.base_url)) as sidecar:
            child = psutil.Process(sidecar.pid)
            before = await put_through(warm_up, sidecar.address, child)
            figures = await put_through(calls, sidecar.address, child)
            with capsys.disabled():
                print(f"\n{figures.line()}")

            seen = await emulator.wait_for(lambda seen: seen.active == 0)
            assert seen.received == seen.finished + seen.disconnected
            assert await in_flight(sidecar) == 0
            gc.collect()  # grpc holds the connection of a closed channel until then
            async with asyncio.timeout(5):
                while connections_at(sidecar.address, sidecar.pid):
                    await in_flight(sidecar)
            assert connections_to(emulator.base_url, sidecar.pid) <= CALLERS  # idle, kept for the next calls
            sidecar.signal(signal.SIGTERM)
            assert await sidecar.ends() == 0

        ends = Counter(call["ended"] for call in sidecar.calls())
        assert sidecar.noise == []
        assert {line["severity"] for line in sidecar.log} == {"INFO"}
        assert set(ends) <= {"OK", "CANCELLED", "DEADLINE_EXCEEDED"}
        assert ends["OK"] >= before.completed + figures.completed
        assert figures.completed + figures.cancelled.total() == calls
        assert figures.growth_bytes < GROWTH_BYTES, figures.line()
