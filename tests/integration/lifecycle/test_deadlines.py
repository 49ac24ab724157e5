"""How long a call may take: what the upstream is told of it, and who ends the call, when, with what."""

from collections.abc import Awaitable
from time import perf_counter
from typing import Any, TypeVar

import grpc
import pytest

from sidecar.core.policy import Policy
from sidecar.emulator import Emulator
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import facts, rpc
from tests.support.sidecar import serving

STALL = "fault=stall"
Answer = TypeVar("Answer")


def asking(kind: Any, directive: str = "words=5") -> Any:
    return kind(model=facts.MODEL, prompt=f"hi [[emulate: {directive}]]")


def policy_of(emulator: Emulator) -> Policy:
    return facts.policy(facts.gemini(emulator.base_url))


async def duration_s(awaitable: Awaitable[Answer]) -> tuple[Answer, float]:
    began = perf_counter()
    return await awaitable, perf_counter() - began


@pytest.mark.parametrize(
    ("timeout_s", "told"),
    [
        (60.0, {"59", "60"}),  # a busy machine may take a second of it
        (12.9, {"12", "13"}),
        (10.0, {None}),  # less the margin: Google refuses what is below ten seconds
        (5.0, {None}),
        (None, {"30", "31"}),  # the default
    ],
)
async def test_the_upstream_is_told_the_time_left_when_it_takes_it(
    emulator: Emulator, timeout_s: float | None, told: set[str | None]
) -> None:
    async with serving(policy_of(emulator), deadline={"default": 30.9}) as served:
        ended = await rpc.ask(served.gemini, "Generate", asking(GenerateRequest), timeout_s=timeout_s)
        assert ended.code is grpc.StatusCode.OK
        (request,) = emulator.observed.requests
        assert request.headers.get("x-server-timeout") in told


async def test_a_stream_tells_the_time_left_too(emulator: Emulator) -> None:
    async with serving(policy_of(emulator)) as served:
        await rpc.ask(served.gemini, "StreamGenerate", asking(StreamGenerateRequest), timeout_s=60.0)
        assert 50 < int(emulator.observed.requests[0].headers["x-server-timeout"]) <= 60


async def test_a_deadline_beyond_all_reason_is_taken(emulator: Emulator) -> None:
    async with serving(policy_of(emulator)) as served:
        ended = await rpc.ask(served.gemini, "Generate", asking(GenerateRequest), timeout_s=1e8)
        assert ended.code is grpc.StatusCode.OK


@pytest.mark.parametrize("kind", [GenerateRequest, StreamGenerateRequest])
async def test_the_sidecar_answers_before_the_caller_gives_up(emulator: Emulator, kind: Any) -> None:
    """Only the sidecar's own DEADLINE_EXCEEDED has details."""
    async with serving(policy_of(emulator), deadline={"margin": 1.0}) as served:
        method = kind.__name__.removesuffix("Request")
        ended, lasted_s = await duration_s(rpc.ask(served.gemini, method, asking(kind, STALL), timeout_s=1.5))
        assert (ended.code, ended.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        assert ended.retry_after_s is None
        assert "x-safe-retry" not in ended.trailers
        assert ended.trailers["x-request-id"]
        assert lasted_s > 1.2  # of a short deadline the margin takes a tenth
        await emulator.wait_for(lambda seen: seen.disconnected == 1, 0.1)


async def test_a_caller_without_a_deadline_has_the_default(emulator: Emulator) -> None:
    async with serving(policy_of(emulator), deadline={"default": 0.3}) as served:
        request = asking(GenerateRequest, STALL)
        ended, lasted_s = await duration_s(rpc.ask(served.gemini, "Generate", request, timeout_s=None))
        assert (ended.code, ended.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        assert "0.3 s" in ended.message
        assert 0.25 < lasted_s < 2
        await emulator.wait_for(lambda seen: seen.disconnected == 1, 0.1)


async def test_a_stream_that_runs_out_of_time_tells_how_far_it_came(emulator: Emulator) -> None:
    async with serving(policy_of(emulator)) as served:
        request = asking(StreamGenerateRequest, "fault=stall after=3 chunks=5")
        ended = await rpc.ask(served.gemini, "StreamGenerate", request, timeout_s=0.5)
        assert (ended.code, ended.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        assert ended.facts["chunks_sent"] == str(len(ended.replies)) == "3"
        assert int(ended.facts["prompt_tokens"]) == ended.replies[-1].usage_metadata.prompt_token_count
        await emulator.wait_for(lambda seen: seen.disconnected == 1, 0.1)


async def test_a_deadline_that_is_over_at_once_is_no_fault_of_ours(emulator: Emulator) -> None:
    async with serving(policy_of(emulator)) as served:
        for _ in range(50):
            ended = await rpc.ask(served.gemini, "Generate", asking(GenerateRequest, STALL), timeout_s=0.001)
            assert ended.code is grpc.StatusCode.DEADLINE_EXCEEDED
        seen = await emulator.wait_for(lambda seen: seen.active == 0)
        assert seen.disconnected == seen.received
        assert served.sidecar.limits.open == 0


async def test_time_spent_on_the_way_is_not_given_twice(emulator: Emulator) -> None:
    """The deadline is the call's, not the attempt's: a second attempt has what the first left."""
    refused = facts.gemini("http://127.0.0.1:1", project="nobody")
    async with serving(facts.policy(refused, facts.gemini(emulator.base_url, level=1))) as served:
        ended, lasted_s = await duration_s(
            rpc.ask(served.gemini, "Generate", asking(GenerateRequest, STALL), timeout_s=2.0)
        )
        assert ended.reason == "DEADLINE_EXCEEDED"
        assert lasted_s < 3  # twice the time would be more than that
