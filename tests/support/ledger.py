"""Limits in the ledger's terms, and a holder whose reports are written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sidecar.core.quota import OnLoss
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Balance, Entry, Kind, Penalty, Report, Terms, Want

NOON = 1_800_000_000_000
"""A moment of the server's clock, in the middle of a bucket of no limit."""
HOUR_MS = 3_600_000


def rolling(amount: int, name: str = "minute", **other: Any) -> Terms:
    """So many a minute; without pacing, unless told."""
    given = {"window_ms": 60_000, "bucket_ms": 250, "slack_ms": 250, "burst": amount} | other
    return Terms(name, amount, is_flight=False, is_shadow=given.pop("is_shadow", False),
                 on_loss=given.pop("on_loss", OnLoss.SHARE), **given)  # fmt: skip


def daily(amount: int, start: int = NOON - 12 * HOUR_MS, name: str = "day") -> Terms:
    """So many in the period that begins at `start` and lasts 24 hours."""
    day = 24 * HOUR_MS
    periods = (start, start + day, start + 2 * day)
    return Terms(name, amount, 0, 250, 2_000, amount, False, False, OnLoss.SHARE, periods)


def flying(amount: int, name: str = "calls") -> Terms:
    """So many calls at once."""
    return Terms(name, amount, 60_000, 250, 250, amount, True, False, OnLoss.SHARE)


def want(*need: int, share: str = "only", head: Sequence[int] | None = None, weight: float = 1.0) -> Want:
    """Requests that wait; each is as large as all of them, unless told."""
    return Want(share, weight, need, need if head is None else head, [0] * len(need))


@dataclass
class Teller:
    """One holder, as the ledger sees it."""

    ledger: Ledger
    terms: Sequence[Terms]
    name: str = "a"
    options: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    balances: list[Balance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.balances = [Balance()] * len(self.terms)

    def report(self, *wants: Want, entries: Sequence[Entry] = (), **other: Any) -> Report:
        return Report(
            holder=f"{self.name}.1",
            base=self.name,
            terms=self.terms,
            known=list(self.balances),
            seq=self.seq,
            entries=entries,
            wants=wants,
            **{**self.options, **other},
        )

    def tell(self, report: Report, now: int, run: str = "") -> Answer:
        """Send it and take in the answer."""
        answer = self.ledger.exchange(report, now, run)
        if not answer.is_unknown:
            for entry in report.entries:
                have = self.balances[entry.limit]
                if entry.kind is Kind.USE:
                    self.balances[entry.limit] = have._replace(used=have.used + entry.amount)
                elif entry.kind is Kind.RETURN:
                    self.balances[entry.limit] = have._replace(returned=have.returned + entry.amount)
            self.balances = [
                have._replace(granted=granted)
                for have, granted in zip(self.balances, answer.granted, strict=True)
            ]
            self.seq = max(1, report.seq + len(report.entries))
        return answer

    def ask(self, now: int, *need: int, **other: Any) -> list[int]:
        """Ask for one request. Returns what was granted."""
        return list(self.tell(self.report(want(*need), **other), now).grants[0].amounts)

    def use(self, now: int, amount: int, limit: int = 0, age_ms: int = 0) -> Answer:
        """Report that units were used."""
        return self.tell(self.report(entries=[Entry(limit, age_ms, amount, Kind.USE)]), now)

    def give_back(self, now: int, amount: int, limit: int = 0) -> Answer:
        """Report that units are returned."""
        return self.tell(self.report(entries=[Entry(limit, 0, amount, Kind.RETURN)]), now)

    def correct(self, now: int, amount: int, limit: int = 0, age_ms: int = 0, **other: Any) -> Answer:
        """Report that more or less was used than was taken."""
        return self.tell(self.report(entries=[Entry(limit, age_ms, amount, Kind.CORRECTION)], **other), now)

    def refused(self, now: int, *penalties: Penalty) -> Answer:
        """Report that the upstream refused."""
        return self.tell(self.report(penalties=penalties), now)

    def levels(self, now: int) -> list[tuple[int, int]]:
        """Used and held, by limit."""
        return [(level.used, level.held) for level in self.tell(self.report(), now).levels]
