"""The server's clock jumps or drifts (catalogue B8); a sidecar stands still (C7); two have one name (C8)."""

from collections.abc import Callable
from functools import partial

import pytest

from sidecar.limits.even_clock import EvenClock
from sidecar.limits.simulate import Fleet
from tests.support.fleet import ONE_CLASS, Load, fleet, per_minute, used, worst

Record = Callable[..., None]
SECOND, MINUTE = 1_000.0, 60_000.0
AMOUNT = 1_200
LOAD = Load(1.5 * AMOUNT / 60, ONE_CLASS)


def stepping(step_ms: float) -> Fleet:
    crowd = fleet(per_minute(AMOUNT), 8, LOAD)

    def step() -> None:
        crowd.network.skew_ms += step_ms

    crowd.at(100 * SECOND, step)
    return crowd


@pytest.mark.parametrize(
    "step_ms",
    [-10_000, 250, 10_000, *(pytest.param(step, marks=pytest.mark.soak) for step in (-250, 3_600_000))],
)
def test_a_clock_that_jumps_overspends_nothing(step_ms: float, record: Record) -> None:
    outcome = stepping(step_ms).run(3 * MINUTE)
    [limit] = per_minute(AMOUNT).limits
    figures = {"worst": worst(outcome, limit), "used": used(outcome, limit, MINUTE, 3 * MINUTE)}
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.97


def test_the_judge_sees_a_ledger_that_follows_its_clock(
    monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    def follow(clock: EvenClock, wall: int, _last: int | None, _elapsed_ms: int) -> int:
        clock.now = max(clock.now, wall)
        return 0

    monkeypatch.setattr(EvenClock, "advance", follow)
    over = worst(stepping(30_000).run(3 * MINUTE), per_minute(AMOUNT).limits[0])
    record(worst=over)
    assert over > 1.03


@pytest.mark.parametrize("drift", [-0.01, 0.002])
def test_a_clock_that_drifts_overspends_nothing(drift: float, record: Record) -> None:
    """Ahead by two thousandths is a quarter of a second in two windows, which the slack covers."""
    crowd = fleet(per_minute(AMOUNT), 8, LOAD)

    def creep() -> None:
        crowd.network.skew_ms += 100 * drift
        crowd.at(crowd.now + 100, creep)

    crowd.at(0, creep)
    outcome = crowd.run(3 * MINUTE)
    [limit] = per_minute(AMOUNT).limits
    figures = {"worst": worst(outcome, limit), "used": used(outcome, limit, MINUTE, 3 * MINUTE)}
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.96


def test_two_sidecars_of_one_name_spend_no_unit_twice(record: Record) -> None:
    crowd = fleet(per_minute(AMOUNT), 8, LOAD)
    for sidecar in crowd.sidecars:
        [holder] = sidecar.holders
        holder._base = f"s{sidecar.number // 2}"
    outcome = crowd.run(3 * MINUTE)
    [limit] = per_minute(AMOUNT).limits
    figures = {"worst": worst(outcome, limit), "used": used(outcome, limit, MINUTE, 3 * MINUTE)}
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.98


def test_a_sidecar_that_stands_still_for_two_leases_spends_nothing_of_the_dead_one(record: Record) -> None:
    """Half of the fleet, one after the other, and over and over; while it stands nothing is sent or heard."""
    crowd = fleet(per_minute(AMOUNT), 8, LOAD)

    def stands(sidecar: int, now: float) -> bool:
        return sidecar % 2 == 0 and (now + sidecar * 2_500) % 20_000 < 6_000

    def when_it_moves(number: int, call: Callable[..., None], *what: object) -> None:
        if not stands(number, crowd.now):
            call(*what)

    crowd.network.is_cut = stands
    for sidecar in crowd.sidecars:
        sidecar.call = partial(when_it_moves, sidecar.number, sidecar.call)  # type: ignore[method-assign]
    outcome = crowd.run(3 * MINUTE)
    [limit] = per_minute(AMOUNT).limits
    figures = {"worst": worst(outcome, limit), "used": used(outcome, limit, MINUTE, 3 * MINUTE)}
    record(**figures)
    assert figures["worst"] <= 1
