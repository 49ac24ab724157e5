"""A gRPC load generator that is not the bottleneck: HTTP/2 by hand on asyncio.Protocol.

A grpc.aio client costs as much CPU as the server that it measures. This one writes canned frames and reads
nothing of a reply but frame headers, at a fraction of that cost. It keeps a number of calls open on one
connection, closed loop, and speaks only what a well-behaved server needs of its peer: settings, pings and
window updates (RFC 9113). Headers are HPACK literals, and the peer is told to use no dynamic table either
(RFC 7541).
"""

import asyncio
import struct
import time
from dataclasses import dataclass, field
from typing import cast

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4
_WINDOW_MAX = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_WINDOW_STEP = 2**20
_HEAD = struct.Struct(">HBBBL")  # a length of 24 bits, type, flags, stream
_HEAD_BYTES = 9


class LoadError(Exception):
    """The server ended the connection or a call; nothing that was measured counts."""


@dataclass(slots=True)
class Load:
    """What one run did. A call counts when it ended with at least as many bytes as were asked for."""

    calls: int = 0
    elapsed_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)

    @property
    def calls_per_s(self) -> float:
        """Throughput."""
        return self.calls / self.elapsed_s


@dataclass(frozen=True, slots=True)
class Question:
    """The call that is made over and over."""

    path: str
    """`/sidecar.v1.GeminiService/Generate`."""
    message: bytes
    """The request, serialized."""
    answer_bytes_min: int
    """A shorter answer is a refusal."""


class _Connection(asyncio.Protocol):
    """One connection with a fixed number of calls open until `stop`."""

    def __init__(self, question: Question, concurrency: int) -> None:
        body = b"\x00" + struct.pack(">L", len(question.message)) + question.message
        self._headers = _request_headers(question.path.encode())
        self._body = body
        self._answer_bytes_min = question.answer_bytes_min
        self._concurrency = concurrency
        self._buffer = bytearray()
        self._next_stream = 1
        self._began: dict[int, float] = {}
        self._received: dict[int, int] = {}
        self._unacknowledged = 0
        self._stopping = False
        self.load = Load()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        settings = struct.pack(">HLHL", 1, 0, 4, _WINDOW_MAX)  # no dynamic table, endless stream windows
        self._transport.write(
            _PREFACE + _frame(_SETTINGS, 0, 0, settings) + _window_update(_WINDOW_MAX - _DEFAULT_WINDOW)
        )
        for _ in range(self._concurrency):
            self._call()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError("the server closed the connection"))

    def stop(self) -> None:
        self._stopping = True

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= _HEAD_BYTES:
            high, low, kind, flags, stream = _HEAD.unpack_from(buffer, at)
            size = high << 8 | low
            if end - at < _HEAD_BYTES + size:
                break
            at += _HEAD_BYTES
            if kind == _DATA:
                self._received[stream] += size
                self._unacknowledged += size
            elif kind in (_PING, _SETTINGS, _RST_STREAM, _GOAWAY):
                self._control(kind, flags, bytes(buffer[at : at + size]))
            if flags & _END_STREAM and kind in (_DATA, _HEADERS):
                self._ended(stream)
            at += size
        del buffer[:at]
        if self._unacknowledged > _WINDOW_STEP:
            self._transport.write(_window_update(self._unacknowledged))
            self._unacknowledged = 0

    def _control(self, kind: int, flags: int, payload: bytes) -> None:
        if kind in (_RST_STREAM, _GOAWAY):
            self._fail(f"the server sent {'RST_STREAM' if kind == _RST_STREAM else 'GOAWAY'}")
        elif not flags & _ACK:
            self._transport.write(_frame(kind, _ACK, 0, payload if kind == _PING else b""))

    def _call(self) -> None:
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        self._began[stream] = time.perf_counter()
        self._received[stream] = 0
        headers = _frame(_HEADERS, _END_HEADERS, stream, self._headers)
        self._transport.write(headers + _frame(_DATA, _END_STREAM, stream, self._body))

    def _ended(self, stream: int) -> None:
        self.load.latencies_s.append(time.perf_counter() - self._began.pop(stream))
        if self._received.pop(stream) < self._answer_bytes_min:
            self._fail("a call was refused")
            return
        self.load.calls += 1
        if not self._stopping:
            self._call()
        elif not self._began and not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(reason))
        self._transport.close()


async def run_load(port: int, question: Question, concurrency: int, seconds: float) -> Load:
    """Keep `concurrency` calls open for `seconds`. Raises LoadError when any call fails."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    _, connection = await loop.create_connection(
        lambda: _Connection(question, concurrency), "127.0.0.1", port
    )
    loop.call_later(seconds, connection.stop)
    await connection.done
    connection.load.elapsed_s = time.perf_counter() - began
    return connection.load


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return _HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream) + payload


def _window_update(size: int) -> bytes:
    return _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">L", size))


def _request_headers(path: bytes) -> bytes:
    headers = (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
    )
    return b"".join(b"\x00" + bytes((len(n),)) + n + bytes((len(v),)) + v for n, v in headers)
