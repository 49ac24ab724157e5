"""One exchange with the upstream over HTTP/1.1: what every transport shares, whatever it says in it.

One exchange is at most one request. `grant.sent()` is called right before the request is handed to an open
connection, and may forbid that. Leaving an exchange before its body was read to the end closes the
connection, so the upstream sees a cancelled call at once.

Four waits are bounded, each by its own setting: connecting, the first content of the answer, the silence
between two reads, and the whole exchange. Without the second, an upstream that sends nothing but headers or
signs of life would hold a call that could still be asked elsewhere. The caller's deadline is not known here
but by the cancellation that it causes, and by the server timeout sent along.

Proxies, cookies, netrc and redirects play no part: the Policy alone says where calls go.
"""

import asyncio
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from urllib.parse import urlsplit

from sidecar.config.settings import UpstreamSettings
from sidecar.core.attempt import Attempt
from sidecar.core.errors import Reason, ReplyTooLarge, UpstreamCredentials, UpstreamError, UpstreamUnavailable
from sidecar.upstream import classify, decode
from sidecar.upstream.connection import Connection
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.pool import Origin, Pool
from sidecar.upstream.watch import Watch

_OK = 200
_ERROR_BODY_BYTES = 64 * 1024
_SERVER_TIMEOUT_MIN_S = 10.0  # Google answers 400 to a smaller X-Server-Timeout
_PORTS = {"http": 80, "https": 443}


class HttpClient:
    """The connections of one transport. Construct inside a running event loop; close when done."""

    def __init__(self, settings: UpstreamSettings, credentials: Credentials) -> None:
        self._settings = settings
        self._credentials = credentials
        self._pool = Pool(settings)

    def __repr__(self) -> str:
        return f"<HttpClient over {self._pool!r}>"

    def close(self) -> None:
        """Close every connection. Exchanges still running fail."""
        self._pool.close()

    def exchange(self, attempt: Attempt) -> "Exchange":
        """The time of one request and its answer; leaving it closes what was not read to the end."""
        return Exchange(attempt, self._settings, self._credentials, self._pool)


class Exchange:
    """One request on the strength of one attempt, and the body that answers it. A context manager, to be
    left by the task that entered it.

    Inside it UpstreamUnavailable is raised for everything that can happen to the connection; on leaving it,
    in place of the cancellation by which a timeout ends what runs inside.
    """

    def __init__(
        self, attempt: Attempt, settings: UpstreamSettings, credentials: Credentials, pool: Pool
    ) -> None:
        self.attempt = attempt
        self._settings = settings
        self._credentials = credentials
        self._pool = pool
        self._connected: tuple[Origin, Connection] | None = None
        self._watch: Watch

    def __repr__(self) -> str:
        return f"<Exchange {'asking' if self._connected is None else f'on {self._connected[1]!r}'}>"

    def __enter__(self) -> "Exchange":
        settings = self._settings
        shortest_s = min(settings.first_content_timeout, settings.idle_timeout)
        self._watch = Watch(settings.total_timeout, shortest_s)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        if self._connected is not None:
            self._pool.give_back(*self._connected)
        if self._watch.stop(error):
            raise UpstreamUnavailable(self._watch.reason, reason=Reason.UPSTREAM_TIMEOUT) from None

    async def ask(self, method: str, url: str, headers: Mapping[str, str], data: bytes | None) -> "Body":
        """Send the request; returns the body of an answer with status 200.

        The credentials and the time left are added to `headers`. Raises UpstreamError for any other status.
        """
        origin, start = _start(method, url)
        own = await self._own_headers()
        head = start + _fields({**headers, **own}, data)
        connection = self._pool.take_kept(origin) or await self._pool.take(origin)
        self._connected = (origin, connection)
        first_content_s = self._settings.first_content_timeout
        self._watch.narrow(first_content_s, "content of the answer", "first_content_timeout")
        self.attempt.grant.sent()  # raises when what was reserved is held no more: then nothing may leave
        connection.begin(head, data or b"")
        await connection.answered()
        body = Body(connection, self._watch, self._settings.idle_timeout)
        if connection.status != _OK:
            raw = await body.read_start(_ERROR_BODY_BYTES)
            now = datetime.now(UTC)
            error = classify.response_error(connection.status, raw, now, connection.retry_after)
            raise self._refusal(error, own)
        if connection.encoding.lower() not in (b"", b"identity"):
            raise decode.malformed("the upstream's answer is compressed, which it was not asked to be")
        return body

    def has_spoken(self) -> None:
        """Note that the first content of a stream has come: from now on only silence and the whole are
        bounded. An answer that is no stream is its own first content, and ends the exchange.
        """
        self._watch.widen()

    def _refusal(self, error: UpstreamError, own: Mapping[str, str]) -> UpstreamError:
        """The error itself, once it is known whose key was refused."""
        if isinstance(error, UpstreamCredentials):
            endpoint = self.attempt.candidate.endpoint
            error.has_other_key = self._credentials.refuse(endpoint, own, error.http_status)
        return error

    async def _own_headers(self) -> dict[str, str]:
        headers = await self._credentials.headers(self.attempt.candidate.endpoint)
        remaining_s = self.attempt.call.arrival.deadline - asyncio.get_running_loop().time()
        if remaining_s >= _SERVER_TIMEOUT_MIN_S:
            headers["X-Server-Timeout"] = str(math.ceil(round(remaining_s, 3)))
        return headers


class Body:
    """The body of one answer. Only time spent waiting for the upstream counts against the idle timeout."""

    def __init__(self, connection: Connection, watch: Watch, idle_timeout_s: float) -> None:
        self._connection = connection
        self._watch = watch
        self._idle_timeout_s = idle_timeout_s

    async def read(self) -> bytes:
        """The next bytes, empty at the end. Raises UpstreamUnavailable when the end will never come."""
        while (data := self._connection.take()) is None:
            self._watch.bound(self._idle_timeout_s, "more of the answer", "idle_timeout")
            await self._connection.wait()
            self._watch.unbound()
        return data

    async def read_start(self, limit_bytes: int) -> bytes:
        """The body's first bytes, at most `limit_bytes`."""
        pieces = [await self.read()]
        size_bytes = len(pieces[0])
        while size_bytes < limit_bytes and not self._connection.is_at_end:
            pieces.append(await self.read())
            size_bytes += len(pieces[-1])
        return b"".join(pieces)[:limit_bytes]

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


@lru_cache(maxsize=1024)
def _start(method: str, url: str) -> tuple[Origin, bytes]:
    """Whom to ask, and how a request begins. The URL is one of the Policy's; a fleet asks for a handful."""
    parts = urlsplit(url)
    origin = Origin(parts.scheme == "https", parts.hostname or "", parts.port or _PORTS[parts.scheme])
    target = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    return origin, f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\n".encode()


def _fields(headers: Mapping[str, str], data: bytes | None) -> bytes:
    """The other headers. Raises ValueError when any of them would begin another line."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    if data is not None:
        lines.append(f"Content-Length: {len(data)}\r\n")
    text = "".join(lines)
    if text.count("\r") != len(lines) or text.count("\n") != len(lines):
        raise ValueError("a header of the request to the upstream contains a line end")
    return f"{text}\r\n".encode()
