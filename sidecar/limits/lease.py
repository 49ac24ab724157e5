"""What one sidecar holds of one limit group, and its books about it. Pure: time is passed in (ms).

Units come as grants, are taken for a request, used when it is sent, or given back. Everything goes into
cumulative counters and a numbered log; the log is kept until the ledger has acknowledged it. Whatever a lease
still holds when it ends belongs to the ledger, which counts it as used: the holder goes on as a new
incarnation with nothing.

What was used is remembered for one window, in slots, to teach a ledger that lost it. Debts that were told
lately are kept as well: no counter stands for them, so a server that fails over and loses its last words
would lose them for good.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from operator import add, attrgetter, sub
from typing import NamedTuple

from sidecar.limits.changes import MERGE_DEBTS_MS, Change, Sort
from sidecar.limits.history import History
from sidecar.limits.message import Balance, Entry, Kind, Terms

_SAFE = 0.99
"""Of the lease's length: our clock may run so much slower than the ledger's."""
LOST_WORDS_MS = 10_000.0
"""How much a server may have lost of what it acknowledged, at a failover."""
_PEAK_MS = 2_000.0
"""A peak of calls in flight is remembered for one to two times so long."""


class Mark(NamedTuple):
    """How far the books went when a report was made: what its answer acknowledges."""

    changes: int
    entries: int
    used: list[int]
    returned: list[int]


class Lease:
    """The account of one holder with one ledger."""

    def __init__(self, base: str, terms: Sequence[Terms], lease_ms: int, now: float) -> None:
        self.base = base
        self._terms = terms
        self._lease_ms = lease_ms
        self.incarnation = 0
        """Which account units are taken from; they can only be used or given back while that is the same."""
        self._flights = [number for number, term in enumerate(terms) if term.is_flight]
        self._windows = [number for number, term in enumerate(terms) if not term.is_flight]
        self._windows_ms = [inf if term.calendar else term.window_ms for term in terms]
        self._history = History(terms)
        self._flying = [0] * len(terms)
        self._peaks, self._peaks_before = [0] * len(terms), [0] * len(terms)
        self._peaks_since = now
        self._told_debts: deque[tuple[float, Change]] = deque()  # with the moment when they were told
        # A use may be booked later than it was, a refund earlier: that errs on the safe side.
        count = len(terms)
        self._uses, self._returns = Sort(Kind.USE, count), Sort(Kind.RETURN, count)
        self._debts = Sort(Kind.CORRECTION, count, MERGE_DEBTS_MS)
        self._refunds = Sort(Kind.CORRECTION, count, MERGE_DEBTS_MS, is_first=True)
        self._used = [0] * count
        self._begin(now)

    def __repr__(self) -> str:
        return f"<Lease of {self.holder}: {self.free}, {len(self.log)} entries to report>"

    def _begin(self, now: float) -> None:
        """Go on as a new incarnation. Calls in flight are its own from the start."""
        count = len(self._terms)
        self._close_log()
        self.incarnation += 1
        self.holder = f"{self.base}.{self.incarnation}"
        self.free: dict[str, list[int]] = {}
        """Granted and not taken, by class and limit."""
        self.granted = list(self._flying)
        self._used, self._returned = [0] * count, [0] * count
        self._acknowledged = (list(self._used), list(self._returned))
        self.seq = 0
        """The number of the first entry of `log`; 0 until the ledger has answered once, and never after."""
        self.log: list[Change] = []
        """What the ledger has not acknowledged."""
        self._told_since = now
        self._reserved = 0
        self.until = 0.0
        """When the lease ends, on our own clock."""
        self.is_known = False
        """Whether the ledger has an account for this incarnation."""

    def is_live(self, now: float) -> bool:
        """Whether what it holds may be spent."""
        return now < self.until

    def take(self, share: str, amounts: Sequence[int], now: float) -> int:
        """Take units for one request, of every limit or of none. Returns the incarnation that they are of; 0:
        there are not enough.
        """
        free = self.free.get(share)
        if free is None or now >= self.until:
            return 0
        left = list(map(sub, free, amounts))
        if min(left) < 0:
            return 0
        self.free[share] = left
        for number in self._flights:
            flying = self._flying[number] = self._flying[number] + amounts[number]
            if flying > self._peaks[number]:
                self._peaks[number] = flying
        self._reserved += 1
        return self.incarnation

    def put_back(self, share: str, amounts: Sequence[int], incarnation: int) -> None:
        """Units that were taken are not needed: nothing was sent."""
        if incarnation == self.incarnation:
            self._reserved -= 1
        free = self._free_of(share)
        for number, amount in enumerate(amounts):
            if self._terms[number].is_flight:
                self._flying[number] -= amount
                free[number] += amount
            elif incarnation == self.incarnation:
                free[number] += amount

    def use(self, amounts: Sequence[int], incarnation: int, now: float) -> bool:
        """Units that were taken are used: the request leaves. False when they are ours no more: they must
        still be put back.
        """
        if incarnation != self.incarnation or now >= self.until:
            return False
        self._reserved -= 1
        change = self._uses.at(now, self.log)
        change.amounts = list(map(add, change.amounts, amounts))  # flights too: `_book_uses` takes them out
        return True

    def land(self, share: str, amounts: Sequence[int], is_kept: bool, now: float) -> bool:
        """A call has ended: what it held of flight limits is free again, here or for all. False: it held
        nothing.
        """
        has_flown = False
        for number in self._flights:
            if amount := amounts[number]:
                has_flown = True
                self._flying[number] -= amount
                if is_kept:
                    self._free_of(share)[number] += amount
                else:
                    self._returned[number] += amount
                    self._returns.at(now, self.log).amounts[number] += amount
        return has_flown

    def correct(self, taken: Sequence[int], used: Sequence[int], at: float, now: float) -> None:
        """More (now) or less (at the moment it was booked) was used than was taken. Flights only land."""
        for number in self._windows:
            if amount := used[number] - taken[number]:
                if amount > 0:
                    self._owe(number, amount, now)
                elif now - at < self._windows_ms[number]:  # else it has left
                    self._history.at(at).amounts[number] += amount
                    self._refunds.at(at, self.log).amounts[number] += amount

    def book_unheld(self, amounts: Sequence[int], now: float) -> None:
        """Units are used that no lease covers (limits/licence)."""
        for number, amount in enumerate(amounts):
            if self._terms[number].is_flight:
                self._flying[number] += amount
                self.granted[number] += amount
            elif amount:
                self._owe(number, amount, now)

    def give_back(self, share: str, keep: Sequence[int], now: float) -> None:
        """Return what a class holds beyond `keep`."""
        free = self.free[share]
        for number, most in enumerate(keep):
            if (extra := free[number] - most) > 0:
                free[number] -= extra
                self._returned[number] += extra
                self._returns.at(now, self.log).amounts[number] += extra
        if not any(free):
            del self.free[share]

    def with_flights(self, keep: list[int], is_kept: bool, now: float) -> list[int]:
        """What a class keeps: of flight limits none, or what is missing to as many calls in flight as there
        were at a time lately.
        """
        if now - self._peaks_since >= _PEAK_MS:
            self._peaks_before, self._peaks, self._peaks_since = self._peaks, list(self._flying), now
        for number in self._flights:
            peak = max(self._peaks[number], self._peaks_before[number])
            keep[number] = max(0, peak - self._flying[number]) if is_kept else 0
        return keep

    def own(self, now: float, until: float | None = None) -> list[int]:
        """What was used here, by limit: in the window that ends now, as far as up to `until`; of a flight
        limit the calls that run.
        """
        self._book_uses()
        used = list(self._flying)
        for slot in self._history:
            for number, terms in enumerate(self._terms):
                if now - terms.window_ms < slot.last and (until is None or slot.last <= until):
                    used[number] += slot.amounts[number]
        return used

    @property
    def is_holding(self) -> bool:
        """Whether it has units that it could spend, or that calls of its own still need."""
        return any(map(any, self.free.values())) or any(self._flying) or self._reserved > 0

    # ----------------------------------------------------------------------------------------------- exchange

    def known(self) -> list[Balance]:
        """The account as the ledger acknowledged it."""
        return [Balance(*row) for row in zip(self.granted, *self._acknowledged, strict=True)]

    def entries(self, now: float) -> list[Entry]:
        """The log, as the ledger takes it. It grows no more."""
        self._close_log()
        return [
            Entry(number, int(max(0.0, now - change.at)), amount, change.kind)
            for change in self.log
            for number, amount in enumerate(change.amounts)
            if amount
        ]

    def mark(self) -> Mark:
        """Close the books up to here, for one report."""
        self._close_log()
        entries = sum(len(amounts) - amounts.count(0) for amounts in (change.amounts for change in self.log))
        return Mark(len(self.log), entries, list(self._used), list(self._returned))

    def acknowledged(self, mark: Mark, sent_at: float) -> None:
        """The ledger has applied everything up to `mark`: the lease runs from when that was sent."""
        while self._told_debts and self._told_debts[0][0] < sent_at - LOST_WORDS_MS:
            self._told_debts.popleft()
        self._told_debts.extend((sent_at, change) for change in self.log[: mark.changes] if change.is_debt)
        del self.log[: mark.changes]
        self._close_log()
        self.seq = max(1, self.seq + mark.entries)
        self._acknowledged = (mark.used, mark.returned)
        self.until = sent_at + self._lease_ms * _SAFE
        self.is_known = True

    def receive(self, share: str, amounts: Sequence[int]) -> None:
        """Granted units arrive for a class."""
        free = self._free_of(share)
        for number, amount in enumerate(amounts):
            free[number] += amount
            self.granted[number] += amount

    def lapse(self, now: float) -> None:
        """Begin anew: what is still held belongs to the ledger. Debts are told again, refunds are not: either
        may have arrived before.
        """
        debts = [change for change in self.log if change.is_debt]
        self._begin(now)
        self.log = debts

    def relapse(self, now: float, since: float, calendar_since: float) -> None:
        """Begin anew with a ledger that may not know what was used: tell it once more all that was used since
        then, of rolling and of calendar limits.
        """
        self._begin(now)
        self._retell(since, calendar_since, now)
        self._told_since = since
        self._keep_told(lambda change, number: change.at <= self._since(number, since, calendar_since))

    def teach(self, since: float, calendar_since: float) -> None:
        """The ledger may know nothing but what this incarnation tells: tell it what was used before, since
        then, and the debts that it heard and may have forgotten.
        """
        self._keep_told(
            lambda change, number: (
                not self._since(number, since, calendar_since) < change.at <= self._told_since
            )
        )
        forgotten = [change for _, change in self._told_debts]
        self._told_debts.clear()
        self._retell(since, calendar_since, self._told_since)
        self._told_since = since
        self.log += forgotten

    def _retell(self, since: float, calendar_since: float, until: float) -> None:
        for slot in sorted(self._history, key=attrgetter("last")):
            amounts = [
                max(0, amount) if self._since(number, since, calendar_since) < slot.last <= until else 0
                for number, amount in enumerate(slot.amounts)
            ]
            if any(amounts):
                self.log.append(Change(slot.last, amounts, Kind.CORRECTION))

    def _keep_told(self, is_kept: Callable[[Change, int], bool]) -> None:
        """Forget the debts told lately of which this does not hold, limit by limit."""
        told = ((at, change.only(partial(is_kept, change))) for at, change in self._told_debts)
        self._told_debts = deque((at, change) for at, change in told if any(change.amounts))

    def _since(self, number: int, since: float, calendar_since: float) -> float:
        return calendar_since if self._terms[number].calendar else since

    def _free_of(self, share: str) -> list[int]:
        free = self.free.get(share)
        if free is None:
            free = self.free[share] = [0] * len(self._terms)
        return free

    def _owe(self, number: int, amount: int, now: float) -> None:
        """More is used than was granted."""
        self._history.at(now).amounts[number] += amount
        self._debts.at(now, self.log).amounts[number] += amount

    def _close_log(self) -> None:
        """Let nothing of the log grow any more."""
        self._book_uses()
        for sort in (self._returns, self._debts, self._refunds):
            sort.growing.clear()

    def _book_uses(self) -> None:
        """Count what was used since this was last done: all at once costs a call less than each by itself."""
        for change in self._uses.growing.values():
            for number in self._flights:
                change.amounts[number] = 0
            self._history.add(change.at, change.amounts)
            self._used = list(map(add, self._used, change.amounts))
        self._uses.growing.clear()
