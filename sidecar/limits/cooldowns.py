"""Places that the upstream asked to be left alone for a while, and until when: the whole fleet heeds it.

A place is a quota group or, where the Policy has none, a model and tier of a project. The ledger hears of
every refusal as well and stops granting; but what was granted before lies in leases, a sidecar may be idle,
and places without a quota have no ledger. So whoever is refused puts a notice on the bulletin, and who reads
it lets nothing leave, whatever it holds.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from sidecar.core.bulletin import Snapshot
from sidecar.core.call import Call
from sidecar.core.errors import UpstreamQuota
from sidecar.core.permit import Candidate
from sidecar.core.ports import Bulletin
from sidecar.core.recent import Recent
from sidecar.limits.feedback import NEVER, pause_s
from sidecar.limits.group import Clocks

KIND = "cooldown"
_NEVER_S = 86_400.0
"""How long a refusal for good is remembered of a place that has no ledger; then one call may try."""
_HEARD_S = 3.0
"""Until then everybody has heard of a refusal for good from the ledger of its group, which remembers."""
_PLACES_MAX = 1024


class _Closed(NamedTuple):
    until_ms: float
    policy: str
    """The digest of the Policy that this holds under; empty: under every one."""


class Cooldowns:
    """What is closed, by the name of the place. `on_closed` is told of every place and until when, in
    milliseconds of `clocks`. Run `run` in a task of its own.
    """

    def __init__(self, bulletin: Bulletin, clocks: Clocks, on_closed: Callable[[str, float], None]) -> None:
        self._bulletin = bulletin
        self._clocks = clocks
        self._on_closed = on_closed
        self._closed: Recent[str, _Closed] = Recent(_PLACES_MAX)

    def __repr__(self) -> str:
        return f"<Cooldowns of {len(self)} places>"

    def __len__(self) -> int:
        """Places that are or were closed; of none there is nothing to ask."""
        return len(self._closed)

    def until_ms(self, place: str) -> float:
        """When a place with a quota opens; 0: it is open, as far as is known."""
        closed = self._closed.get(place)
        return closed.until_ms if closed is not None and not closed.policy else 0.0

    def opens_in_ms(self, candidate: Candidate, call: Call) -> float:
        """How long a candidate without a quota is still closed; 0: it is open, as far as is known."""
        closed = self._closed.get(_place(candidate, call))
        if closed is None or closed.policy not in ("", call.policy.digest):
            return 0.0
        return max(0.0, closed.until_ms - self._clocks.now_ms())

    def refused(self, place: str, refusal: UpstreamQuota) -> None:
        """The upstream refused a request to a place with a quota: close it at once, and tell the others."""
        pause = pause_s(refusal, self._clocks.wall())
        self._tell(place, _HEARD_S if pause == NEVER else pause, "")

    def refused_unmetered(self, candidate: Candidate, call: Call, refusal: UpstreamQuota) -> None:
        """The same of a candidate without one: no ledger remembers a refusal for good, so this must."""
        pause = pause_s(refusal, self._clocks.wall())
        is_final = pause == NEVER
        policy = call.policy.digest if is_final else ""
        self._tell(_place(candidate, call), _NEVER_S if is_final else pause, policy)

    async def run(self) -> None:
        """Learn what others were refused, until cancelled."""
        seen = self._bulletin.watch(KIND)
        while True:
            self._learn(seen)
            seen = await self._bulletin.changed(KIND, seen)

    def _learn(self, seen: Snapshot) -> None:
        now = asyncio.get_running_loop().time()
        for place, notice in seen.live(now).items():
            until_ms = self._clocks.now_ms() + (notice.until - now) * 1000
            self._close(place, _Closed(until_ms, notice.value))

    def _tell(self, place: str, pause: float, policy: str) -> None:
        self._close(place, _Closed(self._clocks.now_ms() + pause * 1000, policy))
        with suppress(ValueError):  # a model that nobody has may have any name: it is closed here alone
            self._bulletin.put(KIND, place, policy, asyncio.get_running_loop().time() + pause)

    def _close(self, place: str, closed: _Closed) -> None:
        known = self._closed.get(place)
        if known is None or known.until_ms < closed.until_ms:
            self._closed.put(place, closed)
            if not closed.policy:
                self._on_closed(place, closed.until_ms)


def _place(candidate: Candidate, call: Call) -> str:
    """The name of a place without a quota: as its group's, had it one of this tier."""
    return f"quota/{candidate.endpoint.project}/{candidate.model}/{candidate.tier_of(call.body.json)}"
