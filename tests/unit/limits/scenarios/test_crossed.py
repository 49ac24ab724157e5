"""A scarce tenant and a scarce model cross in two sidecars: nobody stands in a circle (catalogue A12)."""

from collections.abc import Callable

import pytest

from sidecar.core.call import Call
from sidecar.core.permit import Permit
from sidecar.core.ports import Grant, Hold
from sidecar.core.quota import NOTHING
from sidecar.limits.backlog import HORIZON_MS
from sidecar.limits.grant import Taken
from sidecar.limits.hold import CallHold
from sidecar.limits.limiter import Limiter
from tests.support.crossed import SCARCE, crossed, hold_then_reserve

CALLS = 4_000
SEEDS = range(1, 4)
IDLE_MOST_S = HORIZON_MS / 2 / 1000


@pytest.mark.parametrize(
    "calls", [CALLS, pytest.param(100_000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])]
)
def test_crossed_groups_neither_lock_nor_leak(calls: int, record: Callable[..., None]) -> None:
    found = crossed(calls)
    record(
        calls=found.calls,
        served=found.served,
        refused=found.refused,
        given_up=found.given_up,
        longest_s=found.longest_s,
        idle_s=found.idle_s,
        idle_to_the_end_s=found.places.idle_s,
        late=found.late,
        left=found.left,
        most=found.places.most,
    )
    assert found.calls == calls == found.served + found.refused + found.given_up
    assert found.served > calls / 2
    assert found.places.most == SCARCE
    assert found.idle_s <= IDLE_MOST_S
    assert found.late == 0
    assert found.left == 0


async def quota_before_budgets(limiter: Limiter, call: Call, permit: Permit) -> tuple[Hold, Grant]:
    """The other way round than everybody else."""
    hold = CallHold(limiter._means, call, permit.principal)
    try:
        grant = await hold.reserve(permit.candidates)
    except BaseException:
        hold.settle(NOTHING)
        raise
    try:
        await hold.take_budgets(permit.candidates[0])
    except BaseException:
        grant.settle(None, None, 0)
        raise
    return hold, grant


def test_the_judge_sees_a_circle_where_one_sidecar_takes_its_quota_first(
    record: Callable[..., None],
) -> None:
    """Of the same runs, in which no caller leaves and so breaks it."""
    takes = {"right": hold_then_reserve, "wrong": quota_before_budgets}
    idle_s = {
        name: max(crossed(CALLS // 2, (hold_then_reserve, take), 0.0, seed).idle_s for seed in SEEDS)
        for name, take in takes.items()
    }
    record(**idle_s)
    assert idle_s["right"] <= IDLE_MOST_S
    assert idle_s["wrong"] > 5 * IDLE_MOST_S


def test_the_judge_sees_units_that_nobody_puts_back(
    monkeypatch: pytest.MonkeyPatch, record: Callable[..., None]
) -> None:
    monkeypatch.setattr(Taken, "put_back", lambda _taken, _now: None)
    found = crossed(CALLS // 4)
    record(left=found.left)
    assert found.left > 0
