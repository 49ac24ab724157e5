"""A pool of endpoints for longer, and under more: a sidecar in a process of its own, by a Policy file."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest

from sidecar.core.pooling import BreakerRules
from sidecar.emulator import Emulator
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from tests.support import outages, process, streams
from tests.support.endpoints import Door, doors
from tests.support.offered import Load

PER_S = 200.0
OUT_S = 30.0
DEADLINE_S = 10.0
STREAMS = 10_000
EVERY_ATTEMPT = {
    "retry": {"attempts": 3, "budget_share": "100%", "budget_floor": 1000},
    "breaker": {"failures": 1000, "failure_share": "100%"},
}
"""Rules by which every call has its attempts, however many before it have failed."""
PROBE_MOST_S = 1.2 * BreakerRules().open_max_s
"""The longest time between two probes, with the defaults of a Policy."""


@asynccontextmanager
async def pool(
    folder: Path, urls: list[str], *more: str, **rules: dict[str, float]
) -> AsyncIterator[GeminiServiceStub]:
    """A sidecar before these endpoints; `rules` are those of the pool."""
    projects = [
        {"name": f"project-{number}", "api": "gemini", "key": {"env": "POOL_KEY"}, "base_url": url}
        for number, url in enumerate(urls)
    ]
    policy = process.written(folder / "policy.yaml", {"projects": projects, "pools": rules})
    flags = ("--limits-scope", "process", "--policy", str(policy), *more)
    async with (
        process.serving(*flags, POOL_KEY="key") as sidecar,
        grpc.aio.insecure_channel(sidecar.address) as channel,
    ):
        yield GeminiServiceStub(channel)


@asynccontextmanager
async def loaded(folder: Path) -> AsyncIterator[tuple[Load, list[Door]]]:
    """Three endpoints, a sidecar before them, and a load that has not begun."""
    async with (
        Emulator() as emulator,
        doors(emulator.base_url, 3) as endpoints,
        pool(folder, [door.base_url for door in endpoints]) as gemini,
    ):
        yield Load(gemini, PER_S, DEADLINE_S), endpoints


def told(found: dict[str, float], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{json.dumps(found)}\n")


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_an_endpoint_that_is_out_for_half_a_minute_costs_callers_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with loaded(tmp_path) as (load, endpoints):
        found = await outages.one_out(load, endpoints, OUT_S)
    told(outages.rounded(found), capsys)
    assert found.good / found.calls >= 0.999
    assert found.extra <= 0.10
    assert found.back_s <= 2 * PROBE_MOST_S


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_half_a_minute_without_any_endpoint_is_made_no_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with loaded(tmp_path) as (load, endpoints):
        found = await outages.all_out(load, endpoints, OUT_S, settle_s=2 * PROBE_MOST_S)
    told(outages.rounded(found), capsys)
    assert found.upstream <= 1.2
    assert found.longest_s <= DEADLINE_S
    assert found.rush <= 2.0
    assert found.bad_after == 0


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_ten_thousand_streams_in_trouble_are_whole_or_say_that_they_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = process.written(
        tmp_path / "settings.yaml", {"upstream": {"first_content_timeout": "2s", "idle_timeout": "2s"}}
    )
    async with (
        Emulator(max_requests=1) as emulator,
        pool(tmp_path, [emulator.base_url] * 3, "--config", str(settings), **EVERY_ATTEMPT) as gemini,
    ):
        verdicts = await streams.run(gemini, emulator.base_url, seed=7, count=STREAMS)
    told(dict(verdicts.ends), capsys)
    assert verdicts.lies == []
    assert verdicts.ends.total() == STREAMS
    assert verdicts.ends["ABORTED"] > STREAMS / 10
