"""Limits as callers and operators see them: a real sidecar with quotas, before an emulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from sidecar.config.prices import shipped_prices
from sidecar.core.policy import Budget, Each, Policy
from sidecar.core.quota import InFlight, Limit, LimitGroup, Rolling, Unit
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from sidecar.v1.quota_pb2 import GetQuotaRequest, LimitsMode, WatchQuotaRequest
from sidecar.v1.quota_service_pb2_grpc import QuotaServiceStub
from tests.integration.sidecar.test_foreign_client import curl
from tests.support import facts
from tests.support.errors import details_of, status_in
from tests.support.figures import get, scrape
from tests.support.redis.server import standalone
from tests.support.rpc import PATIENCE_S
from tests.support.sidecar import Served, serving
from tests.support.told import listening

MODEL = facts.MODEL
QUOTA = f"quota/main/{MODEL}"
RPM = Limit("requests_per_minute", Unit.REQUESTS, 600, Rolling(60))
TPM = Limit("input_tokens_per_minute", Unit.INPUT_TOKENS, 200_000, Rolling(60))
FLIGHT = Limit("concurrent_calls", Unit.CALLS, 1, InFlight())
PACED = Limit("requests_per_minute", Unit.REQUESTS, 600, Rolling(60), burst=0.01)
"""Six at once, then ten a second."""
KEPT_WITHOUT_LEDGER = (LimitsMode.LIMITS_MODE_LEASE, LimitsMode.LIMITS_MODE_SHARE)
HI = GenerateRequest(model=MODEL, prompt="hi")


def limited(base_url: str, *limits: Limit, budgets: tuple[Budget, ...] = ()) -> Policy:
    group = LimitGroup(QUOTA, limits)
    return facts.policy(
        facts.gemini(base_url),
        quotas={("main", MODEL, ""): group} if limits else {},
        budgets=budgets,
        prices=shipped_prices(),
    )


@pytest.fixture
async def metered(emulator: Any) -> AsyncIterator[Served]:
    """A sidecar with a quota of two limits and a budget for each principal."""
    budgets = (Budget("each", each=Each.PRINCIPAL, limits=(RPM,)),)
    async with serving(limited(emulator.base_url, RPM, TPM, budgets=budgets)) as served:
        yield served


def quota_of(served: Served) -> Any:
    """The async stub of QuotaService; its generated code has no annotations."""
    return QuotaServiceStub(served.channel)


@asynccontextmanager
async def watching(served: Served, **values: Any) -> AsyncIterator[Any]:
    request = WatchQuotaRequest(**values)
    request.interval.FromMilliseconds(100)
    call = quota_of(served).WatchQuota(request)
    yield call
    call.cancel()


async def seen(watch: Any, is_it: Any) -> Any:
    """The first message of which that is so."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await watch.read()
            assert message is not grpc.aio.EOF
            if is_it(message):
                return message


def used(message: Any, name: str = QUOTA) -> int:
    """Requests used, of the first limit of a group; -1: not told yet."""
    (group,) = (group for group in message.groups if group.name == name)
    limit = group.limits[0]
    return limit.level.used if limit.HasField("level") else -1


async def test_before_any_call_the_quota_is_there_and_not_used(metered: Served) -> None:
    (group,) = (await quota_of(metered).GetQuota(GetQuotaRequest())).groups
    assert (group.name, group.mode) == (QUOTA, LimitsMode.LIMITS_MODE_UNSPECIFIED)
    assert [limit.amount for limit in group.limits] == [600, 200_000]


async def test_calls_are_seen_in_quota_and_budget(metered: Served) -> None:
    async with watching(metered) as watch:
        for _ in range(3):
            await metered.gemini.Generate(HI)
        message = await seen(watch, lambda message: len(message.groups) == 2 and used(message) == 3)
    budget, quota = message.groups
    assert (budget.name, quota.name) == ("budget/each/pod", QUOTA)
    assert (quota.mode, quota.holders) == (LimitsMode.LIMITS_MODE_NORMAL, 1)
    requests = quota.limits[0].level
    assert requests.available == 600 - requests.used - requests.held
    got = await quota_of(metered).GetQuota(GetQuotaRequest(group_prefixes=["quota/"]))
    assert [group.name for group in got.groups] == [QUOTA]
    assert used(got) == 3


async def test_a_drain_ends_a_watch_with_where_to_go(metered: Served) -> None:
    async with watching(metered) as watch:
        await watch.read()
        drain = asyncio.create_task(metered.sidecar.drain())
        async with asyncio.timeout(PATIENCE_S):
            code, trailers = await watch.code(), await watch.trailing_metadata()
            await drain
    assert code is grpc.StatusCode.UNAVAILABLE
    assert details_of(status_in(list(trailers)))["ErrorInfo"]["reason"] == "DRAINING"


async def test_a_reply_tells_of_cost_and_limits(metered: Served) -> None:
    report = (await metered.gemini.Generate(HI)).call
    assert report.limits == LimitsMode.LIMITS_MODE_NORMAL
    assert report.cost.is_priced
    assert report.cost.micro_dollars > 0


