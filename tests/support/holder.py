"""A holder and its ledger on one fake clock, and somebody who waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from sidecar.core.quota import Share
from sidecar.limits.holder import Holder
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Terms
from sidecar.limits.queue import Ticket
from tests.support.ledger import NOON

ONLY = Share("only", 1.0)


@dataclass
class Waiter:
    """What became of a request that waits."""

    ticket: Ticket | None = None
    source: int = 0
    retry_ms: float | None = None

    def granted(self, ticket: Ticket, source: int) -> None:
        self.source = source

    def refused(self, ticket: Ticket, retry_ms: float) -> None:
        self.retry_ms = retry_ms


@dataclass
class Sidecar:
    """Advance `now` and let it exchange."""

    terms: Sequence[Terms]
    ledger: Ledger = field(default_factory=lambda: Ledger(listens=False))
    base: str = "pod"
    seed: int = 1
    now: float = 0.0

    def __post_init__(self) -> None:
        self.holder = Holder(self.base, self.terms, Random(self.seed), self.now)  # noqa: S311 - repeatable

    def take(self, *amounts: int, share: Share = ONLY) -> int:
        return self.holder.take(share, amounts, self.now)

    def wait(self, *amounts: int, patience_ms: float = 2_000, share: Share = ONLY) -> Waiter | None:
        """Stand in line; None when that is refused at once."""
        waiter = Waiter()
        ticket = Ticket(share, amounts, self.now, self.now + patience_ms, waiter)
        waiter.ticket = ticket
        return waiter if self.holder.join(ticket, self.now) else None

    def call(self, *amounts: int, share: Share = ONLY) -> bool:
        """Take units now or after one exchange, and use them. False: there were none."""
        source = self.take(*amounts, share=share)
        if not source and (waiter := self.wait(*amounts, share=share)):
            self.exchange()
            source = waiter.source
            assert waiter.ticket
            self.holder.leave(waiter.ticket)
        return bool(source) and self.holder.use(amounts, source, self.now)

    def exchange(self, *, is_closing: bool = False, run: str = "") -> Answer:
        report = self.holder.report(self.terms, self.now, is_closing)
        answer = self.ledger.exchange(report, NOON + round(self.now), run)
        self.holder.answer(answer, self.now)
        return answer

    def lose(self, *, is_answer: bool = False) -> None:
        """An exchange fails, on its way to the ledger or on the way back."""
        report = self.holder.report(self.terms, self.now)
        if is_answer:
            self.ledger.exchange(report, NOON + round(self.now))
        self.holder.failed(self.now)

    def until(self, moment: float) -> list[float]:
        """Let time pass, with every exchange that is due. Returns their moments."""
        moments = []
        while (due := self.holder.due(self.now)) is not None and due <= moment:
            self.now = due
            moments.append(due)
            self.exchange()
        self.now = moment
        return moments

    def level(self, limit: int = 0) -> tuple[int, int]:
        """Used and held in the ledger, as it last told."""
        level = self.holder.levels[limit]
        return level.used, level.held
