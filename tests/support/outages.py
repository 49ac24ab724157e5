"""One endpoint of three goes out under load, or all of them do: what there is to measure about it."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.support.endpoints import Door
from tests.support.offered import Load

WARM_UP_S = 2.0
PATIENCE_S = 90.0
"""How long a test waits for what must happen; reached only by a failure."""


@dataclass(frozen=True, slots=True)
class OneOut:
    """Of an outage of one endpoint."""

    calls: int
    good: int
    extra: float
    """Requests upstream beyond one a call, as a part of the calls."""
    asked_while_out: int
    back_s: float
    """From the healing to the first request that it answers."""
    after: int
    """Requests that it got in the two seconds after that."""


async def one_out(load: Load, endpoints: Sequence[Door], out_s: float) -> OneOut:
    """Shut the second endpoint for so long."""
    loop = asyncio.get_running_loop()
    bad = endpoints[1]
    async with load:
        await asyncio.sleep(WARM_UP_S)
        bad.shut()
        await asyncio.sleep(out_s)
        bad.open()
        healed_at = loop.time()
        async with asyncio.timeout(PATIENCE_S):
            await bad.opened.wait()
        back_at = loop.time()
        await asyncio.sleep(2.0)
        until = loop.time()
    calls = len(load.calls)
    return OneOut(
        calls=calls,
        good=sum(call.is_good for call in load.calls),
        extra=sum(len(door.arrivals) for door in endpoints) / calls - 1,
        asked_while_out=sum(arrival.was_shut for arrival in bad.arrivals),
        back_s=back_at - healed_at,
        after=bad.between(back_at, until),
    )


@dataclass(frozen=True, slots=True)
class AllOut:
    """Of an outage of all endpoints."""

    offered: int
    """Calls while it lasted."""
    upstream: float
    """Requests upstream meanwhile, as a part of them."""
    longest_s: float
    """The call that took longest."""
    rush: float
    """Requests that one endpoint got in the second after the healing, as a part of its fair share."""
    surge: float
    """Requests in that second, as a part of the load; on a machine that lags the load itself comes late."""
    bad_after: int
    """Calls that failed though they began later than `settle_s` after it."""


async def all_out(load: Load, endpoints: Sequence[Door], out_s: float, settle_s: float) -> AllOut:
    """Shut every endpoint for so long."""
    loop = asyncio.get_running_loop()
    async with load:
        await asyncio.sleep(WARM_UP_S)
        for door in endpoints:
            door.shut()
        out_at = loop.time()
        await asyncio.sleep(out_s)
        for door in endpoints:
            door.open()
        healed_at = loop.time()
        await asyncio.sleep(settle_s + 2.0)
    offered = sum(out_at <= call.began < healed_at for call in load.calls)
    rushing = [door.between(healed_at, healed_at + 1.0) for door in endpoints]
    settled = [call for call in load.calls if call.began >= healed_at + settle_s]
    assert settled, "calls were offered to the end"
    return AllOut(
        offered=offered,
        upstream=sum(door.between(out_at, healed_at) for door in endpoints) / offered,
        longest_s=max(call.duration_s for call in load.calls),
        rush=max(rushing) * len(endpoints) / sum(rushing),
        surge=sum(rushing) / load.per_s,
        bad_after=sum(not call.is_good for call in settled),
    )


def rounded(found: OneOut | AllOut) -> dict[str, float]:
    """The figures, to be printed."""
    return {name: round(value, 4) for name, value in asdict(found).items()}
