"""Listens to one channel on a connection of its own, and notices when nothing can be heard any more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError

from sidecar.store.wire import sever

_ASK_S = 1.0
"""Seconds from one sign of life to asking for the next. A connection whose other end is gone without a word
is found out by nothing else."""


class Subscription:
    """A channel that is listened to."""

    def __init__(self, connection: AbstractConnection, limit_s: float) -> None:
        self.alive_at: float | None = None
        """When it was last known that everything published had been heard, on the event loop's clock."""
        self._connection = connection
        self._limit_s = limit_s
        self._loop = asyncio.get_running_loop()
        self._asked_at: float | None = None
        self._ask_at = self._loop.time()

    def __repr__(self) -> str:
        state = "waits for a sign of life" if self._asked_at is not None else "listens"
        return f"<Subscription {state}>"

    async def next(self) -> bytes | None:
        """The next message; None for a sign of life, or when one was asked for. Raises one of FAILURES when
        nothing can be heard any more.
        """
        due = self._ask_at if self._asked_at is None else self._asked_at + self._limit_s
        answer = await self._connection.read_response(timeout=max(0.001, due - self._loop.time()))
        if answer is None:
            await self._ask()
            return None
        kind, *rest = answer
        if kind == b"pong":
            self.alive_at, self._asked_at = self._asked_at, None
            self._ask_at = self._loop.time() + _ASK_S
        return bytes(rest[1]) if kind == b"message" else None

    async def _ask(self) -> None:
        if self._asked_at is not None:
            raise TimeoutError("no answer to PING")
        self._asked_at = self._loop.time()
        async with asyncio.timeout(self._limit_s):
            await self._connection.send_command("PING", check_health=False)

    async def subscribe(self, channel: str) -> None:
        """Begin to listen; done when the server has said so."""
        async with asyncio.timeout(self._limit_s):
            await self._connection.send_command("SUBSCRIBE", channel, check_health=False)
            answer = await self._connection.read_response()
        if answer[0] != b"subscribe":
            raise ConnectionError("SUBSCRIBE was answered with something else")


@asynccontextmanager
async def subscribed(
    dial: Callable[[], Awaitable[AbstractConnection]], channel: str, limit_s: float
) -> AsyncIterator[Subscription]:
    """A subscription, whose connection is closed at the end. Raises one of FAILURES."""
    connection = await dial()
    try:
        subscription = Subscription(connection, limit_s)
        await subscription.subscribe(channel)
        yield subscription
    finally:
        await sever(connection)
