"""One sidecar's side of one limit group: takes units from the lease, lets requests wait, and says when to
exchange what with the ledger. Pure: no clock, no I/O; moments are milliseconds of one monotonic clock.

A request that the lease covers costs no message. Others wait, by class and deadline; at most one exchange is
under way, and whoever arrives meanwhile shares the next one. A class that was refused asks again when that is
likely to be worth it, so it never delays another. Whoever cannot be served before its deadline is told at
once when to come again. When the ledger cannot be reached, the lease is used up first, then the licence.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from sidecar.core.quota import Share
from sidecar.limits.backlog import HORIZON_MS, Backlog, Backlogs
from sidecar.limits.closure import Closure
from sidecar.limits.denials import Denials
from sidecar.limits.lease import LOST_WORDS_MS, Lease, Mark
from sidecar.limits.licence import LICENCE_MS, SHARE, Heard, Licence, is_closed, is_open
from sidecar.limits.message import Answer, Level, Penalty, Report, Terms
from sidecar.limits.queue import Ticket
from sidecar.limits.refusals import Refusals
from sidecar.limits.seen import Seen

LEASE_MS = 3_000
_BACK_OFF_MS, _BACK_OFF_MOST_MS = 50.0, 2_000.0
_OUTAGE_FAILURES = 2
_UNHELD = -1
"""The source of units that no lease covers."""
_POLL_MOST_MS = 2_000.0
"""A class that is blocked for hours looks so often whether it still is: limits can be raised."""
_RETAUGHT_MS = 1_000.0
"""Of what was used before the last answer, so much is told again after an outage: the server may have lost
the last writes that it acknowledged.
"""
_PLENTY = 0.9
"""A limit of which less is taken is not scarce: what a call held of it may be kept for the next."""


class _Exchange(NamedTuple):
    """The report that is under way."""

    sent_at: float
    mark: Mark
    penalties: Sequence[Penalty]
    is_leaving: bool
    asked: int


class Holder:
    """The holder of one group's lease. Change its state from one thread only."""

    def __init__(
        self, base: str, terms: Sequence[Terms], random: Random, now: float, ahead_ms: float = HORIZON_MS
    ) -> None:
        self._terms = terms
        self._random = random
        self._base = base
        self.lease = Lease(f"{base}/{random.getrandbits(48):x}", terms, LEASE_MS, now)  # two may share a base
        self.levels: Sequence[Level] = ()
        """As the ledger last told them."""
        self.holders = 1
        self.answered_at: float | None = None
        """When the last report that was answered was sent."""
        self.failures = 0
        """Exchanges that failed in a row."""
        self.closure = Closure()
        self.denials = Denials(len(terms))
        self._holds_ahead = ahead_ms > 0
        self._classes = Backlogs([0.0 if term.is_flight else ahead_ms for term in terms])
        self._epoch = ""
        self._licence: Licence | None = None
        self._lapsed_at: float | None = None
        self._refusals = Refusals()
        self._seen = Seen(len(terms))
        self._was_listening = False
        self._is_plenty = True
        """Whether no flight limit was scarce when the ledger last told."""
        self._under_way: _Exchange | None = None
        self._tried_at = -math.inf
        self._retry_at = -math.inf
        self._prefetch_at = now

    def __repr__(self) -> str:
        return f"<Holder {self.lease!r}, {self.waiting} waiting, {self.failures} failures>"

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return self._classes.waiting

    def is_stopped(self, now: float) -> bool:
        """Whether nothing can be granted, as far as is known: a pause, a spent period, a limit that is closed
        or, where the ledger cannot be reached, what holds without it.
        """
        if self.closure.is_blocked(now):
            return True
        return self.is_cut_off and not self.lease.is_live(now) and is_closed(self._terms)

    @property
    def is_cut_off(self) -> bool:
        """Whether the ledger cannot be reached."""
        return self.failures >= _OUTAGE_FAILURES

    # ---------------------------------------------------------------------------------------------- requests

    def take(self, share: Share, amounts: Sequence[int], now: float) -> int:
        """Take units for a request that has just come, without a message. Returns where they are from, for
        `use` and `put_back`; 0: it must join the line.
        """
        known = self._classes.of(share, now)
        known.demand.arrived(amounts)
        return 0 if known.line.length and any(amounts) else self._spend(known, amounts, now)

    def take_spare(self, share: Share, amounts: Sequence[int], now: float) -> int:
        """Take units that nobody is known to miss, as `take` does. What they are not there for is no demand:
        nothing will be asked for it.
        """
        known = self._classes.of(share, now)
        if known.is_short or known.line.length:
            return 0
        source = self._spend(known, amounts, now)
        if source:
            known.demand.arrived(amounts)
        return source

    def use(self, amounts: Sequence[int], source: int, now: float) -> bool:
        """The request that took units leaves. False: they are ours no more or may not be used now; it must
        put them back and take others.
        """
        if self.closure.is_shut(now):
            return False
        if source == _UNHELD:
            self.lease.book_unheld(amounts, now)
            return True
        return self.lease.use(amounts, source, now)

    def put_back(self, share: Share, amounts: Sequence[int], source: int, now: float) -> None:
        """The request that took units does not leave: who waits is served with them."""
        if source != _UNHELD:
            self.lease.put_back(share.name, amounts, source)
            self.serve(now)

    def settle(
        self, share: Share, taken: Sequence[int], used: Sequence[int], used_at: float, now: float
    ) -> None:
        """The call that used units has ended, and this is what it cost.

        What it held of flight limits is free. Where they are scarce the ledger says whose turn it is, or the
        class that flies would keep them for ever.
        """
        has_flown = self.lease.land(share.name, taken, self._is_plenty, now)
        known = self._classes.get(share.name)
        if has_flown and known is not None:
            known.ask_at = min(known.ask_at, now)
            if known.line.length:
                self.serve(now)
        self.lease.correct(taken, used, used_at, now)

    def join(self, ticket: Ticket, now: float) -> bool:
        """Let a request wait that `take` could not serve; False when it would wait for nothing."""
        known = self._classes.of(ticket.share, now)
        wait_ms = ticket.deadline - self.closure.serves_at(now)
        if wait_ms <= 0 or known.is_hopeless(wait_ms, known.is_short or self.is_cut_off):
            return False
        known.line.join(ticket)
        return True

    def leave(self, ticket: Ticket) -> None:
        """A request waits no more. Idempotent."""
        if ticket.is_live and (known := self._classes.get(ticket.share.name)) is not None:
            known.line.leave(ticket)

    def retry_ms(self, share: Share, now: float) -> float:
        """When a request of a class that is refused now may come again."""
        known = self._classes.of(share, now)
        return max(self.closure.opens_in_ms(now), known.ask_at - now, known.queue_ms(), HORIZON_MS)

    def serve(self, now: float) -> None:
        """Let go whom the lease or the licence covers, in the order of deadlines; refuse who is too late.
        The licence serves first the class that had least of it for its weight.
        """
        for known in sorted(self._classes, key=lambda known: known.unheld):
            for late in known.line.late(self.closure.serves_at(now)):
                late.waiter.refused(late, self.retry_ms(known.share, now))
            while (head := known.line.head()) is not None and (
                source := self._spend(known, head.amounts, now)
            ):
                known.line.leave(head)
                head.waiter.granted(head, source)

    def penalize(self, penalty: Penalty, now: float) -> None:
        """The upstream refused a request; the ledger tells everybody. What it grants nothing of at all is
        closed here at once, and a pause begins.
        """
        self._refusals.add(penalty._replace(pause_ms=0))
        self.closure.is_closed = self.closure.is_closed or penalty.value == 0
        self.pause(now + penalty.pause_ms, now)

    def pause(self, until: float, now: float) -> None:
        """Let nothing leave before `until`, whatever is held; who cannot wait so long is refused."""
        self.closure.pause(until)
        self.serve(now)

    def _spend(self, known: Backlog, amounts: Sequence[int], now: float) -> int:
        """Where the units come from; 0: there are none."""
        if self.closure.is_shut(now):
            return 0
        source = self.lease.take(known.share.name, amounts, now)
        if not source and not any(amounts):  # free, as far as is known: what it costs is booked as a debt
            source = _UNHELD
        elif not source and self._licensed(amounts, now):
            source = _UNHELD
            known.unheld += 1 / known.share.weight
        if source:
            known.demand.served()
        return source

    def _licensed(self, amounts: Sequence[int], now: float) -> bool:
        """Spend from the licence: when the lease has run out and the ledger cannot be reached."""
        if not self.is_cut_off or self.lease.is_live(now):
            return False
        if self.answered_at is None or is_open(self._terms):
            return is_open(self._terms)
        if self._licence is None:
            # Who signed off has no lease, and nothing is set aside for it: its licence is long over.
            since = self._lapsed_at or self.lease.until or -math.inf
            own = self.lease.own(self.answered_at, self.answered_at)
            heard = Heard(self.answered_at, self.levels, own, self.holders)
            self._licence = Licence(self._terms, heard, since)
            for each in self._classes:
                each.unheld = 0.0
        return self._licence.covers(amounts, self.lease.own(now), now)

    # ---------------------------------------------------------------------------------------------- exchange

    def due(self, now: float) -> float | None:
        """When a report should be sent; None: nothing calls for one."""
        if self._under_way is not None:
            return None
        self._classes.look(now)
        due = max(self._classes.ask_at, self.closure.paused_until)
        if self.waiting and self.lease.is_known:
            due = min(due, self._tried_at + LEASE_MS / 3)
        if due == math.inf and self._classes.is_low(self.lease.free):
            due = max(self._prefetch_at, self._tried_at + HORIZON_MS / 2)
        if self._refusals:
            due = now
        if self.lease.log or self.lease.is_holding:
            due = min(due, self._tried_at + LEASE_MS / 3)
        elif due == math.inf and self.lease.is_known:  # idle: sign off, so that nothing is kept for us
            due = self._tried_at + LEASE_MS / 2
        return None if due == math.inf else max(due, self._retry_at, now)

    def report(self, terms: Sequence[Terms], now: float, is_closing: bool = False) -> Report:
        """What to tell and to ask; `answer` or `failed` must follow before the next.

        `terms` are those of today, in the same order with the same names.
        """
        self._refusals.drop_past(self._terms, terms)
        self._terms = terms
        self._classes.look(now)
        self._end_lease(now)
        is_of_use = self.waiting or self._refusals or self._classes.is_low(self.lease.free)
        is_leaving = is_closing or not (is_of_use or self.lease.log or self.lease.is_holding)
        self._give_back(is_leaving, now)
        wants = self._classes.wants(self.lease.free, is_leaving)
        asked = sum(want.need[0] if any(want.need) else want.prefetch[0] for want in wants)
        elapsed = -1 if self.answered_at is None or not self.lease.is_known else int(now - self.answered_at)
        owed = self._refusals.all()
        report = Report(
            holder=self.lease.holder,
            base=self._base,
            terms=terms,
            known=self.lease.known(),
            seq=self.lease.seq,
            entries=self.lease.entries(now),
            wants=wants,
            penalties=[each._replace(pause_ms=self.closure.paused_ms(now)) for each in owed],
            seen=self._seen.of(terms),
            elapsed_ms=elapsed,
            is_leaving=is_leaving,
            lease_ms=LEASE_MS,
            licence_ms=0 if is_closed(terms) else LICENCE_MS,
            share=SHARE,
        )
        self._under_way = _Exchange(now, self.lease.mark(), owed, is_leaving, asked)
        self._tried_at = now
        return report

    def failed(self, now: float) -> None:
        """The report was not answered, or not in time."""
        self._under_way = None
        self.failures += 1
        back_off = min(_BACK_OFF_MOST_MS, _BACK_OFF_MS * 2 ** min(self.failures, 6))
        self._retry_at = self._tried_at + back_off * (0.5 + self._random.random())
        self.serve(now)

    def answer(self, answer: Answer, now: float) -> None:
        """Take in what the ledger says to the report under way, and serve who waits."""
        if self._under_way is None:
            raise RuntimeError("no report is under way")
        told = self._under_way
        self._under_way, self.failures, self._licence = None, 0, None
        self._retry_at = -math.inf
        self._refusals.told(told.penalties)
        self.holders, self.levels = max(1, answer.holders), answer.levels
        self._is_plenty = all(
            level.used + level.held < _PLENTY * level.limit
            for level, term in zip(answer.levels, self._terms, strict=True)
            if term.is_flight
        )
        self.closure.heard(answer, self._terms, self._refusals.is_zero_owed, now)
        self.denials.note(answer)
        is_lost = self._epoch not in ("", answer.epoch)
        last_heard = self.answered_at or 0.0
        self._epoch = answer.epoch
        if answer.is_unknown:
            self._start_over(answer, is_lost, last_heard, now)
            return
        self.answered_at = told.sent_at
        self._teach(answer, is_lost, last_heard)
        self.lease.acknowledged(told.mark, told.sent_at)
        self._seen.note(self._terms, answer.levels, now)
        self._lapsed_at = None
        if told.is_leaving:
            self.lease.lapse(now)
            return
        granted = self._receive(answer)
        self.serve(now)
        self._schedule(answer, told.asked > granted, now)

    def _teach(self, answer: Answer, is_lost: bool, last_heard: float) -> None:
        """A ledger that listens may have lost everything, or its last words: tell it what this incarnation
        alone does not say.
        """
        if is_lost:
            self.lease.teach(-math.inf, last_heard - _RETAUGHT_MS)
        elif answer.learning_ms and not self._was_listening:
            self.lease.teach(last_heard - LOST_WORDS_MS, last_heard - LOST_WORDS_MS)
        self._was_listening = answer.learning_ms > 0

    def _end_lease(self, now: float) -> None:
        """What a lapsed lease still held belongs to the ledger; after an outage it is told what was spent."""
        if self.lease.is_live(now) or not (self.lease.seq or self.lease.is_holding or self.lease.is_known):
            return
        if self._lapsed_at is None:
            self._lapsed_at = self.lease.until
        if self.failures and self.answered_at is not None:
            since = self.answered_at - _RETAUGHT_MS
            self.lease.relapse(now, since, since)
        else:
            self.lease.lapse(now)

    def _start_over(self, answer: Answer, is_lost: bool, last_heard: float, now: float) -> None:
        """The ledger has no account for us: we were reaped, or it lost everything, or its last words."""
        if is_lost:
            self.lease.relapse(now, -math.inf, last_heard - _RETAUGHT_MS)
        elif answer.learning_ms:
            self.lease.relapse(now, last_heard - LOST_WORDS_MS, last_heard - LOST_WORDS_MS)
        else:
            self.lease.lapse(now)
        for known in self._classes:
            known.ask_at = now

    def _receive(self, answer: Answer) -> int:
        """Put granted units where they belong. Returns how much of the first limit was granted."""
        before = list(self.lease.granted)
        for granted in answer.grants:
            self.lease.receive(granted.share, granted.amounts)
        told = self.lease.granted[0] - before[0]
        lost = [total - known for total, known in zip(answer.granted, self.lease.granted, strict=True)]
        if any(amount > 0 for amount in lost) and (first := next(iter(self._classes), None)):
            # grants of an answer that never arrived
            self.lease.receive(first.share.name, [max(0, amount) for amount in lost])
        return told

    def _schedule(self, answer: Answer, is_scarce: bool, now: float) -> None:
        """When to ask again for what was not granted."""
        self._classes.schedule(answer.grants, min(answer.blocked_ms, _POLL_MOST_MS), now, self._random)
        self._classes.forget_idle(self.lease.free, now)
        self._prefetch_at = now + (2_000 * (0.5 + self._random.random()) if is_scarce else 0.0)

    def _give_back(self, is_leaving: bool, now: float) -> None:
        """Return what nobody is likely to use soon."""
        for name in list(self.lease.free):
            known = self._classes.get(name)
            if is_leaving or known is None:
                self.lease.give_back(name, [0] * len(self._terms), now)
            elif not known.line.length:
                keep = [2 * want for want in known.target()]
                is_kept = self._is_plenty and self._holds_ahead
                self.lease.give_back(name, self.lease.with_flights(keep, is_kept, now), now)
