"""Settings -> the bootstrap of the Envoy in front, as JSON that Envoy reads: pure.

What Envoy does is said in the fragments; here stands only which setting gives which parameter, and what is
missing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar.config.faults import ConfigError, Fault
from sidecar.config.settings import Settings
from sidecar.config.units import split_address
from sidecar.core.spiffe import SCHEME, trust_domain
from sidecar.identity.remote import FORWARDED_CERTIFICATE
from sidecar.mesh.files import Shared
from sidecar.mesh.fragments import fill, packed
from sidecar.mesh.issuers import issuer_parameters

ARGUMENTS = (
    "--disable-hot-restart",
    *("--concurrency", "1"),
    *("--drain-strategy", "immediate"),
    *("--drain-time-s", "5"),
    *("--file-flush-interval-msec", "1000"),
)
"""How Envoy is started, beside `-c bootstrap.json`: one worker is more than a sidecar can keep busy, and a
gradual drain would tell callers of it when it is over. A refusal is in the log within a second."""
_ASKED_ANYWAY_PERCENT = 50
"""Where nobody else can be asked, a sidecar that does not look well is asked: it may be just busy."""
_SLACK_S = 5.0
"""Envoy's timers come so much later than the sidecar's, whose errors say more."""


def render(settings: Settings) -> dict[str, Any]:
    """The bootstrap. Raises ConfigError with all that the settings lack for one."""
    if faults := _lacking(settings):
        raise ConfigError(faults)
    tree: dict[str, Any] = fill(packed("bootstrap"), _parameters(settings), packed)
    return tree


def peer_principal(settings: Settings) -> str:
    """The SPIFFE id that a peer must prove."""
    return settings.envoy.peers_principal or settings.identity.principal


def _parameters(settings: Settings) -> Mapping[str, Any]:
    envoy, listen = settings.envoy, settings.listen
    shared = Shared.of(settings)
    has_peers = envoy.peers != "none"
    probed = "local" if listen.socket else "remote"
    return {
        "node": settings.identity.principal,
        "directory": str(shared.directory),
        "admin_socket": str(shared.admin_socket),
        "certificate_file": str(shared.certificate),
        "authorities_file": str(shared.authorities),
        "peers_file": str(shared.peers) if envoy.peers == "bulletin" else None,
        "peers_host": _socket_address(envoy.peers_address),
        "peers": has_peers or None,
        "peer_principal": peer_principal(settings),
        "local_panic": 0 if has_peers else _ASKED_ANYWAY_PERCENT,
        "app_cluster": "local_then_peers" if has_peers else "local",
        "local_socket": _absolute(listen.socket),
        "remote_socket": _absolute(listen.envoy_socket),
        "inbound_address": _socket_address(envoy.address),
        "app_address": _socket_address(envoy.app_address),
        "probe_address": _socket_address(envoy.probe_address),
        "probed": {probed: {"value": 100}},
        "members": f"{SCHEME}{settings.identity.domain}/",
        "identity_headers": _identity_headers(settings.identity.mesh_header),
        "longest_call": _duration(settings.deadline.default + _SLACK_S),
        "read_timeout": _duration(envoy.read_timeout),
        "calls": listen.max_in_flight,
        "connections": envoy.max_connections,
        "streams": envoy.max_streams,
        "memory": envoy.memory,
        "access_log": _absolute(envoy.access_log),
        "collector": _socket_address(envoy.otlp_address),
        **issuer_parameters(settings.identity.issuers),
    }


def _lacking(settings: Settings) -> list[Fault]:
    envoy, listen = settings.envoy, settings.listen
    faults = []

    def lacks(path: str, reason: str, remedy: str) -> None:
        faults.append(Fault(path, "", reason, remedy))

    if envoy.directory is None:
        lacks(
            "envoy.directory",
            "is not set, and Envoy needs a place for its socket and files",
            "set envoy.directory to one that Envoy and the sidecar share",
        )
    if listen.socket is None and listen.envoy_socket is None:
        lacks(
            "listen.socket",
            "is not set, nor is listen.envoy_socket: there is nothing to put Envoy in front of",
            "set listen.socket for the app's calls, listen.envoy_socket for callers from outside, or both",
        )
    if listen.envoy_socket is not None and not settings.identity.domain:
        lacks(
            "identity.trust_domain",
            "is not set, and callers from outside must be of one",
            "name the SPIFFE trust domain, or drop listen.envoy_socket",
        )
    if envoy.certificates is None and (listen.envoy_socket is not None or envoy.peers != "none"):
        lacks(
            "envoy.certificates",
            "is not set, and there are callers from outside or peers",
            "name the directory with tls.crt, tls.key and ca.crt",
        )
    if envoy.peers != "none":
        if listen.socket is None:
            lacks(
                "listen.socket",
                "is not set, and peers are for when it fails",
                "set it, or envoy.peers: none",
            )
        if not trust_domain(peer_principal(settings)):
            lacks(
                "envoy.peers_principal",
                "is not set, and identity.principal is no SPIFFE id: anybody could be a peer",
                "set identity.principal to this pod's SPIFFE id, or envoy.peers_principal to its peers'",
            )
    return faults


def _identity_headers(mesh_header: str | None) -> list[str] | None:
    """What Envoy throws away at last. Not the header in which it names a caller itself, in place of whatever
    came there."""
    return [mesh_header] if mesh_header and mesh_header != FORWARDED_CERTIFICATE else None


def _duration(seconds: float) -> str:
    return f"{seconds:.3f}s"


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def _socket_address(address: str | None) -> dict[str, Any] | None:
    if address is None:
        return None
    host, port = split_address(address)
    both = {"ipv4_compat": True} if host == "::" else {}
    return {"address": host, "port_value": port, **both}
