"""A lane: one server, one connection, and the commands that take turns on it.

A caller waits for a future and never touches the connection: a task of the lane writes and reads. So a caller
that goes away leaves an answer that nobody wants, never a connection in the middle of one, which is how
answers get mixed up (redis-py issue 2624) or connections get lost (4123).

Commands that arrive while others are on their way wait and leave together, in one write: under load the lane
gets cheaper. Nothing is ever sent twice. A command that may have been run fails; who asked decides.

Invariants: at most one connection; at most one task; at most WAITING_MAX commands wait; no command is sent
later than its caller waits.
"""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from sidecar.store.circuit import Circuit
from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.owner import Owner
from sidecar.store.refusals import FAILURES, WAYS_ON, outage_of, unavailable
from sidecar.store.wire import sever

Word: TypeAlias = bytes | str | int
Dial: TypeAlias = Callable[[], Awaitable[AbstractConnection]]

WAITING_MAX = 1024
"""Commands that may wait for one server. A sidecar has one on its way for each quota group at most."""
_TOGETHER_MAX = 64
"""Commands that leave in one write."""
_ASKING: tuple[Word, ...] = ("ASKING",)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    words: tuple[Word, ...]
    is_asking: bool
    """Whether ASKING goes before it: the slot is being moved and the node would refuse it otherwise."""
    answer: "asyncio.Future[Any]"


class Lane:
    """Commands to one server."""

    def __init__(self, name: str, dial: Dial, limit_s: float, owner: Owner) -> None:
        self.name = name
        self.circuit = Circuit()
        self.outages: Counter[Outage] = Counter()
        """Failures so far by kind, those that no caller was left to see among them."""
        self._dial = dial
        self._limit_s = limit_s
        self._owner = owner
        self._draw = random.Random().random  # noqa: S311 - jitter is no secret
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Asked] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._connection: AbstractConnection | None = None
        self._is_elsewhere = False
        self._is_closed = False

    def __repr__(self) -> str:
        state = "connected" if self._connection else "not connected"
        return f"<Lane to {self.name}: {state}, {len(self._waiting)} waiting, {self.circuit!r}>"

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return self._serving is None

    def ask(self, words: tuple[Word, ...], *, is_asking: bool = False) -> "asyncio.Future[Any]":
        """The answer to a command, in RESP 2 as it comes: bytes, integers, None, lists.

        The future fails with StoreUnavailable, or with a ResponseError that says what else to do. Cancelling
        it takes the command back if it has not left. Raises StoreUnavailable when there is no use in waiting.
        """
        if self._is_closed:
            raise StoreUnavailable(Outage.CLOSED)
        if self.circuit.refuses(self._loop.time()):
            raise StoreUnavailable(Outage.OPEN)
        if len(self._waiting) >= WAITING_MAX:
            raise StoreUnavailable(Outage.OVERLOADED)
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(_Asked(words, is_asking, answer))
        if self._serving is None:
            self._serving = self._owner.spawn(self._serve(), f"lane to {self.name}")
        return answer

    async def close(self) -> None:
        """Fail what waits and close the connection. Idempotent."""
        self._is_closed = True
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait({self._serving})
        self._refuse(self._waiting, Outage.CLOSED)  # left when the task was cancelled before it began
        await self._drop()

    async def _serve(self) -> None:
        """Send what waits, batch after batch, until nothing does."""
        try:
            while together := self._next():
                await self._exchange(together)
        finally:
            self._serving = None

    def _next(self) -> deque[_Asked]:
        """The commands that leave next, fewer those that nobody waits for; one alone to a doubtful server."""
        most = _TOGETHER_MAX if self.circuit.is_closed else 1
        together: deque[_Asked] = deque()
        while self._waiting and len(together) < most:
            asked = self._waiting.popleft()
            if not asked.answer.done():
                together.append(asked)
        return together

    async def _exchange(self, together: deque[_Asked]) -> None:
        """Send these commands and settle each by its answer."""
        try:
            connection = await self._connected()
            async with asyncio.timeout(self._limit_s):
                packed = b"".join(map(_packed, _in_order(together)))
                await connection.send_packed_command(packed, check_health=False)
                while together:
                    await self._read(connection, together[0])
                    together.popleft()
        except FAILURES as error:
            await self._failed(error, together)
        except BaseException:
            self._refuse(together, Outage.CLOSED)
            await self._drop()
            raise

    async def _read(self, connection: AbstractConnection, asked: _Asked) -> None:
        """Settle a command by its answer, which an answer to ASKING may go before."""
        if asked.is_asking:
            await _answer(connection)
        answer = await _answer(connection)
        if isinstance(answer, ResponseError) and not isinstance(answer, WAYS_ON):
            outage = outage_of(answer)
            self._count(outage)
            answer = unavailable(outage, answer)
            if outage is Outage.READ_ONLY:
                self._is_elsewhere = True
        else:
            self._succeeded()
        if asked.answer.done():
            return
        if isinstance(answer, Exception):
            asked.answer.set_exception(answer)
        else:
            asked.answer.set_result(answer)

    async def _failed(self, error: BaseException, together: deque[_Asked]) -> None:
        """The connection is gone, and with it all answers that were to come on it."""
        await self._drop()
        self._count(outage_of(error))
        self._refuse(together, outage_of(error), error)
        if not self.circuit.is_closed:
            self._refuse(self._waiting, Outage.OPEN, error)

    async def _connected(self) -> AbstractConnection:
        if self._connection is not None and await self._is_stale(self._connection):
            await self._drop()
        if self._connection is None:
            self._connection = await self._dial()
            self._is_elsewhere = False
        return self._connection

    async def _is_stale(self, connection: AbstractConnection) -> bool:
        """Whether the server is no master now, has closed it, or said something that nobody asked for."""
        if self._is_elsewhere or not connection.is_connected:
            return True
        with suppress(*FAILURES):
            return bool(await connection.can_read())
        return True

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await sever(connection)

    def _count(self, outage: Outage) -> None:
        self.outages[outage] += 1
        if outage is Outage.FAULT:  # of one script, and the server is at work
            self._succeeded()
            return
        was_closed = self.circuit.is_closed
        self.circuit.failed(self._loop.time(), self._draw())
        if was_closed and not self.circuit.is_closed:
            fields = {"server": self.name, "outage": outage}
            _log.warning("Redis fails and is asked less", extra={"fields": fields})

    def _succeeded(self) -> None:
        if not self.circuit.is_closed:
            _log.info("Redis answers again", extra={"fields": {"server": self.name}})
        self.circuit.succeeded()

    @staticmethod
    def _refuse(waiting: deque[_Asked], outage: Outage, cause: BaseException | None = None) -> None:
        while waiting:
            asked = waiting.popleft()
            if not asked.answer.done():
                asked.answer.set_exception(unavailable(outage, cause))


def _in_order(together: Iterable[_Asked]) -> Iterator[tuple[Word, ...]]:
    for asked in together:
        if asked.is_asking:
            yield _ASKING
        yield asked.words


def _packed(words: tuple[Word, ...]) -> bytes:
    packed: bytes = pack_command(words)  # type: ignore[arg-type]  # its stub means a tuple of any length
    return packed


async def _answer(connection: AbstractConnection) -> Any:
    """The next answer; an error that Redis sent is one."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
