"""The way through a Redis Cluster.

The map of slots is asked of any node: before the first command, after a redirection, and after a node could
not be used, but not more often than twice a second. One task asks for all; whoever has a way to go meanwhile
does not wait for it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, MovedError, ResponseError

from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.lane import Lane
from sidecar.store.owner import Owner
from sidecar.store.slots import Key, SlotMap, redirection, slot_map, slot_of
from sidecar.store.wire import Wire

_LOOK_AGAIN_S = 0.5


class Cluster:
    """A lane to every master that was needed so far."""

    def __init__(self, seeds: Sequence[str], wire: Wire, owner: Owner) -> None:
        self._seeds = tuple(seeds)
        self._wire = wire
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._random = random.Random()  # noqa: S311 - which node is asked first is no secret
        self._lanes: dict[str, Lane] = {}
        self._map: SlotMap | None = None
        self._is_doubted = True
        self._look_at = self._loop.time()
        self._looking: asyncio.Task[None] | None = None
        self._refusal = Outage.UNREACHABLE
        self._outages_of_retired: Counter[Outage] = Counter()

    def __repr__(self) -> str:
        return f"<Cluster: {self._map!r}, {len(self._lanes)} lanes>"

    async def lane(self, keys: Sequence[Key]) -> Lane:
        """The lane to the master of these keys."""
        slot = slot_of(keys)
        if self._is_doubted and self._looking is None and self._loop.time() >= self._look_at:
            self._looking = self._owner.spawn(self._look(), "slots of the cluster")
        owner = self._map.owner(slot) if self._map else None
        if owner is None and self._looking is not None:
            await asyncio.wait(
                {self._looking}
            )  # unlike `await`, it leaves the task alone when we are cancelled
            owner = self._map.owner(slot) if self._map else None
        if owner is None:
            raise StoreUnavailable(Outage.CLUSTER_DOWN if self._map else self._refusal)
        return self._lane_to(owner)

    def redirected(self, error: AskError, sent_to: Lane) -> Lane:
        """The lane that MOVED, which corrects the map, or ASK, which does not, names."""
        address = redirection(error.host, error.port, sent_to.name)
        if isinstance(error, MovedError) and self._map:
            self._map.correct(error.slot_id, address)
            self._is_doubted = True
        return self._lane_to(address)

    def doubt(self) -> None:
        """Ask for the map again when it is needed next."""
        self._is_doubted = True

    async def dial(self) -> AbstractConnection:
        """A connection to any node: what is published on one is told by all."""
        return await self._wire.dial(self._shuffled(self._known())[0])

    def outages(self) -> Counter[Outage]:
        """Those of all lanes, of lanes to nodes that have left too."""
        return sum((lane.outages for lane in self._lanes.values()), self._outages_of_retired)

    async def close(self) -> None:
        """Close all lanes."""
        for lane in self._lanes.values():
            await lane.close()

    async def _look(self) -> None:
        """Take the map of the first node that tells one, and let go of nodes that are not in it."""
        try:
            for address in self._shuffled(self._known()):
                try:
                    answer = await self._lane_to(address).ask(("CLUSTER", "SLOTS"))
                except StoreUnavailable as unavailable:
                    self._refusal = unavailable.outage
                except ResponseError:
                    self._refusal = Outage.FAULT
                else:
                    self._map, self._is_doubted = slot_map(answer, address), False
                    break
            await self._retire(set(self._lanes) - self._known())
        finally:
            self._looking = None
            self._look_at = self._loop.time() + _LOOK_AGAIN_S

    def _known(self) -> set[str]:
        """The masters; before any is known, or when they might all have gone, the seeds as well."""
        masters = set(self._map.masters) if self._map else set()
        return masters | set(self._seeds) if self._is_doubted or not masters else masters

    def _shuffled(self, addresses: Iterable[str]) -> list[str]:
        ordered = sorted(addresses)
        return self._random.sample(ordered, len(ordered))

    def _lane_to(self, address: str) -> Lane:
        if address not in self._lanes:
            dial = partial(self._wire.dial, address)
            self._lanes[address] = Lane(address, dial, self._wire.timeout_s, self._owner)
        return self._lanes[address]

    async def _retire(self, addresses: Iterable[str]) -> None:
        for address in addresses:
            if self._lanes[address].is_idle:
                lane = self._lanes.pop(address)
                self._outages_of_retired += lane.outages
                await lane.close()
