"""The hot path: Gemini's REST as bytes, over `http`, with nothing between the canonical body and the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sidecar.config.settings import UpstreamSettings
from sidecar.core.attempt import Attempt
from sidecar.core.outcome import Reply
from sidecar.upstream import decode, encode
from sidecar.upstream.chunks import Events, read_event
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.http import Body, Exchange, HttpClient, json_limit_bytes
from sidecar.upstream.judge import StreamJudge

_OURS = {"User-Agent": "gemini-sidecar"}


class RestTransport:
    """The Transport port over HTTP/1.1. Construct inside a running event loop; close when done."""

    def __init__(self, settings: UpstreamSettings, credentials: Credentials, reply_limit_bytes: int) -> None:
        self._http = HttpClient(settings, credentials)
        self._limit_bytes = json_limit_bytes(reply_limit_bytes)

    def __repr__(self) -> str:
        return f"<RestTransport over {self._http!r}>"

    async def close(self) -> None:
        """Close every connection. Calls still running fail."""
        self._http.close()

    async def send(self, attempt: Attempt) -> Reply:
        """Ask and return the whole answer; see `core.ports.Transport`."""
        with self._http.exchange(attempt) as exchange:
            body = await _ask(exchange)
            raw = await body.read_all(self._limit_bytes)
        return await decode.decode(raw, decode.reader(attempt.call.arrival.method))

    @asynccontextmanager
    async def stream(self, attempt: Attempt) -> AsyncIterator[AsyncIterator[Reply]]:
        """Ask on entry, iterate chunks, close the connection on leaving; see `core.ports.Transport`."""
        with self._http.exchange(attempt) as exchange:
            yield _Chunks(Events(await _ask(exchange), self._limit_bytes), StreamJudge(exchange.has_spoken))


class _Chunks:
    """The chunks of one stream, judged."""

    def __init__(self, events: Events, judge: StreamJudge) -> None:
        self._events = events
        self._judge = judge

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> Reply:
        event = self._events.take()
        if event is None:
            event = await self._events.next()
        if event is None:
            self._judge.check_end()
            raise StopAsyncIteration
        is_large = len(event) > decode.LARGE_BYTES
        reply = await decode.decode(event, read_event) if is_large else read_event(event)
        self._judge.see(reply.json)
        return reply


async def _ask(exchange: Exchange) -> Body:
    request = encode.http_request(exchange.attempt)
    body = None
    if request.body is not None:
        is_large = exchange.attempt.call.body.is_large
        body = (
            await asyncio.to_thread(encode.to_bytes, request.body)
            if is_large
            else encode.to_bytes(request.body)
        )
    return await exchange.ask(request.method, request.url, _OURS | request.headers, body)
