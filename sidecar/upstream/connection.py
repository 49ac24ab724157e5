"""One connection to an upstream: HTTP/1.1 on an asyncio.Protocol, one request at a time.

llhttp (by httptools) reads the answers, strictly: conflicting lengths, bad chunk sizes and whatever else is
not HTTP end the connection. What it does not bound is bounded here: how much may come that is neither the end
of a head nor body, and how much body may wait to be taken.

A connection never asks twice. Whoever has the request written decides what its failure means.
"""

import asyncio
from typing import cast

import httptools

from sidecar.core.errors import UpstreamUnavailable
from sidecar.upstream.decode import malformed

_FRAMING_BYTES = 64 * 1024
"""Of heads, trailers and chunk sizes that may come in a row without any body."""
_UNREAD_BYTES = 128 * 1024
"""Of body that wait to be taken; above it the upstream is made to wait."""
_WRITE_BYTES = 256 * 1024
"""A larger body written at once would hold the event loop."""
_INTERIM = range(100, 200)


class Connection(asyncio.Protocol):
    """Open from `connection_made` until either side ends it. For one task at a time."""

    def __init__(self) -> None:
        self.status = 0
        """Of the answer; 0 until its head has come."""
        self.encoding = b""
        self.retry_after = b""
        """The content coding of the answer, empty for none."""
        self.idle_since = 0.0
        """When it was last given back, on the event loop's clock; kept by the pool."""
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._failure: UpstreamUnavailable | None = None
        self._is_open = False
        self._is_full = False
        self._unwritten = memoryview(b"")
        self._is_framed = False
        self._is_complete = True
        self._may_be_kept = True
        self._unread: list[bytes] = []
        self._unread_bytes = 0
        self._framing_bytes = 0

    def __repr__(self) -> str:
        if not self._is_open:
            return "<Connection closed>"
        return f"<Connection {'idle' if self._is_complete else 'answering' if self.status else 'asked'}>"

    @property
    def is_open(self) -> bool:
        """Whether a request may be written."""
        return self._is_open and not self._transport.is_closing()

    @property
    def is_at_end(self) -> bool:
        """Whether the answer was taken to its end."""
        return self._is_complete and not self._unread

    @property
    def is_reusable(self) -> bool:
        """Whether the exchange is over on both sides, so that another may follow."""
        return self.is_at_end and not self._unwritten and self._may_be_kept and self.is_open

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._is_open = False
        self._transport.abort()

    # ---------------------------------------------------------------------------------------- the exchange

    def begin(self, head: bytes, body: bytes) -> None:
        """Write the request, of a large body only a first piece: `answered` writes the rest."""
        self.status, self.encoding, self.retry_after = 0, b"", b""
        self._is_complete = self._is_framed = False
        self._framing_bytes = 0
        self._unwritten = memoryview(body)[_WRITE_BYTES:]
        self._transport.write(head + body[:_WRITE_BYTES])

    async def answered(self) -> None:
        """Write the rest of the request, but no further once an answer has come; wait for the head of that.

        Raises UpstreamUnavailable.
        """
        while not self.status and self._failure is None:
            if self._unwritten and not self._is_full and self.is_open:
                self._transport.write(self._unwritten[:_WRITE_BYTES])
                self._unwritten = self._unwritten[_WRITE_BYTES:]
            else:
                await self.wait()
        if not self.status and self._failure is not None:
            raise self._failure

    def take(self) -> bytes | None:
        """The body that has come since the last time: None when there is none yet, empty at its end.

        Raises UpstreamUnavailable when it can never be complete.
        """
        if self._unread:
            data = self._unread[0] if len(self._unread) == 1 else b"".join(self._unread)
            self._unread.clear()
            if self._unread_bytes > _UNREAD_BYTES and self.is_open:
                self._transport.resume_reading()
            self._unread_bytes = 0
            return data
        if self._is_complete:
            return b""
        if self._failure is not None:
            raise self._failure
        return None

    async def wait(self) -> None:
        """Wait until something has changed: bytes came, there is room to write, or the connection is lost."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: UpstreamUnavailable) -> None:
        if not self._is_complete and self._failure is None:
            self._failure = failure
        self._may_be_kept = False

    # ------------------------------------------------------------------------------- told by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, TLS included."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._is_open = True

    def data_received(self, data: bytes) -> None:
        """Read on in the answer."""
        if self._is_complete:  # nobody has asked for this
            self.abort()
            return
        self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(malformed("the upstream's answer is not HTTP as this client knows it"))
        if self._framing_bytes > _FRAMING_BYTES:
            self._fail(malformed("the upstream's answer has a head without end"))
        if self._failure is not None:
            self.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: an answer whose length nobody said is complete, any other is cut short."""
        self._is_open = False
        if exc is None and self.status and not self._is_framed:
            self._is_complete = True
        words = "cut its answer short" if self.status else "closed the connection before it answered"
        self._fail(UpstreamUnavailable(f"the upstream {words}"))
        self._wake()

    def pause_writing(self) -> None:
        """The upstream does not take what was written."""
        self._is_full = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._is_full = False
        self._wake()

    # --------------------------------------------------------------------------------- told by the parser

    def on_message_begin(self) -> None:
        """A head begins; after the answer nothing may."""
        if self._is_complete:
            self._may_be_kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note the headers that tell how to read the body and when to ask again; trailers tell nothing."""
        key = name.lower()
        if self.status:
            return
        if key in (b"content-length", b"transfer-encoding"):
            self._is_framed = True
        elif key == b"content-encoding":
            self.encoding = value
        elif key == b"retry-after":
            self.retry_after = value

    def on_headers_complete(self) -> None:
        """The head has come; one of an interim answer does not count."""
        status = self._parser.get_status_code()
        if status not in _INTERIM and not self._is_complete:
            self.status = status
            self._framing_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body to be taken."""
        if self._is_complete:
            return
        self._framing_bytes = 0
        self._unread.append(body)
        was_bytes = self._unread_bytes
        self._unread_bytes += len(body)
        if was_bytes <= _UNREAD_BYTES < self._unread_bytes:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is complete, unless it was an interim one."""
        if self.status:
            self._is_complete = True
            self._may_be_kept = self._may_be_kept and self._parser.should_keep_alive()
