"""The Limits port over limit groups: a call's budgets first, then the quota of one candidate an attempt.

Groups are taken in one fixed order, budgets by name and quotas after them, and a quota is never kept while
waiting for another: so calls that hold and wait cannot stand in a circle. Among candidates the first whose
lease covers the call wins without waiting; when none does, the call stands in line at all of them.
"""

import asyncio
from collections.abc import Iterator, Sequence

from sidecar.core.call import FREE, Call
from sidecar.core.errors import CostExceedsLimit, NoEndpoint
from sidecar.core.levels import GroupState, LimitsMode, LimitsReading, worst
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Policy
from sidecar.core.ports import Grant, Hold
from sidecar.core.quota import NOTHING, Charge, LimitGroup
from sidecar.limits.estimate import Estimator, Key
from sidecar.limits.grant import Costing, FreeGrant, MeteredGrant, Taken
from sidecar.limits.group import Clocks
from sidecar.limits.groups import Groups
from sidecar.limits.mode import mode_of
from sidecar.limits.view import state_of, states
from sidecar.limits.waiting import Option, fitting, take, take_now

_LOOK_AT_ONCE = 64
"""Groups; each takes some 15 µs."""
_QUEUE_SHARE = 0.98
"""Of the time that a call has left, it may stand in line for so much."""


class Limiter:
    """Limits of the Policy, kept by ledgers. `wait_s` is how long a call may stand in one line."""

    def __init__(self, groups: Groups, estimator: Estimator, clocks: Clocks, wait_s: float) -> None:
        self.groups = groups
        self.estimator = estimator
        self.clocks = clocks
        self.wait_s = wait_s
        self.open = 0
        """Holds that are not settled: zero when no call runs."""

    def __repr__(self) -> str:
        return f"<Limiter {self.open} open, {self.groups!r}>"

    async def hold(self, call: Call, permit: Permit) -> Hold:
        """Take the call's own budgets; see `core.ports.Limits`."""
        policy = call.policy
        if call.arrival.method in FREE or not (policy.budgets or policy.quotas):
            return FreeHold(self, call.model)
        hold = CallHold(self, call, permit)
        if policy.budgets:
            await hold.take_budgets()
        return hold

    async def states(self, policy: Policy, prefixes: Sequence[str] = ("",)) -> list[GroupState]:
        """Where the groups stand whose name begins with one of `prefixes`; see `limits/view`. Thousands of
        them are looked at a few at a time: calls go first.
        """
        return await _taken_slowly(states(self.groups, policy, self.clocks.now_ms(), prefixes))

    async def reading(self) -> LimitsReading:
        """What of the limits can be measured; see `core.ports.LimitsView`."""
        now = self.clocks.now_ms()
        found = await _taken_slowly(state_of(group, now) for group in list(self.groups))
        return LimitsReading(found, self.estimator.errors())

    @property
    def mode(self) -> LimitsMode:
        """How limits are kept now, at the group where that is worst."""
        now = self.clocks.now_ms()
        return worst(mode_of(group, now) for group in self.groups)


async def _taken_slowly(states: Iterator[GroupState]) -> list[GroupState]:
    """All of them, with a pause now and then."""
    found = []
    for state in states:
        found.append(state)
        if len(found) % _LOOK_AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


class FreeHold:
    """Of a call that nothing limits: it is neither estimated nor billed; see `core.ports.Hold`."""

    def __init__(self, limiter: Limiter, model: str) -> None:
        self._limiter = limiter
        self._model = model
        self._is_settled = False
        limiter.open += 1

    def __repr__(self) -> str:
        return f"<Hold on nothing, {'settled' if self._is_settled else 'open'}>"

    async def reserve(self, candidates: Sequence[Candidate]) -> FreeGrant:
        """The best candidate; see `core.ports.Hold`."""
        if not candidates:
            raise _no_endpoint(self._model)
        return FreeGrant(candidates[0])

    def settle(self, charge: Charge) -> None:
        """Nothing is corrected. Idempotent."""
        if not self._is_settled:
            self._is_settled = True
            self._limiter.open -= 1


