"""An HTTP/1.1 load generator that is not the bottleneck: canned requests, by hand on asyncio.Protocol.

A closed loop over connections that are kept alive, one call open on each. It reads no more of an answer than
its status and where it ends (RFC 9112: Content-Length, or chunks without trailers), and counts only answers
with status 200 and enough bytes; any other fails the run.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from bench.load import Load, LoadError

_OK = 200
_EXCERPT_BYTES = 300


@dataclass(frozen=True, slots=True)
class HttpQuestion:
    """The call that is made over and over."""

    request: bytes
    """Head and body."""
    answer_bytes_min: int
    """A shorter body is a refusal."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, as far as it is read."""

    status: int
    body_bytes: int
    """Without the framing of chunks."""


def post(path: str, headers: Mapping[str, str], body: bytes, answer_bytes_min: int) -> HttpQuestion:
    """A POST of JSON on a connection that is kept alive."""
    fields = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return HttpQuestion(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body, answer_bytes_min)


def read_answer(received: bytes | bytearray) -> Answer | None:
    """The answer that `received` begins with, or None while it is incomplete.

    Raises LoadError when nothing says where it ends, ValueError when a number is none.
    """
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = bytes(received[:head_end]).lower()
    status = int(head[9:12])  # "http/1.1 200 ..."
    body_at = head_end + 4
    if b"\r\ntransfer-encoding: chunked" in head:
        body_bytes = _chunks_bytes(received, body_at)
        return None if body_bytes is None else Answer(status, body_bytes)
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise LoadError("an answer has neither Content-Length nor chunks")
    length = int(head[at + 17 :].split(b"\r\n", 1)[0])
    return Answer(status, length) if len(received) - body_at >= length else None


async def run_http_load(port: int, question: HttpQuestion, concurrency: int, seconds: float) -> Load:
    """Keep a call open on each of `concurrency` connections for `seconds`. Raises LoadError if one fails."""
    loop = asyncio.get_running_loop()
    load = Load()
    connections: list[_Connection] = []
    began = time.perf_counter()
    try:
        for _ in range(concurrency):
            _, connection = await loop.create_connection(
                lambda: _Connection(question, load), "127.0.0.1", port
            )
            connections.append(connection)
        for connection in connections:
            loop.call_later(seconds, connection.stop)
        await asyncio.gather(*(connection.done for connection in connections))
    finally:
        for connection in connections:
            connection.close()
    load.elapsed_s = time.perf_counter() - began
    return load


class _Connection(asyncio.Protocol):
    """One connection with one call open until `stop`."""

    def __init__(self, question: HttpQuestion, load: Load) -> None:
        self._question = question
        self._load = load
        self._received = bytearray()
        self._began = 0.0
        self._stopping = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._call()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the server closed the connection")

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            answer = read_answer(self._received)
        except (LoadError, ValueError) as error:
            self._fail(f"an answer cannot be read: {error}")
            return
        if answer is not None:
            self._answered(answer)

    def stop(self) -> None:
        """Make no call after the open one."""
        self._stopping = True

    def close(self) -> None:
        self._transport.close()

    def _call(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._question.request)

    def _answered(self, answer: Answer) -> None:
        if answer.status != _OK or answer.body_bytes < self._question.answer_bytes_min:
            excerpt = bytes(self._received[:_EXCERPT_BYTES])
            self._fail(f"status {answer.status}, {answer.body_bytes} bytes: {excerpt!r}")
            return
        self._load.latencies_s.append(time.perf_counter() - self._began)
        self._load.calls += 1
        self._received.clear()
        if not self._stopping:
            self._call()
        elif not self.done.done():
            self.done.set_result(None)

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(reason))


def _chunks_bytes(received: bytes | bytearray, at: int) -> int | None:
    """The size of a chunked body that begins at `at`, or None while it is incomplete."""
    body_bytes = 0
    while (line_end := received.find(b"\r\n", at)) >= 0:
        size = int(bytes(received[at:line_end]).split(b";", 1)[0], 16)
        at = line_end + 2 + size + 2
        if at > len(received):
            return None
        if not size:
            return body_bytes
        body_bytes += size
    return None
