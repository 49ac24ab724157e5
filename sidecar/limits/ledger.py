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
server behind it is another one, listens for a while before it grants.

`Ledger` serves the process scope and the simulator, and it is the model of the script `lua/ledger.lua`, which
does the same for the fleet: the tests hold them to equal answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
from sidecar.limits.meter import Meter

_REAP_MOST = 16
_STEP_SLACK_MS = 100
"""A message may travel so long without looking like a clock that has jumped. A smaller step is followed: the
slack of the window covers it, and what a request may take to arrive as well.
"""


@dataclass(slots=True)
class _Account:
    """One holder, by limit name."""

    base: str
    seq: int
    last: int
    expires: int = 0
    licence_ms: int = 0
    share: float = 0.0
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
        self._clock = 0
        self._offset = 0
        self._run = ""
        self._epoch = ""
        self._learning_until = 0
        self._paused_until = 0
        self._queue = FairQueue(0.0, 0)
        self._meters: dict[str, Meter] = {}
        self._accounts: dict[str, _Account] = {}
        self._cut_off: dict[str, tuple[int, float]] = {}

    def __repr__(self) -> str:
        return f"<Ledger of {len(self._accounts)} holders: {list(self._meters.values())!r}>"

    def exchange(self, report: Report, wall_ms: int, run: str = "") -> Answer:
        """Take a report and answer it. Never raises."""
        account = self._accounts.get(report.holder)
        stepped = self._advance(report, account, wall_ms, run)
        now, wall = self._clock, wall_ms
        meters = [self._meter(number, report, now, wall) for number in range(len(report.terms))]
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
            self._cut_off.pop(report.base, None)
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

    # --------------------------------------------------------------------------------------------------- time

    def _advance(self, report: Report, account: _Account | None, wall: int, run: str) -> int:
        """Let time go on, evenly: no step of the server's clock is followed. Returns the step found."""
        if not self._epoch:
            self._clock, self._run = wall, run
            self._epoch = f"{wall:x}-{report.holder}"
            self._learning_until = wall + (report.learning_ms if self._listens else 0)
            self._queue = FairQueue(report.quantum, report.fresh_ms)
            return 0
        stepped = self._step(report, account, wall)
        self._offset -= stepped
        self._clock = wall + self._offset
        if run != self._run:
            self._run, self._learning_until = run, self._clock + report.learning_ms
        return stepped

    def _step(self, report: Report, account: _Account | None, wall: int) -> int:
        """How far the server's clock jumped: back, if time would; ahead, if a holder that is known to live
        says that less time has passed since it was last heard, and nobody was heard in between.
        """
        now = wall + self._offset
        if now < self._clock:
            return now - self._clock
        if account is None or report.elapsed_ms < 0:
            return 0
        ahead = min(now - account.last - report.elapsed_ms, now - self._clock)
        return ahead if ahead > _STEP_SLACK_MS else 0

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
        expired = sorted((a.expires, holder) for holder, a in self._accounts.items() if a.expires < now)
        for _, holder in expired[:_REAP_MOST]:
            account = self._accounts.pop(holder)
            self._release(account, now, wall)
            if account.licence_ms > 0:
                self._cut_off[account.base] = (now + account.licence_ms, account.share)
        return len(expired) > _REAP_MOST

    def _release(self, account: _Account, now: int, wall: int) -> None:
        """End an account: what it still holds counts as used, what it claims and waits for is forgotten."""
        for name, balance in account.balances.items():
            held = balance.granted - balance.used - balance.returned
            self._meters[name].held -= held
            self._meters[name].book(held, now, now, wall)
        for name, amount in account.claims.items():
            self._meters[name].claim(NOBODY, amount)
        self._queue.withdraw(account.waiting)

    def _teach(self, report: Report, account: _Account, meters: Sequence[Meter], now: int, wall: int) -> int:
        """Restore what the server lost: counters only rise, so the larger one is right."""
        relearned = 0
        for terms, known, meter in zip(report.terms, report.known, meters, strict=True):
            have = account.balances.get(terms.name, Balance())
            granted, used = max(have.granted, known.granted), max(have.used, known.used)
            returned = max(have.returned, known.returned)
            relearned += granted - have.granted
            meter.held += granted - have.granted - (used - have.used) - (returned - have.returned)
            if used > have.used:
                meter.book(used - have.used, now, now, wall)
            account.balances[terms.name] = Balance(granted, used, returned)
            if account.claims.get(terms.name) != terms.amount:
                meter.claim(terms.amount, account.claims.get(terms.name))
                account.claims[terms.name] = terms.amount
        return relearned

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
        at, name = now - entry.age_ms, meter.terms.name
        balance = account.balances[name]
        if entry.kind is Kind.USE:
            account.balances[name] = balance._replace(used=balance.used + entry.amount)
            meter.held -= entry.amount
            meter.book(entry.amount, max(at, account.last), now, wall)  # it was still held at the last report
        elif entry.kind is Kind.RETURN:
            account.balances[name] = balance._replace(returned=balance.returned + entry.amount)
            meter.held -= entry.amount
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
        account.share = report.share / len(self._accounts)

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
        set_aside = self._set_aside(now)
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
            self._hand_over(report, account, meters, rooms, amounts)
            if any(map(int.__lt__, amounts, want.need)):
                waiting = max(1, want.need[0] - amounts[0])
                account.waiting[want.share] = waiting
                self._queue.wait(want.share, waiting, now)
                wait_ms = meters[max(0, refusal.denied)].wait_ms(refusal.head, len(self._accounts), now)
            else:
                ahead = self._prefetch(want, meters, rooms, report.idle_share, now)
                self._hand_over(report, account, meters, rooms, ahead)
                amounts = list(map(int.__add__, amounts, ahead))
            grants.append(Granted(want.share, amounts, wait_ms))
        return grants, refusal

    def _set_aside(self, now: int) -> float:
        """The part of each limit that is kept for holders that may be cut off."""
        self._cut_off = {base: kept for base, kept in self._cut_off.items() if kept[0] >= now}
        return min(1.0, sum(share for _, share in self._cut_off.values()))

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
        self,
        report: Report,
        account: _Account,
        meters: Sequence[Meter],
        rooms: list[int],
        amounts: Sequence[int],
    ) -> None:
        for number, (terms, meter, amount) in enumerate(zip(report.terms, meters, amounts, strict=True)):
            rooms[number] -= amount
            meter.held += amount
            meter.pace -= amount
            if amount:
                balance = account.balances[terms.name]
                account.balances[terms.name] = balance._replace(granted=balance.granted + amount)

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
