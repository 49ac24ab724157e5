"""The one Redis client of a process: commands with a time limit, on whatever way leads to their keys.

    async with connected(settings.redis) as store:
        count = store.script(TEXT)
        answer = await count.run([key], [1], timeout_s=0.1)

Connections: one to each server that has keys of ours, and one that listens when the bulletin is used. Nothing
connects before it is needed, so a sidecar starts while Redis is down.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.exceptions import AskError, MovedError, NoScriptError, TryAgainError

from sidecar.config.redis import RedisSettings
from sidecar.store.bulletin import RedisBulletin
from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.lane import Word
from sidecar.store.owner import Owner
from sidecar.store.refusals import unavailable
from sidecar.store.routes import Route, route_of
from sidecar.store.scripts import Script
from sidecar.store.slots import Key

_SENT_MAX = 16
"""How often a command is sent that no server has run yet; time usually ends it before."""
_TRY_AGAIN_S = 0.02
"""A slot with some of its keys here and some there is whole again soon."""
_GONE_ELSEWHERE = frozenset(
    {
        Outage.UNREACHABLE,
        Outage.TIMEOUT,
        Outage.READ_ONLY,
        Outage.LOADING,
        Outage.CLUSTER_DOWN,
        Outage.OPEN,
    }
)
"""Outages after which the keys may be on another server."""


class Store:
    """Redis, as the rest of the sidecar sees it."""

    def __init__(self, settings: RedisSettings) -> None:
        self.prefix = settings.prefix
        """What names of keys and channels begin with."""
        self.limit_s = settings.timeout
        """The longest that a command may take, whatever its caller allows."""
        self._owner = Owner()
        self._route: Route = route_of(settings, self._owner)
        self._bulletin: RedisBulletin | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Store: {self._route!r}>"

    def script(self, text: str) -> Script:
        """A Lua script; sent by its SHA, and whole to a server that does not know it."""
        return Script(text, self)

    def bulletin(self) -> RedisBulletin:
        """The bulletin of this store; one, however often it is asked for. Needs a running event loop."""
        if self._bulletin is None:
            self._bulletin = RedisBulletin(self, self._route.dial)
            self._owner.spawn(self._bulletin.run(), "bulletin")
        return self._bulletin

    @property
    def outages(self) -> Counter[Outage]:
        """Failures of commands so far by kind, those that no caller was left to see among them."""
        return self._route.outages()

    async def command(self, *words: Word, keys: Sequence[Key], timeout_s: float) -> Any:
        """The answer to one command, as RESP 2 has it: bytes, integers, None, lists.

        `keys` say where it goes. Redirections are followed within the time. Raises StoreUnavailable;
        ValueError when the keys are not in one slot of a cluster. Cancelling is safe at any moment, but the
        command may have been run, as with any failure.
        """
        return await self._within(timeout_s, self._follow(words, keys))

    async def evaluate(
        self, sha: str, text: str, keys: Sequence[Key], args: Sequence[Word], timeout_s: float
    ) -> Any:
        """Run a script: by its SHA, or whole where that is not known. Raises as `command` does."""
        return await self._within(timeout_s, self._evaluate(sha, text, (len(keys), *keys, *args), keys))

    async def _evaluate(self, sha: str, text: str, rest: tuple[Word, ...], keys: Sequence[Key]) -> Any:
        try:
            return await self._follow(("EVALSHA", sha, *rest), keys)
        except NoScriptError:
            return await self._follow(("EVAL", text, *rest), keys)

    async def _within(self, timeout_s: float, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            async with asyncio.timeout(min(timeout_s, self.limit_s)):
                return await work
        except TimeoutError as error:
            self._route.doubt()
            raise unavailable(Outage.TIMEOUT, error) from error
        except StoreUnavailable as error:
            if error.outage in _GONE_ELSEWHERE:
                self._route.doubt()
            raise

    async def _follow(self, words: tuple[Word, ...], keys: Sequence[Key]) -> Any:
        """The answer of whichever server has the keys in the end."""
        if self._is_closed:
            raise StoreUnavailable(Outage.CLOSED)
        lane, is_asking = await self._route.lane(keys), False
        refusal: Exception | None = None
        for _ in range(_SENT_MAX):
            try:
                return await lane.ask(words, is_asking=is_asking)
            except AskError as error:  # MOVED is one
                lane, refusal = self._route.redirected(error, lane), error
                is_asking = not isinstance(error, MovedError)
            except TryAgainError as error:
                refusal = error
                await asyncio.sleep(_TRY_AGAIN_S)
        raise unavailable(Outage.CLUSTER_DOWN, refusal)

    async def close(self) -> None:
        """End every task and connection; what waits for an answer fails. Idempotent."""
        self._is_closed = True
        await self._owner.close()
        await self._route.close()


@asynccontextmanager
async def connected(settings: RedisSettings) -> AsyncIterator[Store]:
    """A store, closed at the end. Connects nowhere yet and raises nothing of Redis."""
    store = Store(settings)
    try:
        yield store
    finally:
        await store.close()
