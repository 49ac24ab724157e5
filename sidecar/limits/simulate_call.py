"""One call of the simulated fleet on its way, and what it leaves behind for those who judge.

A call takes its steps as `limiter` does: every budget that covers it, one after the other, then one of the
quotas that could serve it. Budgets are booked when the last of them is taken and given back in full when no
quota serves; a quota is booked when the request leaves. What the upstream sees is an Arrival.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from sidecar.core.quota import NOTHING, Charge, LimitGroup, Share
from sidecar.limits.holder import Holder
from sidecar.limits.standing import Place, Served, Standing, take

if TYPE_CHECKING:
    from sidecar.limits.simulate import Fleet


class Step(NamedTuple):
    """What a call takes next: units of one of these groups, by name, whichever can give them first."""

    groups: Sequence[str]
    is_optional: bool = False
    """Whether something serves the call that no limit covers: then it never waits in this step."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One class of load."""

    share: Share
    per_s: float
    """Requests a second, of the whole fleet."""
    draw: Callable[[Random], tuple[Charge, Charge]]
    """What a request is estimated to cost, and what it then does."""
    patience_ms: float = 2_000.0
    rate: Callable[[float], float] = lambda _now: 1.0
    """A factor on the rate, over time."""
    path: Sequence[Step] = ()
    """In sequence; the last is the quota, those before it are budgets. Empty: any group of the fleet."""
    name: str = ""
    """What the outcome calls it; empty: as its share."""

    @property
    def label(self) -> str:
        """What the outcome calls it."""
        return self.name or self.share.name


class Arrival(NamedTuple):
    """A request as the upstream sees it; of a budget, a call that it let through."""

    at: float
    group: str
    share: str
    charge: Charge
    waited_ms: float
    sidecar: int
    caller: str = ""
    ends_at: float = 0.0
    """When it is answered."""


@dataclass
class Outcome:
    """What came of a run. Counts of calls are by the label of their caller."""

    arrivals: list[Arrival] = field(default_factory=list)
    passed: list[Arrival] = field(default_factory=list)
    """Of budgets: `at` is when the call was let through, and only calls count that were served in the end."""
    refused: dict[str, int] = field(default_factory=dict)
    offered: dict[str, int] = field(default_factory=dict)
    exchanges: int = 0
    hits: int = 0
    refused_upstream: int = 0
    asked: dict[tuple[str, str], Charge] = field(default_factory=dict)
    """What came to a group, by caller and group, whether it was served or not."""
    denied: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Calls refused, by group and by what stood in their way there, as `Denials.last`."""
    too_large: Counter[str] = field(default_factory=Counter)
    """Calls refused, because they cost more than a limit allows in all."""
    waiting: Counter[str] = field(default_factory=Counter)
    """Calls in line now."""


class Site(NamedTuple):
    """The sidecar that a call came to."""

    number: int
    holders: Sequence[Holder]
    """In the order of the fleet's groups."""
    poll: Callable[[int], None]
    """The holder of that number was used: it may have something to say."""


class _Option(NamedTuple):
    """A group that could serve the call in a step."""

    number: int
    place: Place


class _Taken(NamedTuple):
    """Units of one group that the call has; `source` as `Holder.take` returns it."""

    number: int
    place: Place
    source: int


