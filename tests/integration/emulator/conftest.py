"""A running emulator and a plain HTTP client for it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sidecar.emulator import Emulator


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(min_server_timeout_s=0.1) as running:
        yield running


@pytest.fixture
async def http(emulator: Emulator) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with a key, bound to the emulator's address."""
    headers = {"x-goog-api-key": "any"}
    async with aiohttp.ClientSession(emulator.base_url, headers=headers) as session:
        yield session
