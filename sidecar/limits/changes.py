"""What a lease has to tell its ledger, put together so that reports stay short. Pure: moments are passed in.

What is used, returned or corrected at different moments is one change when these are in one stretch of time:
it is told for the last of them, or the first, whichever errs on the safe side.
"""

from collections.abc import Callable

from sidecar.limits.message import Kind

_MERGE_MS = 25
"""It bounds a report, however busy the sidecar is."""
MERGE_DEBTS_MS = 250
"""Corrections pile up for as long as the ledger cannot be reached."""


class Change:
    """What changed within one stretch of time, by limit. It grows until the next report is made."""

    __slots__ = ("amounts", "at", "kind")

    def __init__(self, at: float, amounts: list[int], kind: Kind) -> None:
        self.at = at
        self.amounts = amounts
        self.kind = kind

    def __repr__(self) -> str:
        return f"<Change {self.kind.name} of {self.amounts} at {self.at:.0f}>"

    @property
    def is_debt(self) -> bool:
        """Whether more was used than was granted."""
        return self.kind is Kind.CORRECTION and max(self.amounts) > 0

    def only(self, is_meant: Callable[[int], bool]) -> "Change":
        """What of it concerns some of the limits."""
        amounts = [amount if is_meant(number) else 0 for number, amount in enumerate(self.amounts)]
        return Change(self.at, amounts, self.kind)


class Sort:
    """Changes of one kind and direction, in stretches of `width_ms`, as far as they can still grow; each is
    told for its last moment or, if `is_first`, for its first.
    """

    __slots__ = ("_is_first", "_kind", "_limits", "_width_ms", "growing")

    def __init__(self, kind: Kind, limits: int, width_ms: int = _MERGE_MS, is_first: bool = False) -> None:
        self._kind = kind
        self._limits = limits
        self._width_ms = width_ms
        self._is_first = is_first
        self.growing: dict[float, Change] = {}
        """By stretch."""

    def __repr__(self) -> str:
        return f"<Sort {self._kind.name}: {len(self.growing)} growing>"

    def at(self, moment: float, log: list[Change]) -> Change:
        """The change that grows by what happens at a moment; one that begins is entered in the log."""
        stretch = moment // self._width_ms
        change = self.growing.get(stretch)
        if change is None:
            change = self.growing[stretch] = Change(moment, [0] * self._limits, self._kind)
            log.append(change)
        elif (moment < change.at) is self._is_first:
            change.at = moment
        return change
