"""The Limits port over limit groups: gives Holds, and tells where the limits stand."""

import asyncio
from collections.abc import Iterator, Sequence

from sidecar.core.call import FREE, Call
from sidecar.core.levels import GroupState, LimitsMode, LimitsReading, worst
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Policy
from sidecar.core.ports import Hold
from sidecar.core.principal import Principal
from sidecar.limits.estimate import Estimator
from sidecar.limits.group import Clocks
from sidecar.limits.groups import Groups
from sidecar.limits.hold import CallHold, FreeHold
from sidecar.limits.means import Means
from sidecar.limits.mode import mode_of
from sidecar.limits.view import spent, state_of, states

_LOOK_AT_ONCE = 64
"""Groups; each takes some 15 µs."""


class Limiter:
    """Limits of the Policy, kept by ledgers. `wait_s` is how long a call may stand in one line."""

    def __init__(self, groups: Groups, estimator: Estimator, clocks: Clocks, wait_s: float) -> None:
        self.groups = groups
        self.estimator = estimator
        self.clocks = clocks
        self._means = Means(groups, groups.cooldowns, estimator, clocks, wait_s)

    def __repr__(self) -> str:
        return f"<Limiter {self.open} open, {self.groups!r}>"

    @property
    def open(self) -> int:
        """Holds that are not settled: zero when no call runs."""
        return self._means.open

    async def hold(self, call: Call, permit: Permit) -> Hold:
        """Take the call's own budgets; see `core.ports.Limits`."""
        policy = call.policy
        if call.arrival.method in FREE or not (policy.budgets or policy.quotas):
            return FreeHold(self._means, call, permit)
        hold = CallHold(self._means, call, permit.principal)
        if policy.budgets:
            await hold.take_budgets(permit.candidates[0])
        return hold

    def headroom(self, call: Call, candidate: Candidate) -> float:
        """How much room a candidate has for the call; see `core.ports.Limits`."""
        if call.arrival.method in FREE:
            return 1.0
        tier = candidate.tier_of(call.body.json)
        definition = call.policy.quota_of(candidate.endpoint.project, candidate.model, tier)
        if definition is None:
            cooldowns = self.groups.cooldowns
            return 0.0 if cooldowns and cooldowns.opens_in_ms(candidate, call) else 1.0
        group = self.groups.get(definition.name)
        return 1.0 if group is None else group.headroom(self.clocks.now_ms())

    def spent(self, call: Call, principal: Principal) -> float:
        """How much of its spend limits a call finds used up; see `core.ports.Limits`."""
        labels = call.body.json.get("labels") or {}
        covering = call.policy.budgets_of(principal.id, principal.tenant, labels)
        known = filter(None, (self.groups.get(definition.name) for definition in covering))
        return max(map(spent, known), default=0.0)

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
