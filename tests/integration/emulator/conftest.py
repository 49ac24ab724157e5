"""A running emulator, a plain HTTP client for it, and Google's own SDK on both faces."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from sidecar.emulator import Clock, Emulator


@pytest.fixture
def clock() -> Clock | None:
    """The emulator's clock: the machine's, unless a module puts one in its place that its tests advance."""
    return None


@pytest.fixture
async def emulator(clock: Clock | None) -> AsyncIterator[Emulator]:
    async with Emulator(min_server_timeout_s=0.1, clock=clock) as running:
        yield running


@pytest.fixture
async def http(emulator: Emulator) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with a key, bound to the emulator's address."""
    headers = {"x-goog-api-key": "any"}
    async with aiohttp.ClientSession(emulator.base_url, headers=headers) as session:
        yield session


def _options(emulator: Emulator) -> types.HttpOptions:
    return types.HttpOptions(base_url=emulator.base_url, retry_options=types.HttpRetryOptions(attempts=1))


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[genai.client.AsyncClient]:
    async with genai.Client(api_key="any", http_options=_options(emulator)).aio as developer:
        yield developer


@pytest.fixture
async def vertex(emulator: Emulator) -> AsyncIterator[genai.client.AsyncClient]:
    made = genai.Client(
        enterprise=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="any"),
        http_options=_options(emulator),
    )
    async with made.aio as enterprise:
        yield enterprise


@pytest.fixture(params=["client", "vertex"])
def either(request: pytest.FixtureRequest) -> genai.client.AsyncClient:
    return request.getfixturevalue(request.param)
