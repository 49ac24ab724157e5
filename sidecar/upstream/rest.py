"""The wire: Gemini's REST over one aiohttp client.

One call is at most one request: aiohttp repeats only idempotent methods, and a model is asked by POST.
`grant.sent()` is called when aiohttp writes the headers, which it does only on an open connection. Leaving an
exchange before its body was read to the end closes the connection, so the upstream sees a cancelled call at
once.

Four waits are bounded, each by its own setting: connecting, the first byte of the answer, the silence between
two reads, and the whole exchange. The caller's deadline is not known here but by the cancellation that it
causes, and by the server timeout sent along.
"""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from sidecar.config.settings import UpstreamSettings
from sidecar.core.attempt import Attempt
from sidecar.core.call import Json
from sidecar.core.errors import Reason, UpstreamUnavailable
from sidecar.core.outcome import Reply
from sidecar.upstream import classify, decode, encode
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.judge import StreamJudge
from sidecar.upstream.sse import EventTooLarge, SseParser

_OK = 200
_ERROR_BODY_BYTES = 64 * 1024
_SERVER_TIMEOUT_MIN_S = 10.0  # Google answers 400 to a smaller X-Server-Timeout


class RestTransport:
    """The Transport port over HTTP/1.1. Construct inside a running event loop; close when done."""

    def __init__(self, settings: UpstreamSettings, credentials: Credentials, reply_limit_bytes: int) -> None:
        self._settings = settings
        self._credentials = credentials
        self._reply_limit_bytes = reply_limit_bytes * 4 // 3 + 64 * 1024  # JSON carries bytes as base64
        self._session = _session(settings)

    def __repr__(self) -> str:
        return f"<RestTransport {'closed' if self._session.closed else 'open'}>"

    async def close(self) -> None:
        """Close every connection. Calls still running fail."""
        await self._session.close()

    async def send(self, attempt: Attempt) -> Reply:
        """Ask and return the whole answer; see `core.ports.Transport`."""
        async with self._exchange(attempt) as body:
            raw = await body.read_all(self._reply_limit_bytes)
        return await decode.decode(raw, decode.reader(attempt.call.arrival.method))

    @asynccontextmanager
    async def stream(self, attempt: Attempt) -> AsyncIterator[AsyncIterator[Reply]]:
        """Ask on entry, iterate chunks, close the connection on leaving; see `core.ports.Transport`."""
        async with self._exchange(attempt) as body:
            yield _Chunks(body, self._reply_limit_bytes)

    @asynccontextmanager
    async def _exchange(self, attempt: Attempt) -> AsyncIterator["_Body"]:
        """One request and its answer with status 200. Raises UpstreamError."""
        watch = _Watch(self._settings.total_timeout)
        try:
            async with watch.timeout:
                response = await self._ask(attempt, watch)
                try:
                    body = _Body(response, watch, self._settings.idle_timeout)
                    if response.status != _OK:
                        raw = await body.read_start(_ERROR_BODY_BYTES)
                        raise classify.response_error(response.status, raw, datetime.now(UTC))
                    yield body
                finally:
                    response.close()  # nothing is left to close once the body was read to its end
        except TimeoutError as error:  # aiohttp's own, for connecting, are TimeoutErrors too
            if isinstance(error, aiohttp.ClientError):
                raise _timeout(
                    f"no connection within {self._settings.connect_timeout:g} s (connect_timeout)"
                ) from error
            if not watch.timeout.expired():
                raise
            raise _timeout(watch.reason) from None
        except (aiohttp.ClientError, OSError) as error:
            raise _lost(error) from error

    async def _ask(self, attempt: Attempt, watch: "_Watch") -> aiohttp.ClientResponse:
        request = encode.http_request(attempt)
        headers = request.headers | await self._credentials.headers(attempt.candidate.endpoint)
        remaining_s = attempt.call.arrival.deadline - asyncio.get_running_loop().time()
        if remaining_s >= _SERVER_TIMEOUT_MIN_S:
            headers["X-Server-Timeout"] = str(math.ceil(remaining_s))
        data = None if request.body is None else await _to_bytes(request.body, attempt.call.body.is_large)
        watch.bound(self._settings.first_byte_timeout, "the first byte of the answer", "first_byte_timeout")
        return await self._session.request(
            request.method,
            URL(request.url, encoded=True),
            data=data,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=attempt.grant.sent,
        )


