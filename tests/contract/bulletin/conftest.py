"""The implementations of the Bulletin port: every test of this folder runs on each of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from sidecar.core.ports import Bulletin
from sidecar.store.client import connected
from sidecar.store.memory import MemoryBulletin

Fleet = list[Bulletin]
"""The bulletins of three sidecars."""
SIZE = 3


@pytest.fixture(params=["memory", "redis_server", "redis_sentinel", "redis_cluster"])
async def fleet(request: pytest.FixtureRequest) -> AsyncIterator[Fleet]:
    """Bulletins that share what they know; one and the same where there is no store."""
    if request.param == "memory":
        yield [MemoryBulletin()] * SIZE
        return
    settings = request.getfixturevalue(request.param).settings()
    async with AsyncExitStack() as closing:
        stores = [await closing.enter_async_context(connected(settings)) for _ in range(SIZE)]
        yield [store.bulletin() for store in stores]


@pytest.fixture
async def now() -> float:
    return asyncio.get_running_loop().time()
