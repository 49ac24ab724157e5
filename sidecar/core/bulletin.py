"""What the fleet must know within a second, as each sidecar knows it: notices, by kind and key.

A notice counts until its deadline and then is as if it had never been. Of two with the same key the one with
the later deadline stands, whoever heard of which first, so all sidecars come to the same state in any order.
Nothing is ever taken back; a notice that may have to be, has a near deadline and is put again.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that holds for a time."""

    value: str
    until: float
    """When it ends, on the event loop's clock of this process."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known of one kind. A notice that has ended may still be in it: ask with the time."""

    notices: Mapping[str, Notice]
    confirmed_at: float
    """When it was last known to be what the whole fleet knows, on the event loop's clock; minus infinity for
    never. Notices that are younger may be missing."""
    version: int
    """Differs from that of every other set of notices of this kind in this process."""

    def value(self, key: str, now: float) -> str | None:
        """What holds for a key now; None when nothing does."""
        notice = self.notices.get(key)
        return notice.value if notice is not None and notice.until > now else None

    def live(self, now: float) -> dict[str, Notice]:
        """The notices that hold now."""
        return {key: notice for key, notice in self.notices.items() if notice.until > now}
