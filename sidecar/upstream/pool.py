"""The connections that are kept between exchanges, and how new ones are made.

At most `max_connections` are open at once, those that wait for their next exchange included: where a new one
has no room beside them, the one idle for longest makes way. Who finds all of them in use waits in line.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import aiohappyeyeballs

from sidecar.config.settings import UpstreamSettings
from sidecar.core.errors import Reason, UpstreamUnavailable
from sidecar.upstream.connection import Connection

_HAPPY_EYEBALLS_S = 0.25
"""Until the next address is tried beside one that does not answer (RFC 8305, section 5)."""


class Origin(NamedTuple):
    """Whom a connection leads to."""

    is_tls: bool
    host: str
    port: int


class Pool:
    """Connections by origin. Construct inside a running event loop; close when done."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._limit = settings.max_connections
        self._connect_timeout_s = settings.connect_timeout
        self._keepalive_s = settings.keepalive
        self._tls = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        self._loop = asyncio.get_running_loop()
        self._in_use = 0
        """Places taken, for connections that stand and for those being made."""
        self._line: deque[asyncio.Future[None]] = deque()
        """Those who wait for a place; nobody does while one is free."""
        self._taken: set[Connection] = set()
        self._idle: dict[Origin, deque[Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        if self._is_closed:
            return "<Pool closed>"
        return f"<Pool: {len(self._taken)} connections taken, {self._idle_count()} idle>"

    def close(self) -> None:
        """Close every connection. Exchanges still running fail."""
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in [*self._taken, *self._all_idle()]:
            connection.abort()
        self._idle.clear()

    def take_kept(self, origin: Origin) -> Connection | None:
        """A connection to `origin` that was kept, to be given back; None when there is none to be had now."""
        if self._in_use >= self._limit or (connection := self._kept(origin)) is None:
            return None
        self._in_use += 1
        self._taken.add(connection)
        return connection

    async def take(self, origin: Origin) -> Connection:
        """A connection to `origin`, new if need be, to be given back. Raises UpstreamUnavailable."""
        limit = asyncio.timeout(self._connect_timeout_s)
        try:
            async with limit:
                connection = await self._with_place(origin)
        except (OSError, RuntimeError, UnicodeError) as error:
            if limit.expired():
                text = f"no connection within {self._connect_timeout_s:g} s (connect_timeout)"
                raise UpstreamUnavailable(text, reason=Reason.UPSTREAM_TIMEOUT) from error
            raise UpstreamUnavailable(_why(error)) from error
        self._taken.add(connection)
        if self._is_closed:
            self.give_back(origin, connection)
            raise UpstreamUnavailable("the connections to the upstream are closed for good")
        return connection

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep `connection` when another exchange may follow on it, else close it at once."""
        self._taken.discard(connection)
        self._leave()
        if self._is_closed or not connection.is_reusable:
            connection.abort()
            return
        connection.idle_since = self._loop.time()
        self._idle.setdefault(origin, deque()).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._keepalive_s, self._close_expired)

    async def _with_place(self, origin: Origin) -> Connection:
        await self._enter()
        try:
            return self._kept(origin) or await self._connected(origin)
        except BaseException:
            self._leave()
            raise

    async def _enter(self) -> None:
        """Take a free place, or wait in line for one that is handed over."""
        if self._in_use < self._limit:
            self._in_use += 1
            return
        turn = self._loop.create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn came first: the place is ours to hand on
                self._leave()
            raise

    def _leave(self) -> None:
        """Hand the place over to the first in line, or free it."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._in_use -= 1

    def _kept(self, origin: Origin) -> Connection | None:
        """The connection to `origin` that was used last: the likeliest to be still open."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connected(self, origin: Origin) -> Connection:
        while (idle := self._idle_count()) and self._in_use + idle > self._limit:
            self._close_oldest()
        addresses = await self._loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        connected = await aiohappyeyeballs.start_connection(
            addresses, happy_eyeballs_delay=_HAPPY_EYEBALLS_S, loop=self._loop
        )
        _, connection = await self._loop.create_connection(
            Connection,
            sock=connected,
            ssl=self._tls if origin.is_tls else None,
            server_hostname=origin.host if origin.is_tls else None,
        )
        if not connection.is_open:  # lost again before this task could go on
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        return connection

    def _all_idle(self) -> Iterator[Connection]:
        return (connection for idle in self._idle.values() for connection in idle)

    def _idle_count(self) -> int:
        return sum(map(len, self._idle.values()))

    def _close_oldest(self) -> None:
        idle = min(filter(None, self._idle.values()), key=lambda idle: idle[0].idle_since)
        idle.popleft().abort()

    def _close_expired(self) -> None:
        """Close what has been idle for too long; come again when the next is due."""
        expired = self._loop.time() - self._keepalive_s
        for origin, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since <= expired or not idle[0].is_open):
                idle.popleft().abort()
            if not idle:
                del self._idle[origin]
        oldest = min((idle[0].idle_since for idle in self._idle.values()), default=None)
        self._sweep = (
            None if oldest is None else self._loop.call_at(oldest + self._keepalive_s, self._close_expired)
        )


def _why(error: Exception) -> str:
    """What a failure to connect means."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return "the upstream's host name cannot be resolved"
    if isinstance(error, ssl.SSLError):
        return "the upstream's TLS certificate or handshake was refused"
    cause = error.strerror if isinstance(error, OSError) else None
    return f"the upstream cannot be reached: {cause or 'connection failed'}"