class Passage:
    """One call. `go_on` sets it on its way."""

    def __init__(self, fleet: "Fleet", site: Site, caller: Caller, estimate: Charge, actual: Charge) -> None:
        self._fleet = fleet
        self._site = site
        self._caller = caller
        self._estimate = estimate
        self._actual = actual
        self._since = self._booked_at = fleet.now
        self._path = caller.path or (Step([group.name for group in fleet.groups]),)
        self._budgets: list[_Taken] = []
        self._is_hit = True

    def __repr__(self) -> str:
        return f"<Passage of {self._caller.label}, {len(self._budgets)} of {len(self._path)} steps>"

    def go_on(self) -> None:
        """Take the next step, at once or after standing in line for it."""
        now, step = self._fleet.now, self._path[len(self._budgets)]
        if self._is_last:
            self._book_budgets()
        options = self._options(step)
        if (served := take(self._caller.share, _places(options), now)) is not None:
            self._served(served, options)
        elif step.is_optional or not step.groups:
            self._send(None)
        elif not options:
            self._fleet.outcome.too_large[self._caller.label] += 1
            self._refuse(options)
        else:
            self._wait(options)
        for number, _ in options:
            self._site.poll(number)

    @property
    def _is_last(self) -> bool:
        return len(self._budgets) == len(self._path) - 1

    # ------------------------------------------------------------------------------------------------ a step

    def _options(self, step: Step) -> list[_Option]:
        """The groups of a step that can ever give what the call may cost."""
        options = []
        for name in step.groups:
            number = self._fleet.number(name)
            group, label = self._fleet.groups[number], self._caller.label
            asked = self._fleet.outcome.asked
            asked[label, name] = asked.get((label, name), NOTHING).plus(self._actual)
            if all(
                limit.is_shadow or self._estimate.of(limit.unit) <= limit.amount for limit in group.limits
            ):
                place = Place(self._site.holders[number], _amounts(group, self._estimate))
                options.append(_Option(number, place))
        return options

    def _wait(self, options: Sequence[_Option]) -> None:
        self._is_hit = False

        def end(served: Served | float) -> None:
            self._fleet.outcome.waiting[self._caller.label] -= 1
            if isinstance(served, Served):
                self._served(served, options)
            else:
                self._refuse(options)

        standing = Standing(self._caller.share, self._since + self._caller.patience_ms, end)
        if standing.join(_places(options), self._fleet.now):
            self._fleet.outcome.waiting[self._caller.label] += 1
        else:
            self._refuse(options)

    def _served(self, served: Served, options: Sequence[_Option]) -> None:
        taken = _Taken(*options[served.place], served.source)
        if self._is_last:
            self._send(taken)
        else:
            self._budgets.append(taken)
            self.go_on()

    def _refuse(self, options: Sequence[_Option]) -> None:
        outcome, share = self._fleet.outcome, self._caller.share
        outcome.refused[self._caller.label] = outcome.refused.get(self._caller.label, 0) + 1
        for number, place in options:
            outcome.denied[self._fleet.groups[number].name, place.holder.denials.last] += 1
        for budget in self._budgets:
            if self._is_last:  # so they are booked
                self._settle(budget, NOTHING, self._booked_at)
            else:
                budget.place.holder.put_back(share, budget.place.amounts, budget.source, self._fleet.now)
                self._site.poll(budget.number)

    # -------------------------------------------------------------------------------------------- the request

    def _book_budgets(self) -> None:
        now = self._booked_at = self._fleet.now
        for _, place, source in self._budgets:
            if not place.holder.use(place.amounts, source, now):  # its lease has ended since
                place.holder.put_back(self._caller.share, place.amounts, source, now)
                place.holder.lease.book_unheld(place.amounts, now)

    def _send(self, quota: _Taken | None) -> None:
        fleet, sent_at = self._fleet, self._fleet.now
        if quota is not None and not quota.place.holder.use(quota.place.amounts, quota.source, sent_at):
            raise AssertionError("what was taken in this moment is usable in this moment")
        if self._is_hit:
            fleet.outcome.hits += 1
        arrives_at = sent_at + fleet.random.uniform(5, 60)
        ends_at = sent_at + fleet.random.lognormvariate(7.4, 0.5)
        for number, _, _ in self._budgets:
            passed = self._arrival(self._booked_at, fleet.groups[number].name, self._booked_at, ends_at)
            fleet.outcome.passed.append(passed)
        group = fleet.groups[quota.number].name if quota is not None else ""
        arrival = self._arrival(arrives_at, group, sent_at, ends_at)

        def done() -> None:
            for budget in self._budgets:
                self._settle(budget, self._actual, self._booked_at)
            if quota is not None:
                self._settle(quota, self._actual, sent_at)

        fleet.at(arrives_at, lambda: self._arrive(arrival, quota))
        fleet.at(ends_at, done)

    def _arrive(self, arrival: Arrival, quota: _Taken | None) -> None:
        fleet = self._fleet
        if quota is not None and fleet.upstream is not None:
            penalty = fleet.upstream.arrive(fleet.groups[quota.number], self._actual, fleet.now)
            if penalty is not None:
                fleet.outcome.refused_upstream += 1
                quota.place.holder.penalize(penalty, fleet.now)
                self._site.poll(quota.number)
                return
        fleet.outcome.arrivals.append(arrival)

    def _arrival(self, at: float, group: str, left_at: float, ends_at: float) -> Arrival:
        return Arrival(
            at=at,
            group=group,
            share=self._caller.share.name,
            charge=self._actual,
            waited_ms=left_at - self._since,
            sidecar=self._site.number,
            caller=self._caller.label,
            ends_at=ends_at,
        )

    def _settle(self, taken: _Taken, charge: Charge, used_at: float) -> None:
        number, place, _ = taken
        used = _amounts(self._fleet.groups[number], charge)
        place.holder.settle(self._caller.share, place.amounts, used, used_at, self._fleet.now)
        self._site.poll(number)


def _amounts(group: LimitGroup, charge: Charge) -> list[int]:
    return [charge.of(limit.unit) for limit in group.limits]


def _places(options: Sequence[_Option]) -> list[Place]:
    return [option.place for option in options]
