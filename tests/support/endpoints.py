"""Endpoints that a test can put out of order: the emulator behind a door of its own for each.

A door that is shut answers every request itself, on the connection it came on. The emulator has no faults
that are not asked for by a request, and these are to befall requests that know nothing of them. What came to
a door, and when, is the judge of what a sidecar did.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.support.upstream import head, refusal

_PIECE_BYTES = 64 * 1024


def canned(payload: Mapping[str, Any], status: int) -> bytes:
    """A whole answer that leaves the connection as it was."""
    body = json.dumps(payload).encode()
    return head(status, content_length=len(body)) + body


UNAVAILABLE = canned(refusal(503, "UNAVAILABLE", "The model is overloaded."), 503)
"""What a shut door answers unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that came to a door."""

    at: float
    """On the event loop's clock."""
    was_shut: bool


class Door:
    """One endpoint: passes requests on to the emulator while it is open."""

    def __init__(self, target: str) -> None:
        self.arrivals: list[Arrival] = []
        self.base_url = ""
        self.answer: bytes | None = None
        """What it answers in place of the emulator, nothing at all if empty; None while it is open."""
        self.opened = asyncio.Event()
        """Set when a request has passed since it was last shut."""
        self.left = asyncio.Event()
        """Set while nobody is connected."""
        self._target = target
        self._where = b""
        self._writers: set[asyncio.StreamWriter] = set()

    def __repr__(self) -> str:
        return f"<Door {'open' if self.answer is None else 'shut'}: {len(self.arrivals)} arrivals>"

    def shut(self, answer: bytes = UNAVAILABLE, where: bytes = b"") -> None:
        """Answer so from now on, where a request holds these bytes."""
        self.answer, self._where = answer, where
        self.opened.clear()

    def open(self) -> None:
        """Pass everything on from now on."""
        self.answer = None

    def between(self, since: float, until: float) -> int:
        """How many requests came in that time."""
        return sum(since <= arrival.at < until for arrival in self.arrivals)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        host, _, port = self._target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self._writers |= {writer, far_writer}
        self.left.clear()
        back = asyncio.create_task(_pass_on(far_reader, writer))
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    request = await _request(reader)
                    answer = self.answer if self._where in request else None
                    self.arrivals.append(Arrival(asyncio.get_running_loop().time(), answer is not None))
                    if answer is None:
                        self.opened.set()
                        far_writer.write(request)
                    else:
                        writer.write(answer)
        finally:
            self._writers -= {writer, far_writer}
            if not self._writers:
                self.left.set()
            far_writer.transport.abort()
            writer.transport.abort()
            back.cancel()
            await asyncio.wait({back})

    def close(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def doors(base_url: str, count: int) -> AsyncIterator[list[Door]]:
    """So many doors to the emulator at `base_url`."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            door = Door(base_url.removeprefix("http://"))
            server = await asyncio.start_server(door.serve, "127.0.0.1", 0)
            stack.push_async_callback(server.wait_closed)
            stack.callback(door.close)
            stack.callback(server.close)
            host, port = server.sockets[0].getsockname()
            door.base_url = f"http://{host}:{port}"
            made.append(door)
        yield made


async def _request(reader: asyncio.StreamReader) -> bytes:
    """The next request, as it came. Raises IncompleteReadError when there is no other."""
    begin = await reader.readuntil(b"\r\n\r\n")
    lower = begin.lower()
    at = lower.find(b"content-length:")
    length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return begin + await reader.readexactly(length)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.transport.close()
