"""Faults that other limiters were reported to have, each as a test that this one does not have it.

The reports are named in the docstrings: repository and number of the issue.
"""

from itertools import pairwise

import pytest

from sidecar.core.quota import OnLoss, Share
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Penalty
from sidecar.limits.simulate import worst_window
from tests.support.fleet import ONE_CLASS, Load, at_once, fleet, per_minute, worst
from tests.support.holder import ONLY, Sidecar
from tests.support.ledger import NOON, Teller, daily, flying, rolling


def test_parallel_requests_do_not_walk_through_a_token_limit() -> None:
    """Five calls took 663 tokens of a limit of 100 (BerriAI/litellm#18730, envoyproxy/ai-gateway#2394)."""
    ledger = Ledger(listens=False)
    sidecars = [Sidecar([rolling(100, "tokens")], ledger, base=f"pod {n}", seed=n) for n in range(5)]
    waiters = [sidecar.wait(60) for sidecar in sidecars]
    for sidecar in sidecars:
        sidecar.exchange()
    assert sum(waiter.source != 0 for waiter in waiters if waiter) == 1


def test_the_limit_is_not_multiplied_by_replicas() -> None:
    """Counters in the memory of each replica (BerriAI/litellm#40291, #27736, maximhq/bifrost#3547)."""
    group = per_minute(120)
    outcome = fleet(group, 16, Load(10, ONE_CLASS)).run(130_000)
    assert worst(outcome, group.limits[0]) <= 1
    assert len({arrival.sidecar for arrival in outcome.arrivals}) == 16


def test_a_ledger_that_is_away_neither_hangs_requests_nor_lifts_limits() -> None:
    """Requests hung while liveness was green (BerriAI/litellm#35273), or limits vanished (#34299)."""
    sidecar = Sidecar([rolling(1_000, on_loss=OnLoss.CLOSED)])
    assert sidecar.call(1)
    sidecar.now = 10_000
    waiter = sidecar.wait(1, patience_ms=500)
    for _ in range(5):
        sidecar.lose()
        sidecar.now += 200
    assert waiter
    assert waiter.source == 0
    assert waiter.retry_ms is not None
    assert sidecar.take(1) == 0


def test_two_bursts_a_window_apart_do_not_meet_in_one() -> None:
    """A full bucket let 1.8 M tokens out twice within a rolling 2 M a minute (dimetron/pi-go#315)."""
    group = at_once(per_minute(300))
    load = Load(100, ONE_CLASS, rate=lambda now: float(now % 59_000 > 50_000))
    outcome = fleet(group, 4, load).run(180_000)
    assert worst(outcome, group.limits[0]) <= 1
    assert worst_window([(arrival.at, 1) for arrival in outcome.arrivals], 10_000) >= 250, "they were bursts"


def test_a_refused_call_burns_no_request_quota() -> None:
    """A call refused for its tokens still counted as a request (BerriAI/litellm#39309)."""
    a = Teller(Ledger(listens=False), [rolling(10, "requests"), rolling(100, "tokens")])
    for moment in range(50):
        assert a.ask(NOON + moment, 1, 101) == [0, 0]
    assert a.levels(NOON + 50) == [(0, 0), (0, 0)]


def test_what_was_estimated_at_nothing_is_charged_all_the_same() -> None:
    """Zero increments were never enforced (BerriAI/litellm#35422), and max_tokens=1 lied (#34223)."""
    sidecar = Sidecar([rolling(60, "tokens")])
    sidecar.now = 10
    source = sidecar.take(0)
    assert sidecar.holder.use([0], source, sidecar.now)
    sidecar.holder.settle(ONLY, [0], [738], sidecar.now, sidecar.now)
    sidecar.exchange()
    assert sidecar.level() == (738, 0)
    assert not sidecar.call(1)


def test_limits_of_one_group_have_windows_of_their_own() -> None:
    """A window key that limits shared used 30 % too little (BerriAI/litellm#24677)."""
    a = Teller(
        Ledger(listens=False),
        [rolling(10, "minute"), rolling(15, "longer", window_ms=120_000), daily(1_000)],
        options={"lease_ms": 10**7},
    )
    assert a.ask(NOON, 10, 10, 10) == [10, 10, 10]
    for limit in range(3):
        a.use(NOON, 10, limit)
    assert a.ask(NOON + 61_000, 6, 6, 6) == [0, 0, 0], "the longer one has 5"
    assert a.ask(NOON + 61_000, 5, 5, 5) == [5, 5, 5]


