"""HTTP/2 abused by a caller with a good certificate: others notice nothing, memory stays bounded, and the one
who does it is cut off.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import facts, frames, mesh, steady

PATH = "/sidecar.v1.GeminiService/Generate"
ASK = GenerateRequest(model=facts.MODEL, prompt="hi").SerializeToString()
LONG = GenerateRequest(model=facts.MODEL, prompt="hi [[emulate: words=4000]]").SerializeToString()
PER_SECOND = 20
GROWN_MAX_BYTES = 16 << 20
"""By which neither Envoy nor the sidecar may grow under one attacker."""
STREAMS_MAX = 16
ODD = range(1, 1 << 31, 2)
"""The numbers of a caller's streams."""


@dataclass(frozen=True, slots=True)
class Target:
    pod: mesh.Pod
    context: ssl.SSLContext

    async def connect(self, *, window_bytes: int = 65_535) -> frames.Attacker:
        return await frames.Attacker.connect(self.pod.inbound, self.context, window_bytes=window_bytes)


async def rapid_reset(target: Target) -> None:
    """CVE-2023-44487: calls that are taken back at once."""
    attacker = await target.connect()
    reset = frames.CANCEL.to_bytes(4)
    for start in range(0, 10_000, 100):
        numbers = ODD[start : start + 100]
        burst = b"".join(
            frames.call(number, PATH, ASK) + frames.frame(frames.RST_STREAM, 0, number, reset)
            for number in numbers
        )
        if not await attacker.send(burst):
            break
    await attacker.until_closed()


async def many_tiny_streams(target: Target) -> None:
    """Ten thousand calls at once on one connection, whatever is said about how many may be open."""
    attacker = await target.connect()
    for start in range(0, 10_000, 100):
        burst = b"".join(frames.call(number, PATH, ASK) for number in ODD[start : start + 100])
        if not await attacker.send(burst):
            break
    await attacker.until_closed()


async def slow_reader(target: Target) -> None:
    """As many answers as may be open, none of which is ever read."""
    attacker = await target.connect(window_bytes=0)
    await attacker.send(b"".join(frames.call(number, PATH, LONG) for number in ODD[:STREAMS_MAX]))
    await attacker.until_reset(STREAMS_MAX)
    attacker.close()


async def huge_headers(target: Target) -> None:
    """CVE-2024-30255: headers that go on and on."""
    attacker = await target.connect()
    piece = frames.block([("x-filler", "a" * 1000)] * 15)
    await attacker.send(frames.frame(frames.HEADERS, 0, 1, piece))
    for _ in range(2000):
        if not await attacker.send(frames.frame(frames.CONTINUATION, 0, 1, piece)):
            break
    await attacker.until_closed()


ATTACKS = {attack.__name__: attack for attack in (rapid_reset, many_tiny_streams, slow_reader, huge_headers)}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_others_notice_nothing_and_the_attacker_is_cut_off(
    attack: Callable[[Target], Awaitable[None]],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    by = mesh.authority()
    limits = {"max_streams": STREAMS_MAX, "read_timeout": "1s"}
    async with (
        mesh.pod(tmp_path / "pod", by, envoy=limits) as pod,
        mesh.channel(pod.inbound, by, mesh.issued(by)) as channel,
    ):
        target = Target(pod, mesh.tls(tmp_path, by, mesh.issued(by)))
        async with steady.load(GeminiServiceStub(channel), PER_SECOND) as load, grown(pod, record_property):
            await pod.upstream.wait_for(lambda seen: seen.finished > PER_SECOND)
            async with asyncio.timeout(3 * mesh.PATIENCE_S):
                await attack(target)
            after = len(load.calls)
            await mesh.until(_more_than(load, after + PER_SECOND))
        assert load.failed == []


def _more_than(load: steady.Load, calls: int) -> Callable[[], Awaitable[bool]]:
    async def are_more() -> bool:
        return len(load.calls) > calls

    return are_more


@asynccontextmanager
async def grown(pod: mesh.Pod, record_property: Callable[[str, object], None]) -> AsyncIterator[None]:
    """Hold how much both processes may have grown when the block is left."""
    watched = {"envoy": psutil.Process(pod.envoy.pid), "sidecar": psutil.Process(pod.sidecar.pid)}
    before = {name: process.memory_info().rss for name, process in watched.items()}
    yield
    for name, process in watched.items():
        grown_bytes = process.memory_info().rss - before[name]
        record_property(f"{name}_grown_bytes", grown_bytes)
        print(f"{name} {before[name] >> 20} MiB, grown by {grown_bytes >> 10} KiB")
        assert grown_bytes < GROWN_MAX_BYTES
