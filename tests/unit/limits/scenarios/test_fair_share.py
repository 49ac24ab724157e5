"""Who is served when not all can be."""

from collections.abc import Callable

import pytest

from sidecar.core.quota import Share
from sidecar.limits.fair import FairQueue
from sidecar.limits.simulate import Caller, Fleet
from tests.support.fairness import jain
from tests.support.fleet import Load, Twins, fairness, fleet, flights, one_request, per_minute, used, worst

Record = Callable[..., None]
MINUTE = 60_000.0
AMOUNT = 1_500
SOAK = [pytest.mark.soak, pytest.mark.timeout(900)]


def test_a_noisy_neighbour_takes_nothing_from_those_within_their_share(record: Record) -> None:
    """One of three offers 80 % of twice the limit, the others 10 % each."""
    load = Load(2 * AMOUNT / 60, {"a": (1.0, 0.1), "b": (1.0, 0.1), "noisy": (1.0, 0.8)})
    outcome = fleet(per_minute(AMOUNT), 8, load).run(4 * MINUTE)
    fair = fairness(outcome, load, MINUTE, 4 * MINUTE)
    refused = {name: outcome.refused.get(name, 0) / outcome.offered[name] for name in load.classes}
    record(**fair, jain=jain(list(fair.values())), a_refused=refused["a"], b_refused=refused["b"])
    assert max(refused["a"], refused["b"]) < 0.02
    assert jain(list(fair.values())) >= 0.99


@pytest.mark.parametrize("sidecars", [4, pytest.param(8, marks=SOAK), pytest.param(64, marks=SOAK)])
def test_weights_hold_within_three_percent(sidecars: int, record: Record) -> None:
    load = Load(3 * AMOUNT / 60, {"a": (1.0, 1 / 3), "b": (2.0, 1 / 3), "c": (4.0, 1 / 3)})
    outcome = fleet(per_minute(AMOUNT), sidecars, load).run(4 * MINUTE)
    fair = fairness(outcome, load, MINUTE, 4 * MINUTE)
    record(**fair, worst=worst(outcome, per_minute(AMOUNT).limits[0]))
    assert list(fair.values()) == pytest.approx([1.0, 1.0, 1.0], abs=0.03)


def test_the_judge_sees_weights_that_do_not_hold(monkeypatch: pytest.MonkeyPatch, record: Record) -> None:
    monkeypatch.setattr(FairQueue, "serve", lambda _queue, _share, _weight, _cost: None)
    load = Load(3 * AMOUNT / 60, {"a": (1.0, 1 / 3), "b": (2.0, 1 / 3), "c": (4.0, 1 / 3)})
    fair = fairness(fleet(per_minute(AMOUNT), 4, load).run(2 * MINUTE), load, MINUTE, 2 * MINUTE)
    record(**fair)
    assert fair["a"] > 1.5


def test_critical_calls_are_served_at_twice_the_load(record: Record) -> None:
    classes = {"critical": (64.0, 0.3), "standard": (8.0, 0.5), "batch": (1.0, 0.2)}
    load = Load(2 * AMOUNT / 60, classes)
    outcome = fleet(per_minute(AMOUNT), 8, load).run(5 * MINUTE)
    served = {n: 1 - outcome.refused.get(n, 0) / outcome.offered[n] for n in classes}
    record(**served)
    assert served["critical"] >= 0.97
    assert served["batch"] > 0.02, "nobody starves"


def test_a_newcomer_and_one_that_was_alone_before_share_at_once(record: Record) -> None:
    callers = [
        Caller(Share("old", 1.0), 20, one_request, rate=lambda now: 1.0 if now < 120_000 else 3.0),
        Caller(Share("new", 1.0), 60, one_request, rate=lambda now: float(now >= 120_000)),
    ]
    outcome = Fleet([per_minute(3_000)], Twins(), 4, callers, 1).run(3 * MINUTE)
    got = {name: sum(a.share == name and a.at > 120_000 for a in outcome.arrivals) for name in ("old", "new")}
    record(**got)
    assert got["old"] == pytest.approx(got["new"], rel=0.1)


@pytest.mark.parametrize("sidecars", [1, 4])
def test_calls_in_flight_are_bounded_shared_and_kept_busy(sidecars: int, record: Record) -> None:
    group = flights(20)
    load = Load(20, {"a": (1.0, 0.9), "b": (1.0, 0.1)})
    crowd = fleet(group, sidecars, load)
    running: list[int] = []

    def look() -> None:
        running.append(sum(sidecar.holders[0].lease.own(crowd.now)[0] for sidecar in crowd.sidecars))
        crowd.at(crowd.now + 100, look)

    crowd.at(10_000, look)
    outcome = crowd.run(MINUTE)
    refused = {n: outcome.refused.get(n, 0) / outcome.offered[n] for n in load.classes}
    figures = {"most": max(running), "mean": sum(running) / len(running), "b refused": refused["b"]}
    record(**figures)
    assert figures["most"] <= 20
    assert figures["mean"] >= 0.85 * 20
    assert figures["b refused"] < 0.1, "it wants less than its share"


def test_below_the_limit_nobody_waits_for_fairness(record: Record) -> None:
    load = Load(0.7 * AMOUNT / 60, {"a": (1.0, 0.5), "b": (9.0, 0.5)})
    outcome = fleet(per_minute(AMOUNT), 8, load).run(3 * MINUTE)
    refused = sum(outcome.refused.values()) / sum(outcome.offered.values())
    waited = sorted(arrival.waited_ms for arrival in outcome.arrivals if arrival.at >= MINUTE)
    record(
        refused=refused,
        p99_ms=waited[int(len(waited) * 0.99)],
        exchanges=outcome.exchanges / len(outcome.arrivals),
    )
    assert refused == 0
    assert waited[int(len(waited) * 0.99)] < 2.0, "a round trip or two"
    assert used(outcome, per_minute(AMOUNT).limits[0], MINUTE, 3 * MINUTE) > 0.6
