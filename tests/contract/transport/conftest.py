"""The implementations of the Transport port: every test of this folder runs on each of them.

Where google-genai makes a difference that no test may hide:

| On the wire or in the reply | Why it stays |
|---|---|
| `generationConfig: {}` beside a request without options | Gemini reads an empty object as none |
| no `usageMetadata.serviceTier` in the reply's JSON | its types lack it; `Reply.service_tier` has it |

Fields are compared one by one in `tests/contract/oracle`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from sidecar.config.settings import UpstreamSettings
from sidecar.core.call import Json
from sidecar.core.ports import Transport
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.rest import RestTransport
from sidecar.upstream.sdk import SdkTransport

REPLY_LIMIT_BYTES = 1 << 20


class Closable(Transport, Protocol):
    """What the composition root builds: a Transport and its end."""

    async def close(self) -> None: ...


Build = Callable[..., Closable]
"""Settings of `upstream` by name; what is not named is the default."""


def rest(**settings: Any) -> Closable:
    return RestTransport(UpstreamSettings(**settings), Credentials(), REPLY_LIMIT_BYTES)


def sdk(**settings: Any) -> Closable:
    return SdkTransport(UpstreamSettings(**settings), Credentials(), REPLY_LIMIT_BYTES)


def as_sent_by(transport: Transport, body: Json) -> Json:
    """How a request without options looks on the wire."""
    return {**body, "generationConfig": {}} if isinstance(transport, SdkTransport) else body


def as_read_by(transport: Transport, answer: dict[str, Any]) -> Json:
    """How an answer looks in the reply."""
    if not isinstance(transport, SdkTransport):
        return answer
    usage = {key: value for key, value in answer["usageMetadata"].items() if key != "serviceTier"}
    return {**answer, "usageMetadata": usage}


@pytest.fixture(params=[rest, sdk])
async def build(request: pytest.FixtureRequest) -> AsyncIterator[Build]:
    """Builds transports that are closed when the test is over."""
    async with AsyncExitStack() as closing:

        def built(**settings: Any) -> Closable:
            transport: Closable = request.param(**settings)
            closing.push_async_callback(transport.close)
            return transport

        yield built


@pytest.fixture
async def transport(build: Build) -> Transport:
    """One with the default settings."""
    return build()
