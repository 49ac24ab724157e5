"""Requests and readings in as few words as a test needs."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson

from sidecar.emulator import Emulator

MODEL = "gemini-3.8-flash"
UNARY = f"/v1/models/{MODEL}:generateContent"
STREAM = f"/v1/models/{MODEL}:streamGenerateContent?alt=sse"
ARRAY = f"/v1/models/{MODEL}:streamGenerateContent"
PROMPT: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Why is the sky blue?"}]}]}


def scripted(script: str) -> dict[str, str]:
    return {"x-emulate": script}


async def fetch(
    http: aiohttp.ClientSession, path: str, script: str = "", body: Any = None
) -> tuple[int, str, bytes]:
    """POST; returns status, content type and the raw body."""
    async with http.post(path, json=body or PROMPT, headers=scripted(script)) as reply:
        return reply.status, reply.headers["Content-Type"], await reply.read()


def events(raw: bytes) -> list[Any]:
    """The events of an SSE body that has nothing but well-formed events."""
    *frames, rest = raw.split(b"\r\n\r\n")
    assert rest == b""
    assert all(frame.startswith(b"data: ") for frame in frames)
    return [orjson.loads(frame.removeprefix(b"data: ")) for frame in frames]


class RawConnection:
    """A TCP connection to the emulator, for what an HTTP client would hide."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, emulator: Emulator) -> RawConnection:
        host, port = emulator.base_url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def post(self, path: str, script: str = "", body: Any = None) -> None:
        payload = orjson.dumps(body or PROMPT)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: emulator\r\nx-goog-api-key: any\r\nx-emulate: {script}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        self._writer.write(head.encode() + payload)
        await self._writer.drain()

    async def read_reply(self) -> bytes:
        """The next reply with a Content-Length, head and body."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head + await self._reader.readexactly(length)

    async def read_until(self, end: bytes) -> bytes:
        return await self._reader.readuntil(end)

    async def read_to_end(self) -> bytes:
        return await self._reader.read()

    async def close(self) -> None:
        self._writer.close()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)
