"""HTTP/2 spoken frame by frame, as no honest client would; see RFC 9113 sections 4 and 6, and RFC 7541."""

import asyncio
import ssl
from collections.abc import Iterable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
CANCEL = 8
MAX_FRAME_BYTES = 16_384
_INITIAL_WINDOW_SIZE = 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def block(fields: Iterable[tuple[str, str]]) -> bytes:
    """Header fields as literals that no table remembers."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def call(stream: int, path: str, message: bytes) -> bytes:
    """A whole gRPC call: headers, one message, the end."""
    fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", path),
        (":authority", "sidecar"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    body = b"\x00" + len(message).to_bytes(4) + message
    return frame(HEADERS, END_HEADERS, stream, block(fields)) + frame(DATA, END_STREAM, stream, body)


class Attacker:
    """One connection, which has greeted. Everything that comes is counted and thrown away."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._has_agreed = False
        """Whether the limits of the other side were heard and acknowledged: from then on they bind."""
        self.resets = 0
        """Streams that the other side has cut."""

    @classmethod
    async def connect(cls, target: str, context: ssl.SSLContext, *, window_bytes: int) -> "Attacker":
        """Connect, and let each stream send so many bytes before it is told that they were read."""
        host, _, port = target.rpartition(":")
        attacker = cls(*await asyncio.open_connection(host, int(port), ssl=context))
        setting = _INITIAL_WINDOW_SIZE.to_bytes(2) + window_bytes.to_bytes(4)
        attacker._writer.write(PREFACE + frame(SETTINGS, 0, 0, setting))
        while not attacker._has_agreed:
            await attacker._read()
        return attacker

    async def send(self, content: bytes) -> bool:
        """Send; whether the connection is still open."""
        try:
            self._writer.write(content)
            await self._writer.drain()
        except OSError:
            return False
        return True

    async def until_closed(self) -> None:
        """Read until the other side closes."""
        try:
            while True:
                await self._read()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            return

    async def until_reset(self, streams: int) -> None:
        """Read until so many streams have been cut."""
        while self.resets < streams:
            await self._read()

    def close(self) -> None:
        """Leave without a word."""
        self._writer.transport.abort()

    async def _read(self) -> None:
        head = await self._reader.readexactly(9)
        payload = await self._reader.readexactly(int.from_bytes(head[:3]))
        if head[3] == RST_STREAM:
            self.resets += 1
        elif head[3] == SETTINGS and not head[4]:
            self._writer.write(frame(SETTINGS, ACK, 0))
            self._has_agreed = True
        elif head[3] == PING and not head[4]:
            self._writer.write(frame(PING, ACK, 0, payload))


def _text(text: str) -> bytes:
    """A string that is not Huffman-coded, behind its length, a 7-bit prefix integer."""
    content = text.encode()
    if len(content) < 127:
        return bytes((len(content),)) + content
    rest, length = len(content) - 127, b"\x7f"
    while rest >= 128:
        length += bytes((rest % 128 + 128,))
        rest //= 128
    return length + bytes((rest,)) + content
