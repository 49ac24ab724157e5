"""The figures of a simulation: what each limit and each load came to. Pure.

The judge of a quota is what the upstream saw, of a budget the calls that it let through; never the limiter's
own counters. Of a rolling limit every position of the window is looked at, of a calendar limit every period,
of a limit on calls in flight every moment.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from sidecar.core.calendar import bounds
from sidecar.core.quota import Calendar, Limit, LimitGroup, Rolling, Unit
from sidecar.limits.simulate import fair_shares, worst_window
from sidecar.limits.simulate_call import Arrival, Outcome
from sidecar.limits.simulate_plan import Plan, Traffic


@dataclass(frozen=True, slots=True)
class Waits:
    """How long calls that were served had waited for limits, in milliseconds; 0 when there were none."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class LimitFigures:
    """What came to one limit."""

    name: str
    unit: Unit
    amount: int
    offered: int
    """What all calls that asked here would have cost; those that other quotas served too."""
    admitted: int
    worst: int
    """The fullest window, wherever it begins."""
    used: float
    """Of what the limit allows in the simulated time, how much was used."""
    refused: int
    """Calls that were refused while this limit stood in their way."""
    is_shadow: bool

    @property
    def is_exceeded(self) -> bool:
        """Whether any window held more than the limit, and the limit was to refuse that."""
        return self.worst > self.amount and not self.is_shadow


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """What came to one quota or budget, in calls."""

    name: str
    offered: int
    admitted: int
    refused: int
    waits: Waits
    limits: tuple[LimitFigures, ...]


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """What came of one load, in calls."""

    name: str
    share: str
    """The class in which it was served."""
    offered: int
    admitted: int
    refused: int
    too_large: int
    """Of those refused: calls that no limit of that size can ever serve."""
    fair: float | None
    """What its class was given over its weighted fair share of what all were given that compete for the same
    quotas; None: no quota was to be shared.
    """
    hits: float
    """Of the calls served, those that leases covered without a message."""
    waits: Waits


@dataclass(frozen=True, slots=True)
class Setting:
    """Under which conditions."""

    sidecars: int
    seconds: int
    seed: int
    redis_away_s: float = 0.0
    """For how long the ledgers are away, in the middle of the time."""


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    setting: Setting
    offered: int
    admitted: int
    exchanges: int
    groups: tuple[GroupFigures, ...]
    loads: tuple[LoadFigures, ...]

    @property
    def exchanges_per_call(self) -> float:
        """Messages to ledgers for each call served."""
        return self.exchanges / self.admitted if self.admitted else 0.0

    @property
    def exceeded(self) -> list[str]:
        """The limits of which some window held more than they allow; there must be none."""
        return [
            f"{group.name}: {limit.name}"
            for group in self.groups
            for limit in group.limits
            if limit.is_exceeded
        ]


def report(setting: Setting, plan: Plan, outcome: Outcome, began: datetime) -> Report:
    """The figures of a run that `began` (aware) then."""
    fair = _fairness(plan, outcome)
    return Report(
        setting=setting,
        offered=sum(outcome.offered.values()),
        admitted=len(outcome.arrivals),
        exchanges=outcome.exchanges,
        groups=tuple(_group(group, outcome, setting.seconds, began) for group in plan.groups),
        loads=tuple(_load(traffic, outcome, fair.get(traffic.load.name)) for traffic in plan.traffic),
    )


# ----------------------------------------------------------------------------------------- groups and limits


def _group(group: LimitGroup, outcome: Outcome, seconds: int, began: datetime) -> GroupFigures:
    arrivals = [each for each in (*outcome.passed, *outcome.arrivals) if each.group == group.name]
    asked = [charge for (_, name), charge in outcome.asked.items() if name == group.name]
    limits = []
    for number, limit in enumerate(group.limits):
        worst, used = _usage(limit, arrivals, seconds, began)
        figures = LimitFigures(
            name=limit.name,
            unit=limit.unit,
            amount=limit.amount,
            offered=sum(charge.of(limit.unit) for charge in asked),
            admitted=sum(arrival.charge.of(limit.unit) for arrival in arrivals),
            worst=worst,
            used=used,
            refused=outcome.denied[group.name, number],
            is_shadow=limit.is_shadow,
        )
        limits.append(figures)
    return GroupFigures(
        name=group.name,
        offered=sum(charge.requests for charge in asked),
        admitted=len(arrivals),
        refused=sum(count for (name, _), count in outcome.denied.items() if name == group.name),
        waits=waits(arrival.waited_ms for arrival in arrivals),
        limits=tuple(limits),
    )


