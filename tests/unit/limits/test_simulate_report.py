"""The arithmetic of a report, on outcomes made by hand."""

from datetime import UTC, datetime

import pytest

from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.quota import Calendar, Charge, InFlight, Limit, LimitGroup, Rolling, Share, Unit, Window
from sidecar.limits.simulate import EPOCH
from sidecar.limits.simulate_call import Arrival, Caller, Outcome
from sidecar.limits.simulate_load import Load
from sidecar.limits.simulate_plan import Plan, Traffic
from sidecar.limits.simulate_report import LimitFigures, Report, Setting, Waits, report, waits

GROUP = "quota/main"


def limit(amount: int, window: Window, unit: Unit = Unit.REQUESTS, *, is_shadow: bool = False) -> Limit:
    return Limit("limit", unit, amount, window, is_shadow=is_shadow)


def arrival(at: float, caller: str = "web", group: str = GROUP, **values: float) -> Arrival:
    waited = values.get("waited_ms", 0.0)
    return Arrival(at, group, f"/{caller}", Charge(), waited, 0, caller, values.get("ends_at", at + 1_000.0))


def traffic(name: str, weight: float, *quotas: LimitGroup) -> Traffic:
    caller = Caller(Share(f"/{name}", weight), 1.0, lambda _random: (Charge(), Charge()), name=name)
    return Traffic(Load(name, 1.0), caller, Charge(), quotas)


def figures(only: Limit, *arrivals: Arrival, seconds: int = 120, began: datetime = EPOCH) -> LimitFigures:
    group = LimitGroup(GROUP, (only,))
    outcome = Outcome(arrivals=list(arrivals))
    made = report(Setting(1, seconds, 1), Plan((group,), (traffic("web", 1.0, group),)), outcome, began)
    return made.groups[0].limits[0]


def test_the_worst_window_is_looked_for_at_every_position() -> None:
    seen = [arrival(at) for at in (0, 59_000, 61_000, 100_000, 118_000)]
    made = figures(limit(4, Rolling(60)), *seen)
    assert made.worst == 4
    assert not made.is_exceeded
    assert figures(limit(3, Rolling(60)), *seen).is_exceeded


def test_what_a_rolling_limit_allows_grows_with_the_time() -> None:
    seen = [arrival(second * 1000.0) for second in range(12)]
    assert figures(limit(10, Rolling(60)), *seen, seconds=120).used == pytest.approx(12 / 20)
    assert figures(limit(24, Rolling(600)), *seen, seconds=120).used == pytest.approx(12 / 24)


def test_a_calendar_limit_is_counted_in_each_period_alone() -> None:
    began = datetime(2026, 11, 24, 7, 59, 30, tzinfo=UTC)  # half a minute before midnight Pacific
    seen = [arrival(at) for at in (0.0, 29_999.0, 30_000.0, 31_000.0, 32_000.0)]
    made = figures(limit(3, Calendar(Period.DAY, PACIFIC)), *seen, began=began)
    assert (made.worst, made.admitted, made.used) == (3, 5, 1.0)


def test_calls_in_flight_are_counted_at_their_most_and_on_the_mean() -> None:
    flights = limit(2, InFlight(), Unit.CALLS)
    seen = [
        arrival(0, ends_at=60_000.0),
        arrival(30_000, ends_at=60_000.0),
        arrival(60_000, ends_at=500_000.0),  # begins as the others end, and outlives the simulation
    ]
    made = figures(flights, *seen, seconds=120)
    assert made.worst == 2
    assert made.used == pytest.approx((60 + 30 + 60) / (2 * 120))


def test_a_shadow_is_never_exceeded() -> None:
    made = figures(limit(1, Rolling(60), is_shadow=True), arrival(0), arrival(1))
    assert (made.worst, made.is_exceeded) == (2, False)


def test_an_exceeded_limit_is_named() -> None:
    group = LimitGroup(GROUP, (limit(1, Rolling(60)),))
    outcome = Outcome(arrivals=[arrival(0), arrival(1)])
    made = report(Setting(1, 60, 1), Plan((group,), ()), outcome, EPOCH)
    assert made.exceeded == [f"{GROUP}: limit"]


def test_budgets_are_judged_by_what_they_let_through() -> None:
    group = LimitGroup("budget/web", (limit(10, Rolling(60)),))
    outcome = Outcome(passed=[arrival(0, group="budget/web")], arrivals=[arrival(50, group="")])
    made = report(Setting(1, 60, 1), Plan((group,), (traffic("web", 1.0),)), outcome, EPOCH)
    assert made.groups[0].admitted == 1
    assert made.admitted == 1


