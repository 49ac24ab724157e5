"""The store on the event loop of production, and on each kind of Redis.

The machine may be busy with other things and a command has a quarter of a second at most, so what is not
about time asks patiently.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

import pytest
import uvloop

from sidecar.config.redis import RedisSettings
from sidecar.store.client import Store, connected
from sidecar.store.errors import StoreUnavailable
from tests.support.redis.server import PATIENCE_S


class Served(Protocol):
    """What every kind of Redis can do for a test."""

    def settings(self, **values: Any) -> RedisSettings: ...

    def flush(self) -> None: ...


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["redis_server", "redis_sentinel", "redis_cluster"])
def redis(request: pytest.FixtureRequest) -> Served:
    """One of each kind."""
    served: Served = request.getfixturevalue(request.param)
    return served


async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The first answer; outages are waited for, those of a busy machine too."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                await asyncio.sleep(0.01)


@pytest.fixture
async def store(redis: Served) -> AsyncIterator[Store]:
    """A store on one of each kind."""
    async with connected(redis.settings()) as opened:
        await patiently(partial(opened.script("return 1").run, ["key"], [], 0.25))
        yield opened
