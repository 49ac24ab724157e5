"""`grant.sent()` is told exactly when the request's headers leave on an open connection."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.errors import GrantLapsed, UpstreamCredentials, UpstreamUnavailable
from sidecar.core.ports import Transport
from tests.contract.transport.conftest import Build
from tests.support import facts
from tests.support.upstream import answers, plays, said, serving, streams


@pytest.fixture
def refusing() -> Iterator[str]:
    """A base URL at which connections are refused: bound, so nobody else can take the port, not listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


async def unsent(transport: Transport, attempt: Attempt) -> UpstreamUnavailable:
    """The error of an attempt that must fail before anything was sent, both ways of asking."""
    with pytest.raises(UpstreamUnavailable) as caught:
        await transport.send(attempt)
    with pytest.raises(UpstreamUnavailable):
        async with transport.stream(attempt):
            pass
    assert facts.grant_of(attempt).sent_count == 0
    return caught.value


async def test_a_refused_connection_sends_nothing(transport: Transport, refusing: str) -> None:
    error = await unsent(transport, facts.attempt(facts.gemini(refusing)))
    assert "cannot be reached" in error.message


async def test_an_unknown_host_sends_nothing(transport: Transport) -> None:
    error = await unsent(transport, facts.attempt(facts.gemini("http://nowhere.invalid")))
    assert "cannot be resolved" in error.message


async def test_a_failed_handshake_sends_nothing(transport: Transport) -> None:
    async def greet_in_plain_text(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet_in_plain_text, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await unsent(transport, facts.attempt(facts.gemini(f"https://127.0.0.1:{port}")))
    assert "TLS" in error.message


@pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")
async def test_credentials_that_cannot_be_read_send_nothing(transport: Transport, tmp_path: Path) -> None:
    missing = facts.vertex(credentials_file=tmp_path / "missing.json")
    attempt = facts.attempt(missing)
    with pytest.raises(UpstreamCredentials):
        await transport.send(attempt)
    assert facts.grant_of(attempt).sent_count == 0


async def test_a_request_is_reported_once_before_the_answer_comes(transport: Transport) -> None:
    async with serving(plays()) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        asking = asyncio.ensure_future(transport.send(attempt))
        await upstream.requested()
        assert facts.grant_of(attempt).sent_count == 1
        asking.cancel()
        await asyncio.wait({asking})
    assert facts.grant_of(attempt).sent_count == 1


async def test_an_answer_and_a_stream_are_each_reported_once(transport: Transport) -> None:
    async with serving(answers(said("a", "STOP")), streams(said("a", "STOP"))) as upstream:
        whole = facts.attempt(facts.gemini(upstream.base_url))
        await transport.send(whole)
        streamed = facts.attempt(facts.gemini(upstream.base_url), Method.STREAM_GENERATE)
        async with transport.stream(streamed) as chunks:
            assert facts.grant_of(streamed).sent_count == 1, "sent on entry"
            _ = [reply async for reply in chunks]
    assert facts.grant_of(whole).sent_count == facts.grant_of(streamed).sent_count == 1


async def test_waiting_for_a_free_connection_sends_nothing(build: Build) -> None:
    transport = build(max_connections=1, connect_timeout=0.5)
    async with serving(plays()) as upstream:
        first = asyncio.ensure_future(transport.send(facts.attempt(facts.gemini(upstream.base_url))))
        await upstream.requested()
        await unsent(transport, facts.attempt(facts.gemini(upstream.base_url)))
        first.cancel()
        await asyncio.wait({first})
        assert len(upstream.requests) == 1


async def test_what_is_held_no_more_does_not_leave(transport: Transport) -> None:
    async with serving(answers(said("never", "STOP"))) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        facts.grant_of(attempt).has_lapsed = True
        with pytest.raises(GrantLapsed):
            await transport.send(attempt)
        assert upstream.requests == []
