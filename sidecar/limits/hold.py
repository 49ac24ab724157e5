"""The Holds of a limiter: a call's budgets, and on their strength the quota of one candidate an attempt.

Groups are taken in one fixed order, budgets by name and quotas after them, and a quota is never kept while
waiting for another: so calls that hold and wait cannot stand in a circle. Among candidates of the best level
the first whose lease covers the call wins without waiting; when none does, the call stands in line at all of
them. The next level is asked as well when that has lasted, or as soon as there is nothing to wait for. Of one
level are candidates of one step (the alternatives of model and tier) whose endpoints are of one level.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf
from typing import TypeAlias

from sidecar.core.call import Call
from sidecar.core.errors import CostExceedsLimit, NoEndpoint
from sidecar.core.levels import LimitsMode, worst
from sidecar.core.permit import Candidate, Permit
from sidecar.core.ports import Grant
from sidecar.core.quota import NOTHING, Charge, LimitGroup, Share
from sidecar.limits.estimate import Estimator, Key
from sidecar.limits.grant import Costing, FreeGrant, MeteredGrant, Taken
from sidecar.limits.group import Clocks
from sidecar.limits.groups import Groups
from sidecar.limits.holder import Holder
from sidecar.limits.mode import mode_of
from sidecar.limits.waiting import Option, Queueing, fitting

_QUEUE_SHARE = 0.98
"""Of the time that a call has left, it may stand in line for so much: to be refused in line is of more use
than to run into the deadline.
"""
_Take: TypeAlias = Callable[[Holder, Share, Sequence[int], float], int]
"""A way to take units without a message, as `Holder.take`."""


@dataclass(slots=True)
class Means:
    """What all Holds of a limiter share."""

    groups: Groups
    estimator: Estimator
    clocks: Clocks
    wait_s: float
    """How long a call may stand in one line."""
    open: int = 0
    """Holds that are not settled: zero when no call runs."""


class FreeHold:
    """Of a call that nothing limits: it is neither estimated nor billed; see `core.ports.Hold`."""

    def __init__(self, means: Means, model: str) -> None:
        self._means = means
        self._model = model
        self._is_settled = False
        means.open += 1

    def __repr__(self) -> str:
        return f"<Hold on nothing, {'settled' if self._is_settled else 'open'}>"

    async def reserve(self, candidates: Sequence[Candidate]) -> FreeGrant:
        """The best candidate; see `core.ports.Hold`."""
        if not candidates:
            raise _no_endpoint(self._model)
        return FreeGrant(candidates[0])

    def try_reserve(self, candidates: Sequence[Candidate]) -> FreeGrant | None:
        """The best candidate, if there is any; see `core.ports.Hold`."""
        return FreeGrant(candidates[0]) if candidates else None

    def settle(self, charge: Charge) -> None:
        """Nothing is corrected. Idempotent."""
        if not self._is_settled:
            self._is_settled = True
            self._means.open -= 1


class CallHold:
    """The budgets of one call, and the right to ask for quota on their strength; see `core.ports.Hold`."""

    def __init__(self, means: Means, call: Call, permit: Permit) -> None:
        self._means = means
        self._call = call
        self._principal = permit.principal
        self._best = permit.candidates[0]
        self._share = call.policy.share_of(permit.principal.tenant, call.arrival.priority)
        self._costings: dict[tuple[str, str], Costing] = {}
        self._budgets: list[Taken] = []
        self._misfit: CostExceedsLimit | None = None
        self._used_at = 0.0
        self._is_settled = False
        means.open += 1

    def __repr__(self) -> str:
        names = [taken.group.definition.name for taken in self._budgets]
        return f"<Hold on {names}, {'settled' if self._is_settled else 'open'}>"

    async def take_budgets(self) -> None:
        """Take every budget that covers the call, or none. Raises SidecarError."""
        estimate = self._costing(self._best).estimate
        try:
            for definition in self._covering():
                option = Option(self._means.groups.of(definition), fitting(definition, estimate))
                self._budgets.append(self._take(option, Holder.take) or await self._wait(option))
        except BaseException:
            for taken in self._budgets:
                taken.put_back()
            self._budgets.clear()
            self.settle(NOTHING)
            raise
        self._used_at = self._means.clocks.now_ms()
        for taken in self._budgets:
            taken.book(self._used_at)

    async def reserve(self, candidates: Sequence[Candidate]) -> Grant:
        """Take the quota of one candidate; see `core.ports.Hold`."""
        if not candidates:
            raise _no_endpoint(self._call.model)
        return self._at_once(_best_level(candidates), Holder.take) or await self._in_line(candidates)

    def try_reserve(self, candidates: Sequence[Candidate]) -> Grant | None:
        """Take what is to spare; see `core.ports.Hold`."""
        return self._at_once(candidates, Holder.take_spare)

    def settle(self, charge: Charge) -> None:
        """Correct the budgets to what the attempts cost together. Idempotent."""
        if self._is_settled:
            return
        self._is_settled = True
        self._means.open -= 1
        for taken in self._budgets:
            taken.settle(charge, self._used_at, self._means.clocks.now_ms())

    def _at_once(self, candidates: Sequence[Candidate], take: _Take) -> Grant | None:
        """The grant of the first that a lease covers or that nothing limits."""
        for candidate, option in self._options(candidates):
            if option is None:
                return self._unmetered(candidate)
            if taken := self._take(option, take):
                return self._granted(candidate, taken)
        return None

    async def _in_line(self, candidates: Sequence[Candidate]) -> Grant:
        """Stand in line, after the best level was found to have nothing at once."""
        levels = [list(level) for _, level in groupby(candidates, key=_level)]
        wait_s = self._patience_s()
        spill_s = min(self._call.policy.pools.spill_after_s, wait_s / len(levels))
        places: list[Candidate] = []
        with Queueing(self._share, self._means.clocks, wait_s) as queueing:
            for number, level in enumerate(levels, 1):
                if number > 1 and (grant := self._at_once(level, Holder.take)):
                    return grant
                for candidate, option in self._options(level):
                    if option is not None:
                        queueing.join(option)
                        places.append(candidate)
                served = await queueing.served(inf if number == len(levels) else spill_s)
                if served is not None:
                    return self._granted(places[served.place], served.taken)
            raise self._misfit if self._misfit and not places else queueing.refusal()

    def _options(self, candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, Option | None]]:
        """What the call takes where, up to the first candidate that nothing limits: its option is None.
        Passes over those where it can never fit.
        """
        for candidate in candidates:
            tier = candidate.tier_of(self._call.body.json)
            definition = self._call.policy.quota_of(candidate.endpoint.project, candidate.model, tier)
            if definition is None:
                yield candidate, None
                return
            estimate = self._costing(candidate).estimate
            try:
                yield candidate, Option(self._means.groups.of(definition), fitting(definition, estimate))
            except CostExceedsLimit as error:
                self._misfit = error

    def _granted(self, candidate: Candidate, taken: Taken) -> MeteredGrant:
        return MeteredGrant(
            candidate,
            self._costing(candidate),
            self._means.clocks.now_ms,
            self._mode(taken),
            taken,
        )

    def _unmetered(self, candidate: Candidate) -> Grant:
        if not self._budgets:
            return FreeGrant(candidate)
        costing = self._costing(candidate)
        return MeteredGrant(candidate, costing, self._means.clocks.now_ms, self._mode())

    def _take(self, option: Option, take: _Take) -> Taken | None:
        """Units that a lease has; None: it has not enough. Sends no message."""
        group, amounts = option
        source = take(group.holder, self._share, amounts, self._means.clocks.now_ms())
        group.touch()  # nobody may come to wait here, and still it should have a lease for the next
        return Taken(group, self._share, amounts, source) if source else None

    async def _wait(self, option: Option) -> Taken:
        """Stand in line at one group. Raises RateLimited or LimiterUnavailable."""
        with Queueing(self._share, self._means.clocks, self._patience_s()) as queueing:
            queueing.join(option)
            served = await queueing.served(inf)
            if served is None:
                raise queueing.refusal()
            return served.taken

    def _patience_s(self) -> float:
        """How long the call may stand in line from now on."""
        left_s = self._call.arrival.deadline - asyncio.get_running_loop().time()
        return min(self._means.wait_s, left_s * _QUEUE_SHARE)

    def _mode(self, *quota: Taken) -> LimitsMode:
        """How the limits are kept that the call takes from."""
        now = self._means.clocks.now_ms()
        return worst(mode_of(taken.group, now) for taken in (*self._budgets, *quota))

    def _covering(self) -> list[LimitGroup]:
        principal, labels = self._principal, self._call.body.json.get("labels") or {}
        return self._call.policy.budgets_of(principal.id, principal.tenant, labels)

    def _costing(self, candidate: Candidate) -> Costing:
        """What the call costs at a model and tier; estimated once."""
        model, tier = candidate.model, candidate.tier_of(self._call.body.json)
        costing = self._costings.get((model, tier))
        if costing is None:
            price = self._call.policy.prices.price(model, tier, self._means.clocks.wall().date())
            key = Key(self._principal.id, model)
            estimate = self._means.estimator.charge(self._call, key, price)
            costing = Costing(key, price, estimate, self._means.estimator)
            self._costings[model, tier] = costing
        return costing


def _level(candidate: Candidate) -> tuple[int, int]:
    return candidate.step, candidate.endpoint.level


def _best_level(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Those at the head that are of one level."""
    level = _level(candidates[0])
    count = next((n for n, other in enumerate(candidates) if _level(other) != level), len(candidates))
    return candidates[:count]


def _no_endpoint(model: str) -> NoEndpoint:
    return NoEndpoint(f"no project of the Policy serves model {model!r}")
