"""The ledger cannot be reached, or comes back having lost something (catalogue B1, B2, B5)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sidecar.core.quota import LimitGroup, OnLoss
from sidecar.limits.ledger import Ledger
from sidecar.limits.licence import Licence
from sidecar.limits.message import Answer, Report
from tests.support.fleet import (
    ONE_CLASS,
    Load,
    Twins,
    at_once,
    fleet,
    heavy_tailed,
    per_minute,
    tokens_per_minute,
    used,
    worst,
)

Record = Callable[..., None]
SECOND, MINUTE = 1_000.0, 60_000.0
AMOUNT = 1_200
LOAD = Load(1.5 * AMOUNT / 60, ONE_CLASS)
AWAY, BACK = 80 * SECOND, 140 * SECOND
SEEDS = range(4)


def test_a_minute_without_the_ledger_is_lived_on_shares_without_overspending(record: Record) -> None:
    group = per_minute(AMOUNT)
    crowd = fleet(group, 8, LOAD)
    crowd.network.is_cut = lambda _sidecar, now: AWAY < now < BACK
    outcome = crowd.run(3.5 * MINUTE)
    [limit] = group.limits
    figures = {
        "worst": worst(outcome, limit),
        "used": used(outcome, limit, MINUTE, 3.5 * MINUTE),
        "used while away": used(outcome, limit, AWAY + 4 * SECOND, BACK),
    }
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.85
    assert figures["used while away"] >= 0.8


def test_of_a_closed_limit_nothing_is_spent_once_the_leases_have_ended(record: Record) -> None:
    group = per_minute(AMOUNT, on_loss=OnLoss.CLOSED)
    crowd = fleet(group, 8, LOAD)
    crowd.network.is_cut = lambda _sidecar, now: AWAY < now < BACK
    outcome = crowd.run(3 * MINUTE)
    late = [a.at for a in outcome.arrivals if AWAY + 3 * SECOND + 60 < a.at < BACK]
    record(worst=worst(outcome, group.limits[0]), after_ttl=len(late))
    assert late == []
    assert worst(outcome, group.limits[0]) <= 1


def test_an_open_limit_lets_everything_go_and_the_judge_sees_it(record: Record) -> None:
    group = per_minute(AMOUNT, on_loss=OnLoss.OPEN)
    crowd = fleet(group, 8, LOAD)
    crowd.network.is_cut = lambda _sidecar, now: AWAY < now < BACK
    outcome = crowd.run(2.5 * MINUTE)
    figures = {"worst": worst(outcome, group.limits[0]), "used while away": 0.0}
    figures["used while away"] = used(outcome, group.limits[0], AWAY + 4 * SECOND, BACK)
    record(**figures)
    assert figures["worst"] > 1.3
    assert figures["used while away"] == pytest.approx(1.5, rel=0.1)


def test_a_quarter_of_the_fleet_that_is_cut_off_lives_on_what_the_others_leave(record: Record) -> None:
    group = per_minute(AMOUNT)
    crowd = fleet(group, 8, LOAD)
    crowd.network.is_cut = lambda sidecar, now: sidecar % 4 == 0 and AWAY < now < BACK
    outcome = crowd.run(3 * MINUTE)
    figures = {"worst": worst(outcome, group.limits[0])}
    figures["used"] = used(outcome, group.limits[0], MINUTE, 3 * MINUTE)
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.9


def test_the_judge_sees_shares_that_nobody_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    group = per_minute(AMOUNT)
    monkeypatch.setattr(Ledger, "_set_aside", lambda *_now: 0.0)
    crowd = fleet(group, 8, LOAD)
    crowd.network.is_cut = lambda sidecar, now: sidecar % 2 == 0 and AWAY < now < BACK
    assert worst(crowd.run(2.5 * MINUTE), group.limits[0]) > 1.1


@pytest.mark.parametrize("busy_s", [55, *(pytest.param(busy, marks=pytest.mark.soak) for busy in (45, 57))])
def test_a_ledger_that_vanishes_just_when_a_first_window_is_full(busy_s: int, record: Record) -> None:
    """What was spent before it vanished has not begun to leave the window."""
    group = per_minute(AMOUNT)
    crowd = fleet(group, 4, replace(LOAD, rate=lambda now: float(now > 30 * SECOND)))
    crowd.network.is_cut = lambda _sidecar, now: now > (30 + busy_s) * SECOND
    outcome = crowd.run(150 * SECOND)
    record(worst=worst(outcome, group.limits[0]))
    assert worst(outcome, group.limits[0]) <= 1


def after_a_burst() -> float:
    """All of a limit is spent at once, then the ledger vanishes. The fullest window."""
    group = at_once(per_minute(600))
    crowd = fleet(group, 4, Load(60, ONE_CLASS, rate=lambda now: float(now > 30 * SECOND)))
    crowd.network.is_cut = lambda _sidecar, now: now > 45 * SECOND
    return worst(crowd.run(130 * SECOND), group.limits[0])


def test_a_ledger_that_vanishes_after_a_burst(record: Record) -> None:
    record(worst=after_a_burst())
    assert after_a_burst() <= 1


def test_the_judge_sees_a_licence_that_does_not_mind_what_was_spent_before(
    monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    covers = Licence.covers
    monkeypatch.setattr(
        Licence, "covers", lambda made, amounts, own, now: covers(made, amounts, [-(10**9)] * len(own), now)
    )
    record(worst=after_a_burst())
    assert after_a_burst() > 1.3


# ------------------------------------------------------------------------------------------------------- loss


def test_a_ledger_that_loses_everything_is_taught_again(record: Record) -> None:
    group, twins = per_minute(AMOUNT), Twins()
    crowd = fleet(group, 8, LOAD, twins)
    crowd.at(100 * SECOND, twins.lose_everything)
    outcome = crowd.run(3 * MINUTE)
    [limit] = group.limits
    figures = {
        "worst": worst(outcome, limit),
        "used": used(outcome, limit, MINUTE, 3 * MINUTE),
        "used from 3 s after": used(outcome, limit, 103 * SECOND, 163 * SECOND),
    }
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used from 3 s after"] >= 0.9


def test_and_one_that_loses_everything_while_it_is_away(record: Record) -> None:
    group, twins = per_minute(AMOUNT), Twins()
    crowd = fleet(group, 8, LOAD, twins)
    crowd.network.is_cut = lambda _sidecar, now: AWAY < now < 110 * SECOND
    crowd.at(100 * SECOND, twins.lose_everything)
    outcome = crowd.run(3 * MINUTE)
    figures = {"worst": worst(outcome, group.limits[0])}
    figures["used"] = used(outcome, group.limits[0], MINUTE, 3 * MINUTE)
    record(**figures)
    assert figures["worst"] <= 1
    assert figures["used"] >= 0.85


class Deaf(Twins):
    """Ledgers that grant at once whatever they may have lost."""

    def exchange(self, group: LimitGroup, report: Report, wall_ms: int) -> Answer:
        return super().exchange(group, replace(report, learning_ms=0), wall_ms)


def failed_over(twins: Twins, lost_s: float, away_s: float = 0.0) -> tuple[float, float]:
    """A server that has not heard the last `lost_s` goes on, `away_s` after the first one fell silent.
    Worst window, and what was used.
    """
    group, saved = at_once(per_minute(AMOUNT)), {}  # pacing would hide much of what is forgotten
    crowd = fleet(group, 8, LOAD, twins)
    silent = 98 * SECOND
    crowd.network.is_cut = lambda _sidecar, now: silent < now < silent + away_s * SECOND
    crowd.at(silent - lost_s * SECOND, lambda: saved.update(twins.saved()))
    crowd.at(silent + away_s * SECOND / 2, lambda: twins.fail_over(saved))
    outcome = crowd.run(3 * MINUTE)
    return worst(outcome, group.limits[0]), used(outcome, group.limits[0], MINUTE, 3 * MINUTE)


@pytest.mark.parametrize("lost_s", [0.3, 5.0])
@pytest.mark.parametrize("away_s", [0.0, 10.0])
def test_a_failover_that_loses_the_last_writes(lost_s: float, away_s: float, record: Record) -> None:
    over, part = failed_over(Twins(), lost_s, away_s)
    record(worst=over, used=part)
    assert over <= 1
    assert part >= 0.85


def forgotten_while_filling(twins: Twins) -> float:
    """The last words are lost when the first window is just full. The fullest window."""
    group, saved = at_once(per_minute(600)), {}
    crowd = fleet(group, 8, Load(15, ONE_CLASS, rate=lambda now: float(now > MINUTE)), twins)
    crowd.at(95 * SECOND, lambda: saved.update(twins.saved()))
    crowd.at(100 * SECOND, lambda: twins.fail_over(saved))
    return worst(crowd.run(170 * SECOND), group.limits[0])


def test_a_failover_that_loses_the_last_writes_while_the_first_window_fills(record: Record) -> None:
    over = forgotten_while_filling(Twins())
    record(worst=over)
    assert over <= 1


def filled_while_unheard(twins: Twins, lost_s: float, seed: int = 1) -> float:
    """All that was left of a limit is spent in the seconds that are lost, and many wait for more. The
    fullest window.
    """
    group, saved = at_once(per_minute(600)), {}
    failing = 100 * SECOND
    rush, quiet_per_s = Load(600 / lost_s, ONE_CLASS), 4.8
    begins = failing - lost_s * SECOND
    load = replace(rush, rate=lambda now: 1.0 if now > begins else quiet_per_s / rush.per_s)
    crowd = fleet(group, 8, load, twins, seed)
    crowd.at(begins, lambda: saved.update(twins.saved()))
    crowd.at(failing, lambda: twins.fail_over(saved))
    return worst(crowd.run(105 * SECOND), group.limits[0])


@pytest.mark.parametrize("lost_s", [0.3, 1.0, 5.0])
def test_a_failover_that_loses_all_that_was_spent_of_a_limit(lost_s: float, record: Record) -> None:
    over = max(filled_while_unheard(Twins(), lost_s, seed) for seed in SEEDS)
    record(worst=over)
    assert over <= 1


@pytest.mark.parametrize("lost_s", [0.3, 1.0, 5.0])
def test_the_judge_sees_a_failover_after_which_nobody_listens(lost_s: float, record: Record) -> None:
    overs = [filled_while_unheard(Deaf(), lost_s, seed) for seed in SEEDS]
    record(worst=max(overs), least=min(overs))
    assert max(overs) > 1.02


def test_a_failover_right_after_an_outage_does_not_lose_what_shares_were_spent(record: Record) -> None:
    """The debts of a whole minute had just been told, all at once, to a server that then lost them."""
    group, twins, saved = per_minute(AMOUNT), Twins(), {}
    crowd = fleet(group, 8, LOAD, twins)
    crowd.network.is_cut = lambda _sidecar, now: AWAY < now < 130 * SECOND
    crowd.at(129 * SECOND, lambda: saved.update(twins.saved()))
    crowd.at(134 * SECOND, lambda: twins.fail_over(saved))
    outcome = crowd.run(3.5 * MINUTE)
    record(worst=worst(outcome, group.limits[0]))
    assert worst(outcome, group.limits[0]) <= 1


def test_a_failover_loses_no_debts_of_estimates_that_were_too_low(record: Record) -> None:
    """What is over is what it would be without: the calls in flight."""
    group = tokens_per_minute(1_000_000)
    load = Load(35, ONE_CLASS, heavy_tailed(1_000, 0.4, 0.6))
    worsts = []
    for is_failing in (False, True):
        twins, saved = Twins(), {}
        crowd = fleet(group, 8, load, twins)
        if is_failing:
            crowd.at(95 * SECOND, lambda twins=twins, saved=saved: saved.update(twins.saved()))
            crowd.at(100 * SECOND, lambda twins=twins, saved=saved: twins.fail_over(saved))
        worsts.append(worst(crowd.run(2.75 * MINUTE), group.limits[1]))
    record(without=worsts[0], failing=worsts[1])
    assert worsts[1] <= worsts[0] + 0.01
