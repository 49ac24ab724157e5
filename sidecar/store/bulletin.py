"""The bulletin over Redis: told by push, asked for when push is lost, and repeated when Redis forgets.

put     one Lua script writes a hash of the kind and publishes; the later deadline wins there
hear    one connection listens to one channel for all kinds
ask     the hash is read after listening has begun, so nothing falls in between; then now and then, because a
        cluster may lose a message between its nodes; and often, at random moments, while nothing can be heard
repeat  own notices that Redis lacks when it is read are put again

Three things run at once and meet in the Boards alone: they are synchronous, so no lock is needed.
"""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import islice
from math import ceil, inf
from typing import Never, Protocol

from redis.asyncio.connection import AbstractConnection

from sidecar.core.bulletin import Notice, Snapshot
from sidecar.store.board import NOTICES_MAX
from sidecar.store.circuit import backoff_s
from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.lane import Word
from sidecar.store.memory import Boards
from sidecar.store.refusals import FAILURES, outage_of
from sidecar.store.scripts import Script, source
from sidecar.store.subscriber import Subscription, subscribed

_ASK_HEARING_S = (4.0, 6.0)
_ASK_DEAF_S = (0.25, 0.75)
_TOGETHER_MAX = 64

_log = logging.getLogger(__name__)


class Scripts(Protocol):
    """What a bulletin needs of the store."""

    prefix: str
    limit_s: float

    def script(self, text: str) -> Script:
        """A script to run."""
        ...


