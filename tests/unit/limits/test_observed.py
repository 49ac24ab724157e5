import pytest

from sidecar.limits.group import LedgerUnavailable
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Balance, Report
from sidecar.limits.observed import ObservedLedgers
from sidecar.limits.terms import terms_of
from tests.unit.limits.world import Clocks, Ledgers, rpm


class Told:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []

    def answered(self, duration_s: float, relearned: int, stepped_ms: int) -> None:
        self.all.append(("answered", duration_s, relearned, stepped_ms))

    def failed(self, duration_s: float) -> None:
        self.all.append(("failed", duration_s))


def report(clocks: Clocks) -> Report:
    return Report("pod.1", "pod", [terms_of(rpm(10), clocks.wall())], known=[Balance()], seq=0)


async def test_an_answer_is_passed_on_and_its_exchange_told() -> None:
    clocks, told = Clocks(), Told()
    ledgers = Ledgers(clocks)
    answer = await ObservedLedgers(ledgers, told, clocks)("g").exchange(report(clocks))
    assert answer.holders == 1
    assert told.all == [("answered", 0.001, 0, 0)]
    assert isinstance(ledgers.ledgers["g"], Ledger)


async def test_a_failure_is_told_and_raised() -> None:
    clocks, told = Clocks(), Told()
    ledgers = Ledgers(clocks)
    ledgers.is_cut = True
    with pytest.raises(LedgerUnavailable):
        await ObservedLedgers(ledgers, told, clocks)("g").exchange(report(clocks))
    assert told.all == [("failed", 0.001)]
