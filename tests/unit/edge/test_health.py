import asyncio
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from sidecar.edge.health import WATCHES_MAX, Health, HealthService
from tests.unit.edge.fakes import Aborted, FakeContext

SERVICE = "sidecar.v1.GeminiService"
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


async def check(health: Health, service: str) -> int:
    return (
        await HealthService(health).Check(HealthCheckRequest(service=service), cast(Any, FakeContext()))
    ).status


def watching(health: Health, service: str) -> tuple[FakeContext, asyncio.Task[None]]:
    context = FakeContext()
    watch = HealthService(health).Watch(HealthCheckRequest(service=service), cast(Any, context))
    return context, asyncio.ensure_future(watch)


def statuses(context: FakeContext) -> list[int]:
    return [response.status for response in context.written]


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_it_serves_until_it_drains(service: str) -> None:
    health = Health((SERVICE,))
    assert await check(health, service) == SERVING
    assert repr(health) == "<Health SERVING>"
    health.drain()
    assert await check(health, service) == NOT_SERVING
    assert repr(health) == "<Health NOT_SERVING>"


async def test_a_service_that_is_not_here_is_not_found() -> None:
    context = FakeContext()
    with pytest.raises(Aborted):
        await HealthService(Health((SERVICE,))).Check(
            HealthCheckRequest(service="other" * 1000), cast(Any, context)
        )
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.NOT_FOUND
    assert "other" not in context.aborted[1], "an answer as long as the question"


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_a_watch_tells_the_change_and_ends(service: str) -> None:
    health = Health((SERVICE,))
    context, watch = watching(health, service)
    await asyncio.sleep(0)
    assert statuses(context) == [SERVING]
    assert not watch.done()
    health.drain()
    await watch
    assert statuses(context) == [SERVING, NOT_SERVING]


async def test_a_watch_that_comes_late_hears_it_once() -> None:
    health = Health((SERVICE,))
    health.drain()
    context, watch = watching(health, SERVICE)
    await watch
    assert statuses(context) == [NOT_SERVING]


async def test_a_watch_of_an_unknown_service_waits_with_the_others() -> None:
    health = Health((SERVICE,))
    context, watch = watching(health, "other")
    await asyncio.sleep(0)
    assert not watch.done()
    health.drain()
    await watch
    assert statuses(context) == [HealthCheckResponse.SERVICE_UNKNOWN]


async def test_a_watch_can_be_cancelled() -> None:
    _, watch = watching(Health((SERVICE,)), "")
    await asyncio.sleep(0)
    watch.cancel()
    await asyncio.wait({watch})
    assert watch.cancelled()


async def test_others_can_wait_for_the_drain() -> None:
    health = Health((SERVICE,))
    waiting = asyncio.ensure_future(health.draining())
    await asyncio.sleep(0)
    assert not waiting.done()
    health.drain()
    await waiting


async def test_watches_of_a_listener_are_bounded_and_the_places_of_those_that_end_are_free() -> None:
    service = HealthService(Health((SERVICE,)))

    def watched() -> tuple[FakeContext, asyncio.Task[None]]:
        context = FakeContext()
        watch = service.Watch(HealthCheckRequest(service=SERVICE), cast(Any, context))
        return context, asyncio.ensure_future(watch)

    watches = [watched()[1] for _ in range(WATCHES_MAX)]
    await asyncio.sleep(0)
    assert not any(watch.done() for watch in watches)
    refused, watch = watched()
    with pytest.raises(Aborted):
        await watch
    assert refused.aborted is not None
    assert refused.aborted[0] is grpc.StatusCode.UNIMPLEMENTED, "clients take it for healthy"

    watches[0].cancel()
    await asyncio.wait(watches[:1])
    again, watch = watched()
    await asyncio.sleep(0)
    assert statuses(again) == [SERVING]
    for each in (*watches[1:], watch):
        each.cancel()
    await asyncio.wait((*watches[1:], watch))
