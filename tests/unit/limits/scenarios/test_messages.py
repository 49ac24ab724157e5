"""Messages are lost, repeated, late and out of order (catalogue A5), or slow."""

from collections.abc import Callable

import pytest

from sidecar.core.quota import LimitGroup
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Report
from sidecar.limits.simulate import Fleet
from tests.support.fleet import ONE_CLASS, Load, Twins, fleet, per_minute, used, worst
from tests.support.ledger import Teller

Record = Callable[..., None]
MINUTE = 60_000.0
AMOUNT = 600
LOSSY = 0.2


def lossy(seed: int, twins: Twins | None = None) -> Fleet:
    """One message in five is lost, and as many come again, up to four seconds late."""
    crowd = fleet(per_minute(AMOUNT), 8, Load(1.5 * AMOUNT / 60, ONE_CLASS), twins, seed)
    crowd.network.is_cut = lambda _sidecar, _now: crowd.random.random() < LOSSY
    crowd.network.repeated = LOSSY
    return crowd


SEEDS = [*range(5), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(5, 100))]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_overspent_and_after_quiet_nothing_is_kept(seed: int, record: Record) -> None:
    twins = Twins()
    crowd = lossy(seed, twins)
    outcome = crowd.run(2.5 * MINUTE)
    [group] = crowd.groups
    [limit] = group.limits
    figures = {"worst": worst(outcome, limit), "used": used(outcome, limit, MINUTE, 2.5 * MINUTE)}
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.85

    crowd.network.is_cut = lambda _sidecar, _now: False
    crowd.network.repeated = 0.0
    silence(crowd)
    crowd.run(4.5 * MINUTE)
    last = Teller(twins.ledgers["quota/main"], crowd.sidecars[0]._terms(group), "last", {"licence_ms": 0})
    last.levels(crowd.wall_ms())  # a lease ends when the next report comes
    assert last.levels(crowd.wall_ms() + 70_000) == [(0, 0)]


def silence(crowd: Fleet) -> None:
    """No more calls."""
    for sidecar in crowd.sidecars:
        sidecar.call = lambda *_call: None  # type: ignore[method-assign]


class Forgetful(Twins):
    """Ledgers that book a repeated report again."""

    def exchange(self, group: LimitGroup, report: Report, wall_ms: int) -> Answer:
        ledger = self.ledgers.setdefault(group.name, Ledger())
        if account := ledger._accounts.get(report.holder):
            account.seq = report.seq
        return super().exchange(group, report, wall_ms)


def test_the_judge_sees_refunds_that_are_booked_twice() -> None:
    """Of units given back, which are entries as well."""
    twins = Forgetful()
    crowd = lossy(1, twins)
    outcome = crowd.run(2 * MINUTE)
    [meter] = twins.ledgers["quota/main"]._meters.values()
    is_over = worst(outcome, per_minute(AMOUNT).limits[0]) > 1
    assert is_over or meter.held < 0 or meter.used + meter.held > 1.02 * AMOUNT


def test_a_slow_network_costs_next_to_nothing(record: Record) -> None:
    crowd = fleet(per_minute(AMOUNT), 8, Load(1.5 * AMOUNT / 60, ONE_CLASS))
    crowd.network.round_trip_ms = (30, 190)
    outcome = crowd.run(3 * MINUTE)
    [limit] = per_minute(AMOUNT).limits
    figures = {"worst": worst(outcome, limit), "used": used(outcome, limit, MINUTE, 3 * MINUTE)}
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.95
