"""What scenarios of the simulated fleet are made of: groups, loads, ledgers in memory, and the judge.

The judge knows only what came to the upstream, and looks at every position of every window.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from sidecar.core.quota import Charge, InFlight, Limit, LimitGroup, OnLoss, Rolling, Share, Unit
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Report
from sidecar.limits.simulate import Caller, Fleet, Outcome, fair_shares, worst_window

MINUTE = Rolling(60)
DAY_MS = 86_400_000


class Twins:
    """The ledgers of all groups, in memory; what befalls a server can befall them."""

    def __init__(self) -> None:
        self.ledgers: dict[str, Ledger] = {}
        self.run = "first"

    def exchange(self, group: LimitGroup, report: Report, wall_ms: int) -> Answer:
        return self.ledgers.setdefault(group.name, Ledger()).exchange(report, wall_ms, self.run)

    def lose_everything(self) -> None:
        self.ledgers.clear()

    def saved(self) -> dict[str, Ledger]:
        return copy.deepcopy(self.ledgers)

    def fail_over(self, saved: dict[str, Ledger]) -> None:
        """Another server goes on, from what it had when `saved` was made."""
        self.ledgers = saved
        self.run += "'"


def per_minute(amount: int, name: str = "quota/main", on_loss: OnLoss = OnLoss.SHARE) -> LimitGroup:
    limit = Limit("requests_per_minute", Unit.REQUESTS, amount, MINUTE, on_loss)
    return LimitGroup(name, (limit,))


def tokens_per_minute(amount: int) -> LimitGroup:
    return LimitGroup(
        "quota/main",
        (
            Limit("requests_per_minute", Unit.REQUESTS, 1_000_000, MINUTE),
            Limit("input_tokens_per_minute", Unit.INPUT_TOKENS, amount, MINUTE),
        ),
    )


def at_once(group: LimitGroup) -> LimitGroup:
    """The same, but all of a limit may be spent at once."""
    return replace(group, limits=tuple(replace(limit, burst=1.0) for limit in group.limits))


def flights(amount: int) -> LimitGroup:
    return LimitGroup("quota/main", (Limit("calls", Unit.CALLS, amount, InFlight()),))


def one_request(_random: Random) -> tuple[Charge, Charge]:
    return Charge(), Charge()


def heavy_tailed(mean: float, least: float, most: float) -> Callable[[Random], tuple[Charge, Charge]]:
    """Log-normal sizes, and estimates that are `least` to `most` times what it will be."""

    def draw(random: Random) -> tuple[Charge, Charge]:
        actual = max(1, int(random.lognormvariate(math.log(mean) - 0.32, 0.8)))
        estimate = max(1, int(actual * random.uniform(least, most)))
        return Charge(1, estimate, estimate), Charge(1, actual, actual)

    return draw


Draw = Callable[[Random], tuple[Charge, Charge]]
Rate = Callable[[float], float]


@dataclass(frozen=True)
class Load:
    """What callers want, in all; `classes` says of each its weight and its part of the load."""

    per_s: float
    classes: Mapping[str, tuple[float, float]]
    draw: Draw = one_request
    patience_ms: float = 2_000.0
    rate: Rate = lambda _now: 1.0

    def callers(self) -> list[Caller]:
        return [
            Caller(Share(name, weight), self.per_s * part, self.draw, self.patience_ms, self.rate)
            for name, (weight, part) in self.classes.items()
        ]


ONE_CLASS = {"only/standard": (1.0, 1.0)}


def fleet(
    groups: LimitGroup | Sequence[LimitGroup],
    sidecars: int,
    load: Load,
    twins: Twins | None = None,
    seed: int = 1,
) -> Fleet:
    several = [groups] if isinstance(groups, LimitGroup) else groups
    return Fleet(several, twins or Twins(), sidecars, load.callers(), seed)


def worst(outcome: Outcome, limit: Limit, group: str = "quota/main") -> float:
    """The fullest window that the upstream saw, as part of the limit."""
    assert isinstance(limit.window, Rolling)
    points = [(a.at, a.charge.of(limit.unit)) for a in outcome.arrivals if a.group == group]
    return worst_window(points, limit.window.seconds * 1000) / limit.amount


def used(outcome: Outcome, limit: Limit, since: float, until: float, group: str = "quota/main") -> float:
    """What came between two moments, as part of what the limit allows in that time."""
    assert isinstance(limit.window, Rolling)
    came = sum(
        a.charge.of(limit.unit) for a in outcome.arrivals if a.group == group and since <= a.at < until
    )
    return came / (limit.amount * (until - since) / (limit.window.seconds * 1000))


def fairness(outcome: Outcome, load: Load, since: float, until: float) -> dict[str, float]:
    """Of each class what it was given, as part of its weighted fair share of what all were given."""
    got = dict.fromkeys(load.classes, 0.0)
    for arrival in outcome.arrivals:
        if since <= arrival.at < until:
            got[arrival.share] += 1
    offered = {n: load.per_s * part * (until - since) / 1000 for n, (_, part) in load.classes.items()}
    weights = {name: weight for name, (weight, _) in load.classes.items()}
    fair = fair_shares(offered, weights, sum(got.values()))
    return {name: got[name] / fair[name] for name in got}
