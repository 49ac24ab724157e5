"""A fleet of real sidecars against an upstream that keeps Google's quotas: over five minutes at twice what
the quota allows, no call meets a 429 and the quota is used, also while Redis is gone for a minute.

The judge is the emulator's own arrival log, over every position of the window.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from sidecar.limits.simulate import worst_window
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import process
from tests.support.redis.server import RedisServer

SIDECARS = 16
RPM = 3_000
SECONDS = 300.0
WARM_UP_S = 60.0
OUTAGE_S = (120.0, 180.0)
PATIENCE_S = 3.0
OVERLOAD = 2.0
MODEL = "gemini-3.8-flash"

QUOTAS = f"models: {{{MODEL}: {{rpm: {RPM}, tpm: 100000000}}}}\n"
POLICY = """\
projects:
  - {{name: main, api: gemini, key: {{env: FLEET_KEY}}, base_url: "{url}"}}
models: {{{model}: {{}}}}
unlisted_models: deny
quotas:
  - {{project: main, models: [{model}], requests_per_minute: {rpm}}}
"""


@dataclass
class Run:
    """What came of it, as the callers and as the upstream saw it."""

    ended: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    admitted_s: list[float] = field(default_factory=list)
    """Seconds after the first arrival."""

    def used(self, since: float, until: float) -> float:
        """Share of the quota that was used between two moments."""
        return sum(since <= at < until for at in self.admitted_s) / (RPM / 60 * (until - since))

    def line(self, **more: Any) -> str:
        worst = worst_window([(at * 1000, 1) for at in self.admitted_s], 60_000)
        return json.dumps(
            {
                "sidecars": SIDECARS,
                "rpm": RPM,
                "seconds": SECONDS,
                "over_quota": self.verdicts["over_quota"],
                "worst_window": worst,
                "used": round(self.used(WARM_UP_S, SECONDS), 4),
                "ended": dict(self.ended),
                **more,
            }
        )


@asynccontextmanager
async def emulator(folder: Path) -> AsyncIterator[str]:
    """An emulator in a process of its own that keeps the quota and the log; yields its base URL."""
    (folder / "quotas.yaml").write_text(QUOTAS)
    flags = (
        "--port",
        "0",
        "--quota-file",
        str(folder / "quotas.yaml"),
        "--log",
        str(folder / "arrivals.jsonl"),
    )
    child = await asyncio.create_subprocess_exec(
        process.PROGRAM, "emulate", *flags, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout
        line = (await child.stdout.readline()).decode()
        yield next(word.rstrip(".") for word in line.split() if word.startswith("http"))
    finally:
        child.terminate()
        await child.wait()


@asynccontextmanager
async def fleet(folder: Path, url: str, redis: str) -> AsyncIterator[list[GeminiServiceStub]]:
    """Sidecars that share a Redis, and a stub for each."""
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.format(url=url, model=MODEL, rpm=RPM))
    flags = ("--limits-scope", "redis", "--redis", redis, "--policy", str(policy))
    async with AsyncExitStack() as stack:
        stubs = []
        for _ in range(SIDECARS):
            sidecar = await stack.enter_async_context(process.serving(*flags, FLEET_KEY="key"))
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(sidecar.address))
            stubs.append(GeminiServiceStub(channel))
        yield stubs


async def load(stubs: list[GeminiServiceStub], run: Run, seconds: float) -> None:
    """Call at twice what the quota allows, evenly over the sidecars."""
    pause_s = 60 / (RPM * OVERLOAD)
    began, number = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while (now := time.monotonic()) < began + seconds:
            while began + number * pause_s <= now:
                group.create_task(_call(stubs[number % len(stubs)], run))
                number += 1
            await asyncio.sleep(pause_s)


async def _call(stub: GeminiServiceStub, run: Run) -> None:
    try:
        await stub.Generate(GenerateRequest(model=MODEL, prompt="hello"), timeout=PATIENCE_S)
        run.ended["OK"] += 1
    except grpc.aio.AioRpcError as error:
        run.ended[error.code().name] += 1


def judge(folder: Path, run: Run) -> None:
    """Read the arrival log."""
    first: int | None = None
    for line in (folder / "arrivals.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["event"] != "arrived":
            continue
        first = event["mono_us"] if first is None else first
        run.verdicts[event["verdict"]] += 1
        if event["verdict"] == "admitted":
            run.admitted_s.append((event["mono_us"] - first) / 1_000_000)


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 120)
async def test_a_fleet_at_twice_its_quota_meets_no_429_and_uses_it(
    tmp_path: Path, redis_server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run()
    async with emulator(tmp_path) as url, fleet(tmp_path, url, redis_server.address) as stubs:
        await load(stubs, run, SECONDS)
    judge(tmp_path, run)
    with capsys.disabled():
        sys.stdout.write(f"\n{run.line(redis='up')}\n")
    assert run.verdicts["over_quota"] == 0
    assert run.used(WARM_UP_S, SECONDS) >= 0.98


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 120)
async def test_it_goes_on_within_its_quota_while_redis_is_gone_for_a_minute(
    tmp_path: Path, redis_server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run()
    async with emulator(tmp_path) as url, fleet(tmp_path, url, redis_server.address) as stubs:

        async def outage() -> None:
            await asyncio.sleep(OUTAGE_S[0])
            redis_server.kill()
            await asyncio.sleep(OUTAGE_S[1] - OUTAGE_S[0])
            await asyncio.to_thread(redis_server.start)

        async with asyncio.TaskGroup() as group:
            group.create_task(outage())
            group.create_task(load(stubs, run, SECONDS))
    judge(tmp_path, run)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{run.line(redis='gone for 60 s', used_meanwhile=round(run.used(*OUTAGE_S), 4))}\n"
        )
    assert run.verdicts["over_quota"] == 0
    assert run.used(WARM_UP_S, SECONDS) >= 0.85