class RedisBulletin:
    """A Bulletin for all sidecars of one Redis and one prefix."""

    def __init__(self, store: Scripts, dial: Callable[[], Awaitable[AbstractConnection]]) -> None:
        self._boards = Boards()
        self._dial = dial
        self._limit_s = store.limit_s
        self._channel = f"{store.prefix}:bulletin"
        self._put = store.script(source("bulletin_put.lua"))
        self._read = store.script(source("bulletin_read.lua"))
        self._versions: dict[str, bytes] = {}
        self._loop = asyncio.get_running_loop()
        self._random = random.Random()  # noqa: S311 - jitter is no secret
        self._hearing: Subscription | None = None
        self._is_new = True
        """Whether no attempt to hear has ended yet: the first that fails is told as well."""
        self._complete: set[str] = set()
        """The kinds that were read since we began to hear, and so lack nothing."""
        self._ask_at = self._loop.time()
        self._woken = asyncio.Event()

    def __repr__(self) -> str:
        return f"<RedisBulletin {'hearing' if self._hearing else 'deaf'}: {self._boards!r}>"

    def put(self, kind: str, key: str, value: str, until: float) -> None:
        """Let a notice hold here at once, and everywhere soon."""
        if self._boards.post(kind, key, Notice(value, until), self._loop.time()):
            self._woken.set()

    def watch(self, kind: str) -> Snapshot:
        """What is known of a kind."""
        if kind not in self._boards:
            self._boards.board(kind)
            self._ask_soon()
        return self._boards.board(kind).snapshot

    async def changed(self, kind: str, seen: Snapshot) -> Snapshot:
        """Wait for other notices than those seen."""
        return await self._boards.changed(kind, seen)

    async def run(self) -> None:
        """Keep up with the fleet until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear())
            group.create_task(self._tell_and_ask())

    async def _hear(self) -> None:
        """Listen, and begin anew whenever nothing can be heard any more."""
        attempt = 0
        while True:
            try:
                async with subscribed(self._dial, self._channel, self._limit_s) as subscription:
                    self._turn(subscription)
                    await self._listen(subscription)
            except FAILURES as error:
                attempt = self._lost(outage_of(error), attempt)
            self._turn(None)
            await asyncio.sleep(backoff_s(attempt, self._random.random()))

    async def _listen(self, subscription: Subscription) -> Never:
        """Take what comes. Raises one of FAILURES in the end."""
        while True:
            message = await subscription.next()
            if message is not None:
                self._take(message)
            elif subscription.alive_at is not None:
                for kind in self._complete:
                    self._boards.board(kind).confirm(subscription.alive_at)

    def _lost(self, outage: Outage, attempt: int) -> int:
        """Say so once that we ask instead of listening; returns the number of the next attempt."""
        if self._hearing is not None or self._is_new:
            fields = {"outage": outage, "channel": self._channel}
            _log.warning("bulletin cannot be heard, asking instead", extra={"fields": fields})
        self._is_new = False
        was_alive = self._hearing is not None and self._hearing.alive_at is not None
        return 0 if was_alive else attempt + 1

    def _turn(self, hearing: Subscription | None) -> None:
        """Begin or cease to hear: what is known may lack something from now on, so ask."""
        self._hearing = hearing
        self._complete.clear()
        self._ask_soon()

    def _ask_soon(self) -> None:
        self._ask_at = self._loop.time()
        self._woken.set()

    async def _tell_and_ask(self) -> None:
        """Tell what is owed as soon as it is; ask when it is time to."""
        while True:
            self._woken.clear()
            is_due = self._loop.time() >= self._ask_at
            if is_due:
                self._ask_at = inf
            try:
                for kind in self._boards.kinds:
                    await self._tell(kind)
                    if is_due:
                        await self._ask(kind)
            except StoreUnavailable:
                self._ask_in(_ASK_DEAF_S)
            else:
                if is_due:
                    self._ask_in(_ASK_HEARING_S if self._hearing else _ASK_DEAF_S)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._ask_at):
                    await self._woken.wait()

    def _ask_in(self, bounds: tuple[float, float]) -> None:
        """Ask at a random moment within these bounds, or earlier if there is cause."""
        self._ask_at = min(self._ask_at, self._loop.time() + self._random.uniform(*bounds))

    async def _tell(self, kind: str) -> None:
        """Put what is owed."""
        now = self._loop.time()
        live = (
            (key, notice) for key, notice in self._boards.board(kind).owed().items() if notice.until > now
        )
        while some := list(islice(live, _TOGETHER_MAX)):
            now = self._loop.time()
            words: list[Word] = [self._channel, kind, NOTICES_MAX]
            for key, notice in some:
                words += (key, max(1, ceil((notice.until - now) * 1000)), notice.value)
            clock, _, *standing = await self._put.run([self._name(kind)], words, self._limit_s)
            for (key, _), stored in zip(some, standing, strict=True):
                with suppress(ValueError):
                    self._learn(kind, key, stored, int(clock))

    async def _ask(self, kind: str) -> None:
        """Read all that Redis has of a kind, if it is not what was read last."""
        hearing, asked_at = self._hearing, self._loop.time()
        read = self._versions.get(kind, b"never")
        clock, version, *stored = await self._read.run([self._name(kind)], [read], self._limit_s)
        board = self._boards.board(kind)
        if version != read:
            stamps = {}
            for key, text in zip(stored[::2], stored[1::2], strict=True):
                with suppress(ValueError):  # who else may write here, may write anything
                    stamps[key.decode()] = self._learn(kind, key.decode(), text, int(clock))
            self._versions[kind] = version
            if board.missed(stamps, self._loop.time()):
                self._woken.set()
        board.confirm(asked_at)
        if hearing is not None and hearing is self._hearing:
            self._complete.add(kind)

    def _take(self, message: bytes) -> None:
        """Learn what was published; what is not ours to read is passed over."""
        with suppress(ValueError):  # UnicodeDecodeError and JSONDecodeError are some
            kind, key, stamp, clock, value = _texts(json.loads(message))
            if kind in self._boards:
                self._learn(kind, key, f"{stamp} {value}".encode(), int(clock))

    def _learn(self, kind: str, key: str, stored: bytes, clock_ms: int) -> int:
        """Learn what Redis has for a key, as "stamp value", when its clock was so; returns the stamp. Raises
        ValueError when it is something else.

        Taken from the moment of its arrival, a deadline is late by as much as it took here, and never early.
        """
        until, _, value = stored.decode().partition(" ")
        now, stamp = self._loop.time(), int(until)
        notice = Notice(value, now + (stamp - clock_ms) / 1000)
        if self._boards.board(kind).learn(key, notice, stamp, now):
            self._boards.tell(kind)
        return stamp

    def _name(self, kind: str) -> str:
        return f"{self._channel}:{kind}"


def _texts(message: object) -> list[str]:
    if not isinstance(message, list) or not all(isinstance(part, str) for part in message):
        raise ValueError("not a list of texts")
    return message
