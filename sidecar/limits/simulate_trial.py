"""A Policy on trial: a simulated fleet under load, second by second."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.core.quota import LimitGroup
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Report
from sidecar.limits.simulate import EPOCH, Fleet
from sidecar.limits.simulate_call import Arrival
from sidecar.limits.simulate_plan import Plan
from sidecar.limits.simulate_report import Report as Figures
from sidecar.limits.simulate_report import Setting, report


class Ledgers:
    """A ledger in memory for each group, as a fleet finds it that joins a running one."""

    def __init__(self) -> None:
        self._ledgers: dict[str, Ledger] = {}

    def __repr__(self) -> str:
        return f"<Ledgers of {len(self._ledgers)} groups>"

    def exchange(self, group: LimitGroup, told: Report, wall_ms: int) -> Answer:
        """See `simulate.LedgerPort`."""
        return self._ledgers.setdefault(group.name, Ledger(listens=False)).exchange(told, wall_ms)


@dataclass(frozen=True, slots=True)
class Sample:
    """One second of one group or load."""

    second: int
    """From the start; the first is 0."""
    kind: str
    """`group` or `load`."""
    name: str
    admitted: int
    """Calls that came to the upstream in this second; of a budget, calls that it let through."""
    waiting: int
    """Calls in line at its end, in all sidecars."""


class Trial:
    """Call `advance` once for each second of the setting, then ask for the report and the series."""

    def __init__(self, plan: Plan, setting: Setting) -> None:
        self._plan = plan
        self._setting = setting
        callers = [traffic.caller for traffic in plan.traffic]
        self._fleet = Fleet(plan.groups, Ledgers(), setting.sidecars, callers, setting.seed)
        self._waiting: list[tuple[list[int], list[int]]] = []
        if setting.redis_away_s:
            middle, half = setting.seconds * 500.0, setting.redis_away_s * 500.0
            self._fleet.network.is_cut = lambda _sidecar, now: middle - half <= now < middle + half

    def __repr__(self) -> str:
        return f"<Trial of {self._fleet!r}>"

    def advance(self) -> None:
        """Let one second pass."""
        outcome = self._fleet.run((len(self._waiting) + 1) * 1000.0)
        groups = [
            sum(sidecar.holders[number].waiting for sidecar in self._fleet.sidecars)
            for number in range(len(self._plan.groups))
        ]
        loads = [outcome.waiting[traffic.load.name] for traffic in self._plan.traffic]
        self._waiting.append((groups, loads))

    def report(self) -> Figures:
        """What came of it."""
        return report(self._setting, self._plan, self._fleet.outcome, EPOCH)

    def series(self) -> Iterator[Sample]:
        """Second by second, every group and then every load."""
        outcome = self._fleet.outcome
        by_group = Counter((each.group, _second(each)) for each in (*outcome.passed, *outcome.arrivals))
        by_load = Counter((each.caller, _second(each)) for each in outcome.arrivals)
        for second, (groups, loads) in enumerate(self._waiting):
            for group, waiting in zip(self._plan.groups, groups, strict=True):
                yield Sample(second, "group", group.name, by_group[group.name, second], waiting)
            for traffic, waiting in zip(self._plan.traffic, loads, strict=True):
                name = traffic.load.name
                yield Sample(second, "load", name, by_load[name, second], waiting)


def _second(arrival: Arrival) -> int:
    return int(arrival.at // 1000)
