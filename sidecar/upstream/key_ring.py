"""Which of a project's keys to show next. Pure: time is passed in.

Keys of one project share its quota, so none is better than another, and each call takes the next. A key that
the upstream refused rests: it may be revoked, or its change may not have reached all of Google's servers. It
is tried again after the rest, because nobody tells us when it is good again. When all of them rest, the one
that has rested longest is the best guess.
"""

from collections.abc import Sequence

from sidecar.core.secret import Secret

REST_S = 300.0


class KeyRing:
    """The keys of one project, in turn."""

    def __init__(self, keys: Sequence[Secret]) -> None:
        self._keys = tuple(keys)
        self._next = 0
        self._refused_at: dict[Secret, float] = {}

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self._keys)} keys, {len(self._refused_at)} refused>"

    def take(self, now: float) -> Secret:
        """The key to show at `now`, in seconds on any steady clock."""
        for _ in self._keys:
            key = self._keys[self._next]
            self._next = (self._next + 1) % len(self._keys)
            if not self._rests(key, now):
                return key
        return min(self._refused_at, key=self._refused_at.__getitem__)

    def refuse(self, key: Secret, now: float) -> bool:
        """Note that the upstream refused a key; tells whether that is news, as it did not rest until now."""
        was_in_use = not self._rests(key, now)
        self._refused_at[key] = now
        return was_in_use

    def has_other(self, key: Secret, now: float) -> bool:
        """Whether a key beside this one is not resting."""
        return any(other != key and not self._rests(other, now) for other in self._keys)

    def _rests(self, key: Secret, now: float) -> bool:
        return key in self._refused_at and now < self._refused_at[key] + REST_S
