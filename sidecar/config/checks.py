"""Checks of single values that pydantic does not have: what a value must be, and what to do when it is not.

Each takes a value and returns it, or raises Unacceptable. Some look at the file system, none changes it.
"""

import os
import ssl
import stat
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from sidecar.config.faults import Unacceptable
from sidecar.config.units import is_loopback, split_address
from sidecar.core.spiffe import is_trust_domain

_SOCKET_PATH_MAX_BYTES = 107
"""What `sun_path` holds on Linux, less the closing NUL."""

Number = TypeVar("Number", int, float)


def between(least: Number, most: Number, write: Callable[[Number], str]) -> Callable[[Number], Number]:
    """A check that a number is within bounds, both included, naming them in the unit of `write`."""

    def check(value: Number) -> Number:
        if not least <= value <= most:
            raise Unacceptable("is out of range", f"take a value from {write(least)} to {write(most)}")
        return value

    return check


def empty_as_none(value: object) -> object:
    """Let the empty text stand for None: the environment has no other way to say it."""
    return None if value == "" else value


def not_a_bool(value: object) -> object:
    """Refuse `true` where a number is asked: it would count as 1."""
    if isinstance(value, bool):
        raise Unacceptable("is not a whole number", "write a whole number")
    return value


def one_line(value: str) -> str:
    """Text without white space or control characters, not empty."""
    if not value or not value.isprintable() or any(map(str.isspace, value)):
        raise Unacceptable("is empty or has white space in it", "write a name without white space")
    return value


def trust_domain_name(value: str | None) -> str | None:
    """The name of a trust domain, as in `spiffe://NAME/...`; see SPIFFE-ID section 2.1."""
    if value is not None and not is_trust_domain(value):
        raise Unacceptable(
            "is no SPIFFE trust domain", "write its name alone, such as prod.example: a-z, 0-9 and .-_"
        )
    return value


def installed_transport(value: str) -> str:
    """The name of a transport whose packages are there; whatever it is called, for another check to judge."""
    if value == "sdk" and find_spec("google.genai") is None:
        raise Unacceptable(
            "needs google-genai, which is not installed",
            "install it with: pip install 'gemini-sidecar[sdk]'; or take upstream.transport: rest",
        )
    return value


def network_address(value: str | None) -> str | None:
    """`host:port` on any host."""
    if value is not None:
        split_address(value)
    return value


def loopback_address(value: str) -> str:
    """`host:port` that only this machine can reach."""
    host, _ = split_address(value)
    if not is_loopback(host):
        raise Unacceptable(
            f"{host} is not a loopback address: callers of this listener are not asked who they are",
            "listen on 127.0.0.1, [::1] or localhost",
        )
    return value


def socket_path(path: Path | None) -> Path | None:
    """A path for a unix socket: short enough, in a directory, nothing but a socket in its place."""
    if path is None:
        return None
    if len(os.fsencode(path)) > _SOCKET_PATH_MAX_BYTES:
        raise Unacceptable(
            f"is longer than {_SOCKET_PATH_MAX_BYTES} bytes, the most a unix socket may have",
            "take a shorter path",
        )
    if not os.path.isdir(path.parent):  # unlike Path.is_dir, False also where we may not look
        raise Unacceptable("its directory does not exist", f"make the directory {path.parent}")
    if os.path.exists(path) and not stat.S_ISSOCK(path.stat().st_mode):
        raise Unacceptable("something that is not a socket stands there", "move it away or take another path")
    return path


def pem_bundle(path: Path | None) -> Path | None:
    """A readable file of at least one certificate in PEM."""
    if path is None:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise Unacceptable(
            "holds no certificate in PEM", "name a PEM bundle of certificate authorities"
        ) from None
    except OSError as error:
        raise Unacceptable(f"cannot be read: {error.strerror}", "name a readable PEM bundle") from None
    return path


def client_certificate(certificate: Path, key: Path) -> None:
    """Refuse a certificate and a private key that TLS cannot use together; neither may need a passphrase."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=str)
    except ssl.SSLError:
        raise Unacceptable(
            "is no certificate in PEM, or not that of the key",
            "name a PEM file with the certificate, and one with its key, which has no passphrase",
        ) from None
    except OSError as error:
        raise Unacceptable(
            f"or its key cannot be read: {error.strerror}", "name readable PEM files"
        ) from None