async def test_a_stream_tells_its_cost_at_its_end(metered: Served) -> None:
    call = metered.gemini.StreamGenerate(StreamGenerateRequest(model=MODEL, prompt="hi"))
    messages = [message async for message in call]
    assert [message.call.HasField("cost") for message in messages] == [False] * (len(messages) - 1) + [True]
    whole = (await metered.gemini.Generate(HI)).call.cost
    assert messages[-1].call.cost == whole


async def test_a_reply_without_limits_tells_its_cost_all_the_same(emulator: Any) -> None:
    async with serving(limited(emulator.base_url)) as served:
        report = (await served.gemini.Generate(HI)).call
    assert report.limits == LimitsMode.LIMITS_MODE_UNSPECIFIED
    assert report.cost.micro_dollars > 0


async def test_time_in_line_is_told(emulator: Any) -> None:
    slow = GenerateRequest(model=MODEL, prompt="hi [[emulate: latency=300ms]]")
    async with serving(limited(emulator.base_url, FLIGHT)) as served:
        replies = await asyncio.gather(*(served.gemini.Generate(slow) for _ in range(2)))
    times = sorted(reply.call.queue_time.ToMilliseconds() for reply in replies)
    assert times[0] < 200 < times[1]


async def test_who_asks_for_a_lower_priority_waits_longer(emulator: Any) -> None:
    """What may go at once is gone, and what follows is paced: weights of 8 and 1 part it."""
    ended: list[str] = []

    async def ask(served: Served, priority: str) -> None:
        await served.gemini.Generate(HI, metadata=(("x-priority", priority),))
        ended.append(priority)

    async with serving(limited(emulator.base_url, PACED)) as served:
        for _ in range(6):
            await served.gemini.Generate(HI)
        async with asyncio.TaskGroup() as group:
            for priority in ("BATCH", "standard") * 3:
                group.create_task(ask(served, priority))
    assert sorted(ended) == ["BATCH"] * 3 + ["standard"] * 3
    places = {priority: [at for at, who in enumerate(ended) if who == priority] for priority in ended}
    assert sum(places["standard"]) < sum(places["BATCH"])


async def test_figures_and_readiness_tell_of_limits_and_cost(emulator: Any) -> None:
    telemetry = {"address": "127.0.0.1:0", "log_level": "info", "log_format": "json"}
    with listening() as told:
        async with serving(limited(emulator.base_url, RPM), telemetry=telemetry) as served:
            address = (await told.line("telemetry"))["address"]
            cost = (await served.gemini.Generate(HI)).call.cost.micro_dollars
            async with watching(served) as watch:
                await seen(watch, lambda message: used(message) == 1)
            figures = await scrape(address)
            ready = await get(address, "/readyz")
            line = await told.line("call ended")
    place = {"group": QUOTA, "limit": "requests_per_minute"}
    assert figures.of("sidecar_limit_used", **place) == 1
    assert figures.of("sidecar_limit_amount", **place) == 600
    assert figures.of("sidecar_limits_mode", group=QUOTA) == LimitsMode.LIMITS_MODE_NORMAL
    assert figures.of("sidecar_ledger_exchange_duration_seconds_count", result="answered") > 0
    assert figures.of("sidecar_cost_micro_dollars_total", project="main", model=MODEL) == cost
    assert figures.labels_of("sidecar_estimate_ratio", model=MODEL, part="input")
    assert ready == (200, "ready\nlimits: normal\n")
    assert line["cost_usd"] == cost / 1e6


async def test_of_a_fleet_every_sidecar_shows_what_all_have_used_and_when_redis_is_gone(
    emulator: Any, tmp_path: Path
) -> None:
    policy = limited(emulator.base_url, RPM)
    with standalone(tmp_path) as redis:
        shared = {"limits": {"scope": "redis"}, "redis": {"addresses": [redis.address]}}
        async with (
            serving(policy, **shared) as one,
            serving(policy, **shared) as other,
            watching(other) as watch,
        ):
            for served in (one, other, one, other):
                await served.gemini.Generate(HI, timeout=PATIENCE_S)
            message = await seen(watch, lambda message: used(message) == 4)
            assert message.groups[0].holders == 2
            redis.kill()
            lost = await seen(watch, lambda message: message.groups[0].trouble)
            assert lost.groups[0].mode in KEPT_WITHOUT_LEDGER
            reply = await other.gemini.Generate(HI, timeout=PATIENCE_S)
            assert reply.call.limits in KEPT_WITHOUT_LEDGER


async def test_a_client_of_another_make_asks_and_watches(metered: Served) -> None:
    await metered.gemini.Generate(HI)
    got = await curl(metered, "sidecar.v1.QuotaService/GetQuota", {"groupPrefixes": ["quota/"]})
    assert got.exit_code == 0, got.error
    (group,) = got.replies[0]["groups"]
    assert (group["name"], group["kind"]) == (QUOTA, "GROUP_KIND_QUOTA")
    refused = await curl(metered, "sidecar.v1.QuotaService/WatchQuota", {"interval": "0.01s"})
    assert refused.exit_code == 8 * grpc.StatusCode.INVALID_ARGUMENT.value[0]


@pytest.mark.parametrize("service", ["sidecar.v1.GeminiService", "sidecar.v1.QuotaService"])
async def test_health_knows_every_service(served: Served, service: str) -> None:
    printed = await curl(served, "grpc.health.v1.Health/Check", {"service": service})
    assert printed.replies == [{"status": "SERVING"}]
