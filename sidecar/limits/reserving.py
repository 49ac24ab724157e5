"""Reserving the quota of one candidate for an attempt of a call.

Among candidates of the best level the first whose lease covers the call wins without waiting; when none does,
the call stands in line at all of them. The next level is asked as well when that has lasted, or as soon as
there is nothing to wait for. Of one level are candidates of one step (the alternatives of model and tier)
whose endpoints are of one level.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from math import inf
from typing import TypeAlias

from sidecar.core.call import Call
from sidecar.core.cost import UNPRICED
from sidecar.core.errors import CostExceedsLimit, NoEndpoint
from sidecar.core.levels import LimitsMode, worst
from sidecar.core.permit import Candidate
from sidecar.core.ports import Grant
from sidecar.core.principal import Principal
from sidecar.core.quota import LimitGroup, Share
from sidecar.limits.estimate import Estimate, Key
from sidecar.limits.grant import FreeGrant, MeteredGrant, Taken
from sidecar.limits.holder import Holder
from sidecar.limits.means import Means
from sidecar.limits.mode import mode_of
from sidecar.limits.waiting import Given, Opening, Option, Queueing, fitting

_QUEUE_SHARE = 0.98
"""Of the time that a call has left, it may stand in line for so much: to be refused in line is of more use
than to run into the deadline.
"""
_Take: TypeAlias = Callable[[Holder, Share, Sequence[int], float], int]
"""A way to take units without a message, as `Holder.take`."""


class Reserving:
    """What one call reserves, attempt after attempt, on top of its `budgets`."""

    __slots__ = ("_call", "_estimates", "_means", "_misfit", "_principal", "_share", "budgets")

    def __init__(self, means: Means, call: Call, principal: Principal) -> None:
        self.budgets: list[Taken] = []
        self._means = means
        self._call = call
        self._principal = principal
        self._share = call.policy.share_of(principal.tenant, call.arrival.priority)
        self._estimates: dict[tuple[str, str], Estimate] = {}
        self._misfit: CostExceedsLimit | None = None

    def __repr__(self) -> str:
        return f"<Reserving of {self._share.name} on {len(self.budgets)} budgets>"

    async def reserve(self, candidates: Sequence[Candidate]) -> Grant:
        """Take the quota of one candidate; see `core.ports.Hold`."""
        places: list[Option | Opening] = []
        best = _best_level(some(candidates, self._call))
        return self._at_once(best, Holder.take, places) or await self._in_line(candidates, best, places)

    def try_reserve(self, candidates: Sequence[Candidate]) -> Grant | None:
        """Take what is to spare; see `core.ports.Hold`."""
        return self._at_once(candidates, Holder.take_spare, [])

    async def take(self, option: Option) -> Taken:
        """Take units of one group, now or after standing in line. Raises RateLimited, LimiterUnavailable."""
        if taken := self._taken(option, Holder.take, self._means.clocks.now_ms()):
            return taken
        with self._queueing() as queueing:
            queueing.join(option)
            given = await queueing.served(inf)
            if given is None or given.taken is None:
                raise queueing.refusal()
            return given.taken

    def estimate(self, candidate: Candidate) -> Estimate:
        """What the call may cost at the model and tier of a candidate."""
        return self._estimated(candidate.model, candidate.tier_of(self._call.body.json))

    def _estimated(self, model: str, tier: str) -> Estimate:
        """What it may cost there; estimated once for each model and tier."""
        place = model, tier
        estimate = self._estimates.get(place)
        if estimate is None:
            policy, price = self._call.policy, UNPRICED
            if policy.counts_money:
                price = policy.prices.price(model, tier, self._means.clocks.wall().date())
            estimate = self._means.estimator.charge(self._call, Key(self._principal.id, model), price)
            self._estimates[place] = estimate
        return estimate

    def _at_once(
        self, candidates: Sequence[Candidate], take: _Take, places: list[Option | Opening]
    ) -> Grant | None:
        """The grant of the first that a lease covers or that nothing limits. None: there is none, and
        `places` is where the call could wait for one.
        """
        now = self._means.clocks.now_ms()
        for candidate in candidates:
            tier = candidate.tier_of(self._call.body.json)
            definition = self._call.policy.quota_of(candidate.endpoint.project, candidate.model, tier)
            if definition is None:
                opening = Opening(candidate, self._call, self._means.cooldowns)
                if not opening.opens_in_ms():
                    return self._unmetered(candidate, now)
                places.append(opening)
            elif option := self._option(candidate, tier, definition):
                if taken := self._taken(option, take, now):
                    return self._metered(option, taken, now)
                places.append(option)
        return None

    async def _in_line(
        self, candidates: Sequence[Candidate], best: Sequence[Candidate], places: list[Option | Opening]
    ) -> Grant:
        """Stand in line, after the best level was found to have nothing at once but places to wait at."""
        lower = [list(level) for _, level in groupby(candidates[len(best) :], key=_level)]
        with self._queueing() as queueing:
            spill_s = min(self._call.policy.pools.spill_after_s, queueing.wait_s / (1 + len(lower)))
            for number, level in enumerate((best, *lower)):
                if number:
                    places = []
                    if grant := self._at_once(level, Holder.take, places):
                        return grant
                for place in places:
                    queueing.join(place)
                given = await queueing.served(inf if number == len(lower) else spill_s)
                if given is not None:
                    return self._given(given)
            raise self._misfit if self._misfit and queueing.is_nowhere else queueing.refusal()

    def _given(self, given: Given) -> Grant:
        """The grant of what a line gave."""
        now = self._means.clocks.now_ms()
        if isinstance(given.place, Option) and given.taken is not None:
            return self._metered(given.place, given.taken, now)
        return self._unmetered(given.place.candidate, now)

    def _option(self, candidate: Candidate, tier: str, definition: LimitGroup) -> Option | None:
        """What the call takes of a candidate's quota. None: more than can ever fit."""
        estimate = self._estimated(candidate.model, tier)
        group = self._means.groups.of(definition)
        try:
            return Option(candidate, estimate, group, fitting(group, estimate))
        except CostExceedsLimit as error:
            self._misfit = error
            return None

    def _taken(self, option: Option, take: _Take, now: float) -> Taken | None:
        """Units that a lease has; None: it has not enough. Sends no message."""
        group = option.group
        source = take(group.holder, self._share, option.amounts, now)
        group.touch()  # nobody may come to wait here, and still it should have a lease for the next
        return Taken(group, self._share, option.amounts, source) if source else None

    def _metered(self, option: Option, taken: Taken, now: float) -> Grant:
        """The grant of units that were taken."""
        mode = mode_of(option.group, now)
        if self.budgets:
            mode = worst((mode, self._mode(now)))
        return MeteredGrant(self._means, option.candidate, option.estimate, mode, taken)

    def _unmetered(self, candidate: Candidate, now: float) -> Grant:
        """The grant of a candidate without a quota."""
        if self.budgets:
            return MeteredGrant(self._means, candidate, self.estimate(candidate), self._mode(now))
        return FreeGrant(candidate, self._call, self._means.cooldowns)

    def _mode(self, now: float) -> LimitsMode:
        """How the budgets are kept that the call takes from."""
        return worst(mode_of(each.group, now) for each in self.budgets)

    def _queueing(self) -> Queueing:
        """Time to stand in line, as much as the call has from now on."""
        left_s = self._call.arrival.deadline - asyncio.get_running_loop().time()
        return Queueing(self._share, self._means.clocks, min(self._means.wait_s, left_s * _QUEUE_SHARE))


def some(candidates: Sequence[Candidate], call: Call) -> Sequence[Candidate]:
    """Candidates, of which there is at least one. Raises NoEndpoint."""
    if not candidates:
        raise NoEndpoint(f"no project of the Policy serves model {call.model!r}")
    return candidates


def _level(candidate: Candidate) -> tuple[int, int]:
    return candidate.step, candidate.endpoint.level


def _best_level(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Those at the head that are of one level."""
    if len(candidates) == 1:
        return candidates
    level = _level(candidates[0])
    count = next((n for n, other in enumerate(candidates) if _level(other) != level), len(candidates))
    return candidates[:count]
