"""Other models and other tiers than the first choice, through a real sidecar and a real emulator."""

import socket

from sidecar.core.policy import ModelRoute, TierRule
from sidecar.v1 import generate_pb2, usage_pb2
from tests.support import facts
from tests.support.rpc import ask
from tests.support.sidecar import serving

BEST, SPARE = "gemini-4-argon", facts.MODEL


def nowhere() -> str:
    """A base URL where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{reserved.getsockname()[1]}"


def policy(emulator):
    """The best model is out; the spare one is not."""
    routes = {
        "best": ModelRoute(BEST, ("out",), fallback=(SPARE,)),
        BEST: ModelRoute(BEST, ("out",)),
        SPARE: ModelRoute(SPARE, ("main",)),
    }
    return facts.policy(
        facts.gemini(nowhere(), project="out"), facts.gemini(emulator.base_url), routes=routes
    )


async def test_a_caller_that_allows_it_is_answered_by_the_fallback_model(emulator):
    async with serving(policy(emulator)) as served:
        request = generate_pb2.GenerateRequest(model="best", prompt="hi", allow_fallback=True)
        reply = await served.gemini.Generate(request)
    assert (reply.call.served.project, reply.call.served.model) == ("main", SPARE)
    assert [attempt.project for attempt in reply.call.attempts] == ["out", "main"]
    assert "allowFallback" not in emulator.observed.requests[-1].body


async def test_a_stream_falls_back_too(emulator):
    async with serving(policy(emulator)) as served:
        request = generate_pb2.StreamGenerateRequest(model="best", prompt="hi", allow_fallback=True)
        chunks = [chunk async for chunk in served.gemini.StreamGenerate(request)]
    assert chunks[0].call.served.model == SPARE


async def test_a_caller_that_does_not_allow_it_is_refused(emulator):
    async with serving(policy(emulator)) as served:
        request = generate_pb2.GenerateRequest(model="best", prompt="hi")
        ended = await ask(served.gemini, "Generate", request)
    assert ended.reason == "UPSTREAM_UNAVAILABLE"
    assert not emulator.observed.requests


async def test_the_tier_of_the_policy_is_asked_for_and_told(emulator):
    rules = (TierRule(("flex", "standard")),)
    main = facts.gemini(emulator.base_url)
    async with serving(facts.policy(main, tier_rules=rules)) as served:
        reply = await served.gemini.Generate(generate_pb2.GenerateRequest(model=SPARE, prompt="hi"))
        priority = usage_pb2.SERVICE_TIER_PRIORITY
        named = generate_pb2.GenerateRequest(model=SPARE, prompt="hi", service_tier=priority)
        own = await served.gemini.Generate(named)
    assert [request.body["serviceTier"] for request in emulator.observed.requests] == ["flex", "priority"]
    assert reply.call.served.service_tier == usage_pb2.SERVICE_TIER_FLEX
    assert list(reply.call.rewrites) == ["service_tier=flex"]
    assert list(own.call.rewrites) == []
