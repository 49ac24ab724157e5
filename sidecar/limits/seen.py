"""What a holder last saw used of calendar limits, for a ledger that lost its counters. Pure.

A sighting is of use in its own period alone: told after midnight, yesterday's would close today.
"""

from collections.abc import Sequence

from sidecar.limits.message import Level, Terms

_NOTHING = -1


class Seen:
    """The last sightings, by limit."""

    def __init__(self, limits: int) -> None:
        self._periods: list[Sequence[int]] = [()] * limits
        self._since = [0.0] * limits
        self._used = [_NOTHING] * limits

    def __repr__(self) -> str:
        return f"<Seen {self._used}>"

    def note(self, terms: Sequence[Terms], levels: Sequence[Level], now: float) -> None:
        """The ledger told `levels` to a report with `terms`."""
        for number, (term, level) in enumerate(zip(terms, levels, strict=True)):
            if term.calendar != self._periods[number]:
                self._periods[number], self._since[number] = term.calendar, now
                self._used[number] = _NOTHING
            # The ledger begins a period the slack after its start, and its clock may be as much behind ours.
            elif term.calendar and now - self._since[number] >= 2 * term.slack_ms:
                self._used[number] = level.used

    def of(self, terms: Sequence[Terms]) -> list[int]:
        """As `Report.seen`."""
        known = zip(terms, self._periods, self._used, strict=True)
        return [used if term.calendar == period else _NOTHING for term, period, used in known]
