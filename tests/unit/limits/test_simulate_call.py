"""The way of a simulated call: budgets in their order, then one of its quotas."""

from collections.abc import Sequence
from random import Random

from sidecar.core.quota import Charge, Limit, LimitGroup, Rolling, Share, Unit
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Report
from sidecar.limits.simulate import Caller, Fleet, worst_window
from sidecar.limits.simulate_call import Arrival, Outcome, Step

MINUTE_MS = 60_000


class Twins:
    """A ledger in memory for each group."""

    def __init__(self) -> None:
        self.ledgers: dict[str, Ledger] = {}

    def exchange(self, group: LimitGroup, report: Report, wall_ms: int) -> Answer:
        return self.ledgers.setdefault(group.name, Ledger(listens=False)).exchange(report, wall_ms)


def per_minute(name: str, amount: int, *, is_shadow: bool = False, burst: float = 0.05) -> LimitGroup:
    limit = Limit("requests_per_minute", Unit.REQUESTS, amount, Rolling(60), is_shadow=is_shadow, burst=burst)
    return LimitGroup(name, (limit,))


def one_request(_random: Random) -> tuple[Charge, Charge]:
    return Charge(), Charge()


def caller(name: str, per_s: float, *path: Step) -> Caller:
    return Caller(Share("all/standard", 1.0), per_s, one_request, path=path, name=name)


def run(groups: Sequence[LimitGroup], *callers: Caller, seconds: int = 60) -> Outcome:
    return Fleet(groups, Twins(), 4, callers).run(seconds * 1000)


def worst(arrivals: Sequence[Arrival], group: str) -> int:
    points = [(arrival.at, arrival.charge.requests) for arrival in arrivals if arrival.group == group]
    return worst_window(points, MINUTE_MS)


def test_a_caller_asks_the_groups_of_its_own_path_alone() -> None:
    groups = [per_minute("a", 600), per_minute("b", 600)]
    outcome = run(groups, caller("to a", 5, Step(["a"])), caller("to b", 5, Step(["b"])))
    assert {(arrival.caller, arrival.group) for arrival in outcome.arrivals} == {("to a", "a"), ("to b", "b")}
    assert set(outcome.asked) == {("to a", "a"), ("to b", "b")}


def test_a_caller_without_a_path_may_go_to_every_group() -> None:
    groups = [per_minute("a", 200), per_minute("b", 200)]
    outcome = run(groups, caller("any", 20))
    assert {arrival.group for arrival in outcome.arrivals} == {"a", "b"}


def test_a_budget_holds_before_a_quota_that_has_room() -> None:
    groups = [per_minute("budget", 60), per_minute("quota", 6_000)]
    outcome = run(groups, caller("web", 5, Step(["budget"]), Step(["quota"])), seconds=120)
    assert 50 < worst(outcome.passed, "budget") <= 60
    assert len(outcome.passed) >= len(outcome.arrivals) > 0
    assert outcome.denied["budget", 0] > 0
    assert "quota" not in {group for group, _ in outcome.denied}


def test_a_refused_call_gives_its_budgets_back() -> None:
    groups = [per_minute("budget", 600, burst=1.0), per_minute("quota", 60)]
    both = caller("both", 8, Step(["budget"]), Step(["quota"]))
    alone = caller("alone", 8, Step(["budget"]))
    outcome = run(groups, both, alone, seconds=180)
    assert outcome.refused["both"] > 500, "the quota refuses most"
    assert outcome.refused.get("alone", 0) < 0.05 * outcome.offered["alone"], "its budget has room again"


def test_a_call_with_an_unmetered_place_never_waits() -> None:
    free = caller("free", 40, Step(["quota"], is_optional=True))
    bound = caller("bound", 40, Step(["quota"]))
    outcome = run([per_minute("quota", 6_000)], free, bound, seconds=20)
    served = [arrival for arrival in outcome.arrivals if arrival.caller == "free"]
    assert {arrival.group for arrival in served} == {"quota", ""}
    assert {arrival.waited_ms for arrival in served} == {0.0}
    assert "free" not in outcome.refused


def test_a_call_that_can_never_fit_is_refused_at_once() -> None:
    tokens = LimitGroup("quota", (Limit("tokens", Unit.TOKENS, 100, Rolling(60)),))

    def draw(_random: Random) -> tuple[Charge, Charge]:
        return Charge(1, 101, 101), Charge(1, 90, 90)

    large = Caller(Share("all/standard", 1.0), 1, draw, path=(Step(["quota"]),), name="large")
    outcome = run([tokens], large)
    assert outcome.too_large["large"] == outcome.refused["large"] == outcome.offered["large"] > 0
    assert outcome.arrivals == []


def test_a_shadow_refuses_no_call_however_large() -> None:
    outcome = run([per_minute("quota", 1, is_shadow=True)], caller("web", 2, Step(["quota"])))
    assert outcome.refused == {}
    assert worst(outcome.arrivals, "quota") > 60


def test_who_waits_is_counted_until_it_is_served_or_refused() -> None:
    group = per_minute("quota", 60)
    fleet = Fleet([group], Twins(), 4, [caller("web", 10, Step(["quota"]))])
    fleet.run(30_000)
    assert fleet.outcome.waiting["web"] == sum(site.holders[0].waiting for site in fleet.sidecars) > 0
