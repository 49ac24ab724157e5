"""Connections to Redis, made from Settings: addresses, TLS, users and passwords.

The client library gives the protocol; what it would do by itself is off: no retries, no health checks, no
notes about the client. RESP 2, in which a connection carries answers and nothing else until it subscribes.
"""

import asyncio
import ssl
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection

from sidecar.config.files import Signature, signature
from sidecar.config.redis import UNIX, RedisSettings
from sidecar.config.references import PasswordReference
from sidecar.config.units import split_address


class _TcpConnection(Connection):
    """TCP, and TLS with a context of ours: the library's trusts the system's authorities in any case."""

    def __init__(self, *, context: ssl.SSLContext | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._context = context

    def _connection_arguments(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.port, "ssl": self._context}


class Wire:
    """Dials any server of a configuration. What stands in files is as it is when a connection is made."""

    def __init__(self, settings: RedisSettings) -> None:
        self.timeout_s = settings.timeout
        """How long a connection may take."""
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        self._seen: tuple[Signature, ...] = ()

    def __repr__(self) -> str:
        return f"<Wire to {self._settings.mode} Redis{' by TLS' if self._settings.tls else ''}>"

    async def dial(self, address: str) -> AbstractConnection:
        """A connection to a server, ready for commands. Raises one of `refusals.FAILURES`."""
        settings = self._settings
        return await self._dial(address, settings.username, settings.password, settings.database)

    async def dial_sentinel(self, address: str) -> AbstractConnection:
        """A connection to a Sentinel, which has users of its own. Raises one of `refusals.FAILURES`."""
        settings = self._settings
        return await self._dial(address, settings.sentinel_username, settings.sentinel_password, 0)

    async def _dial(
        self, address: str, username: str | None, password: PasswordReference | None, database: int
    ) -> AbstractConnection:
        common: dict[str, Any] = {
            "username": username,
            "password": password.current().reveal() if password else None,
            "db": database,
            "protocol": 2,
            "driver_info": None,
            "socket_timeout": None,  # whoever reads sets the limit: a limit here costs a task a command
            "socket_connect_timeout": self.timeout_s,
        }
        connection: AbstractConnection
        if address.startswith(UNIX):
            connection = UnixDomainSocketConnection(path=address.removeprefix(UNIX), **common)
        else:
            host, port = split_address(address)
            connection = _TcpConnection(host=host, port=port, context=self._tls(), **common)
        try:
            async with asyncio.timeout(self.timeout_s):
                await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await sever(connection)
            raise
        return connection

    def _tls(self) -> ssl.SSLContext | None:
        """The context for the files as they are; the last one while they cannot be used."""
        settings = self._settings
        if not settings.tls:
            return None
        files = [file for file in (settings.ca_file, settings.cert_file, settings.key_file) if file]
        seen = tuple(map(signature, files))
        if self._context is None or seen != self._seen:
            try:
                self._context, self._seen = _context(settings), seen
            except OSError:  # SSLError is one: a file is being replaced
                if self._context is None:
                    raise
        return self._context


async def sever(connection: AbstractConnection) -> None:
    """Close a connection at once, in whatever state: nothing is flushed and no goodbye is waited for."""
    writer = connection._writer
    if writer is not None:
        writer.transport.abort()
    await connection.disconnect(nowait=True)


def _context(settings: RedisSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificates and host names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file:
        context.load_verify_locations(cafile=settings.ca_file)
    else:
        context.load_default_certs()
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file, password=_no_passphrase)
    return context


def _no_passphrase() -> str:
    return ""
