"""Ledgers that tell an observer of every exchange: how long it took, and what came to light in it."""

from sidecar.core.ports import LedgerObserver
from sidecar.limits.group import Clocks, GroupLedger, LedgerFactory, LedgerUnavailable
from sidecar.limits.message import Answer, Report


class ObservedLedgers:
    """Makes the ledgers that `ledgers` makes, observed; see `group.LedgerFactory`."""

    def __init__(self, ledgers: LedgerFactory, observer: LedgerObserver, clocks: Clocks) -> None:
        self._ledgers = ledgers
        self._observer = observer
        self._clocks = clocks

    def __repr__(self) -> str:
        return f"<Observed {self._ledgers!r}>"

    def __call__(self, group: str) -> "ObservedLedger":
        """The ledger of the group with this name."""
        return ObservedLedger(self._ledgers(group), self._observer, self._clocks)


class ObservedLedger:
    """One of them; see `group.GroupLedger`."""

    def __init__(self, ledger: GroupLedger, observer: LedgerObserver, clocks: Clocks) -> None:
        self._ledger = ledger
        self._observer = observer
        self._clocks = clocks

    def __repr__(self) -> str:
        return f"<Observed {self._ledger!r}>"

    async def exchange(self, report: Report) -> Answer:
        """Pass the report on, and the answer back. Raises LedgerUnavailable."""
        began = self._clocks.now_ms()
        try:
            answer = await self._ledger.exchange(report)
        except LedgerUnavailable:
            self._observer.failed((self._clocks.now_ms() - began) / 1000)
            raise
        self._observer.answered((self._clocks.now_ms() - began) / 1000, answer.relearned, answer.stepped_ms)
        return answer
