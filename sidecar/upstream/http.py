"""One exchange with the upstream over HTTP/1.1: what every transport shares, whatever it says in it.

One exchange is at most one request: aiohttp's own retry, of a GET whose connection died, is disarmed.
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
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from sidecar.config.settings import UpstreamSettings
from sidecar.core.attempt import Attempt
from sidecar.core.errors import Reason, ReplyTooLarge, UpstreamUnavailable
from sidecar.upstream import classify, decode
from sidecar.upstream.credentials import Credentials

_OK = 200
_ERROR_BODY_BYTES = 64 * 1024
_WRITE_BYTES = 256 * 1024
"""A larger body written at once would hold the event loop."""
_SERVER_TIMEOUT_MIN_S = 10.0  # Google answers 400 to a smaller X-Server-Timeout


class HttpClient:
    """The connections of one transport. Construct inside a running event loop; close when done."""

    def __init__(self, settings: UpstreamSettings, credentials: Credentials) -> None:
        self._settings = settings
        self._credentials = credentials
        self._session = _session(settings)

    def __repr__(self) -> str:
        return f"<HttpClient {'closed' if self._session.closed else 'open'}>"

    async def close(self) -> None:
        """Close every connection. Exchanges still running fail."""
        await self._session.close()

    @asynccontextmanager
    async def exchange(self, attempt: Attempt) -> AsyncIterator["Exchange"]:
        """The time of one request and its answer; leaving it closes what was not read to the end.

        Raises UpstreamUnavailable for everything that can happen to the connection.
        """
        watch = _Watch(self._settings.total_timeout)
        exchange = Exchange(attempt, watch, self._session, self._settings, self._credentials)
        try:
            async with watch.timeout:
                try:
                    yield exchange
                finally:
                    exchange.close()
        except TimeoutError as error:  # aiohttp's own, for connecting, are TimeoutErrors too
            if isinstance(error, aiohttp.ClientError):
                raise _timeout(
                    f"no connection within {self._settings.connect_timeout:g} s (connect_timeout)"
                ) from error
            if not watch.timeout.expired():
                raise
            raise _timeout(watch.reason) from None
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            raise _lost(error) from error


class Exchange:
    """One request on the strength of one attempt, and the body that answers it."""

    def __init__(
        self,
        attempt: Attempt,
        watch: "_Watch",
        session: aiohttp.ClientSession,
        settings: UpstreamSettings,
        credentials: Credentials,
    ) -> None:
        self.attempt = attempt
        self._response: aiohttp.ClientResponse | None = None
        self._watch = watch
        self._session = session
        self._settings = settings
        self._credentials = credentials

    def __repr__(self) -> str:
        return f"<Exchange {'waiting' if self._response is None else 'answered'}>"

    async def ask(self, method: str, url: str, headers: dict[str, str], data: bytes | None) -> "Body":
        """Send the request; returns the body of an answer with status 200.

        The credentials and the time left are added to `headers`. Raises UpstreamError for any other status.
        """
        headers = headers | await self._credentials.headers(self.attempt.candidate.endpoint)
        remaining_s = self.attempt.call.arrival.deadline - asyncio.get_running_loop().time()
        if remaining_s >= _SERVER_TIMEOUT_MIN_S:
            headers["X-Server-Timeout"] = str(math.ceil(round(remaining_s, 3)))
        self._watch.bound(
            self._settings.first_byte_timeout, "the first byte of the answer", "first_byte_timeout"
        )
        response = self._response = await self._session.request(
            method,
            URL(url, encoded=True),
            data=BytesIO(data) if data is not None and len(data) > _WRITE_BYTES else data,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=self.attempt.grant.sent,
        )
        body = Body(response, self._watch, self._settings.idle_timeout)
        if response.status != _OK:
            raw = await body.read_start(_ERROR_BODY_BYTES)
            raise classify.response_error(response.status, raw, datetime.now(UTC))
        return body

    def close(self) -> None:
        """Close the connection; nothing is left to close once the body was read to its end."""
        if self._response is not None:
            self._response.close()


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


class Body:
    """The body of one answer. Only time spent waiting for the upstream counts against the idle timeout."""

    def __init__(self, response: aiohttp.ClientResponse, watch: _Watch, idle_timeout_s: float) -> None:
        self.response = response
        """The answer that this is the body of."""
        self._content = response.content
        self._watch = watch
        self._idle_timeout_s = idle_timeout_s

    async def read(self) -> bytes:
        """The next bytes, empty at the end."""
        if (data := self._content.read_nowait()) or self._content.at_eof():
            return data  # nothing to wait for, so no timer to set
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
        """The whole body. Raises ReplyTooLarge when it is larger than `limit_bytes`."""
        raw = await self.read_start(limit_bytes + 1)
        if len(raw) > limit_bytes:
            raise too_large("answer", limit_bytes)
        return raw


def json_limit_bytes(reply_limit_bytes: int) -> int:
    """How long the JSON of a reply may be whose message is within its limit: it carries bytes as base64."""
    return reply_limit_bytes * 4 // 3 + 64 * 1024


def too_large(what: str, limit_bytes: int) -> ReplyTooLarge:
    """The error for an answer, or an event of a stream, that is longer than its limit."""
    return ReplyTooLarge(f"the upstream's {what} is above the {limit_bytes} bytes of listen.message_limit")


def _session(settings: UpstreamSettings) -> aiohttp.ClientSession:
    """Proxies, cookies and netrc play no part: the Policy alone says where calls go."""
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
        middlewares=(_once,),
    )


async def _once(
    request: aiohttp.ClientRequest, ask: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """Ask, and hide from aiohttp those failures that it takes as leave to ask again."""
    try:
        return await ask(request)
    except aiohttp.ClientConnectorError:  # never connected: not repeated, and its kind tells why
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError from error


async def _report_sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    sent: Callable[[], None] = context.trace_request_ctx
    sent()


def _timeout(message: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(message, reason=Reason.UPSTREAM_TIMEOUT)


def _lost(error: Exception) -> UpstreamUnavailable:
    """What a failure of the connection means. The text is ours: aiohttp's may quote the URL."""
    if isinstance(error, aiohttp.ClientConnectorDNSError | aiohttp.InvalidURL | UnicodeError):
        return UpstreamUnavailable("the upstream's host name cannot be resolved")
    if isinstance(error, aiohttp.ClientSSLError):
        return UpstreamUnavailable("the upstream's TLS certificate or handshake was refused")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamUnavailable(f"the upstream cannot be reached: {error.strerror or 'connection failed'}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return UpstreamUnavailable("the upstream cut its answer short")
    if isinstance(error, aiohttp.ClientResponseError):
        return decode.malformed("the upstream's answer is not HTTP as this client knows it")
    return UpstreamUnavailable("the upstream closed the connection before it answered")
