"""A fake Gemini that costs next to nothing: canned answers over HTTP/1.1, by hand on asyncio.Protocol.

It must be far faster than anything measured in front of it, so it parses no more of a request than where it
ends and whether it wants a stream. Run as a program, it prints its port and serves until it is killed.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

CHUNKS = 50
"""Events of a stream."""


def unary_json(text_bytes: int = 2048) -> bytes:
    """A GenerateContentResponse with `text_bytes` of text."""
    return _response("x" * text_bytes, tokens=500, finished=True)


def stream_json(number: int, text_bytes: int = 40) -> bytes:
    """Chunk `number` of a stream; the last one has the finish reason."""
    return _response("x" * text_bytes, tokens=10 * number, finished=number == CHUNKS - 1)


def _response(text: str, tokens: int, finished: bool) -> bytes:
    candidate: dict[str, object] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finished:
        candidate["finishReason"] = "STOP"
    usage = {"promptTokenCount": 250, "candidatesTokenCount": tokens, "totalTokenCount": 250 + tokens}
    response = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "bench", "responseId": "r"}
    return json.dumps(response, separators=(",", ":")).encode()


def _unary_response() -> bytes:
    body = unary_json()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


def _stream_response() -> bytes:
    events = (b"data: %s\r\n\r\n" % stream_json(number) for number in range(CHUNKS))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n"
        % chunks
    )


class FakeGemini(asyncio.Protocol):
    """One connection. Requests have a Content-Length, as every client here sends one."""

    _unary = _unary_response()
    _stream = _stream_response()

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = end + 4 + _content_length(head)
            if len(self._buffer) < length:
                return
            self._buffer = self._buffer[length:]
            if self._transport is not None:
                self._transport.write(self._stream if b":streamGenerateContent" in head else self._unary)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def serve() -> None:
    """Serve until killed; prints the port first."""
    server = await asyncio.get_running_loop().create_server(FakeGemini, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
