"""Ledgers in this process: limits hold within this sidecar alone (`limits.scope: process`)."""

import time
from datetime import UTC, datetime

from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Report


class SystemClocks:
    """The machine's clocks; see `group.Clocks`."""

    def now_ms(self) -> float:
        """A monotonic clock, in milliseconds."""
        return time.monotonic() * 1000

    def wall(self) -> datetime:
        """The calendar."""
        return datetime.now(UTC)

    def spent_ms(self) -> float:
        """The processor time of the calling thread."""
        return time.thread_time() * 1000


class MemoryLedger:
    """The ledger of one group, in memory; see `group.GroupLedger`. It loses nothing, so it need not listen
    before it grants.
    """

    def __init__(self, clocks: SystemClocks) -> None:
        self._ledger = Ledger(listens=False)
        self._clocks = clocks

    def __repr__(self) -> str:
        return f"<MemoryLedger {self._ledger!r}>"

    async def exchange(self, report: Report) -> Answer:
        """Answer at once."""
        return self._ledger.exchange(report, round(self._clocks.wall().timestamp() * 1000))


class MemoryLedgers:
    """Makes the ledgers of this process, one for each name."""

    def __init__(self, clocks: SystemClocks) -> None:
        self._clocks = clocks
        self._ledgers: dict[str, MemoryLedger] = {}

    def __repr__(self) -> str:
        return f"<MemoryLedgers of {len(self._ledgers)} groups>"

    def __call__(self, group: str) -> MemoryLedger:
        """The ledger of the group with this name: the same one for as long as the process lives."""
        if group not in self._ledgers:
            self._ledgers[group] = MemoryLedger(self._clocks)
        return self._ledgers[group]