class CallHold:
    """The budgets of one call, and the right to ask for quota on their strength; see `core.ports.Hold`."""

    def __init__(self, limiter: Limiter, call: Call, permit: Permit) -> None:
        self._limiter = limiter
        self._call = call
        self._principal = permit.principal
        self._best = permit.candidates[0]
        self._share = call.policy.share_of(permit.principal.tenant, call.arrival.priority)
        self._costings: dict[tuple[str, str], Costing] = {}
        self._budgets: list[Taken] = []
        self._used_at = 0.0
        self._is_settled = False
        limiter.open += 1

    def __repr__(self) -> str:
        names = [taken.group.definition.name for taken in self._budgets]
        return f"<Hold on {names}, {'settled' if self._is_settled else 'open'}>"

    async def take_budgets(self) -> None:
        """Take every budget that covers the call, or none. Raises SidecarError."""
        estimate = self._costing(self._best).estimate
        try:
            for definition in self._covering():
                option = Option(self._limiter.groups.of(definition), fitting(definition, estimate))
                taken = take_now(self._share, [option], self._limiter.clocks)
                self._budgets.append(taken or await self._wait([option]))
        except BaseException:
            for taken in self._budgets:
                taken.put_back()
            self._budgets.clear()
            self.settle(NOTHING)
            raise
        self._used_at = self._limiter.clocks.now_ms()
        for taken in self._budgets:
            taken.book(self._used_at)

    async def reserve(self, candidates: Sequence[Candidate]) -> Grant:
        """Take the quota of one candidate; see `core.ports.Hold`."""
        metered, unmetered = self._quotas(candidates)
        options, chosen, misfit = [], [], None
        for candidate, definition in metered:
            costing = self._costing(candidate)
            try:
                option = Option(self._limiter.groups.of(definition), fitting(definition, costing.estimate))
            except CostExceedsLimit as error:
                misfit = error
            else:
                options.append(option)
                chosen.append(MeteredGrant(candidate, costing, self._limiter.clocks.now_ms))
        taken = take_now(self._share, options, self._limiter.clocks)
        if taken is None and unmetered is not None:
            if not self._budgets:
                return FreeGrant(unmetered)
            costing = self._costing(unmetered)
            return MeteredGrant(unmetered, costing, self._limiter.clocks.now_ms).kept(self._mode())
        if not options:
            raise misfit or _no_endpoint(self._call.model)
        taken = taken or await self._wait(options)
        grant = chosen[[option.group for option in options].index(taken.group)]
        return grant.on(taken).kept(self._mode(taken))

    def settle(self, charge: Charge) -> None:
        """Correct the budgets to what the attempts cost together. Idempotent."""
        if self._is_settled:
            return
        self._is_settled = True
        self._limiter.open -= 1
        for taken in self._budgets:
            taken.settle(charge, self._used_at, self._limiter.clocks.now_ms())

    def _mode(self, *quota: Taken) -> LimitsMode:
        """How the limits are kept that the call takes from."""
        now = self._limiter.clocks.now_ms()
        return worst(mode_of(taken.group, now) for taken in (*self._budgets, *quota))

    async def _wait(self, options: Sequence[Option]) -> Taken:
        left_s = self._call.arrival.deadline - asyncio.get_running_loop().time()
        left_s *= _QUEUE_SHARE  # to be refused in line is of more use than to run into the deadline
        return await take(self._share, options, self._limiter.clocks, min(self._limiter.wait_s, left_s))

    def _covering(self) -> list[LimitGroup]:
        """The budgets that cover the call, in the one order in which all calls take them."""
        principal, labels = self._principal, self._call.body.json.get("labels") or {}
        groups = [
            budget.group(principal.id, principal.tenant)
            for budget in self._call.policy.budgets
            if budget.covers(principal.id, principal.tenant, labels)
        ]
        return sorted(groups, key=lambda group: group.name)

    def _quotas(
        self, candidates: Sequence[Candidate]
    ) -> tuple[list[tuple[Candidate, LimitGroup]], Candidate | None]:
        """The candidates that a quota covers, up to the first that none does, and that one."""
        metered: list[tuple[Candidate, LimitGroup]] = []
        quota_of, body = self._call.policy.quota_of, self._call.body.json
        for candidate in candidates:
            definition = quota_of(candidate.endpoint.project, candidate.model, candidate.tier_of(body))
            if definition is None:
                return metered, candidate
            metered.append((candidate, definition))
        return metered, None

    def _costing(self, candidate: Candidate) -> Costing:
        """What the call costs at a model and tier; estimated once."""
        model, tier = candidate.model, candidate.tier_of(self._call.body.json)
        costing = self._costings.get((model, tier))
        if costing is None:
            price = self._call.policy.prices.price(model, tier, self._limiter.clocks.wall().date())
            key = Key(self._principal.id, model)
            estimate = self._limiter.estimator.charge(self._call, key, price)
            costing = Costing(key, price, estimate, self._limiter.estimator)
            self._costings[model, tier] = costing
        return costing


def _no_endpoint(model: str) -> NoEndpoint:
    return NoEndpoint(f"no project of the Policy serves model {model!r}")
