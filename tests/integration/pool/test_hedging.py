"""Hedging against real endpoints: who is silent costs callers little, and is let go at once."""

import asyncio

import pytest

from sidecar.core.policy import Policy
from sidecar.core.pooling import BreakerRules, HedgeRules, PoolRules, RetryRules
from sidecar.emulator import Emulator
from sidecar.v1 import call_pb2, generate_pb2
from tests.support import facts
from tests.support.endpoints import Door, doors
from tests.support.rpc import REQUESTS, Ended, ask
from tests.support.sidecar import Served, serving

WARM_UP = 100
"""Calls, so that the times to first content are known."""


def hedged_pool(*endpoints: Door) -> Policy:
    rules = PoolRules(
        retry=RetryRules(budget_share=1.0),
        breaker=BreakerRules(failures=1_000_000),
        hedge=HedgeRules(least_s=0.3),
    )
    first, second = (door.base_url for door in endpoints)
    preferred = facts.gemini(first, project="a", weight=1000.0)
    return facts.policy(preferred, facts.gemini(second, project="b"), pools=rules)


async def asked(served: Served, rpc: str) -> Ended:
    request = REQUESTS[rpc](model="gemini-3.8-flash", prompt="hello [[emulate: words=5 chunks=2]]")
    return await ask(served.gemini, rpc, request, timeout_s=60.0)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rpc", ["Generate", "StreamGenerate"])
async def test_a_silent_endpoint_is_outrun_by_another_and_its_connection_closed(rpc: str) -> None:
    async with (
        Emulator() as emulator,
        doors(emulator.base_url, 2) as endpoints,
        serving(hedged_pool(*endpoints)) as served,
    ):
        for _ in range(WARM_UP):
            assert (await asked(served, rpc)).replies
        mute = endpoints[0]
        mute.shut(b"")
        reports = []
        for _ in range(5):
            ended = await asked(served, rpc)
            assert ended.message == ""
            reports.append(ended.replies[0].call)
        async with asyncio.timeout(10.0):
            await mute.left.wait()
    hedged = [report for report in reports if len(report.attempts) == 2]
    assert hedged, "some calls met the silent endpoint first"
    for report in hedged:
        first, second = report.attempts
        assert (first.project, first.kind, first.status) == ("a", call_pb2.ATTEMPT_KIND_FIRST, "CANCELLED")
        assert (second.project, second.kind, second.status) == ("b", call_pb2.ATTEMPT_KIND_HEDGE, "OK")
        assert report.served.project == "b"


@pytest.mark.timeout(120)
async def test_without_rules_for_it_nothing_is_hedged() -> None:
    async with (
        Emulator() as emulator,
        doors(emulator.base_url, 2) as endpoints,
        serving(
            facts.policy(*(facts.gemini(door.base_url, project=door.base_url) for door in endpoints)),
            upstream={"first_content_timeout": 1.0},
        ) as served,
    ):
        endpoints[0].shut(b"")
        for _ in range(10):
            ended = await asked(served, "Generate")
            (reply,) = ended.replies
            assert isinstance(reply, generate_pb2.GenerateResponse)
            kinds = {attempt.kind for attempt in reply.call.attempts}
            assert kinds <= {call_pb2.ATTEMPT_KIND_FIRST, call_pb2.ATTEMPT_KIND_RETRY}
