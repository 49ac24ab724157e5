"""More calls than a sidecar may hold: the one too many is refused at once, and places come back."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from sidecar.emulator import Emulator
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import facts, rpc
from tests.support.sidecar import Served, serving

PLACES = 3
AT_ONCE_S = 2.0
"""With room for a machine that does other things as well."""


def asking(directive: str = "words=5") -> GenerateRequest:
    return GenerateRequest(model=facts.MODEL, prompt=f"hi [[emulate: {directive}]]")


@pytest.fixture
async def served(emulator: Emulator) -> AsyncIterator[Served]:
    policy = facts.policy(facts.gemini(emulator.base_url))
    async with serving(policy, listen={"max_in_flight": PLACES}) as served:
        yield served


@pytest.fixture
async def held(served: Served, emulator: Emulator) -> AsyncIterator[list[Any]]:
    """Calls that take all places."""
    stream = StreamGenerateRequest(model=facts.MODEL, prompt="hi [[emulate: fault=stall]]")
    calls = [served.gemini.StreamGenerate(stream)]
    calls += [served.gemini.Generate(asking("fault=stall")) for _ in range(PLACES - 1)]
    await emulator.wait_for(lambda seen: seen.active == PLACES)
    yield calls
    for call in calls:
        call.cancel()


@pytest.mark.parametrize("method", ["Generate", "StreamGenerate", "ListModels"])
async def test_the_call_too_many_is_refused_at_once_and_may_be_repeated(
    served: Served, held: list[Any], emulator: Emulator, method: str
) -> None:
    request = rpc.REQUESTS[method]()
    if method != "ListModels":
        request = rpc.REQUESTS[method](model=facts.MODEL, prompt="hi")
    began = perf_counter()
    ended = await rpc.ask(served.gemini, method, request)
    assert perf_counter() - began < AT_ONCE_S
    assert (ended.code, ended.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
    assert ended.retry_after_s == 1
    assert ended.trailers["x-safe-retry"] == "1"
    assert "listen.max_in_flight" in ended.message
    assert emulator.observed.received == PLACES


async def test_a_full_sidecar_is_still_healthy(served: Served, held: list[Any]) -> None:
    """It serves as well as it can: to call it sick would send its callers to a peer that is no emptier."""
    health: Any = HealthStub(served.channel)
    answer = await health.Check(HealthCheckRequest(), timeout=5)
    assert answer.status == HealthCheckResponse.SERVING


async def test_a_place_comes_back_when_its_call_is_cancelled(
    served: Served, held: list[Any], emulator: Emulator
) -> None:
    held[0].cancel()
    await emulator.wait_for(lambda seen: seen.disconnected == 1)
    assert (await rpc.ask(served.gemini, "Generate", asking())).code is grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("directive", "timeout_s"),
    [
        ("fault=unavailable", 5.0),
        ("fault=invalid_json", 5.0),
        ("fault=reset", 5.0),
        ("fault=stall", 0.05),
    ],
)
async def test_places_come_back_after_failures(served: Served, directive: str, timeout_s: float) -> None:
    for _ in range(2 * PLACES):
        ended = await rpc.ask(served.gemini, "Generate", asking(directive), timeout_s=timeout_s)
        assert ended.code is not grpc.StatusCode.OK
        assert ended.reason != "OVERLOADED"
    assert served.sidecar.gate.in_flight == 0
    assert served.sidecar.limits.open == 0
    assert (await rpc.ask(served.gemini, "Generate", asking())).code is grpc.StatusCode.OK


async def test_a_refused_call_takes_no_place(served: Served, held: list[Any]) -> None:
    for _ in range(20):
        await rpc.ask(served.gemini, "Generate", asking())
    assert served.sidecar.gate.in_flight == PLACES


async def test_a_storm_is_answered_to_the_last_call(served: Served, emulator: Emulator) -> None:
    """Each call is served or refused, none is lost, and afterwards the sidecar is empty."""
    ends = await asyncio.gather(
        *(rpc.ask(served.gemini, "Generate", asking("latency=20ms")) for _ in range(200))
    )
    refused = [end for end in ends if end.code is not grpc.StatusCode.OK]
    assert {end.reason for end in refused} == {"OVERLOADED"}
    assert emulator.observed.finished == len(ends) - len(refused) >= PLACES
    assert served.sidecar.gate.in_flight == 0
    assert served.sidecar.limits.open == 0