def test_places_of_cancelled_calls_come_back() -> None:
    """The counter of parallel calls only grew (BerriAI/litellm#27955, #30020)."""
    sidecar = Sidecar([flying(3)])
    for moment in range(100):
        sidecar.now = moment * 100.0
        assert sidecar.call(1)
        sidecar.holder.settle(ONLY, [1], [0], sidecar.now, sidecar.now)
        sidecar.exchange()
    assert sidecar.level()[1] <= 3


def test_places_of_a_sidecar_that_died_come_back_when_its_calls_must_have_ended() -> None:
    ledger = Ledger(listens=False)
    dead, alive = (Teller(ledger, [flying(3)], name, {"licence_ms": 0}) for name in ("dead", "alive"))
    assert dead.ask(NOON, 3) == [3]
    for moment in range(1_000, 60_000, 1_000):
        assert alive.ask(NOON + moment, 1) == [0]
    for moment in range(60_000, 65_000, 1_000):
        alive.levels(NOON + moment)
    assert alive.ask(NOON + 65_000, 3) == [3]


def test_a_pause_is_never_shortened_by_a_later_refusal() -> None:
    """Repeated 429s kept the first, shorter deadline (BerriAI/litellm#40130)."""
    a = Teller(Ledger(listens=False), [rolling(10)])
    for moment, pause_ms in ((0, 1_000), (10, 53_000), (20, 500)):
        a.refused(NOON + moment, Penalty(-1, 1000, pause_ms, -1))
    assert a.ask(NOON + 53_009, 1) == [0]


def test_one_class_cannot_fill_all_places() -> None:
    """One batch user filled every slot (maximhq/bifrost#4790)."""
    ledger = Ledger(listens=False)
    batch, chat = Share("batch", 1.0), Share("chat", 1.0)
    first, second = (Sidecar([flying(10)], ledger, base=name, seed=n) for n, name in enumerate("ab"))
    for _ in range(20):
        first.wait(1, share=batch, patience_ms=10**6)
    first.exchange()
    waiters = [second.wait(1, share=chat, patience_ms=10**6) for _ in range(5)]
    for moment in range(0, 5_000, 50):
        first.now = second.now = float(moment)
        if moment % 250 == 0 and first.holder.lease.own(first.now)[0]:
            first.holder.settle(batch, [1], [1], 0.0, first.now)
        first.until(first.now)
        second.until(second.now)
    assert sum(waiter.source != 0 for waiter in waiters if waiter) == 5


@pytest.mark.parametrize("sidecars", [1, 5])
def test_a_report_that_was_lost_half_way_leaks_no_units(sidecars: int) -> None:
    """The reservation leaked on every denial and every cancelled command (BerriAI/litellm#27001)."""
    ledger = Ledger(listens=False)
    fleet_of = [Sidecar([rolling(50)], ledger, base=f"pod {n}", seed=n) for n in range(sidecars)]
    for sidecar in fleet_of:
        waiter = sidecar.wait(5)
        sidecar.lose(is_answer=True)
        sidecar.now = 300
        sidecar.exchange()
        assert waiter
        sidecar.holder.put_back(ONLY, [5], waiter.source, sidecar.now)
        sidecar.until(10_000)
    other = Teller(ledger, fleet_of[0].terms, "other")
    assert [level.held for level in other.tell(other.report(), NOON + 10_000).levels] == [0]
    assert other.ask(NOON + 10_000, 50) == [50]


def test_retries_after_a_failure_do_not_come_together() -> None:
    """Everybody reconnected at once (envoyproxy/envoy#26400)."""
    moments = []
    for seed in range(50):
        sidecar = Sidecar([rolling(100)], seed=seed)
        sidecar.wait(1)
        sidecar.lose()
        due = sidecar.holder.due(sidecar.now)
        assert due is not None
        moments.append(due)
    gaps = [after - before for before, after in pairwise(sorted(moments))]
    assert max(moments) - min(moments) > 60
    assert max(gaps) < 20
