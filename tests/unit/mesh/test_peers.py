"""Who is a peer, by the bulletin, and what is written down of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sidecar.core.bulletin import Notice
from sidecar.mesh.peers import KIND, PEERS_MAX, Peers, endpoints, places
from sidecar.store.memory import MemoryBulletin

OWN = "10.0.0.1:8443"


def notices(**values: str) -> dict[str, Notice]:
    return {key: Notice(value, 1.0) for key, value in values.items()}


def test_the_others_that_live_are_peers_in_order() -> None:
    told = {"10.0.0.3:8443": "lives", "10.0.0.2:8443": "lives", "10.0.0.4:8443": "left", OWN: "lives"}
    assert places(notices(**told), OWN) == ("10.0.0.2:8443", "10.0.0.3:8443")


@pytest.mark.parametrize(
    "key", ["nowhere", "10.0.0.2:0", "a b:1", "::1:5", "peer.test:8443", "10.0.0.2:99999"]
)
def test_what_is_no_place_is_no_peer(key: str) -> None:
    assert places(notices(**{key: "lives"}), OWN) == ()


def test_no_more_peers_than_envoy_can_look_after() -> None:
    many = {f"10.1.{number // 250}.{number % 250}:8443": "lives" for number in range(2 * PEERS_MAX)}
    assert len(places(notices(**many), OWN)) == PEERS_MAX


def test_peers_are_written_as_envoy_reads_them() -> None:
    (assignment,) = endpoints(["10.0.0.2:8443", "[fd00::2]:8443"])["resources"]
    (group,) = assignment["endpoints"]
    assert assignment["cluster_name"] == "peers"
    assert [each["endpoint"]["address"]["socket_address"] for each in group["lb_endpoints"]] == [
        {"address": "10.0.0.2", "port_value": 8443},
        {"address": "fd00::2", "port_value": 8443},
    ]


async def written(file: Path, is_wanted: Callable[[list[str]], bool]) -> list[str]:
    """The addresses in the file, once they are as wanted."""
    async with asyncio.timeout(10):
        while True:
            if (found := _addresses(file)) is not None and is_wanted(found):
                return found
            await asyncio.sleep(0.01)


def _wait(event: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def wait() -> None:
        await event.wait()

    return wait


def _addresses(file: Path) -> list[str] | None:
    if not file.exists():
        return None
    members = json.loads(file.read_text())["resources"][0]["endpoints"][0]["lb_endpoints"]
    return [each["endpoint"]["address"]["socket_address"]["address"] for each in members]


async def test_the_file_follows_the_bulletin_and_the_bulletin_is_told(tmp_path: Path) -> None:
    bulletin, file = MemoryBulletin(), tmp_path / "peers.json"
    now = asyncio.get_running_loop().time
    draining = asyncio.Event()
    peers = Peers(bulletin, OWN, file, _wait(draining))
    running = asyncio.create_task(peers.run())
    assert await written(file, lambda found: found == []) == []
    assert bulletin.watch(KIND).value(OWN, now()) == "lives"

    bulletin.put(KIND, "10.0.0.2:8443", "lives", now() + 60)
    await written(file, lambda found: found == ["10.0.0.2"])
    assert "10.0.0.2:8443" in repr(peers)
    bulletin.put(KIND, "10.0.0.2:8443", "left", now() + 61)
    await written(file, lambda found: found == [])

    seen = bulletin.watch(KIND)
    draining.set()
    assert (await bulletin.changed(KIND, seen)).value(OWN, now()) == "left"
    running.cancel()
    await asyncio.wait({running})


async def test_a_peer_that_says_nothing_more_is_forgotten(tmp_path: Path) -> None:
    bulletin, file = MemoryBulletin(), tmp_path / "peers.json"
    bulletin.put(KIND, "10.0.0.2:8443", "lives", asyncio.get_running_loop().time() + 0.2)
    running = asyncio.create_task(Peers(bulletin, OWN, file, _wait(asyncio.Event())).run())
    await written(file, lambda found: found == [])
    running.cancel()
    await asyncio.wait({running})
