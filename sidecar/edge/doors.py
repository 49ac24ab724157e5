"""The doors: by which listener a caller comes in, and so what is believed of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.config.settings import Settings
from sidecar.core.ports import Identity
from sidecar.identity.bearer import Verifier
from sidecar.identity.local import LocalIdentity
from sidecar.identity.remote import EnvoyIdentity, MeshIdentity, Trust


@dataclass(frozen=True, slots=True)
class Door:
    """A listener, as far as who comes in by it."""

    name: str
    """As in logs and records."""
    identity: Identity
    is_local: bool
    """Whether only the pod can come by it."""


def doors_of(settings: Settings, verifier: Verifier) -> Mapping[str, tuple[str, Door]]:
    """The gRPC target and the door of every listener that Settings name, by the key of `listen`."""
    listen, identity = settings.listen, settings.identity
    trust = Trust(identity.principal, identity.domain, verifier)
    local = Door("local", LocalIdentity(identity.principal, verifier), is_local=True)
    envoy = Door("envoy", EnvoyIdentity(trust), is_local=False)
    mesh = Door("mesh", MeshIdentity(trust, identity.mesh_header or ""), is_local=False)
    targets = {
        "address": (listen.address, local),
        "socket": (_unix(listen.socket), local),
        "envoy_socket": (_unix(listen.envoy_socket), envoy),
        "mesh_address": (listen.mesh_address, mesh),
    }
    return {key: (target, door) for key, (target, door) in targets.items() if target}


def _unix(path: Path | None) -> str | None:
    return f"unix:{path}" if path else None
