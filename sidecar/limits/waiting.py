"""Standing in line for units of one of several groups, and what to say to a call that none could serve."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

from sidecar.core.errors import CostExceedsLimit, LimiterUnavailable, QuotaViolation, RateLimited
from sidecar.core.quota import Limit, LimitGroup, Share
from sidecar.limits.estimate import Estimate
from sidecar.limits.grant import Taken
from sidecar.limits.group import Clocks, Group
from sidecar.limits.message import FAIR_SHARE
from sidecar.limits.standing import Place, Served, Standing

_RETRY_LEAST_S, _OUTAGE_RETRY_S = 0.1, 2.0


class Option(NamedTuple):
    """One group that could serve a call, and what it would take there."""

    group: Group
    amounts: Sequence[int]


class Given(NamedTuple):
    """What came of waiting."""

    place: int
    """Which of the lines it was, in the order in which they were joined."""
    taken: Taken


class Queueing:
    """A call that waits, within `wait_s`, for whichever group can serve it first. A context manager: leaving
    it leaves every line, and what was given in that very moment is put back.
    """

    def __init__(self, share: Share, clocks: Clocks, wait_s: float) -> None:
        self._share = share
        self._clocks = clocks
        self._ends_at = clocks.now_ms() + wait_s * 1000
        self._standing = Standing(share, self._ends_at, self._end)
        self._options: list[Option] = []
        self._served: Served | None = None
        self._woken: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<Queueing: {self._standing!r}>"

    def __enter__(self) -> "Queueing":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._standing.leave()
        if self._served is not None:
            self._taken(self._served).put_back()

    def join(self, option: Option) -> None:
        """Stand in this line as well, if it may move in time."""
        self._options.append(option)
        self._standing.join([Place(option.group.holder, option.amounts)], self._clocks.now_ms())
        option.group.wake()

    async def served(self, most_s: float) -> Given | None:
        """Wait until a group serves the call, for `most_s`. None: none has, or no line is left."""
        if self._served is None and self._standing.is_in_line:
            left_s = (self._ends_at - self._clocks.now_ms()) / 1000
            self._woken = asyncio.get_running_loop().create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(most_s, left_s))):
                    await self._woken
        if self._served is None:
            return None
        served, self._served = self._served, None
        return Given(served.place, self._taken(served))

    def refusal(self) -> RateLimited | LimiterUnavailable:
        """The error for a call that no group could serve."""
        if all(group.holder.is_cut_off for group, _ in self._options):
            return LimiterUnavailable(
                "limits cannot be checked now, and what may be spent unchecked is spent", _OUTAGE_RETRY_S
            )
        violations, named = [], []
        for group, _ in self._options:
            definition, denied = group.definition, group.holder.denied
            if denied >= 0:
                violations.append(_violation(definition, definition.limits[denied]))
                named.append(f"{definition.name}: {definition.limits[denied].name}")
            else:
                reason = (
                    f"the fair share of {self._share.name}" if denied == FAIR_SHARE else "no answer in time"
                )
                violations.append(QuotaViolation(definition.name, reason))
                named.append(f"{definition.name}: {reason}")
        message = f"no room before the deadline ({'; '.join(named)})"
        retry_s = self._standing.retry_ms(self._clocks.now_ms()) / 1000
        return RateLimited(message, max(_RETRY_LEAST_S, retry_s), *violations)

    def _end(self, end: Served | float) -> None:
        if isinstance(end, Served):
            self._served = end
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _taken(self, served: Served) -> Taken:
        option = self._options[served.place]
        return Taken(option.group, self._share, option.amounts, served.source)


def fitting(definition: LimitGroup, estimate: Estimate) -> list[int]:
    """What to take of each limit: the estimate, or as much of its guesses as the limit allows in all."""
    amounts = []
    for limit in definition.limits:
        wanted, least = estimate.charge.of(limit.unit), estimate.least.of(limit.unit)
        if least > limit.amount and not limit.is_shadow:
            raise CostExceedsLimit(
                f"{definition.name}: the call takes at least {least} of {limit.name}, "
                f"which allows {limit.amount} in all",
                _violation(definition, limit),
            )
        amounts.append(max(least, min(wanted, limit.amount)))
    return amounts


def _violation(definition: LimitGroup, limit: Limit) -> QuotaViolation:
    return QuotaViolation(
        subject=definition.name,
        description=f"{limit.name} allows {limit.amount}",
        metric=limit.unit,
        quota_id=limit.name,
        value=limit.amount,
    )
