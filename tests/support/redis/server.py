"""One redis-server process."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from sidecar.config.files import FileReader
from sidecar.config.redis import RedisSettings
from sidecar.config.references import Sources

PATIENCE_S = 20.0
"""How long a test waits for what must happen; reached only by a failure."""
_LOOK_S = 0.01

Options = Mapping[str, str]
"""Lines of a configuration file, by their first word."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificates of a server that speaks TLS alone."""

    certificate: Path
    key: Path
    authority: Path
    """Whom the server trusts when it asks clients for a certificate."""
    asks_clients: bool = False


class ReservedPort:
    """A port of the loopback that nobody else is given, neither to listen nor to connect from: a socket is
    bound to it that does not listen, beside which Linux lets a server bind that says SO_REUSEADDR.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number = int(self._socket.getsockname()[1])

    def __repr__(self) -> str:
        return f"<ReservedPort {self.number}>"

    def yield_to_server(self) -> None:
        """Make way for a server that is about to bind, where the two cannot stand together."""
        if sys.platform != "linux":
            self._socket.close()

    def free(self) -> None:
        """Let others have it. Idempotent."""
        self._socket.close()


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Look again and again until a server has come so far. Fails when it does not."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE_S} s: {what}"
        time.sleep(_LOOK_S)


class RedisServer:
    """A server that can be killed, paused and started again, always empty: it keeps nothing on disk."""

    def __init__(
        self, folder: Path, options: Options | None = None, tls: Tls | None = None, acl: str | None = None
    ) -> None:
        self._reserved = {"port": ReservedPort()}
        self.port = self._reserved["port"].number
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.is_spoiled = False
        """Whether a test has harmed it, so that the next one must get another."""
        self._options = {**_own_options(self, tls), **(options or {})}
        if acl is not None:
            (folder / "users.acl").write_text(f"{acl}\nuser admin on >admin ~* &* +@all\n")
            self._options["aclfile"] = str(folder / "users.acl")
        self._program = ["redis-server", str(folder / "redis.conf")]
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = redis.Redis(
            unix_socket_path=str(self.socket),
            username="admin" if acl is not None else None,
            password="admin" if acl is not None else None,
            socket_timeout=PATIENCE_S,
        )
        """A client that may do everything, by the unix socket."""

    def __repr__(self) -> str:
        return f"<RedisServer at {self.address}, {'up' if self._process else 'down'}>"

    @property
    def address(self) -> str:
        """`host:port`, of TLS if it speaks that."""
        return f"127.0.0.1:{self.port}"

    def settings(self, *, password: str | None = None, **values: Any) -> RedisSettings:
        """Settings of a client of this server; the password goes into a file, as in production."""
        return settings_of(self.folder, password, {"addresses": [self.address], **values})

    def command(self, *words: str | bytes | int) -> Any:
        """The answer to any command, of the administrator."""
        return self.admin.execute_command(*words)  # type: ignore[no-untyped-call]

    def reserve(self, option: str) -> int:
        """Another port for it alone, under the option that takes it."""
        self._reserved[option] = ReservedPort()
        self._options[option] = str(self._reserved[option].number)
        return self._reserved[option].number

    def launch(self) -> None:
        """Start the process and do not wait for it."""
        for port in self._reserved.values():
            port.yield_to_server()
        lines = [f"{word} {value}" for word, value in self._options.items()]
        (self.folder / "redis.conf").write_text("\n".join(lines))
        with open(self.folder / "redis.log", "ab") as log:
            self._process = subprocess.Popen(self._program, stdout=log, stderr=log, cwd=self.folder)

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.launch()
        wait_until(self.answers, f"{self} answers; it logged {self._log()}")

    def answers(self) -> bool:
        """Whether it answers now. Fails when the process has ended by itself."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self} has ended: {self._log()}"
        try:
            return bool(self.admin.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        """End the process with SIGKILL; its connections are reset."""
        self.is_spoiled = True
        self.stop()

    def stop(self) -> None:
        """End the process, if it runs, and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        self.admin.close()
        self.socket.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        for port in self._reserved.values():
            port.free()

    def restart_empty(self) -> None:
        """Kill it and start it again at the same address, with no key, no script and no client."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Stop the process where it is: connections stay open and nothing answers."""
        self.is_spoiled = True
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Delete every key."""
        self.command("FLUSHALL")

    def flush_scripts(self) -> None:
        """Make it forget every script."""
        self.command("SCRIPT", "FLUSH")

    def clients(self) -> int:
        """How many connections it has beside the administrator's."""
        own = self.command("CLIENT", "ID")
        return sum(int(client["id"]) != own for client in self.admin.client_list())

    def disconnect_clients(self, kind: str = "normal") -> None:
        """Close its connections of a kind, `normal` or `pubsub`, but for the administrator's."""
        self.command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    def _signal(self, signum: signal.Signals) -> None:
        assert self._process is not None, f"{self} does not run"
        self._process.send_signal(signum)

    def _log(self) -> str:
        log = self.folder / "redis.log"
        return log.read_text()[-2000:] if log.exists() else ""


def settings_of(folder: Path, password: str | None, values: Mapping[str, Any]) -> RedisSettings:
    """Settings of the group `redis`; a password is put into a file of `folder` and referred to."""
    given = dict(values)
    if password is not None:
        file = folder / "client-password"
        file.write_text(password)
        given["password"] = {"file": str(file)}
    return RedisSettings.model_validate(given, context=Sources({}, FileReader()))


def _own_options(server: RedisServer, tls: Tls | None) -> dict[str, str]:
    options = {
        "bind": "127.0.0.1",
        "dir": str(server.folder),
        "unixsocket": str(server.socket),
        "save": '""',
        "appendonly": "no",
        "port": str(server.port),
    }
    if tls is None:
        return options
    return {
        **options,
        "port": "0",
        "tls-port": str(server.port),
        "tls-cert-file": str(tls.certificate),
        "tls-key-file": str(tls.key),
        "tls-ca-cert-file": str(tls.authority),
        "tls-auth-clients": "yes" if tls.asks_clients else "no",
    }


@contextmanager
def standalone(
    folder: Path, options: Options | None = None, tls: Tls | None = None, acl: str | None = None
) -> Iterator[RedisServer]:
    """A server that answers. `acl` is the text of an ACL file; `folder` must be its own and have a short
    path, because a unix socket stands in it.
    """
    server = RedisServer(folder, options, tls, acl)
    try:
        server.start()
        yield server
    finally:
        server.close()
