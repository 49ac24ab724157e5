"""What one sidecar used of a limit group lately, to teach a ledger that lost it. Pure: moments are passed in
(ms).

It is remembered for one window, or for as long as a ledger may be away where windows are those of the
calendar, in slots as long as the ledger's buckets.
"""

from collections.abc import Iterator, Sequence
from operator import add

from sidecar.limits.message import Terms

_CALENDAR_HISTORY_MS = 600_000
"""How long a ledger may be away and still be told all that was used of a calendar limit."""


class Slot:
    """What was used in one stretch of time."""

    __slots__ = ("amounts", "last")

    def __init__(self, limits: int, at: float) -> None:
        self.last = at
        """The last moment when something was."""
        self.amounts = [0] * limits

    def __repr__(self) -> str:
        return f"<Slot {self.amounts} until {self.last:.0f}>"


class History:
    """What was used, by stretches of time. Iterate it for its slots, in whatever order."""

    __slots__ = ("_keep_ms", "_limits", "_slot_ms", "_slots")

    def __init__(self, terms: Sequence[Terms]) -> None:
        self._limits = len(terms)
        self._slot_ms = max(term.bucket_ms for term in terms)
        self._keep_ms = max(map(_history_ms, terms))
        self._slots: dict[int, Slot] = {}

    def __repr__(self) -> str:
        return f"<History of {len(self._slots)} slots>"

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots.values())

    def add(self, at: float, amounts: Sequence[int]) -> None:
        """Remember what was used at a moment; what was not, after all, is less than nothing."""
        slot = self.at(at)
        slot.amounts = list(map(add, slot.amounts, amounts))

    def at(self, moment: float) -> Slot:
        """Where what is used at a moment is remembered."""
        place = int(moment // self._slot_ms)
        slot = self._slots.get(place) or self._begin(place, moment)
        slot.last = max(slot.last, moment)
        return slot

    def _begin(self, place: int, at: float) -> Slot:
        """Begin a slot, and forget those that are older than can matter."""
        for old in [known for known in self._slots if known < place - self._keep_ms // self._slot_ms]:
            del self._slots[old]
        slot = self._slots[place] = Slot(self._limits, at)
        return slot


def _history_ms(terms: Terms) -> int:
    return _CALENDAR_HISTORY_MS if terms.calendar else terms.window_ms + terms.slack_ms
