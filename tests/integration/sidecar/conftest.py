"""The event loop that the product runs on, and a sidecar before an emulator that can be looked into."""

import pytest
import uvloop

from sidecar.emulator import Emulator
from tests.support import facts
from tests.support.sidecar import serving


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def emulator():
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
async def served(emulator):
    """A sidecar with one project, at the emulator."""
    async with serving(facts.policy(facts.gemini(emulator.base_url))) as served:
        yield served
