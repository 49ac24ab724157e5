"""The notices of one kind in one process: pure arithmetic of what is heard from whom.

A notice has two deadlines: `until` on our clock, and its stamp, the same moment in milliseconds on Redis's
clock. Stamps decide between notices that Redis has seen, so all sidecars decide alike; a notice of our own
that Redis has not seen yet has stamp 0, is compared by `until`, and is owed to Redis until it has.

The own notices that Redis once had are kept in mind: a Redis that has lost them, by a restart or a failover,
is told again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType

from sidecar.core.bulletin import Notice, Snapshot

NOTICES_MAX = 1024
"""Notices of one kind. Beyond, the one that ends first is dropped: it has least left to say."""


@dataclass(frozen=True, slots=True)
class _Held:
    notice: Notice
    stamp: int
    is_own: bool


class Board:
    """What this process knows of one kind. Times are the caller's."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._version = 0
        self._snapshot = Snapshot(MappingProxyType({}), -inf, self._version)
        self._is_shown = True
        """Whether the snapshot shows what is held: many notices may come between two looks at it."""

    def __repr__(self) -> str:
        return f"<Board of {len(self._held)} notices, {len(self.owed())} owed>"

    @property
    def snapshot(self) -> Snapshot:
        """What is known."""
        if not self._is_shown:
            notices = MappingProxyType({key: held.notice for key, held in self._held.items()})
            self._snapshot = replace(self._snapshot, notices=notices, version=self._version)
            self._is_shown = True
        return self._snapshot

    def post(self, key: str, notice: Notice, now: float) -> bool:
        """Take a notice of our own. False when one with a later deadline, or the same, stands."""
        held = self._standing(key, now)
        if notice.until <= now or (held is not None and held.notice.until >= notice.until):
            return False
        self._hold(key, _Held(notice, 0, is_own=True), now)
        return True

    def learn(self, key: str, notice: Notice, stamp: int, now: float) -> bool:
        """Take what Redis has for a key. False when it is nothing new."""
        held = self._standing(key, now)
        if notice.until <= now:
            return False
        if held is None:
            self._hold(key, _Held(notice, stamp, is_own=False), now)
            return True
        if stamp <= held.stamp or (held.stamp == 0 and notice.until < held.notice.until):
            return False
        is_ours = held.is_own and held.stamp == 0 and held.notice.value == notice.value
        self._hold(key, _Held(notice, stamp, is_own=is_ours), now, is_news=not is_ours)
        return not is_ours

    def missed(self, stamps: Mapping[str, int], now: float) -> bool:
        """Owe Redis again the own notices that it lacks, or has older, by all its stamps; whether it does."""
        if len(stamps) >= NOTICES_MAX:
            return False  # they were dropped for want of room
        lost = [
            key
            for key, held in self._held.items()
            if held.is_own and held.notice.until > now and 0 < held.stamp > stamps.get(key, 0)
        ]
        for key in lost:
            self._held[key] = replace(self._held[key], stamp=0)
        return bool(lost)

    def owed(self) -> dict[str, Notice]:
        """The own notices that Redis is not known to have."""
        return {key: held.notice for key, held in self._held.items() if held.stamp == 0}

    def confirm(self, at: float) -> None:
        """Note that Redis had, at this time, nothing that is not here."""
        if at > self._snapshot.confirmed_at:
            self._snapshot = replace(self._snapshot, confirmed_at=at)

    def _standing(self, key: str, now: float) -> _Held | None:
        held = self._held.get(key)
        return held if held is not None and held.notice.until > now else None

    def _hold(self, key: str, held: _Held, now: float, is_news: bool = True) -> None:
        self._held[key] = held
        self._version += is_news
        self._is_shown = False
        if len(self._held) > NOTICES_MAX:
            self._make_room(now)

    def _make_room(self, now: float) -> None:
        """Let go of what has ended, or else of what ends first."""
        ended = [key for key, held in self._held.items() if held.notice.until <= now]
        for key in ended or [min(self._held, key=lambda other: self._held[other].notice.until)]:
            del self._held[key]
