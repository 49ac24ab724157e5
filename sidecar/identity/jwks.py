"""The keys of one issuer, kept current: from its key set, at a URL or in a file.

Theory of operation. Verifying never waits for the network but twice: before there are any keys, and for a
key id that is not known, which is how a rotation shows first. Otherwise keys older than `refresh_s` are used
while they are loaded anew behind the callers' backs. All who wait share one load.

Anybody can make up key ids, so loads for their sake are bounded: `BURST` at once, then one every `pause_s`.
When a load fails, the keys that are known stay in use for a day: an issuer that is away must not lock
everybody out, and a key that it has withdrawn must not live for ever.

One task loads; `close` ends it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

from sidecar.core.errors import IdentityUnavailable, Unauthenticated
from sidecar.identity.keys import KeySet, NoKeys, PublicKey, read_keys

BURST = 5
"""Loads that may follow one another without a pause."""
STALE_S = 24 * 3600.0
"""Keys that nobody has confirmed for so long are believed no more."""

_log = logging.getLogger(__name__)


class Unloadable(Exception):
    """A key set cannot be had; the text says why, without its content."""


Load = Callable[[], Awaitable[bytes]]
"""Gets the document, bounded in time and size. Raises Unloadable."""


class KeySource(Protocol):
    """Has the keys of an issuer, from `warm` to `close`."""

    def warm(self) -> None:
        """Begin to load, so that the first caller need not wait."""
        ...

    async def close(self) -> None:
        """End a load that is under way."""
        ...

    async def find(self, algorithm: str, key_id: str) -> PublicKey:
        """The key of a token. Raises Unauthenticated when the issuer has no such key, IdentityUnavailable
        when that cannot be found out now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a place may be asked, in seconds."""

    refresh_s: float
    """Keys are loaded anew when they are older."""
    pause_s: float
    """Between two loads, once the burst is used up."""


REMOTE = Pace(refresh_s=300.0, pause_s=10.0)
FILE = Pace(refresh_s=1.0, pause_s=1.0)


class Allowance:
    """How many loads may begin now. Pure: time is passed in."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._left = float(BURST)
        self._at = -inf

    def __repr__(self) -> str:
        return f"<Allowance of {self._left:.1f} loads>"

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        self._left = min(BURST, self._left + (now - self._at) / self._pause_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class CachedKeys:
    """The KeySource of one issuer, by its name in Settings. `now` is any clock that goes evenly, in
    seconds.
    """

    def __init__(self, issuer: str, load: Load, pace: Pace, now: Callable[[], float]) -> None:
        self._issuer = issuer
        self._load = load
        self._refresh_s = pace.refresh_s
        self._now = now
        self._allowance = Allowance(pace.pause_s)
        self._keys: KeySet | None = None
        self._loaded_at = -inf
        self._loading: asyncio.Task[None] | None = None
        self._is_failing = False

    def __repr__(self) -> str:
        return f"<CachedKeys of {self._issuer}: {self._keys or 'none yet'}>"

    def warm(self) -> None:
        """Begin to load; see KeySource."""
        self._begin()

    async def find(self, algorithm: str, key_id: str) -> PublicKey:
        """The key of a token; see KeySource."""
        age_s = self._now() - self._loaded_at
        key = self._known(algorithm, key_id) if age_s < STALE_S else None
        if key is None:
            await self._loaded()
            key = self._known(algorithm, key_id)
        elif age_s > self._refresh_s:
            self._begin()
        if key is not None:
            return key
        if self._keys is None or self._is_failing:
            raise IdentityUnavailable(f"the keys of issuer {self._issuer!r} cannot be had now")
        raise Unauthenticated(f"issuer {self._issuer!r} has no such key for {algorithm}", "token_key")

    async def close(self) -> None:
        """End a load; see KeySource."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait({self._loading})

    def _known(self, algorithm: str, key_id: str) -> PublicKey | None:
        return self._keys.find(algorithm, key_id) if self._keys is not None else None

    async def _loaded(self) -> None:
        """Wait for a load, one that is under way or another, unless there were too many."""
        self._begin()
        if self._loading is not None:
            await asyncio.shield(self._loading)  # others wait for it too

    def _begin(self) -> None:
        if self._loading is None and self._allowance.take(self._now()):
            self._loading = asyncio.create_task(self._load_once(), name=f"keys-of-{self._issuer}")

    async def _load_once(self) -> None:
        try:
            self._keys = read_keys(await self._load())
        except (Unloadable, NoKeys) as error:
            self._forget_stale()
            if not self._is_failing:
                told = {"issuer": self._issuer, "error": str(error)}
                _log.error("an issuer's keys cannot be had; those known stay in use", extra={"fields": told})
            self._is_failing = True
        else:
            self._loaded_at = self._now()
            if self._is_failing:
                _log.info("an issuer's keys can be had again", extra={"fields": {"issuer": self._issuer}})
            self._is_failing = False
        finally:
            self._loading = None

    def _forget_stale(self) -> None:
        if self._now() - self._loaded_at >= STALE_S:
            self._keys = None
