"""A TCP hop between two who talk, to take one away from the other as a network does: with a reset, or without
a word.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE_BYTES = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Relay:
    """Passes bytes both ways, each way no faster than they are taken."""

    def __init__(self, target: str) -> None:
        self.address = ""
        """What to dial instead of the target."""
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()

    def __repr__(self) -> str:
        state = "passing" if self._passing.is_set() else "frozen"
        return f"<Relay to {self._target}, {state}, {len(self._writers) // 2} connections>"

    def reset(self) -> None:
        """End every connection with a reset, to both sides."""
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()

    def freeze(self) -> None:
        """Pass nothing more, and tell neither side."""
        self._passing.clear()

    def thaw(self) -> None:
        """Pass on what was held back, and all that follows."""
        self._passing.set()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self._target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        ends = {writer, far_writer}
        self._writers |= ends
        ways = [self._pass_on(reader, far_writer), self._pass_on(far_reader, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:  # one side is gone, and with it the other
            self._writers -= ends
            for end in ends:
                end.transport.abort()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                await self._passing.wait()
                writer.write(piece)
                await writer.drain()


@asynccontextmanager
async def serving(target: str) -> AsyncIterator[Relay]:
    """A relay to the TCP address `target`, `host:port`."""
    relay = Relay(target)
    server = await asyncio.start_server(relay._relay, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    relay.address = f"{host}:{port}"
    try:
        yield relay
    finally:
        server.close()
        relay.reset()
        await server.wait_closed()
