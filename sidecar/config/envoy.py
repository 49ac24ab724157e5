"""The group `envoy`: what the Envoy beside this sidecar is told, by `gemini-sidecar envoy`.

The sidecar itself uses none of it but `directory` and `advertise`, where peers are told by the bulletin.
"""

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from sidecar.config.checks import between, empty_as_none, loopback_address, network_address
from sidecar.config.faults import Unacceptable
from sidecar.config.units import SIZE_PATTERN, format_size, parse_size, split_address
from sidecar.config.values import Count, Seconds, Slice
from sidecar.core.spiffe import trust_domain

_DIRECTORY_MAX_BYTES = 90
"""With the name of a socket in it, what `sun_path` holds."""


def _shared_directory(path: Path | None) -> Path | None:
    if path is None:
        return None
    if not os.path.isdir(path):
        raise Unacceptable("is no directory", f"make the directory {path}")
    if len(os.fsencode(path.absolute())) > _DIRECTORY_MAX_BYTES:
        raise Unacceptable(
            f"is longer than {_DIRECTORY_MAX_BYTES} bytes, and there will be sockets in it",
            "take a shorter path",
        )
    return path


def _dialled(value: str | None) -> str | None:
    if value is not None and split_address(value)[1] == 0:
        raise Unacceptable("has port 0", "write the port that is to be dialled")
    return value


def _advertised(value: str | None) -> str | None:
    if _dialled(value) is not None:
        try:
            ip_address(split_address(str(value))[0])
        except ValueError:
            raise Unacceptable("has a host name", "write the pod's IP address and the port") from None
    return value


def _spiffe_id(value: str | None) -> str | None:
    if value is not None and not trust_domain(value):
        raise Unacceptable("is no SPIFFE id", "write spiffe://TRUST-DOMAIN/PATH")
    return value


HeapBytes: TypeAlias = Annotated[
    int,
    BeforeValidator(parse_size),
    AfterValidator(between(64 << 20, 64 << 30, format_size)),
    PlainSerializer(format_size, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"type": "integer"}]}),
]
Listened: TypeAlias = Annotated[str, AfterValidator(network_address)]
Dialled: TypeAlias = Annotated[
    Annotated[str, AfterValidator(_dialled)] | None, BeforeValidator(empty_as_none)
]
SpiffeId: TypeAlias = Annotated[
    Annotated[str, AfterValidator(_spiffe_id)] | None, BeforeValidator(empty_as_none)
]


class EnvoySettings(Slice):
    """The Envoy in front: callers from outside the pod, and the app's calls when its own sidecar is not
    well."""

    directory: Annotated[Path | None, BeforeValidator(empty_as_none), AfterValidator(_shared_directory)] = (
        None
    )
    """Directory that Envoy and the sidecar share and nobody else: Envoy's admin socket, its bootstrap, and
    what it reads anew when it changes. Needed by `gemini-sidecar envoy` and `drain`."""
    address: Listened = "0.0.0.0:8443"
    """Where callers from outside the pod arrive, by mutual TLS, for `listen.envoy_socket`."""
    app_address: Annotated[str, AfterValidator(loopback_address)] = "127.0.0.1:50050"
    """Where the app calls its own sidecar, `listen.socket`, or a peer when that is not well; loopback."""
    probe_address: Listened = "0.0.0.0:15021"
    """Where /healthz is, for the kubelet, who has no certificate."""
    certificates: Annotated[Path | None, BeforeValidator(empty_as_none)] = None
    """Directory with `tls.crt`, `tls.key` and `ca.crt`, as cert-manager and Secrets have them; Envoy reads
    them anew when they are replaced. Needed with `listen.envoy_socket` or `peers`."""
    peers: Literal["none", "dns", "bulletin"] = "none"
    """Who is asked when this pod's sidecar is not well: `dns`, those that `peers_address` stands for;
    `bulletin`, those that say in Redis that they live, each by its `advertise`."""
    peers_address: Dialled = None
    """`host:port` that stands for all peers, such as a headless Service; with `peers: dns`."""
    peers_principal: SpiffeId = None
    """The SPIFFE id that a peer must prove. None: `identity.principal`, so that replicas of this pod are
    peers."""
    advertise: Annotated[str | None, BeforeValidator(empty_as_none), AfterValidator(_advertised)] = None
    """`host:port` at which peers reach `address`, with the pod's own IP; with `peers: bulletin`."""
    access_log: Annotated[Path | None, BeforeValidator(empty_as_none)] = Path("/dev/stdout")
    """File of Envoy's access log, a line of JSON a request. None or empty: no log."""
    otlp_address: Dialled = None
    """`host:port` of an OpenTelemetry collector, OTLP over gRPC, for Envoy's traces. None: no traces."""
    max_connections: Count = 1000
    """Connections of all callers from outside together; more are closed as they come."""
    max_streams: Count = 128
    """Calls at once on one connection; more wait at the caller."""
    read_timeout: Seconds = 30.0
    """Seconds for a caller to read what has been answered in full; then its call is cut."""
    memory: HeapBytes = Field(default=256 << 20)
    """Bytes of Envoy's heap: close to it the greediest calls are cut, and new ones refused."""

    @model_validator(mode="after")
    def _peers_can_be_found(self) -> "EnvoySettings":
        for kind, key in (("dns", "peers_address"), ("bulletin", "advertise")):
            is_set = getattr(self, key) is not None
            if self.peers == kind and not is_set:
                raise Unacceptable(f"is not set, and peers is {kind}", f"set envoy.{key}", at=(key,))
            if self.peers != kind and is_set:
                raise Unacceptable(
                    f"is set, and peers is {self.peers}", f"remove it or set peers: {kind}", at=(key,)
                )
        return self
