"""Taking units for a call from one of several groups, and standing in line for them."""

import asyncio
from collections.abc import Sequence
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


def take_now(share: Share, options: Sequence[Option], clocks: Clocks) -> Taken | None:
    """Units from the first lease that covers the call; None: it has to wait. Sends no message."""
    now = clocks.now_ms()
    for group, amounts in options:
        if source := group.holder.take(share, amounts, now):
            group.touch()
            return Taken(group, share, amounts, source)
        group.touch()  # nobody may come to wait here, and still it should have a lease for the next
    return None


async def take(share: Share, options: Sequence[Option], clocks: Clocks, wait_s: float) -> Taken:
    """Units from whichever group can give them first, after `take_now` found none, within `wait_s`.

    Raises RateLimited or LimiterUnavailable. Cancelled, it leaves nothing taken.
    """
    ended: asyncio.Future[Served | float] = asyncio.get_running_loop().create_future()
    now = clocks.now_ms()
    places = [Place(option.group.holder, option.amounts) for option in options]

    def end(served: Served | float) -> None:
        if not ended.done():
            ended.set_result(served)
        else:  # given up, and not yet out of the line
            _put_back(served, share, options)

    standing = Standing(share, places, now + wait_s * 1000, end)
    if (retry_ms := standing.join(now)) is not None:
        raise _refusal(options, share, retry_ms)
    for option in options:
        option.group.wake()
    try:
        async with asyncio.timeout(wait_s):
            served = await ended
    except TimeoutError:
        standing.leave()
        served = (
            ended.result() if ended.done() and not ended.cancelled() else standing.retry_ms(clocks.now_ms())
        )
    except asyncio.CancelledError:
        standing.leave()
        if ended.done() and not ended.cancelled():  # served in the very moment of giving up
            _put_back(ended.result(), share, options)
        raise
    if isinstance(served, Served):
        return _taken(served, share, options)
    raise _refusal(options, share, served)


def _taken(served: Served, share: Share, options: Sequence[Option]) -> Taken:
    option = options[served.place]
    return Taken(option.group, share, option.amounts, served.source)


def _put_back(served: Served | float, share: Share, options: Sequence[Option]) -> None:
    if isinstance(served, Served):
        _taken(served, share, options).put_back()


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


def _refusal(options: Sequence[Option], share: Share, retry_ms: float) -> RateLimited | LimiterUnavailable:
    """The error for a call that no group could serve."""
    if all(option.group.holder.is_cut_off for option in options):
        return LimiterUnavailable(
            "limits cannot be checked now, and what may be spent unchecked is spent", _OUTAGE_RETRY_S
        )
    violations, named = [], []
    for option in options:
        definition, denied = option.group.definition, option.group.holder.denied
        if denied >= 0:
            violations.append(_violation(definition, definition.limits[denied]))
            named.append(f"{definition.name}: {definition.limits[denied].name}")
        else:
            reason = f"the fair share of {share.name}" if denied == FAIR_SHARE else "no answer in time"
            violations.append(QuotaViolation(definition.name, reason))
            named.append(f"{definition.name}: {reason}")
    message = f"no room before the deadline ({'; '.join(named)})"
    return RateLimited(message, max(_RETRY_LEAST_S, retry_ms / 1000), *violations)


def _violation(definition: LimitGroup, limit: Limit) -> QuotaViolation:
    return QuotaViolation(
        subject=definition.name,
        description=f"{limit.name} allows {limit.amount}",
        metric=limit.unit,
        quota_id=limit.name,
        value=limit.amount,
    )
