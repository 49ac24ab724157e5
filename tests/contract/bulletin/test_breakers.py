"""What one sidecar finds of an endpoint, all sidecars know, over every bulletin."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest

from sidecar.core.attempt import Attempt
from sidecar.upstream import fleet as pool
from tests.contract.bulletin.conftest import Fleet
from tests.support import facts
from tests.support.pool import Told, unavailable

CALL = facts.call(policy=facts.policy(*(facts.gemini(project=name) for name in "abc")))
PERMIT = facts.permit(*CALL.policy.endpoints)
PATIENCE_S = 10.0


@pytest.fixture
async def sidecars(fleet: Fleet) -> AsyncIterator[list[pool.Fleet]]:
    """One Pool for each bulletin, all of which listen."""
    clock = asyncio.get_running_loop().time
    async with AsyncExitStack() as closing:
        made = []
        for bulletin in fleet:
            one = pool.Fleet(bulletin, Told(), lambda call, candidate: 1.0, clock, random.random)
            listening = asyncio.ensure_future(one.listen())
            closing.push_async_callback(ended, listening)
            made.append(one)
        await asyncio.sleep(0)
        yield made


async def ended(task: "asyncio.Future[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def asked(sidecar: pool.Fleet) -> set[str]:
    return {candidate.endpoint.project for candidate in sidecar.rank(CALL, PERMIT)}


async def test_an_endpoint_that_fails_at_one_sidecar_is_left_alone_by_all(sidecars: list[pool.Fleet]) -> None:
    candidate = PERMIT.candidates[0]
    for _ in range(5):
        sidecars[0].began(Attempt(CALL, facts.FakeGrant(candidate))).ended(unavailable())
        await asyncio.sleep(0.002)
    assert asked(sidecars[0]) == {"b", "c"}
    async with asyncio.timeout(PATIENCE_S):
        while any("a" in asked(sidecar) for sidecar in sidecars):  # noqa: ASYNC110 - for tests alone
            await asyncio.sleep(0.01)
