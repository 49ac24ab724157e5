"""Standing in line for units of one of several groups, and what to say to a call that none could serve."""

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from operator import gt
from types import TracebackType
from typing import NamedTuple

from sidecar.core.call import Call
from sidecar.core.errors import CostExceedsLimit, LimiterUnavailable, QuotaViolation, RateLimited
from sidecar.core.permit import Candidate
from sidecar.core.quota import Limit, LimitGroup, Share
from sidecar.limits.cooldowns import Cooldowns
from sidecar.limits.estimate import Estimate
from sidecar.limits.grant import Taken
from sidecar.limits.group import Clocks, Group
from sidecar.limits.message import FAIR_SHARE
from sidecar.limits.standing import Place, Served, Standing

_RETRY_LEAST_S, _OUTAGE_RETRY_S = 0.1, 2.0
_OPENING_SPREAD_MS = 250.0
"""Who waits for a place to open goes within so long, so that it is not closed again by all at once."""


@dataclass(slots=True)
class Option:
    """A group that could serve a call for a candidate, what the call costs there and what it would take."""

    candidate: Candidate
    estimate: Estimate
    group: Group
    amounts: Sequence[int]


class Opening(NamedTuple):
    """A candidate without a quota: it serves everybody as soon as it is open."""

    candidate: Candidate
    call: Call
    cooldowns: Cooldowns

    def opens_in_ms(self) -> float:
        """How long it is still closed; 0: it is open."""
        return self.cooldowns.opens_in_ms(self.candidate, self.call) if self.cooldowns else 0.0


class Given(NamedTuple):
    """What came of waiting."""

    place: Option | Opening
    taken: Taken | None
    """None: nothing limits the candidate."""


class Queueing:
    """A call that waits, within `wait_s`, for whatever can serve it first. A context manager: leaving it
    leaves every line, and what was given in that very moment is put back.
    """

    def __init__(self, share: Share, clocks: Clocks, wait_s: float) -> None:
        self.wait_s = wait_s
        self._share = share
        self._clocks = clocks
        self._ends_at = clocks.now_ms() + wait_s * 1000
        self._standing = Standing(share, self._ends_at, self._end)
        self._options: list[Option] = []
        self._openings: list[Opening] = []
        self._late_ms = random.uniform(0, _OPENING_SPREAD_MS)  # noqa: S311 - jitter is no secret
        self._served: Served | None = None
        self._woken: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<Queueing: {self._standing!r}, for {len(self._openings)} to open>"

    def __enter__(self) -> "Queueing":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._standing.leave()
        if self._served is not None:
            self._taken(self._served).put_back(self._clocks.now_ms())

    def join(self, place: Option | Opening) -> None:
        """Wait here as well, if it may help in time."""
        if isinstance(place, Opening):
            self._openings.append(place)
            return
        self._options.append(place)
        self._standing.join([Place(place.group.holder, place.amounts)], self._clocks.now_ms())
        place.group.wake()

    @property
    def is_nowhere(self) -> bool:
        """Whether it has joined nothing."""
        return not (self._options or self._openings)

    async def served(self, most_s: float) -> Given | None:
        """Wait until the call is served, for `most_s`. None: it is not, or nothing is left to wait for."""
        give_up_at = min(self._ends_at, self._clocks.now_ms() + most_s * 1000)
        while self._served is None:
            now = self._clocks.now_ms()
            opens_at, opening = self._next_opening(now)
            if opening is not None and opens_at <= now:
                return Given(opening, None)
            if now >= give_up_at or not (self._standing.is_in_line or opens_at < self._ends_at):
                return None
            await self._sleep(min(opens_at, give_up_at) - now)
        served, self._served = self._served, None
        return Given(self._options[served.place], self._taken(served))

    def refusal(self) -> RateLimited | LimiterUnavailable:
        """The error for a call that nothing could serve."""
        if self._options and all(option.group.holder.is_cut_off for option in self._options):
            return LimiterUnavailable(
                "limits cannot be checked now, and what may be spent unchecked is spent", _OUTAGE_RETRY_S
            )
        now = self._clocks.now_ms()
        violations = [_why(option.group, self._share) for option in self._options]
        violations += [_closed(opening.candidate) for opening in self._openings]
        retry_ms = self._next_opening(now)[0] - now
        if self._options:
            retry_ms = min(retry_ms, self._standing.retry_ms(now))
        named = "; ".join(f"{each.subject}: {each.quota_id or each.description}" for each in violations)
        message = f"no room before the deadline ({named})"
        return RateLimited(message, max(_RETRY_LEAST_S, retry_ms / 1000), *violations)

    async def _sleep(self, most_ms: float) -> None:
        """Until something happens. A timer alone costs half of `asyncio.timeout`, which can do more."""
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        timer = loop.call_later(most_ms / 1000, self._wake)
        try:
            await self._woken
        finally:
            timer.cancel()

    def _next_opening(self, now: float) -> tuple[float, Opening | None]:
        """What opens first, and when. Not all who wait for it go in that moment."""
        first, opens_at = None, math.inf
        for opening in self._openings:
            if (wait_ms := opening.opens_in_ms()) == 0:
                return now, opening
            if now + wait_ms + self._late_ms < opens_at:
                first, opens_at = opening, now + wait_ms + self._late_ms
        return opens_at, first

    def _end(self, end: Served | float) -> None:
        if isinstance(end, Served):
            self._served = end
        self._wake()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _taken(self, served: Served) -> Taken:
        option = self._options[served.place]
        return Taken(option.group, self._share, option.amounts, served.source)


def fitting(group: Group, estimate: Estimate) -> Sequence[int]:
    """What to take of each limit of a group: the estimate, or as much of its guesses as the limit allows in
    all. Raises CostExceedsLimit.
    """
    amounts = group.amounts(estimate.charge)
    if not any(map(gt, amounts, group.most)):
        return amounts
    return [
        _clamped(group.definition, limit, estimate) if amount > limit.amount else amount
        for amount, limit in zip(amounts, group.definition.limits, strict=True)
    ]


def _clamped(definition: LimitGroup, limit: Limit, estimate: Estimate) -> int:
    """What to take of a limit that allows less than the estimate."""
    least = estimate.least.of(limit.unit)
    if least > limit.amount and not limit.is_shadow:
        raise CostExceedsLimit(
            f"{definition.name}: the call takes at least {least} of {limit.name}, "
            f"which allows {limit.amount} in all",
            _violation(definition, limit),
        )
    return max(least, limit.amount)


def _why(group: Group, share: Share) -> QuotaViolation:
    """What a group has refused for, as far as is known."""
    definition, denied = group.definition, group.holder.denials.last
    if denied >= 0:
        return _violation(definition, definition.limits[denied])
    reason = f"the fair share of {share.name}" if denied == FAIR_SHARE else "no answer in time"
    return QuotaViolation(definition.name, reason)


def _closed(candidate: Candidate) -> QuotaViolation:
    subject = f"{candidate.endpoint.project}/{candidate.model}"
    return QuotaViolation(subject, "the upstream asked to be left alone for a while")


def _violation(definition: LimitGroup, limit: Limit) -> QuotaViolation:
    return QuotaViolation(
        subject=definition.name,
        description=f"{limit.name} allows {limit.amount}",
        metric=limit.unit,
        quota_id=limit.name,
        value=limit.amount,
    )
