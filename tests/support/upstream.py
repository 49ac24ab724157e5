"""A scripted upstream: a raw HTTP/1.1 server on loopback that plays exactly the bytes a test names.

A script is a coroutine function that gets one Exchange: the request as it came, and the connection to answer
on. It may stop anywhere, wait for an event that the test sets, cut the connection, or never answer. The
server records every request, connection and disconnect, and lets a test wait for each: nothing here or in its
tests sleeps.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

PATIENCE_S = 10.0
"""How long a test waits for what must happen; reached only by a failure."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server received it."""

    method: str
    target: str
    headers: Mapping[str, str]
    """By lower-case name; what came twice is joined by a comma."""
    body: bytes
    connection: int
    """Which connection it came on, from 1."""

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


class Exchange:
    """One request and the connection to answer it on."""

    def __init__(self, request: Request, transport: asyncio.Transport, gone: asyncio.Event) -> None:
        self.request = request
        self.gone = gone
        """Set when the client has closed or lost the connection."""
        self._transport = transport

    def send(self, data: bytes) -> None:
        """Write these bytes and no others, unless the client has gone."""
        if not self._transport.is_closing():
            self._transport.write(data)

    @property
    def unsent_bytes(self) -> int:
        """What the client has not made room for yet."""
        return self._transport.get_write_buffer_size()

    def close(self) -> None:
        """End the connection in order, when everything sent has left."""
        self._transport.close()

    def cut(self) -> None:
        """Drop the connection at once."""
        self._transport.abort()


Script: TypeAlias = Callable[[Exchange], Awaitable[None]]


class ScriptedUpstream:
    """Answers the first request by the first script and so on; the last script answers all that follow."""

    def __init__(self, *scripts: Script, scheme: str = "http") -> None:
        self.requests: list[Request] = []
        self.connections = 0
        """Accepted so far, for TLS those whose handshake was done."""
        self.disconnects = 0
        """Ended so far, by whichever side."""
        self.base_url = ""
        self._scripts = scripts
        self._scheme = scheme
        self._changed = asyncio.Event()
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    def __repr__(self) -> str:
        return f"<ScriptedUpstream: {len(self.requests)} requests, {self.open_connections} open connections>"

    @property
    def open_connections(self) -> int:
        """Connections that stand now."""
        return self.connections - self.disconnects

    async def requested(self, count: int = 1) -> Request:
        """Wait for so many requests in all; returns the last of them."""
        await self._until(lambda: len(self.requests) >= count, f"{count} requests")
        return self.requests[count - 1]

    async def connected(self, count: int = 1) -> None:
        """Wait for so many connections in all."""
        await self._until(lambda: self.connections >= count, f"{count} connections")

    async def disconnected(self, count: int = 1) -> None:
        """Wait until so many connections in all have ended."""
        await self._until(lambda: self.disconnects >= count, f"{count} disconnects")

    @asynccontextmanager
    async def _serving(self, tls: ssl.SSLContext | None) -> AsyncIterator["ScriptedUpstream"]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        self.base_url = f"{self._scheme}://127.0.0.1:{port}"
        try:
            yield self
        finally:
            server.close()
            for connection in set(self._open):
                connection.transport.abort()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await server.wait_closed()
        if self._failures:  # a script that breaks must not look like an upstream that does
            raise self._failures[0]

    def note_connection(self, connection: "_Connection") -> None:
        self._open.add(connection)
        self.connections += 1
        self._ring()

    def note_disconnect(self, connection: "_Connection") -> None:
        self._open.discard(connection)
        self.disconnects += 1
        self._ring()

    def play(self, exchange: Exchange) -> None:
        """Note the request and start its script."""
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(exchange.request)
        self._ring()
        task = asyncio.ensure_future(script(exchange))
        self._tasks.add(task)
        task.add_done_callback(self._played)

    def _played(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)

    def _ring(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_so():
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited {PATIENCE_S:g} s for {what}, have {self!r}") from None


@asynccontextmanager
async def serving(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedUpstream]:
    """A ScriptedUpstream for the time of the block, over TLS when a context is given."""
    upstream = ScriptedUpstream(*scripts, scheme="https" if tls else "http")
    async with upstream._serving(tls):
        yield upstream


class _Connection(asyncio.Protocol):
    """Parses requests one after another; the next is taken only when the client sends it."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self._upstream = upstream
        self._buffer = bytearray()
        self._gone = asyncio.Event()
        self._number = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._upstream.note_connection(self)
        self._number = self._upstream.connections

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._take_request()) is not None:
            self._upstream.play(Exchange(request, self.transport, self._gone))

    def connection_lost(self, error: Exception | None) -> None:
        self._gone.set()
        self._upstream.note_disconnect(self)

    def _take_request(self) -> Request | None:
        head, separator, _ = bytes(self._buffer).partition(b"\r\n\r\n")
        if not separator:
            return None
        line, *fields = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for field in fields:
            name, _, value = field.partition(":")
            key = name.strip().lower()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
        begin = len(head) + len(separator)
        end = begin + int(headers.get("content-length", 0))
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[begin:end])
        del self._buffer[:end]
        method, target, _ = line.split(" ", 2)
        return Request(method, target, headers, body, self._number)


# ------------------------------------------------------------------------------------------------ bytes


def head(status: int = 200, content_type: str = "application/json", **headers: object) -> bytes:
    """Status line and headers; `content_length=5` is the header Content-Length."""
    named = {"Content-Type": content_type, **{key.replace("_", "-"): value for key, value in headers.items()}}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{key}: {value}" for key, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


STREAM_HEAD = head(content_type="text/event-stream", transfer_encoding="chunked")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def event(payload: object) -> bytes:
    """One server-sent event as Google frames it."""
    return b"data: " + json.dumps(payload).encode() + b"\r\n\r\n"


def said(text: str, finish: str | None = None, index: int = 0, **more: object) -> dict[str, Any]:
    """A GenerateContentResponse with one candidate."""
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": index}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **more}


def refusal(code: int, status: str, message: str, *details: Mapping[str, object]) -> dict[str, Any]:
    """Google's error envelope."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = list(details)
    return {"error": error}


# ------------------------------------------------------------------------------------------------ scripts


def answers(
    payload: object, status: int = 200, content_type: str = "application/json", **headers: object
) -> Script:
    """A whole answer: `payload` as JSON, or as it is when it is bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()

    async def script(exchange: Exchange) -> None:
        exchange.send(head(status, content_type, content_length=len(body), **headers) + body)

    return script


def streams(*payloads: object, framed: Callable[[bytes], bytes] = chunk) -> Script:
    """A whole stream: each payload one event in a chunk of its own, or raw bytes in one."""

    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for payload in payloads:
            exchange.send(framed(payload if isinstance(payload, bytes) else event(payload)))
        exchange.send(LAST_CHUNK)

    return script


def plays(*pieces: bytes | asyncio.Event, then: str = "stay") -> Script:
    """Send bytes and await events in turn; `then` stay on the line, `close` or `cut` it."""

    async def script(exchange: Exchange) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                exchange.send(piece)
            else:
                await piece.wait()
        if then == "close":
            exchange.close()
        elif then == "cut":
            exchange.cut()

    return script
