"""Eight sidecars that share a Redis, and endpoints that answer 429: what one is told, all heed.

The judge is what came to the endpoints. Some have a quota in the Policy and some have none: to leave an
endpoint alone that asks for it takes no quota.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from sidecar.emulator import Emulator
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from tests.support import process
from tests.support.endpoints import Door, canned, doors
from tests.support.offered import MODEL, Load
from tests.support.redis.server import RedisServer
from tests.support.upstream import refusal

SIDECARS = 8
PER_S = 6.0
"""Calls to each sidecar."""
DELAY_S = 5.0
GRACE_S = 1.0
"""From the first 429 until everybody knows."""


def over(quota_id: str, value: int, delay_s: float) -> bytes:
    """A 429 as Google words it."""
    metric = "generativelanguage.googleapis.com/generate_requests_per_model"
    failure = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaMetric": metric, "quotaId": quota_id, "quotaValue": str(value)}],
    }
    delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{delay_s:g}s"}
    text = f"You exceeded your current quota. * Quota exceeded for metric: {metric}, limit: {value}"
    return canned(refusal(429, "RESOURCE_EXHAUSTED", text, failure, delay), 429)


ANSWERS = {
    "minute": over("GenerateRequestsPerMinutePerProjectPerModel", 1000, DELAY_S),
    "day": over("GenerateRequestsPerDayPerProjectPerModel", 10_000, 1.0),
    "zero": over("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 0, 1.0),
}
"""By what is spent; the delay that comes with a spent day, or with nothing granted, is of no use."""
PROJECTS = [*ANSWERS, *(f"{name}-unmetered" for name in ANSWERS), "healthy"]


def policy_of(endpoints: dict[str, Door]) -> dict[str, Any]:
    key = {"env": "COOLDOWN_KEY"}
    projects = [
        {"name": name, "api": "gemini", "key": key, "base_url": door.base_url}
        for name, door in endpoints.items()
    ]
    quotas = [
        {"project": name, "models": [MODEL], "requests_per_minute": 60_000, "requests_per_day": 1_000_000}
        for name in ANSWERS
    ]
    rules = {"retry": {"budget_share": "100%"}}
    return {"projects": projects, "models": {MODEL: {}}, "quotas": quotas, "pools": rules}


@pytest.mark.timeout(180)
async def test_nobody_asks_before_the_delay_is_over_that_one_of_them_was_told(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator())
        made = await stack.enter_async_context(doors(emulator.base_url, len(PROJECTS)))
        endpoints = dict(zip(PROJECTS, made, strict=True))
        policy = process.written(tmp_path / "policy.yaml", policy_of(endpoints))
        flags = ("--limits-scope", "redis", "--redis", redis_server.address, "--policy", str(policy))
        sidecars = [
            await stack.enter_async_context(process.serving(*flags, COOLDOWN_KEY="key"))
            for _ in range(SIDECARS)  # one after the other: together they could take longer than is waited
        ]
        loads = []
        for sidecar in sidecars:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(sidecar.address))
            loads.append(Load(GeminiServiceStub(channel), PER_S, deadline_s=20.0))
            await stack.enter_async_context(loads[-1])
        async with asyncio.timeout(60.0):  # a new ledger listens first, so places with a quota come later
            await asyncio.gather(*(door.opened.wait() for door in endpoints.values()))
        shut = {name: door for name, door in endpoints.items() if name != "healthy"}
        for name, door in shut.items():
            door.shut(ANSWERS[name.removesuffix("-unmetered")])
        await asyncio.sleep(DELAY_S + 2 * GRACE_S)
        until = loop.time()
        told = {name: next((a.at for a in door.arrivals if a.was_shut), until) for name, door in shut.items()}
        minutes = [door for name, door in shut.items() if name.startswith("minute")]
        for door in minutes:
            door.open()
        async with asyncio.timeout(30.0):
            await asyncio.gather(*(door.opened.wait() for door in minutes))
    figures = {
        name: {
            "in_grace": door.between(told[name], told[name] + GRACE_S),
            "too_early": door.between(
                told[name] + GRACE_S, told[name] + DELAY_S if name.startswith("minute") else until
            ),
        }
        for name, door in shut.items()
    }
    calls = [call for load in loads for call in load.calls]
    good = sum(call.is_good for call in calls)
    sys.stdout.write(json.dumps({"calls": len(calls), "good": good, "endpoints": figures}) + "\n")
    assert all(told[name] < until for name in shut), "each was asked while it answered 429"
    assert {name: figure["too_early"] for name, figure in figures.items()} == dict.fromkeys(shut, 0)
    assert good / len(calls) >= 0.95, "there was always an endpoint that could answer"
