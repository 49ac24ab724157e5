"""Peers by the bulletin: each sidecar says that it lives and where, and writes down for its Envoy who else
does.

A notice of the kind `peer` has the place as its key and lasts for three announcements, so who dies without a
word is forgotten by itself; Envoy's health checks notice sooner. Who leaves says so. What Redis says is not
trusted with more than an address: a peer must still prove its id to Envoy.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from sidecar.config.units import split_address
from sidecar.core.bulletin import Notice
from sidecar.core.ports import Bulletin
from sidecar.mesh.files import write_json

KIND = "peer"
PEERS_MAX = 256
"""Every Envoy asks every peer for its health; more are left out."""
_ANNOUNCE_S = 5.0
_LASTS_S = 3 * _ANNOUNCE_S
_LIVES, _LEFT = "lives", "left"
_ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"

_log = logging.getLogger(__name__)


def places(notices: Mapping[str, Notice], own: str) -> tuple[str, ...]:
    """Where the others live, in order, each `host:port`."""
    alive = (place for place, notice in notices.items() if notice.value == _LIVES and place != own)
    return tuple(sorted(filter(_is_place, alive))[:PEERS_MAX])


def endpoints(peers: Iterable[str]) -> dict[str, Any]:
    """Peers as Envoy reads them: the answer of an endpoint discovery service."""
    addresses = ({"address": host, "port_value": port} for host, port in map(split_address, peers))
    members = [{"endpoint": {"address": {"socket_address": address}}} for address in addresses]
    assignment = {"@type": _ASSIGNMENT, "cluster_name": "peers", "endpoints": [{"lb_endpoints": members}]}
    return {"resources": [assignment]}


class Peers:
    """Keeps the file of peers current, and the others told of this one."""

    def __init__(
        self, bulletin: Bulletin, own: str, file: Path, draining: Callable[[], Awaitable[None]]
    ) -> None:
        self._bulletin = bulletin
        self._own = own
        self._file = file
        self._draining = draining
        self._written: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"<Peers of {self._own}: {', '.join(self._written or ()) or 'none'}>"

    async def run(self) -> None:
        """Announce, until `draining` returns, and write down, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._announce())
            group.create_task(self._follow())

    async def _announce(self) -> None:
        drains = asyncio.ensure_future(self._draining())
        try:
            while not drains.done():
                self._put(_LIVES)
                await asyncio.wait({drains}, timeout=_ANNOUNCE_S)
            self._put(_LEFT)
        finally:
            drains.cancel()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            snapshot = self._bulletin.watch(KIND)
            live = snapshot.live(loop.time())
            self._write(places(live, self._own))
            ends = min((notice.until for notice in live.values()), default=loop.time() + _LASTS_S)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(ends):
                    await self._bulletin.changed(KIND, snapshot)

    def _write(self, peers: tuple[str, ...]) -> None:
        if peers == self._written:
            return
        try:
            write_json(self._file, endpoints(peers))
        except OSError as error:
            _log.error("the file of peers cannot be written", extra={"fields": {"reason": error.strerror}})
            return
        self._written = peers

    def _put(self, value: str) -> None:
        self._bulletin.put(KIND, self._own, value, asyncio.get_running_loop().time() + _LASTS_S)


def _is_place(place: str) -> bool:
    """Whether Envoy takes it: of a host name in the file it would refuse all of the file."""
    try:
        host, port = split_address(place)
        ip_address(host)
    except ValueError:  # Unacceptable is one
        return False
    return port > 0