class _Watch:
    """The one timer of an exchange: bounds the wait that is on, and all of them together."""

    def __init__(self, total_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + total_s
        self._whole = f"not done within {total_s:g} s (total_timeout)"
        self.timeout = asyncio.timeout_at(self._end)
        self.reason = self._whole

    def bound(self, seconds: float, wait: str, setting: str) -> None:
        """A wait begins that may last `seconds`."""
        until = self._loop.time() + seconds
        if until < self._end:
            self.reason = f"waited {seconds:g} s for {wait} ({setting})"
            self.timeout.reschedule(until)
        else:
            self.unbound()

    def unbound(self) -> None:
        """The wait is over; only the whole is bounded until the next."""
        self.reason = self._whole
        self.timeout.reschedule(self._end)


class _Body:
    """The body of one answer. Only time spent waiting for the upstream counts against the idle timeout."""

    def __init__(self, response: aiohttp.ClientResponse, watch: _Watch, idle_timeout_s: float) -> None:
        self._content = response.content
        self._watch = watch
        self._idle_timeout_s = idle_timeout_s

    async def read(self) -> bytes:
        """The next bytes, empty at the end."""
        self._watch.bound(self._idle_timeout_s, "more of the answer", "idle_timeout")
        data = await self._content.readany()
        self._watch.unbound()
        return data

    async def read_start(self, limit_bytes: int) -> bytes:
        """The body's first bytes, at most `limit_bytes`."""
        raw = bytearray()
        while len(raw) < limit_bytes and (data := await self.read()):
            raw += data
        return bytes(raw[:limit_bytes])

    async def read_all(self, limit_bytes: int) -> bytes:
        """The whole body. Raises UpstreamUnavailable (UPSTREAM_MALFORMED) when it is larger than
        `limit_bytes`.
        """
        raw = await self.read_start(limit_bytes + 1)
        if len(raw) > limit_bytes:
            raise decode.malformed(f"the upstream's body is larger than {limit_bytes} bytes")
        return raw


class _Chunks:
    """The chunks of one stream. Holds nothing that needs closing: the exchange owns the connection."""

    def __init__(self, body: _Body, event_limit_bytes: int) -> None:
        self._body = body
        self._parser = SseParser(event_limit_bytes)
        self._judge = StreamJudge()
        self._events: deque[bytes] = deque()
        self._at_end = False

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> Reply:
        while not self._events:
            if self._at_end:
                self._judge.check_end()
                raise StopAsyncIteration
            await self._read_more()
        reply = await decode.decode(self._events.popleft(), _read_event)
        self._judge.see(reply.json)
        return reply

    async def _read_more(self) -> None:
        if data := await self._body.read():
            try:
                self._events += self._parser.feed(data)
            except EventTooLarge:
                raise decode.malformed(
                    "an event of the stream is larger than the message limit allows"
                ) from None
            return
        self._at_end = True
        if unfinished := self._parser.end():
            self._events.append(unfinished)  # a bare error object, or an event cut short: reading it tells


def _read_event(raw: bytes) -> Reply:
    json = decode.parse(raw)
    if "error" not in json:
        return decode.generate_reply(json)
    payload = json["error"] if isinstance(json["error"], dict) else {}
    code = payload.get("code")
    raise classify.payload_error(code if isinstance(code, int) else 500, payload, datetime.now(UTC))


async def _to_bytes(body: Json, is_large: bool) -> bytes:
    return await asyncio.to_thread(encode.to_bytes, body) if is_large else encode.to_bytes(body)


def _session(settings: UpstreamSettings) -> aiohttp.ClientSession:
    """The one client of the process. Proxies, cookies and netrc play no part: the Policy alone says where
    calls go.
    """
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_report_sent)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=settings.max_connections,
            keepalive_timeout=settings.keepalive,
            ssl=ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None),
        ),
        timeout=aiohttp.ClientTimeout(total=None, connect=settings.connect_timeout),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "gemini-sidecar"},
        skip_auto_headers=("Accept-Encoding",),  # a compressed stream would reach the caller in lumps
        trace_configs=[trace],
    )


async def _report_sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    sent: Callable[[], None] = context.trace_request_ctx
    sent()


def _timeout(message: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(message, reason=Reason.UPSTREAM_TIMEOUT)


def _lost(error: Exception) -> UpstreamUnavailable:
    """What a failure of the connection means. The text is ours: aiohttp's may quote the URL."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return UpstreamUnavailable("the upstream's host name cannot be resolved")
    if isinstance(error, aiohttp.ClientSSLError):
        return UpstreamUnavailable("the upstream's TLS certificate or handshake was refused")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamUnavailable(f"the upstream cannot be reached: {error.strerror or 'connection failed'}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return UpstreamUnavailable("the upstream cut its answer short")
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.InvalidURL):
        return decode.malformed("the upstream's answer is not HTTP as this client knows it")
    return UpstreamUnavailable("the upstream closed the connection before it answered")
