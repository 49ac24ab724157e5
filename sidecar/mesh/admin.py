"""The admin interface of a running Envoy, by its unix socket: how it is drained.

Draining is three things at once. Peers find /healthz failing and go elsewhere; callers that stay connected
get a GOAWAY with their next answer; calls in flight go on. The listener of the app is left alone: its pod
ends last."""

import http.client
import json
import socket
from pathlib import Path

_TIMEOUT_S = 5.0
_ACTIVE = "http.inbound.downstream_rq_active"


class EnvoyUnreachable(Exception):
    """No Envoy answers there; the text says where and why."""


class Admin:
    """The admin interface behind a unix socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"<Admin at {self._path}>"

    def drain(self) -> None:
        """Begin to drain callers from outside. Idempotent. Raises EnvoyUnreachable."""
        self._ask("POST", "/healthcheck/fail")
        self._ask("POST", "/drain_listeners?inboundonly&graceful&skip_exit")

    def in_flight(self) -> int:
        """Calls from outside that have not ended, health checks and the like too. Raises EnvoyUnreachable."""
        stats = json.loads(self._ask("GET", f"/stats?format=json&filter=^{_ACTIVE}$"))["stats"]
        return sum(int(stat["value"]) for stat in stats)

    def _ask(self, method: str, target: str) -> bytes:
        connection = _UnixConnection(self._path)
        try:
            connection.request(method, target)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise EnvoyUnreachable(f"{self._path} does not answer: {error}") from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise EnvoyUnreachable(f"{self._path} answers {response.status} to {method} {target}")
        return content


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(str(self._path))
