"""Whatever is lost, repeated, late or out of order: no window of the upstream holds more than the limit.

Steps come from hypothesis. Holders and ledger are the real ones; the network is a bag of messages, of which
any may be delivered next, once more, or never. The judge is what was sent, never a counter of the limiter.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.quota import OnLoss
from sidecar.limits.holder import Holder
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Report, Terms
from sidecar.limits.meter import Meter
from sidecar.limits.queue import Ticket
from sidecar.limits.simulate import worst_window
from tests.support.holder import ONLY, Waiter
from tests.support.ledger import HOUR_MS, NOON, daily, rolling

HOLDERS = 3
WINDOW_MS = 6_000
REQUESTS, TOKENS, DAY = 20, 60, 10_000
UNPACED = 10**6
TERMS = (
    rolling(REQUESTS, "requests", window_ms=WINDOW_MS, burst=UNPACED, on_loss=OnLoss.CLOSED),
    rolling(TOKENS, "tokens", window_ms=WINDOW_MS, burst=UNPACED, on_loss=OnLoss.CLOSED),
    daily(DAY, NOON - 12 * HOUR_MS),
)
TIMEOUT_MS = 250
LATE_MS = 4_000


class Step(IntEnum):
    CALL = 0
    REPORT = 1
    DELIVER = 2
    ANSWER = 3
    LOSE = 4
    REPEAT = 5
    SETTLE = 6
    WAIT = 7
    EXCHANGE = 8
    SEND = 9


@dataclass
class Message:
    """One that is under way; its answer, once it was delivered."""

    report: Report
    sent_at: float
    answer: Answer | None = None


@dataclass
class World:
    """Some holders, their ledger, and what lies between."""

    terms: Sequence[Terms] = TERMS
    now: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """Of tokens; every request is one of them."""
    reserved: list[tuple[int, list[int], int]] = field(default_factory=list)
    """Requests that took units and have not left."""
    open: list[tuple[int, list[int], int, float]] = field(default_factory=list)
    old: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.holders = [Holder(f"pod {n}", self.terms, Random(n), 0.0) for n in range(HOLDERS)]  # noqa: S311
        self.under_way: list[Message | None] = [None] * HOLDERS
        self.waiting: list[list[tuple[Waiter, list[int]]]] = [[] for _ in range(HOLDERS)]

    def step(self, kind: Step, number: int, amount: int) -> None:
        moves: dict[Step, Callable[[int, int], None]] = {
            Step.CALL: self.call,
            Step.REPORT: self.report,
            Step.DELIVER: self.deliver,
            Step.ANSWER: self.answer,
            Step.LOSE: self.lose,
            Step.REPEAT: self.repeat,
            Step.SETTLE: self.settle,
            Step.WAIT: self.wait,
            Step.EXCHANGE: self.exchange_all,
            Step.SEND: self.send_one,
        }
        moves[kind](number, amount)
        self.note_those_who_were_served(number)

    def call(self, number: int, amount: int) -> None:
        holder, amounts = self.holders[number], [1, amount, 1]
        source = holder.take(ONLY, amounts, self.now)
        if source:
            self.reserved.append((number, amounts, source))
        else:
            waiter = Waiter()
            if holder.join(Ticket(ONLY, amounts, self.now, self.now + 5_000, waiter), self.now):
                self.waiting[number].append((waiter, amounts))

    def send(self, number: int, amounts: list[int], source: int) -> None:
        if self.holders[number].use(amounts, source, self.now):
            self.open.append((number, amounts, len(self.arrivals), self.now))
            delay = 250 * (len(self.arrivals) % 2)
            self.arrivals.append((self.now + delay, amounts[1]))
        else:
            self.holders[number].put_back(ONLY, amounts, source, self.now)

    def send_one(self, _number: int, amount: int) -> None:
        """A connection is there, and a request leaves."""
        if self.reserved:
            self.send(*self.reserved.pop(amount % len(self.reserved)))

    def note_those_who_were_served(self, number: int) -> None:
        served = [entry for entry in self.waiting[number] if entry[0].source]
        self.waiting[number] = [entry for entry in self.waiting[number] if not entry[0].source]
        self.reserved += [(number, amounts, waiter.source) for waiter, amounts in served]

    def report(self, number: int, _amount: int) -> None:
        if self.under_way[number] is None and self.holders[number].due(self.now) is not None:
            self.under_way[number] = Message(self.holders[number].report(self.terms, self.now), self.now)

    def exchange_all(self, number: int, amount: int) -> None:
        """A message comes through, and so does its answer."""
        for move in (self.report, self.deliver, self.answer):
            move(number, amount)

    def exchange(self, report: Report) -> Answer:
        return self.ledger.exchange(report, NOON + int(self.now))

    def deliver(self, number: int, _amount: int) -> None:
        if (message := self.under_way[number]) is not None and message.answer is None:
            message.answer = self.exchange(message.report)

    def answer(self, number: int, _amount: int) -> None:
        message = self.under_way[number]
        if message is not None and message.answer is not None:
            self.end(number, message)
            self.holders[number].answer(message.answer, self.now)

    def lose(self, number: int, _amount: int) -> None:
        if (message := self.under_way[number]) is not None:
            self.end(number, message)
            self.holders[number].failed(self.now)

    def end(self, number: int, message: Message) -> None:
        self.under_way[number] = None
        self.old.append(message)

    def repeat(self, _number: int, amount: int) -> None:
        self.old = [message for message in self.old if self.now - message.sent_at <= LATE_MS]
        if self.old:
            self.exchange(self.old[amount % len(self.old)].report)

    def settle(self, _number: int, amount: int) -> None:
        """A call ends, and used less than was taken for it."""
        if self.open:
            number, amounts, arrival, at = self.open.pop(amount % len(self.open))
            used = amounts[1] - amount % (amounts[1] + 1)
            self.arrivals[arrival] = (self.arrivals[arrival][0], used)
            self.holders[number].settle(ONLY, amounts, [1, used, 1], at, self.now)

    def wait(self, _number: int, amount: int) -> None:
        self.now += amount * 3 if amount < 40 else 3_500  # now and then longer than a lease
        for number, message in enumerate(self.under_way):
            if message is not None and self.now - message.sent_at > TIMEOUT_MS:
                self.lose(number, 0)

    def judge(self) -> None:
        assert worst_window(self.arrivals, WINDOW_MS) <= TOKENS
        assert worst_window([(at, 1) for at, _ in self.arrivals], WINDOW_MS) <= REQUESTS

    def end_all_calls(self) -> None:
        while self.reserved:
            self.send_one(0, 0)
        while self.open:
            self.settle(0, 0)

    def quieten(self) -> list[int]:
        """All calls end, all messages come through, nobody asks any more. Returns used and held, by limit."""
        for number in range(HOLDERS):
            self.lose(number, 0)
        self.end_all_calls()
        until = self.now + 4 * WINDOW_MS
        while self.now < until:
            self.now += 50
            for number, holder in enumerate(self.holders):
                holder.serve(self.now)
                due = holder.due(self.now)
                if due is not None and due <= self.now:
                    holder.answer(self.exchange(holder.report(self.terms, self.now)), self.now)
                self.note_those_who_were_served(number)
            self.end_all_calls()
        [last] = [Holder("last", self.terms, Random(0), self.now)]  # noqa: S311
        return [level.used + level.held for level in self.exchange(last.report(self.terms, self.now)).levels]


LIKELY = [*Step, *[Step.CALL] * 5, *[Step.EXCHANGE] * 8, *[Step.WAIT] * 4, *[Step.SEND] * 5, Step.SETTLE]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(LIKELY),
        st.integers(0, HOLDERS - 1),
        st.integers(1, 40),
    ),
    min_size=100,
    max_size=300,
)


@settings(max_examples=60)
@given(STEPS)
def test_no_window_holds_more_than_the_limit_whatever_becomes_of_messages(
    steps: list[tuple[Step, int, int]],
) -> None:
    world = World()
    world.now = 10_000.0
    for step in steps:
        world.step(*step)
    world.judge()


@settings(max_examples=40)
@given(STEPS)
def test_after_a_quiet_window_nothing_is_used_or_held_and_a_day_counts_at_least_what_was_sent(
    steps: list[tuple[Step, int, int]],
) -> None:
    world = World()
    for step in steps:
        world.step(*step)
    requests, tokens, day = world.quieten()
    assert (requests, tokens) == (0, 0)
    assert day >= len(world.arrivals)


@settings(max_examples=40)
@given(STEPS)
def test_when_nothing_is_lost_a_day_counts_exactly_what_was_sent(steps: list[tuple[Step, int, int]]) -> None:
    world = World()
    for kind, number, amount in steps:
        if kind not in (Step.LOSE, Step.REPEAT):
            world.step(kind, number, min(amount, 20) if kind is Step.WAIT else amount)
            world.deliver(number, amount)
            world.answer(number, amount)
            for each in range(HOLDERS):  # all are heard in time
                due = world.holders[each].due(world.now)
                if world.under_way[each] is None and due is not None and due <= world.now:
                    world.exchange_all(each, amount)
                    world.note_those_who_were_served(each)
    assert world.quieten() == [0, 0, len(world.arrivals)]


# ---------------------------------------------------------------------------------------------------- mutants


def drawn(random: Random) -> Iterator[tuple[Step, int, int]]:
    for _ in range(2_000):
        yield random.choice(LIKELY), random.randrange(HOLDERS), random.randint(1, 40)


def is_caught() -> bool:
    """Whether the judge finds fault in any of many runs."""
    for seed in range(25):
        world = World()
        world.now = 10_000.0
        for step in drawn(Random(seed)):  # noqa: S311
            world.step(*step)
        try:
            world.judge()
        except AssertionError:
            return True
    return False


def book_at_the_time_that_is_told(meter: Meter, amount: int, at: int, now: int, wall: int) -> None:
    if meter.terms.calendar:
        meter._book_calendar(amount, wall - (now - at))
    else:
        meter._put(max(at // meter.terms.bucket_ms - 2, meter.oldest), amount)


def expiry_frees(ledger: Ledger, account: object, now: int, wall: int) -> None:
    for name, balance in account.balances.items():  # type: ignore[attr-defined]
        ledger._meters[name].held -= balance.granted - balance.used - balance.returned


MUTANTS = [
    pytest.param(Meter, "book", book_at_the_time_that_is_told, id="a use is booked too early"),
    pytest.param(Ledger, "_release", expiry_frees, id="what an expired lease held is free"),
]


@pytest.mark.parametrize(("owner", "name", "other"), MUTANTS)
def test_the_judge_catches(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, other: Callable[..., object]
) -> None:
    monkeypatch.setattr(owner, name, other)
    assert is_caught()


def test_and_finds_no_fault_in_what_is_right() -> None:
    assert not is_caught()
