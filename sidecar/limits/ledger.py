"""The quota ledger of one limit group: who holds what, what was used, what may still be granted. Pure.

Theory of operation. For each limit the ledger keeps what was *used* in the window and what is *held* by
sidecars, and grants only while `used + held <= limit`. A sidecar spends only what it holds. Then no window of
the limit's length, wherever it begins, holds more than the limit:

1. A grant keeps `used + held <= limit`. A report moves held to used; a lease that ends moves what it held to
   used; time and refunds only lower used. So the sum never rises above the limit.
2. Take any instant t and everything sent in the window that ends at t. Each of these spent a held unit. If it
   was not reported yet, it still counts as held: a sidecar stops spending before its lease ends here. If it
   was, it is booked no earlier than it was sent, in a bucket that is kept for the whole window after its own
   end. Either way it is part of `used + held`, which is at most the limit.
3. The upstream counts at arrival, at most the slack after the send; buckets are kept that much longer.

How many sidecars there are, how large their leases, how long messages take, which of them are lost, repeated
or late, and who crashes, does not enter. What does: a sidecar spends only what it holds; the server's clock
does not run ahead (steps are found and not followed); and writes that the server loses are taught again by
their sidecars while it listens.

Reports carry cumulative counters and numbered entries, so repeating one changes nothing. A holder that goes
silent is reaped: what it held counts as used at that moment, and a share of each limit is set aside for as
long as it may be cut off rather than dead. A ledger that may have lost something, because it is new or the
server behind it is another one, listens for a while before it grants. A limit that no live holder names is
forgotten once its window has passed, and a class once it has long been silent, so that state is bounded by
who is there.

`Ledger` serves the process scope and the simulator, and it is the model of the script `lua/ledger.lua`, which
does the same for the fleet: the tests hold them to equal answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.limits.even_clock import EvenClock
from sidecar.limits.fair import FairQueue
from sidecar.limits.message import (
    FAIR_SHARE,
    NOBODY,
    Answer,
    Balance,
    Entry,
    Granted,
    Kind,
    Level,
    Report,
    Want,
)
from sidecar.limits.meter import MILLION, Meter

_CHECK_MS = 200
"""How often it looks whether the server is another one, and for limits that are over."""
_REAP_MOST = 16
"""So many leases, and so many licences, end in one exchange: it is to be short however many are due."""


@dataclass(slots=True)
class _Account:
    """One holder, by limit name."""

    base: str
    seq: int
    last: int
    expires: int = 0
    licence_ms: int = 0
    share: int = 0
    """What is set aside when it is cut off: millionths of each limit."""
    balances: dict[str, Balance] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Refusal:
    """What stood in the way of the wants of one report."""

    denied: int = NOBODY
    head: int = 1
    shadow: set[int] = field(default_factory=set)


class Ledger:
    """One limit group. Give every exchange the server's clock and, where known, which run of it this is.

    `listens`: whether it may have lost something before it began, and therefore listens before it grants.
    """

    def __init__(self, listens: bool = True) -> None:
        self._listens = listens
        self._clock = EvenClock(0)
        self._run = ""
        self._epoch = ""
        self._learning_until = 0
        self._paused_until = 0
        self._checked_at = 0
        self._queue = FairQueue(0.0, 0)
        self._meters: dict[str, Meter] = {}
        self._accounts: dict[str, _Account] = {}
        self._licences: dict[str, tuple[int, int]] = {}
        """Of holders that may be cut off, by base: until when, and their share."""

    def __repr__(self) -> str:
        return f"<Ledger of {len(self._accounts)} holders: {list(self._meters.values())!r}>"

    def exchange(self, report: Report, wall_ms: int, run: str = "") -> Answer:
        """Take a report and answer it. Never raises."""
        stepped = self._advance(report, wall_ms)
        now, wall = self._clock.now, wall_ms
        meters = [self._meter(number, report, now, wall) for number in range(len(report.terms))]
        self._check(report, run, wall, is_due=stepped != 0)
        is_behind = self._reap(now, wall)
        account = self._accounts.get(report.holder)
        is_unknown = account is None and report.seq > 0
        if account is None:
            account = _Account(report.base, report.seq, now)
        if now < self._learning_until:
            for seen, meter in zip(report.seen, meters, strict=False):
                meter.recall(seen)
        relearned = 0
        if not is_unknown:
            self._licences.pop(report.base, None)
            relearned = self._teach(report, account, meters, now, wall)
            self._apply(report, account, meters, now, wall)
        self._heed(report, meters, now, wall)
        is_listening = now < self._learning_until or now < self._paused_until or is_behind
        is_closed = is_unknown or report.is_leaving or is_listening
        grants, refusal = self._grant(report, account, meters, now, is_closed)
        if not is_unknown:
            self._close(report, account, now, wall)
        return Answer(
            is_unknown=is_unknown,
            epoch=self._epoch,
            granted=[account.balances.get(t.name, Balance()).granted for t in report.terms],
            grants=grants,
            blocked_ms=self._blocked_ms(refusal, meters, now, wall),
            denied=refusal.denied,
            holders=len(self._accounts),
            learning_ms=max(0, self._learning_until - now),
            levels=[Level(meter.used, meter.held, meter.limit, meter.factor) for meter in meters],
            relearned=relearned,
            seq=account.seq,
            clock_ms=now,
            stepped_ms=stepped,
            shadow_denied=sorted(refusal.shadow),
        )

    # ----------------------------------------------------------------------------------------- time and place

    def _advance(self, report: Report, wall: int) -> int:
        """Let time go on. Returns how far the server's clock jumped."""
        self._queue.quantum, self._queue.fresh_ms = report.quantum, report.fresh_ms
        if not self._epoch:
            self._clock = EvenClock(wall)
            self._epoch = f"{wall:x}-{report.holder}"
            self._learning_until = wall + (report.learning_ms if self._listens else 0)
        account = self._accounts.get(report.holder)
        return self._clock.advance(wall, account.last if account else None, report.elapsed_ms)

    def _check(self, report: Report, run: str, wall: int, is_due: bool) -> None:
        """Now and then: listen when the server is another one, and forget the limits that are over. It
        `is_due` when time jumped: so it does for a server that lost its last words and takes over.
        """
        now = self._clock.now
        if not is_due and now - self._checked_at < _CHECK_MS:
            return
        self._checked_at = now
        if run != self._run:
            self._run, self._learning_until = run, now + report.learning_ms
        for name in self._meters.keys() - {terms.name for terms in report.terms}:
            meter = self._meters[name]
            meter.roll(meter.terms, now, wall)
            if meter.is_over(now):
                del self._meters[name]

    # ------------------------------------------------------------------------------------------------ holders

    def _meter(self, number: int, report: Report, now: int, wall: int) -> Meter:
        terms = report.terms[number]
        meter = self._meters.get(terms.name)
        if meter is None:
            meter = self._meters[terms.name] = Meter(terms, now)
        meter.roll(terms, now, wall)
        return meter

    def _reap(self, now: int, wall: int) -> bool:
        """End the leases of holders that went silent: what they held counts as used, now. True when more
        are left than one exchange may end: until their share is set aside nothing can be granted.
        """
        for base in self._ended([(kept[0], base) for base, kept in self._licences.items()], now):
            del self._licences[base]
        leases = [(account.expires, holder) for holder, account in self._accounts.items()]
        expired = self._ended(leases, now)
        for holder in expired:
            account = self._accounts.pop(holder)
            self._release(account, now, wall)
            if account.licence_ms > 0:
                self._licences[account.base] = (now + account.licence_ms, account.share)
        return len(expired) == _REAP_MOST and any(a.expires < now for a in self._accounts.values())

    @staticmethod
    def _ended(terms: list[tuple[int, str]], now: int) -> list[str]:
        ended = sorted(term for term in terms if term[0] < now)
        return [owner for _, owner in ended[:_REAP_MOST]]

    def _release(self, account: _Account, now: int, wall: int) -> None:
        """End an account: what it still holds counts as used, what it claims and waits for is forgotten."""
        for name, balance in account.balances.items():
            self._meters[name].held -= balance.held
            self._meters[name].book(balance.held, now, now, wall)
        for name, amount in account.claims.items():
            self._meters[name].claim(NOBODY, amount)
        self._queue.withdraw(account.waiting)

    def _teach(self, report: Report, account: _Account, meters: Sequence[Meter], now: int, wall: int) -> int:
        """Restore what the server lost: counters only rise, so the larger one is right."""
        relearned = 0
        for terms, known, meter in zip(report.terms, report.known, meters, strict=True):
            have = account.balances.get(terms.name, Balance())
            balance = Balance(*map(max, have, known))
            relearned += balance.granted - have.granted
            if balance.used > have.used:
                meter.book(balance.used - have.used, now, now, wall)
            self._enter(account, meter, balance)
            if account.claims.get(terms.name) != terms.amount:
                meter.claim(terms.amount, account.claims.get(terms.name))
                account.claims[terms.name] = terms.amount
        return relearned

    @staticmethod
    def _enter(account: _Account, meter: Meter, balance: Balance) -> None:
        """Put a balance into the account: what all hold is the sum of what each does."""
        name = meter.terms.name
        meter.held += balance.held - account.balances.get(name, Balance()).held
        account.balances[name] = balance

    def _apply(self, report: Report, account: _Account, meters: Sequence[Meter], now: int, wall: int) -> None:
        """Book the entries that are new."""
        sent = now if report.elapsed_ms < 0 else min(now, account.last + report.elapsed_ms)
        for number, entry in enumerate(report.entries, report.seq):
            if number < account.seq:
                continue
            meter = meters[entry.limit]
            if entry.kind is Kind.CORRECTION and entry.amount < 0:
                # However late the message is, a refund must not be dated after the use that it is of.
                meter.refund(-entry.amount, sent - entry.age_ms, now, wall)
            else:
                self._book(entry, account, meter, now, wall)
        account.seq = max(account.seq, report.seq + len(report.entries))

    def _book(self, entry: Entry, account: _Account, meter: Meter, now: int, wall: int) -> None:
        at, balance = now - entry.age_ms, account.balances[meter.terms.name]
        if entry.kind is Kind.USE:
            self._enter(account, meter, balance._replace(used=balance.used + entry.amount))
            meter.book(entry.amount, max(at, account.last), now, wall)  # it was still held at the last report
        elif entry.kind is Kind.RETURN:
            self._enter(account, meter, balance._replace(returned=balance.returned + entry.amount))
            meter.pace += entry.amount
        else:
            meter.book(entry.amount, at, now, wall)

    def _close(self, report: Report, account: _Account, now: int, wall: int) -> None:
        """Keep the account until its lease ends, or end it at once."""
        if report.is_leaving:
            self._release(account, now, wall)
            self._accounts.pop(report.holder, None)
            return
        account.last, account.expires = now, now + report.lease_ms
        account.licence_ms = report.licence_ms
        self._accounts[report.holder] = account
        account.share = math.ceil(report.share * MILLION / len(self._accounts))

    # ------------------------------------------------------------------------------------------------- grants

    def _heed(self, report: Report, meters: Sequence[Meter], now: int, wall: int) -> None:
        """What the upstream said to one sidecar holds for all."""
        for penalty in report.penalties:
            if penalty.limit >= 0:
                meters[penalty.limit].penalize(penalty.permille, penalty.value, now, wall)
            self._paused_until = max(self._paused_until, now + penalty.pause_ms)
        for meter in meters:
            meter.heal(now)

    def _grant(
        self, report: Report, account: _Account, meters: Sequence[Meter], now: int, is_closed: bool
    ) -> tuple[list[Granted], _Refusal]:
        set_aside = self._set_aside()
        rooms = [meter.room(set_aside) for meter in meters]
        refusal, grants = _Refusal(), []
        self._queue.enter([want.share for want in report.wants], now)
        self._queue.withdraw(account.waiting)
        account.waiting = {}
        for want in sorted(report.wants, key=lambda want: (self._queue.served(want.share), want.share)):
            if is_closed:
                grants.append(Granted(want.share, [0] * len(meters), 0))
                continue
            amounts, wait_ms = self._serve(want, meters, rooms, refusal, now), 0
            self._hand_over(account, meters, rooms, amounts)
            if any(map(int.__lt__, amounts, want.need)):
                waiting = max(1, want.need[0] - amounts[0])
                account.waiting[want.share] = waiting
                self._queue.wait(want.share, waiting, now)
                wait_ms = meters[max(0, refusal.denied)].wait_ms(refusal.head, len(self._accounts), now)
            else:
                ahead = self._prefetch(want, meters, rooms, report.idle_share, now)
                self._hand_over(account, meters, rooms, ahead)
                amounts = list(map(int.__add__, amounts, ahead))
            grants.append(Granted(want.share, amounts, wait_ms))
        return grants, refusal

    def _set_aside(self) -> int:
        """The part of each limit, in millionths, that is kept for holders that may be cut off."""
        return min(MILLION, sum(share for _, share in self._licences.values()))

    def _serve(
        self, want: Want, meters: Sequence[Meter], rooms: Sequence[int], refusal: _Refusal, now: int
    ) -> list[int]:
        """Grant what is needed, every limit in the same proportion, at least the first request or nothing."""
        cost = _cost(want.need, meters)
        part = 1.0
        for number, (need, meter, room) in enumerate(zip(want.need, meters, rooms, strict=True)):
            if need <= 0:
                continue
            paced = meter.paced(room)
            free = min(room, paced)
            if paced > 0 and free < want.head[number] <= room:
                free = want.head[number]  # a large request may put pacing into debt, never the window
            if free < need and meter.terms.is_shadow:
                refusal.shadow.add(number)
            elif free < need and max(0, free) / need < part:
                part = max(0, free) / need
                refusal.denied, refusal.head = number, want.head[number]
        lead = self._queue.lead(want.share, want.weight, now)
        if lead is not None and cost * part > lead:
            part, refusal.denied, refusal.head = lead / cost, FAIR_SHARE, want.head[0]
        amounts = [int(need * part) for need in want.need]
        for number, (head, meter, room) in enumerate(zip(want.head, meters, rooms, strict=True)):
            if amounts[number] < head:
                if part <= 0 or (room < head and not meter.terms.is_shadow):
                    return [0] * len(amounts)
                amounts[number] = head
        self._charge(want, meters, amounts)
        return amounts

    def _prefetch(
        self, want: Want, meters: Sequence[Meter], rooms: Sequence[int], idle_share: float, now: int
    ) -> list[int]:
        """Grant ahead of demand: only while nobody waits, and too little to cost utilisation."""
        if self._queue.is_contended(now):
            return [0] * len(meters)
        part, holders = 1.0, max(1, len(self._accounts))
        for wanted, meter, room in zip(want.prefetch, meters, rooms, strict=True):
            if wanted > 0:
                idle = idle_share * meter.limit
                spare = min(room, meter.paced(room), idle - meter.held, 2 * idle / holders)
                part = min(part, max(0.0, spare) / wanted)
        amounts = [int(wanted * part) for wanted in want.prefetch]
        self._charge(want, meters, amounts)
        return amounts

    def _charge(self, want: Want, meters: Sequence[Meter], amounts: Sequence[int]) -> None:
        self._queue.serve(want.share, want.weight, _cost(amounts, meters))

    def _hand_over(
        self, account: _Account, meters: Sequence[Meter], rooms: list[int], amounts: Sequence[int]
    ) -> None:
        for number, (meter, amount) in enumerate(zip(meters, amounts, strict=True)):
            if amount:
                rooms[number] -= amount
                meter.pace -= amount
                balance = account.balances[meter.terms.name]
                self._enter(account, meter, balance._replace(granted=balance.granted + amount))

    # ----------------------------------------------------------------------------------------------- refusals

    def _blocked_ms(self, refusal: _Refusal, meters: Sequence[Meter], now: int, wall: int) -> int:
        """How long nothing can be granted, whatever others give back."""
        blocked = max(0, self._learning_until - now, self._paused_until - now)
        if refusal.denied >= 0 and meters[refusal.denied].terms.calendar:
            meter = meters[refusal.denied]
            if meter.granted_limit - meter.used < refusal.head:
                blocked = max(blocked, meter.end + meter.terms.slack_ms - wall)
        return blocked


def _cost(amounts: Sequence[int], meters: Sequence[Meter]) -> float:
    """The part of a limit that `amounts` take, of the one of which it is largest; shadows do not count."""
    return max(
        (
            amount / max(1, meter.limit)
            for amount, meter in zip(amounts, meters, strict=True)
            if not meter.terms.is_shadow
        ),
        default=0.0,
    )