def _usage(limit: Limit, arrivals: Sequence[Arrival], seconds: int, began: datetime) -> tuple[int, float]:
    """The fullest window, and the part that was used of what the limit allows in all the time."""
    points = [(arrival.at, arrival.charge.of(limit.unit)) for arrival in arrivals]
    admitted = sum(amount for _, amount in points)
    if isinstance(limit.window, Rolling):
        allowed = limit.amount * max(1.0, seconds / limit.window.seconds)
        return worst_window(points, limit.window.seconds * 1000), admitted / allowed
    if isinstance(limit.window, Calendar):
        worst = _worst_period(limit.window, points, began)
        return worst, worst / limit.amount
    end_ms = seconds * 1000.0
    held_ms = sum(min(each.ends_at, end_ms) - each.at for each in arrivals)
    return _most_at_once(arrivals), held_ms / (limit.amount * end_ms)


def _worst_period(window: Calendar, points: Iterable[tuple[float, int]], began: datetime) -> int:
    began_ms = began.timestamp() * 1000
    spent: dict[int, int] = {}
    period = bounds(window.period, window.zone, began)
    for at, amount in sorted(points):
        if began_ms + at >= period.end_ms:
            moment = datetime.fromtimestamp((began_ms + at) / 1000, began.tzinfo)
            period = bounds(window.period, window.zone, moment)
        spent[period.start_ms] = spent.get(period.start_ms, 0) + amount
    return max(spent.values(), default=0)


def _most_at_once(arrivals: Sequence[Arrival]) -> int:
    changes = sorted(change for each in arrivals for change in ((each.ends_at, -1), (each.at, 1)))
    return max(accumulate(change for _, change in changes), default=0)


def waits(waited_ms: Iterable[float]) -> Waits:
    """The median and the 99th percentile, by nearest rank."""
    ordered = sorted(waited_ms)
    if not ordered:
        return Waits(0.0, 0.0)
    return Waits(*(ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99)))


# ------------------------------------------------------------------------------------------------------ loads


def _load(traffic: Traffic, outcome: Outcome, fair: float | None) -> LoadFigures:
    name = traffic.load.name
    arrivals = [arrival for arrival in outcome.arrivals if arrival.caller == name]
    return LoadFigures(
        name=name,
        share=traffic.caller.share.name,
        offered=outcome.offered.get(name, 0),
        admitted=len(arrivals),
        refused=outcome.refused.get(name, 0),
        too_large=outcome.too_large[name],
        fair=fair,
        hits=sum(not each.waited_ms for each in arrivals) / len(arrivals) if arrivals else 0.0,
        waits=waits(arrival.waited_ms for arrival in arrivals),
    )


def _fairness(plan: Plan, outcome: Outcome) -> dict[str, float]:
    """By load: what its class was given over its fair share. Measured on the dominant limit, as the ledger
    does it; what a load's own budgets kept back, it did not ask of the quota.
    """
    fairness: dict[str, float] = {}
    for rivals in _rivals([traffic for traffic in plan.traffic if traffic.quotas]):
        weights = {each.caller.share.name: each.caller.share.weight for each in rivals}
        asked, got = dict.fromkeys(weights, 0.0), dict.fromkeys(weights, 0.0)
        for each in rivals:
            quotas = {group.name for group in each.quotas}
            calls = outcome.asked.get((each.load.name, each.quotas[0].name))
            cost = _dominant(each)
            asked[each.caller.share.name] += cost * (calls.requests if calls else 0)
            got[each.caller.share.name] += cost * sum(
                arrival.caller == each.load.name and arrival.group in quotas for arrival in outcome.arrivals
            )
        fair = fair_shares(asked, weights, sum(got.values()))
        for each in rivals:
            name = each.caller.share.name
            if fair[name]:
                fairness[each.load.name] = got[name] / fair[name]
    return fairness


def _rivals(traffic: Sequence[Traffic]) -> list[list[Traffic]]:
    """Loads that compete, directly or by way of others, for the same quotas."""
    parties: list[tuple[set[str], list[Traffic]]] = []
    for each in traffic:
        names, members = {group.name for group in each.quotas}, [each]
        for party in [party for party in parties if party[0] & names]:
            parties.remove(party)
            names, members = names | party[0], [*party[1], *members]
        parties.append((names, members))
    return [members for _, members in parties]


def _dominant(traffic: Traffic) -> float:
    """The largest part of any limit that a mean call takes."""
    return max(
        (
            traffic.mean.of(limit.unit) / max(1, limit.amount)
            for limit in traffic.quotas[0].limits
            if not limit.is_shadow
        ),
        default=0.0,
    )