def test_refusals_are_of_the_limit_that_stood_in_the_way() -> None:
    group = LimitGroup(GROUP, (limit(10, Rolling(60)), limit(10, Rolling(600))))
    outcome = Outcome()
    outcome.denied.update({(GROUP, 1): 3, (GROUP, -2): 2, ("other", 0): 7})
    made = report(Setting(1, 60, 1), Plan((group,), ()), outcome, EPOCH)
    assert [each.refused for each in made.groups[0].limits] == [0, 3]
    assert made.groups[0].refused == 5


def test_what_was_offered_counts_whether_it_was_served_or_not() -> None:
    group = LimitGroup(GROUP, (limit(10, Rolling(60), Unit.TOKENS),))
    outcome = Outcome(asked={("a", GROUP): Charge(3, 0, 70), ("b", GROUP): Charge(2, 0, 30)})
    made = report(Setting(1, 60, 1), Plan((group,), ()), outcome, EPOCH)
    assert (made.groups[0].offered, made.groups[0].limits[0].offered) == (5, 100)


def competing(*names_and_weights: tuple[str, float], asked: dict[str, int], got: dict[str, int]) -> Report:
    group = LimitGroup(GROUP, (limit(100, Rolling(60)),))
    outcome = Outcome(
        asked={(name, GROUP): Charge(count) for name, count in asked.items()},
        arrivals=[arrival(0, caller=name) for name, count in got.items() for _ in range(count)],
    )
    plan = Plan((group,), tuple(traffic(name, weight, group) for name, weight in names_and_weights))
    return report(Setting(1, 60, 1), plan, outcome, EPOCH)


def test_a_fair_share_is_by_weight_and_never_more_than_was_asked_for() -> None:
    made = competing(
        ("small", 1.0),
        ("one", 1.0),
        ("two", 2.0),
        asked={"small": 10, "one": 90, "two": 90},
        got={"small": 10, "one": 40, "two": 50},
    )
    assert [load.fair for load in made.loads] == pytest.approx([1.0, 40 / 30, 50 / 60])


def test_loads_that_share_no_quota_do_not_compete() -> None:
    groups = [LimitGroup(name, (limit(100, Rolling(60)),)) for name in ("a", "b")]
    plan = Plan(tuple(groups), (traffic("x", 1.0, groups[0]), traffic("y", 1.0, groups[1])))
    outcome = Outcome(
        asked={("x", "a"): Charge(50), ("y", "b"): Charge(50)},
        arrivals=[arrival(0, "x", "a"), *(arrival(0, "y", "b") for _ in range(40))],
    )
    made = report(Setting(1, 60, 1), plan, outcome, EPOCH)
    assert [load.fair for load in made.loads] == [1.0, 1.0]


def test_loads_compete_by_way_of_a_third() -> None:
    groups = [LimitGroup(name, (limit(100, Rolling(60)),)) for name in ("a", "b")]
    loads = (traffic("x", 1.0, groups[0]), traffic("y", 1.0, groups[1]), traffic("both", 1.0, *groups))
    outcome = Outcome(
        asked={("x", "a"): Charge(9), ("y", "b"): Charge(9), ("both", "a"): Charge(9)},
        arrivals=[arrival(0, "x", "a"), arrival(0, "x", "a"), arrival(0, "both", "b")],
    )
    made = report(Setting(1, 60, 1), Plan(tuple(groups), loads), outcome, EPOCH)
    assert [load.fair for load in made.loads] == pytest.approx([2.0, 0.0, 1.0])


def test_a_load_without_a_quota_has_no_fair_share() -> None:
    made = report(Setting(1, 60, 1), Plan((), (traffic("web", 1.0),)), Outcome(), EPOCH)
    assert made.loads[0].fair is None


def test_hits_are_calls_that_waited_for_nothing() -> None:
    seen = [arrival(0), arrival(0), arrival(0, waited_ms=0.4), arrival(0, waited_ms=900.0)]
    made = report(Setting(1, 60, 1), Plan((), (traffic("web", 1.0),)), Outcome(arrivals=seen), EPOCH)
    assert made.loads[0].hits == 0.5


@pytest.mark.parametrize(
    ("waited", "expected"),
    [
        ([], Waits(0.0, 0.0)),
        ([5.0], Waits(5.0, 5.0)),
        ([float(each) for each in range(200, 0, -1)], Waits(100.0, 198.0)),
    ],
)
def test_waits_are_by_nearest_rank(waited: list[float], expected: Waits) -> None:
    assert waits(waited) == expected
