"""A Policy on trial: the real core under made-up load."""

from datetime import date

from sidecar.core.policy import Budget, ModelRoute
from sidecar.core.quota import Limit, LimitGroup, OnLoss, Rolling, Unit
from sidecar.limits.simulate_load import Load
from sidecar.limits.simulate_plan import Plan, plan
from sidecar.limits.simulate_report import Report, Setting
from sidecar.limits.simulate_trial import Trial
from tests.support import facts

TODAY = date(2026, 11, 24)
GROUP = f"quota/main/{facts.MODEL}"


def planned(*loads: Load, amount: int = 600, on_loss: OnLoss = OnLoss.SHARE) -> Plan:
    limit = Limit("requests_per_minute", Unit.REQUESTS, amount, Rolling(60), on_loss)
    budget = Budget(
        "small",
        principals=frozenset({"small"}),
        limits=(Limit("requests_per_minute", Unit.REQUESTS, 60, Rolling(60)),),
    )
    made = facts.policy(
        routes={facts.MODEL: ModelRoute(facts.MODEL, ("main",))},
        quotas={("main", facts.MODEL, ""): LimitGroup(GROUP, (limit,))},
        budgets=(budget,),
    )
    return plan(made, loads, TODAY)


def tried(made: Plan, setting: Setting) -> Trial:
    trial = Trial(made, setting)
    for _ in range(setting.seconds):
        trial.advance()
    return trial


def ran(made: Plan, setting: Setting) -> Report:
    return tried(made, setting).report()


def test_an_overloaded_quota_is_used_up_and_never_exceeded() -> None:
    made = ran(planned(Load("web", 2, is_relative=True)), Setting(8, 120, 1))
    (limit,) = made.groups[0].limits
    assert limit.used > 0.98
    assert limit.amount * 0.98 < limit.worst <= limit.amount
    assert made.exceeded == []


def test_equal_seeds_make_equal_runs_and_others_do_not() -> None:
    made = planned(Load("web", 2, is_relative=True))
    one, same, other = (ran(made, Setting(4, 20, seed)) for seed in (1, 1, 2))
    assert one == same
    assert one.loads != other.loads


def test_a_budget_is_never_exceeded_and_leaves_the_others_alone() -> None:
    made = ran(planned(Load("small", 10), Load("web", 4)), Setting(4, 120, 1))
    assert [group.name for group in made.groups] == ["budget/small", GROUP]
    small, web = made.loads
    assert small.refused > 500
    assert web.refused == 0
    assert made.exceeded == []
    assert made.groups[0].limits[0].worst <= 60


def test_the_series_has_every_second_of_every_group_and_load() -> None:
    trial = tried(planned(Load("web", 2, is_relative=True), Load("small", 3)), Setting(4, 30, 1))
    samples = list(trial.series())
    assert len(samples) == 30 * 4
    assert [(each.kind, each.name) for each in samples[:4]] == [
        ("group", "budget/small"),
        ("group", GROUP),
        ("load", "web"),
        ("load", "small"),
    ]
    counted = sum(each.admitted for each in samples if each.kind == "load")
    assert counted == trial.report().admitted
    assert any(each.waiting for each in samples if each.name == GROUP)
    last = {each.name: each.waiting for each in samples[-4:]}
    assert last[GROUP] + last["budget/small"] == last["web"] + last["small"]


def test_closed_limits_serve_nothing_while_the_ledgers_are_away() -> None:
    away = Setting(4, 60, 1, redis_away_s=30)
    trial = tried(planned(Load("web", 2, is_relative=True), on_loss=OnLoss.CLOSED), away)
    admitted = {each.second: each.admitted for each in trial.series() if each.name == GROUP}
    assert sum(admitted[second] for second in range(19, 45)) == 0, "its leases ran out after 3 s"
    assert min(admitted[second] for second in range(50, 60)) > 0


def test_open_limits_are_exceeded_while_the_ledgers_are_away() -> None:
    away = Setting(4, 60, 1, redis_away_s=30)
    made = ran(planned(Load("web", 4, is_relative=True), on_loss=OnLoss.OPEN), away)
    assert made.exceeded == [f"{GROUP}: requests_per_minute"]
