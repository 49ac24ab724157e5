"""The way to the server that has a key: the only one, the master that Sentinels name, or a cluster's node."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, ConnectionError, ResponseError

from sidecar.config.redis import RedisSettings
from sidecar.store.cluster import Cluster
from sidecar.store.errors import Outage
from sidecar.store.lane import Lane
from sidecar.store.owner import Owner
from sidecar.store.refusals import FAILURES, unavailable
from sidecar.store.slots import Key
from sidecar.store.wire import Wire, sever


class Route(Protocol):
    """Where commands go. Nothing here sends a command of a caller."""

    async def lane(self, keys: Sequence[Key]) -> Lane:
        """The lane to the server of these keys. Raises StoreUnavailable when nobody knows it, ValueError when
        they are not in one slot. May be cancelled at any time.
        """
        ...

    def redirected(self, error: AskError, sent_to: Lane) -> Lane:
        """The lane that a MOVED or ASK names. Raises StoreUnavailable when there can be none."""
        ...

    def doubt(self) -> None:
        """Note that a server could not be used, so that the map may be old."""
        ...

    async def dial(self) -> AbstractConnection:
        """A connection of its own to a server that gets everything published. Raises one of FAILURES."""
        ...

    def outages(self) -> Counter[Outage]:
        """Failures so far, by kind."""
        ...

    async def close(self) -> None:
        """Close every lane."""
        ...


class OneServer:
    """The way to the only server, or to the one that is the master."""

    def __init__(
        self,
        name: str,
        dial: Callable[[], Awaitable[AbstractConnection]],
        limit_s: float,
        owner: Owner,
    ) -> None:
        self._lane = Lane(name, dial, limit_s, owner)
        self._dial = dial

    def __repr__(self) -> str:
        return f"<OneServer: {self._lane!r}>"

    async def lane(self, keys: Sequence[Key]) -> Lane:
        """The one lane."""
        return self._lane

    def redirected(self, error: AskError, sent_to: Lane) -> Lane:
        """Raises StoreUnavailable: who redirects is a node of a cluster, and we were told otherwise."""
        raise unavailable(Outage.CLUSTERED, error)

    def doubt(self) -> None:
        """Nothing: who is the master is asked at each new connection."""

    async def dial(self) -> AbstractConnection:
        """A connection to the server."""
        return await self._dial()

    def outages(self) -> Counter[Outage]:
        """Those of the lane."""
        return self._lane.outages

    async def close(self) -> None:
        """Close the lane."""
        await self._lane.close()


class Sentinels:
    """Those who know which server is the master."""

    def __init__(self, addresses: Sequence[str], service: str, wire: Wire) -> None:
        self._addresses = addresses
        self._service = service
        self._wire = wire

    def __repr__(self) -> str:
        return f"<Sentinels of {self._service}: {len(self._addresses)}>"

    async def dial_master(self) -> AbstractConnection:
        """A connection to the master of now. Raises one of FAILURES."""
        return await self._wire.dial(await self._master())

    async def _master(self) -> str:
        """The first answer of any: one that hangs or is gone costs nothing."""
        asked = [asyncio.create_task(self._ask(address)) for address in self._addresses]
        refusal: Exception = ConnectionError("no Sentinel knows the master")
        try:
            for answered in asyncio.as_completed(asked):
                try:
                    if master := await answered:
                        return master
                except FAILURES as error:
                    refusal = error
        finally:
            for task in asked:
                task.cancel()
            await asyncio.wait(asked)
        raise refusal

    async def _ask(self, address: str) -> str | None:
        connection = await self._wire.dial_sentinel(address)
        try:
            async with asyncio.timeout(self._wire.timeout_s):
                await connection.send_command(
                    "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service, check_health=False
                )
                answer = await connection.read_response()
        finally:
            await sever(connection)
        if answer is None:
            raise ResponseError(f"no master is called {self._service}")
        host, port = (part.decode() for part in answer)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def route_of(settings: RedisSettings, owner: Owner) -> Route:
    """The route for a configuration, which must name at least one address."""
    wire = Wire(settings)
    if settings.mode == "cluster":
        return Cluster(settings.addresses, wire, owner)
    if settings.mode == "sentinel":
        sentinels = Sentinels(settings.addresses, settings.service or "", wire)
        return OneServer(f"master {settings.service}", sentinels.dial_master, wire.timeout_s, owner)
    (address,) = settings.addresses

    def dial() -> Awaitable[AbstractConnection]:
        return wire.dial(address)

    return OneServer(address, dial, wire.timeout_s, owner)
