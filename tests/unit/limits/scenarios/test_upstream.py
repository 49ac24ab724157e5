"""The upstream enforces less than the Policy says (catalogue A9)."""

from collections import deque
from collections.abc import Callable

import pytest

from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.quota import Calendar, Charge, Limit, LimitGroup, Unit
from sidecar.limits.message import Penalty
from tests.support.fleet import ONE_CLASS, Load, fleet, per_minute, used

Record = Callable[..., None]
MINUTE = 60_000.0
AMOUNT = 1_500
REAL = 1_050
HOUR_MS = 3_600_000.0


class Strict:
    """An upstream that admits `REAL` in every window, and perhaps says so when it refuses."""

    def __init__(self, is_telling: bool) -> None:
        self.value = REAL if is_telling else -1
        self.admitted: deque[float] = deque()
        self.asked: list[float] = []

    def arrive(self, _group: LimitGroup, _charge: Charge, now: float) -> Penalty | None:
        self.asked.append(now)
        while self.admitted and self.admitted[0] <= now - MINUTE:
            self.admitted.popleft()
        if len(self.admitted) >= REAL:
            return Penalty(0, 900, 0, self.value)
        self.admitted.append(now)
        return None


@pytest.mark.parametrize("is_telling", [True, False], ids=["with the limit named", "without"])
def test_a_real_limit_that_is_30_percent_lower_is_found_and_used(is_telling: bool, record: Record) -> None:
    group = per_minute(AMOUNT)
    crowd = fleet(group, 8, Load(2 * AMOUNT / 60, ONE_CLASS))
    crowd.upstream = Strict(is_telling)
    outcome = crowd.run(6 * MINUTE)
    refused = outcome.refused_upstream / (len(outcome.arrivals) + outcome.refused_upstream)
    real = Limit("real", Unit.REQUESTS, REAL, group.limits[0].window)
    figures = {"refused": refused, "used": used(outcome, real, MINUTE, 6 * MINUTE)}
    record(**figures)
    assert figures["refused"] < 0.01
    assert figures["used"] >= 0.95


def test_the_judge_sees_a_fleet_that_does_not_listen(record: Record) -> None:
    crowd = fleet(per_minute(AMOUNT), 8, Load(2 * AMOUNT / 60, ONE_CLASS))
    crowd.upstream = Strict(is_telling=False)
    for sidecar in crowd.sidecars:
        sidecar.holders[0].penalize = lambda _penalty, _now: None  # type: ignore[method-assign]
    outcome = crowd.run(3 * MINUTE)
    refused = outcome.refused_upstream / (len(outcome.arrivals) + outcome.refused_upstream)
    record(refused=refused)
    assert refused > 0.1


class Spent:
    """An upstream whose period was spent by somebody else, until it ends; its delay says otherwise."""

    def __init__(self, from_ms: float) -> None:
        self.from_ms = from_ms
        self.asked: list[float] = []

    def arrive(self, _group: LimitGroup, _charge: Charge, now: float) -> Penalty | None:
        self.asked.append(now)
        return Penalty(0, 900, 2_000, 5_000) if self.from_ms <= now < HOUR_MS else None


def test_a_spent_period_is_not_asked_about_until_it_ends(record: Record) -> None:
    """An hour stands for the day."""
    hourly = Limit("requests_per_hour", Unit.REQUESTS, 5_000, Calendar(Period.HOUR, PACIFIC))
    crowd = fleet(LimitGroup("quota/main", (hourly,)), 4, Load(0.5, ONE_CLASS))
    upstream = Spent(from_ms=10 * MINUTE)
    crowd.upstream = upstream
    crowd.run(HOUR_MS + MINUTE)
    first = min(at for at in upstream.asked if at >= 10 * MINUTE)
    in_vain = [at for at in upstream.asked if first + 1_100 < at < HOUR_MS]  # all are heard within a second
    after = min(at for at in upstream.asked if at >= HOUR_MS) - HOUR_MS
    record(in_vain=len(in_vain), reopened_after_ms=after)
    assert in_vain == []
    assert after <= 12_000, "two seconds of slack, and the next call of one in two seconds"


def test_an_hour_is_never_overspent_and_opens_again(record: Record) -> None:
    hourly = Limit("requests_per_hour", Unit.REQUESTS, 300, Calendar(Period.HOUR, PACIFIC))
    crowd = fleet(LimitGroup("quota/main", (hourly,)), 4, Load(0.4, ONE_CLASS))
    outcome = crowd.run(2 * HOUR_MS)
    hours = [sum(hour * HOUR_MS <= a.at < (hour + 1) * HOUR_MS for a in outcome.arrivals) for hour in (0, 1)]
    record(first=hours[0], second=hours[1])
    assert max(hours) <= 300
    assert min(hours) >= 297
