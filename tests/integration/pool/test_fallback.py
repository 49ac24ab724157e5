"""What a call is served with when its best model or tier is out: told, priced and bounded like the rest."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sidecar.config.prices import shipped_prices
from sidecar.core.policy import ModelRoute, TierRule
from sidecar.emulator import Emulator
from sidecar.v1 import call_pb2, usage_pb2
from sidecar.v1.call_pb2 import CallReport
from tests.support import facts
from tests.support.endpoints import Door, doors
from tests.support.rpc import REQUESTS, ask
from tests.support.sidecar import Served, serving

BEST, SPARE = "gemini-3.8-pro", facts.MODEL
RPCS = ("Generate", "StreamGenerate")


@pytest.fixture
async def two() -> AsyncIterator[list[Door]]:
    """Two endpoints."""
    async with Emulator() as emulator, doors(emulator.base_url, 2) as made:
        yield made


def routed(endpoints: list[Door], **values: Any) -> Any:
    """A Policy in which both endpoints serve both models, and the spare one stands in for the best."""
    routes = {
        BEST: ModelRoute(BEST, ("a", "b"), fallback=(SPARE,)),
        SPARE: ModelRoute(SPARE, ("a", "b")),
    }
    projects = [facts.gemini(door.base_url, project=name) for name, door in zip("ab", endpoints, strict=True)]
    return facts.policy(*projects, routes=routes, prices=shipped_prices(), **values)


async def report_of(served: Served, rpc: str, **fields: Any) -> CallReport:
    """The report of a call that was answered, with the cost that comes at the end of a stream."""
    ended = await ask(served.gemini, rpc, REQUESTS[rpc](prompt="hello [[emulate: words=5]]", **fields))
    assert ended.message == ""
    report = CallReport()
    for reply in ended.replies:
        report.MergeFrom(reply.call)
    return report


@pytest.mark.parametrize("rpc", RPCS)
async def test_when_a_model_is_out_everywhere_another_serves_and_is_told_and_priced(
    two: list[Door], rpc: str
) -> None:
    for door in two:
        door.shut(where=BEST.encode())
    async with serving(routed(two)) as served:
        report = await report_of(served, rpc, model=BEST, allow_fallback=True)
        plain = await report_of(served, rpc, model=SPARE)
    kinds = [(attempt.model, attempt.kind) for attempt in report.attempts]
    assert kinds == [
        (BEST, call_pb2.ATTEMPT_KIND_FIRST),
        (BEST, call_pb2.ATTEMPT_KIND_RETRY),
        (SPARE, call_pb2.ATTEMPT_KIND_FALLBACK),
    ]
    assert report.served.model == SPARE
    assert report.cost == plain.cost
    assert report.cost.is_priced


@pytest.mark.parametrize("rpc", RPCS)
async def test_when_a_tier_is_out_the_next_one_serves_and_is_told_and_priced(
    two: list[Door], rpc: str
) -> None:
    for door in two:
        door.shut(where=b'"flex"')
    policy = routed(two, tier_rules=(TierRule(("flex", "standard")),))
    async with serving(policy) as served:
        report = await report_of(served, rpc, model=SPARE)
        standard = usage_pb2.SERVICE_TIER_STANDARD
        plain = await report_of(served, rpc, model=SPARE, service_tier=standard)
    assert report.attempts[-1].kind == call_pb2.ATTEMPT_KIND_FALLBACK
    assert report.served.service_tier == standard
    assert report.cost == plain.cost
