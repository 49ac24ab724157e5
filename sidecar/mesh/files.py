"""What lies in the directory that Envoy and the sidecar share, and how it gets there.

Envoy watches the directory and reads a file anew when it is renamed into place, so every file is written
beside it first. The private key is named here and read by Envoy alone.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar.config.settings import Settings

_RESOURCE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
_MODE = 0o640


@dataclass(frozen=True, slots=True)
class Shared:
    """The places in the directory."""

    directory: Path

    @classmethod
    def of(cls, settings: Settings) -> "Shared":
        """Those of the settings, which must name a directory."""
        if settings.envoy.directory is None:
            raise ValueError("envoy.directory is not set: check the settings first")
        return cls(settings.envoy.directory.absolute())

    @property
    def admin_socket(self) -> Path:
        """Envoy's admin interface."""
        return self.directory / "admin.sock"

    @property
    def bootstrap(self) -> Path:
        """What Envoy is started with."""
        return self.directory / "bootstrap.json"

    @property
    def certificate(self) -> Path:
        """Where Envoy learns which certificate to show."""
        return self.directory / "certificate.json"

    @property
    def authorities(self) -> Path:
        """Where Envoy learns which authorities to believe."""
        return self.directory / "authorities.json"

    @property
    def peers(self) -> Path:
        """Where Envoy learns its peers, if the bulletin tells them."""
        return self.directory / "peers.json"


def install(settings: Settings, bootstrap: Mapping[str, Any]) -> Path:
    """Put all that Envoy reads in its place; returns where the bootstrap is. Peers that are known stay.
    Raises OSError."""
    shared = Shared.of(settings)
    for path, tree in secrets(settings).items():
        write_json(path, tree)
    if settings.envoy.peers == "bulletin" and not shared.peers.exists():
        write_json(shared.peers, {"resources": []})
    write_json(shared.bootstrap, bootstrap)
    return shared.bootstrap


def secrets(settings: Settings) -> Mapping[Path, Any]:
    """The files by which Envoy learns its secrets, and what is in them; none without certificates."""
    folder = settings.envoy.certificates
    if folder is None:
        return {}
    folder = folder.absolute()
    watched = {"path": str(folder)}
    certificate = {
        "certificate_chain": {"filename": str(folder / "tls.crt")},
        "private_key": {"filename": str(folder / "tls.key")},
        "watched_directory": watched,
    }
    authorities = {"trusted_ca": {"filename": str(folder / "ca.crt")}, "watched_directory": watched}
    shared = Shared.of(settings)
    return {
        shared.certificate: _secret("certificate", tls_certificate=certificate),
        shared.authorities: _secret("authorities", validation_context=authorities),
    }


def write_json(path: Path, tree: Any) -> None:
    """Put JSON in the place of `path`, as `write`."""
    write(path, json.dumps(tree, indent=2).encode() + b"\n", _MODE)


def write(path: Path, content: bytes, mode: int) -> None:
    """Put content in the place of `path` at once: whoever reads sees the old or the new. Raises OSError."""
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(beside, mode)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _secret(name: str, **what: Any) -> dict[str, Any]:
    return {"resources": [{"@type": _RESOURCE, "name": name, **what}]}
