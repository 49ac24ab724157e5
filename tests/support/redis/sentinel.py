"""A master, two replicas, and three Sentinels that watch them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sidecar.config.redis import RedisSettings
from tests.support.redis.server import RedisServer, settings_of, wait_until

SERVICE = "main"
"""What the Sentinels call the master."""
_DOWN_AFTER_MS = 500
_REPLICAS, _SENTINELS, _QUORUM = 2, 3, 2


class RedisSentinel:
    """Servers of which one is the master, and who says so."""

    def __init__(self, servers: list[RedisServer], sentinels: list[RedisServer]) -> None:
        self.servers = servers
        self.sentinels = sentinels

    def __repr__(self) -> str:
        return f"<RedisSentinel of {self.servers}, watched by {self.sentinels}>"

    @property
    def is_spoiled(self) -> bool:
        """Whether a test has harmed it."""
        return any(server.is_spoiled for server in (*self.servers, *self.sentinels))

    @property
    def master(self) -> RedisServer:
        """The server that the Sentinels call the master now."""
        _, port = self.sentinels[0].command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(server for server in self.servers if server.port == int(port))

    def settings(self, **values: Any) -> RedisSettings:
        """Settings of a client."""
        addresses = [sentinel.address for sentinel in self.sentinels]
        given = {"mode": "sentinel", "service": SERVICE, "addresses": addresses, **values}
        return settings_of(self.servers[0].folder, None, given)

    def failover(self) -> RedisServer:
        """Kill the master and wait until the Sentinels have made another; returns that one."""
        lost = self.master
        lost.kill()
        self.wait_for_another(lost)
        return self.master

    def wait_for_another(self, lost: RedisServer) -> None:
        """Wait until all Sentinels name another master than the lost one, and it is one."""
        words = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        wait_until(
            lambda: (
                {int(sentinel.command(*words)[1]) for sentinel in self.sentinels} - {lost.port}
                and all(int(sentinel.command(*words)[1]) != lost.port for sentinel in self.sentinels)
                and self.master.command("ROLE")[0] == b"master"
            ),
            f"another master than {lost}",
        )

    def flush(self) -> None:
        """Delete every key."""
        self.master.flush()

    def is_whole(self) -> bool:
        """Whether every Sentinel knows the others and both replicas, and these have the master's data."""
        if self.servers[0].admin.info("replication")["connected_slaves"] != _REPLICAS:
            return False
        return all(
            master["num-slaves"] == _REPLICAS
            and master["num-other-sentinels"] == _SENTINELS - 1
            and not master["is_sdown"]
            for master in (sentinel.admin.sentinel_master(SERVICE) for sentinel in self.sentinels)
        )


@contextmanager
def sentinel(folder: Path) -> Iterator[RedisSentinel]:
    """A whole one, in some seconds."""
    replication = {"repl-diskless-sync-delay": "0", "replica-priority": "100"}
    with ExitStack() as closing:
        servers = [_server(folder / f"r{n}", replication) for n in range(1 + _REPLICAS)]
        for replica in servers[1:]:
            replica._options["replicaof"] = f"127.0.0.1 {servers[0].port}"
        for server in servers:
            closing.callback(server.close)
            server.start()
        wait_until(
            lambda: servers[0].admin.info("replication")["connected_slaves"] == _REPLICAS, "the replicas"
        )
        sentinels = [_sentinel(folder / f"s{n}", servers[0]) for n in range(_SENTINELS)]
        for each in sentinels:
            closing.callback(each.close)
            each.start()
        found = RedisSentinel(servers, sentinels)
        wait_until(found.is_whole, f"{found} is whole")
        yield found


def _server(folder: Path, options: dict[str, str]) -> RedisServer:
    folder.mkdir()
    return RedisServer(folder, options)


def _sentinel(folder: Path, master: RedisServer) -> RedisServer:
    folder.mkdir()
    server = RedisServer(folder)
    for word in ("save", "appendonly"):
        del server._options[word]
    watch = f"monitor {SERVICE} 127.0.0.1 {master.port} {_QUORUM}"
    server._options["sentinel"] = (
        f"{watch}\nsentinel down-after-milliseconds {SERVICE} {_DOWN_AFTER_MS}\n"
        f"sentinel failover-timeout {SERVICE} 2000"
    )
    server._program.append("--sentinel")
    return server
