"""The Holds of a limiter: a call's own budgets, and on their strength the quota of one candidate an attempt.

Groups are taken in one fixed order, budgets by name and quotas after them, and a quota is never kept while
waiting for another: so calls that hold and wait cannot stand in a circle.
"""

from collections.abc import Sequence

from sidecar.core.call import FREE, Call
from sidecar.core.permit import Candidate, Permit
from sidecar.core.ports import Grant
from sidecar.core.principal import Principal
from sidecar.core.quota import NOTHING, Charge, LimitGroup
from sidecar.limits.grant import FreeGrant
from sidecar.limits.means import Means
from sidecar.limits.reserving import Reserving, some
from sidecar.limits.waiting import Option, fitting


class FreeHold:
    """Of a call that nothing limits: it is neither estimated nor billed; see `core.ports.Hold`."""

    def __init__(self, means: Means, call: Call, permit: Permit) -> None:
        self._means = means
        self._call = call
        self._permit = permit
        self._cooldowns = None if call.arrival.method in FREE else means.cooldowns
        self._is_settled = False
        means.open += 1

    def __repr__(self) -> str:
        return f"<Hold on nothing, {'settled' if self._is_settled else 'open'}>"

    async def reserve(self, candidates: Sequence[Candidate]) -> Grant:
        """The best candidate that is not closed; see `core.ports.Hold`."""
        if self._cooldowns:
            return await self._careful().reserve(candidates)
        return FreeGrant(some(candidates, self._call)[0], self._call, self._cooldowns)

    def try_reserve(self, candidates: Sequence[Candidate]) -> Grant | None:
        """The best candidate that is not closed, if there is any; see `core.ports.Hold`."""
        if self._cooldowns:
            return self._careful().try_reserve(candidates)
        return FreeGrant(candidates[0], self._call, self._cooldowns) if candidates else None

    def settle(self, charge: Charge) -> None:
        """Nothing is corrected. Idempotent."""
        if not self._is_settled:
            self._is_settled = True
            self._means.open -= 1

    def _careful(self) -> Reserving:
        """Something is closed somewhere: who looks where."""
        return Reserving(self._means, self._call, self._permit.principal)


class CallHold(Reserving):
    """The budgets of one call, and the right to ask for quota on their strength; see `core.ports.Hold`."""

    __slots__ = ("_is_settled", "_used_at")

    def __init__(self, means: Means, call: Call, principal: Principal) -> None:
        super().__init__(means, call, principal)
        self._used_at = 0.0
        self._is_settled = False
        means.open += 1

    def __repr__(self) -> str:
        names = [taken.group.definition.name for taken in self.budgets]
        return f"<Hold on {names}, {'settled' if self._is_settled else 'open'}>"

    async def take_budgets(self, best: Candidate) -> None:
        """Take every budget that covers the call, or none: what it costs at `best`. Raises SidecarError."""
        budgets, estimate = self.budgets, self.estimate(best)
        try:
            for definition in self._covering():
                group = self._means.groups.of(definition)
                option = Option(best, estimate, group, fitting(group, estimate))
                budgets.append(await self.take(option))
        except BaseException:
            for taken in budgets:
                taken.put_back(self._means.clocks.now_ms())
            budgets.clear()
            self.settle(NOTHING)
            raise
        self._used_at = self._means.clocks.now_ms()
        for taken in budgets:
            taken.book(self._used_at)

    def settle(self, charge: Charge) -> None:
        """Correct the budgets to what the attempts cost together. Idempotent."""
        if self._is_settled:
            return
        self._is_settled = True
        self._means.open -= 1
        for taken in self.budgets:
            taken.settle(charge, self._used_at, self._means.clocks.now_ms())

    def _covering(self) -> list[LimitGroup]:
        labels = self._call.body.json.get("labels") or {}
        return self._call.policy.budgets_of(self._principal.id, self._principal.tenant, labels)
