"""The event loop that the product runs on, and an emulator."""

from collections.abc import AsyncIterator

import pytest
import uvloop

from sidecar.emulator import Emulator


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, object]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as emulator:
        yield emulator
