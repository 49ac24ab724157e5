"""Answers are framed strictly and held within bounds: what is not HTTP beyond doubt is no answer."""

import asyncio
import json

import pytest

from sidecar.core.call import Method
from sidecar.core.errors import Reason, UpstreamError, UpstreamUnavailable
from sidecar.core.ports import Transport
from sidecar.core.secret import Secret
from tests.support import facts
from tests.support.upstream import (
    LAST_CHUNK,
    STREAM_HEAD,
    Exchange,
    Script,
    answers,
    chunk,
    event,
    head,
    plays,
    refusal,
    said,
    serving,
)

BODY = json.dumps(said("hello", "STOP")).encode()
LENGTH = f"Content-Length: {len(BODY)}\r\n".encode()
OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = 40
"""Times 64 KiB: far above the bound, whatever the size of a read."""


def endless(start: bytes, more: bytes) -> Script:
    """`more` over and over, as long as somebody listens."""

    async def script(exchange: Exchange) -> None:
        exchange.send(start)
        for _ in range(ENDLESS):
            exchange.send(more * (65536 // len(more)))
            await asyncio.sleep(0)

    return script


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(plays(OK + LENGTH + b"Content-Length: 7\r\n\r\n" + BODY), id="two-lengths"),
        pytest.param(
            plays(OK + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(BODY) + LAST_CHUNK),
            id="length-and-chunks",
        ),
        pytest.param(plays(OK + b"Content-Length: +9\r\n\r\n" + BODY), id="signed-length"),
        pytest.param(plays(STREAM_HEAD + b"zz\r\nx\r\n"), id="no-chunk-size"),
        pytest.param(plays(STREAM_HEAD + b"1\r\nxy\r\n"), id="chunk-longer-than-its-size"),
        pytest.param(plays(STREAM_HEAD + b"f" * 20 + b"\r\n"), id="chunk-size-beyond-64-bits"),
        pytest.param(plays(OK + b"X-A : b\r\n" + LENGTH + b"\r\n" + BODY), id="space-before-the-colon"),
        pytest.param(plays(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), id="101"),
        pytest.param(plays(head(content_length=len(BODY), content_encoding="gzip") + BODY), id="compressed"),
        pytest.param(endless(OK, b"X-Filler: " + b"x" * 52 + b"\r\n"), id="endless-headers"),
        pytest.param(endless(OK + b"X-Filler: ", b"x"), id="endless-header"),
        pytest.param(endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), id="endless-interim-answers"),
        pytest.param(endless(STREAM_HEAD + b"0\r\n", b"X-Filler: x\r\n"), id="endless-trailers"),
        pytest.param(endless(STREAM_HEAD + b"1;", b"x"), id="endless-chunk-extension"),
    ],
)
async def test_what_is_not_framed_as_http_is_malformed_and_ends_the_connection(
    transport: Transport, script: Script
) -> None:
    async with serving(script) as upstream:
        with pytest.raises(UpstreamUnavailable) as caught:
            await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
        await upstream.disconnected()
    assert caught.value.reason == Reason.UPSTREAM_MALFORMED


async def test_bytes_after_an_answer_belong_to_nobody(transport: Transport) -> None:
    """They are no answer to the next request: that one has a connection of its own."""
    twice = head(content_length=len(BODY)) + BODY + head(503, content_length=2) + b"{}"
    async with serving(plays(twice), answers(said("second", "STOP"))) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        first = await transport.send(facts.attempt(endpoint))
        await upstream.disconnected()
        second = await transport.send(facts.attempt(endpoint))
        assert [request.connection for request in upstream.requests] == [1, 2]
    assert (first.json, second.json) == (said("hello", "STOP"), said("second", "STOP"))


async def test_a_header_cannot_begin_another_line(transport: Transport) -> None:
    async with serving(answers(said("hello", "STOP"))) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url, keys=(Secret("k\r\nX-Evil: 1"),)))
        with pytest.raises(ValueError, match="line end"):
            await transport.send(attempt)
        assert upstream.requests == []
    assert not facts.grant_of(attempt).is_sent


async def test_a_refusal_that_comes_before_the_request_is_written_is_read(transport: Transport) -> None:
    """The upstream reads no further than the head, so the rest of the request cannot leave."""
    answer = json.dumps(refusal(413, "INVALID_ARGUMENT", "too long for us")).encode()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head(413, content_length=len(answer)) + answer)
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    body = {"contents": [{"parts": [{"text": "x" * 20_000_000}], "role": "user"}]}
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UpstreamError, match="too long for us"):
            await transport.send(facts.attempt(facts.gemini(f"http://127.0.0.1:{port}"), body=body))
        gone.set()


async def test_an_upstream_that_outruns_the_consumer_is_made_to_wait(transport: Transport) -> None:
    """Of 64 MiB most stays with the upstream while the first chunk is in hand."""
    total, sending = 64 << 20, asyncio.Event()
    exchanges: list[Exchange] = []

    async def flood(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD + chunk(event(said("a"))))
        exchange.send(chunk(b": comment\n" * (total // 10)))
        exchanges.append(exchange)
        sending.set()

    async with serving(flood) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url), Method.STREAM_GENERATE)
        async with transport.stream(attempt) as chunks:
            await anext(chunks)
            await sending.wait()
            for _ in range(2000):
                await asyncio.sleep(0)
            assert exchanges[0].unsent_bytes > total // 2
