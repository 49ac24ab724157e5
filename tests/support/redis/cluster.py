"""A Redis Cluster: masters that share the slots, and replicas if wanted."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sidecar.config.redis import RedisSettings
from tests.support.redis.server import RedisServer, Tls, settings_of, wait_until

SLOTS = 16384
_NODE_TIMEOUT_MS = 1000


class RedisCluster:
    """Its nodes, masters first."""

    def __init__(self, nodes: list[RedisServer]) -> None:
        self.nodes = nodes

    def __repr__(self) -> str:
        return f"<RedisCluster of {self.nodes}>"

    @property
    def is_spoiled(self) -> bool:
        """Whether a test has harmed it."""
        return any(node.is_spoiled for node in self.nodes)

    def settings(self, **values: Any) -> RedisSettings:
        """Settings of a client."""
        given = {"mode": "cluster", "addresses": [node.address for node in self.nodes], **values}
        return settings_of(self.nodes[0].folder, None, given)

    def slot(self, key: str | bytes) -> int:
        """The slot of a key."""
        return int(self._any().command("CLUSTER", "KEYSLOT", key))

    def owner(self, key: str | bytes) -> RedisServer:
        """The master that has a key's slot."""
        slot = self.slot(key)
        for first, last, master, *_ in self._any().command("CLUSTER", "SLOTS"):
            if int(first) <= slot <= int(last):
                return self.by_port(int(master[1]))
        raise AssertionError(f"nobody has slot {slot}")

    def by_port(self, port: int) -> RedisServer:
        """The node that listens on a port."""
        return next(node for node in self.nodes if node.port == port)

    def masters(self) -> list[RedisServer]:
        """The nodes that have slots."""
        return [node for node in self.nodes if node.command("ROLE")[0] == b"master"]

    def half_move(self, key: str | bytes) -> RedisServer:
        """Begin to move a key's slot: its owner says ASK for keys that it lacks. Returns the new owner."""
        slot, source = self.slot(key), self.owner(key)
        target = next(node for node in self.masters() if node is not source)
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", _id(source))
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", _id(target))
        return target

    def finish_move(self, key: str | bytes) -> RedisServer:
        """Move the keys of a slot that is half moved, and give it to its new owner; returns that one."""
        slot, source = self.slot(key), self.owner(key)
        target = next(node for node in self.masters() if _imports(node, slot))
        while moved := source.command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *moved)
        for node in (target, source, *self.masters()):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", _id(target))
        return target

    def move(self, key: str | bytes) -> RedisServer:
        """Move a key's slot, with all its keys, to another master; returns that one."""
        self.half_move(key)
        return self.finish_move(key)

    def flush(self) -> None:
        """Delete every key."""
        for node in self.masters():
            node.flush()

    def failover(self, key: str | bytes) -> RedisServer:
        """Kill the master of a key and wait until its replica has its slots; returns that one."""
        lost = self.owner(key)
        lost.kill()
        alive = [node for node in self.nodes if node is not lost]

        def is_replaced() -> bool:
            return all(_state(node) == "ok" for node in alive) and self.owner(key) is not lost

        wait_until(is_replaced, f"{lost} is replaced")
        return self.owner(key)

    def _any(self) -> RedisServer:
        return next(node for node in self.nodes if node._process is not None)


@contextmanager
def cluster(
    folder: Path, *, replicas: int = 0, masters: int = 3, tls: Tls | None = None
) -> Iterator[RedisCluster]:
    """One whose slots are all served, with so many replicas of each master."""
    nodes = [_node(folder / f"n{n}", tls) for n in range(masters * (1 + replicas))]
    with ExitStack() as closing:
        for node in nodes:
            closing.callback(node.close)
            node.launch()
        for node in nodes:
            wait_until(node.answers, f"{node} answers")
        _join(nodes, masters)
        wait_until(lambda: all(_is_whole(node, len(nodes)) for node in nodes), "the cluster is whole")
        yield RedisCluster(nodes)


def _join(nodes: list[RedisServer], masters: int) -> None:
    for epoch, node in enumerate(nodes, start=1):
        node.command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        if epoch <= masters:
            first, beyond = SLOTS * (epoch - 1) // masters, SLOTS * epoch // masters
            node.command("CLUSTER", "ADDSLOTSRANGE", first, beyond - 1)
    _meet(nodes)
    for number, node in enumerate(nodes[masters:]):
        node.command("CLUSTER", "REPLICATE", _id(nodes[number % masters]))


def _meet(nodes: list[RedisServer]) -> None:
    """Let all know each other. Redis gives up a handshake that takes long, so it is begun again."""
    again_at = 0.0

    def have_met() -> bool:
        nonlocal again_at
        if time.monotonic() >= again_at:
            again_at = time.monotonic() + _NODE_TIMEOUT_MS / 1000
            for node in nodes[1:]:
                port = node._options["cluster-port"]
                nodes[0].command("CLUSTER", "MEET", "127.0.0.1", node.port, port)
        return all(_known(node) == len(nodes) for node in nodes)

    wait_until(have_met, "the nodes know each other")


def _node(folder: Path, tls: Tls | None) -> RedisServer:
    folder.mkdir()
    options = {
        "cluster-enabled": "yes",
        "cluster-node-timeout": str(_NODE_TIMEOUT_MS),
        "cluster-replica-validity-factor": "0",
        "repl-diskless-sync-delay": "0",
    }
    if tls is not None:
        options["tls-cluster"] = "yes"
    node = RedisServer(folder, options, tls)
    node.reserve("cluster-port")
    return node


def _imports(node: RedisServer, slot: int) -> bool:
    """Whether a node is taking over a slot: its own line says `[slot-<-id]`."""
    return f"[{slot}-<-" in node.command("CLUSTER", "NODES").decode()


def _id(node: RedisServer) -> str:
    return str(node.command("CLUSTER", "MYID").decode())


def _info(node: RedisServer) -> dict[str, str]:
    return dict(node.admin.execute_command("CLUSTER INFO"))


def _state(node: RedisServer) -> str:
    return _info(node)["cluster_state"]


def _known(node: RedisServer) -> int:
    return int(_info(node)["cluster_known_nodes"])


def _is_whole(node: RedisServer, count: int) -> bool:
    role = node.command("ROLE")
    return (
        _state(node) == "ok" and _known(node) == count and (role[0] == b"master" or role[3] == b"connected")
    )
