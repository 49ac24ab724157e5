"""Durations, sizes and addresses as people write them, and back.

Parsed once, here: behind Settings a duration is a float in seconds and a size an int in bytes. A bare number
has the base unit. Parsing accepts what formatting prints.
"""

import ipaddress
import math
import re

from sidecar.config.faults import Unacceptable

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
DURATION_PATTERN = r"^([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(ms|s|m|h)?$"
SIZE_PATTERN = r"^([0-9]{1,12}) ?(B|KiB|MiB|GiB)?$"
_PORT_MAX = 65535


def parse_duration(value: object) -> float:
    """Seconds of `250ms`, `5s`, `10m`, `1h` or a bare number of seconds. Raises Unacceptable."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    match = re.fullmatch(DURATION_PATTERN, value) if isinstance(value, str) else None
    if match is None:
        raise Unacceptable(
            "is not a duration", "write a number with a unit: 250ms, 5s, 10m or 1h; a bare number is seconds"
        )
    return float(match[1]) * _SECONDS[match[2] or "s"]


def parse_size(value: object) -> int:
    """Bytes of `64KiB`, `32MiB`, `1GiB` or a bare number of bytes. Raises Unacceptable."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(SIZE_PATTERN, value) if isinstance(value, str) else None
    if match is None:
        raise Unacceptable(
            "is not a size", "write a whole number with a unit: 64KiB, 32MiB or 1GiB; a bare number is bytes"
        )
    return int(match[1]) * _BYTES[match[2] or "B"]


def format_duration(seconds: float) -> str:
    """`0.25` as `250ms`, `600.0` as `10m`: the largest unit that needs no fraction."""
    for unit in ("h", "m", "s"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{int(seconds / _SECONDS[unit])}{unit}"
    milliseconds = f"{seconds * 1000:.3f}".rstrip("0").rstrip(".")
    return f"{milliseconds}ms"


def format_size(size_bytes: int) -> str:
    """`33554432` as `32MiB`: the largest unit that needs no fraction."""
    for unit in ("GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % _BYTES[unit] == 0:
            return f"{size_bytes // _BYTES[unit]}{unit}"
    return str(size_bytes)


def split_address(address: str) -> tuple[str, int]:
    """Host (without brackets) and port of `host:port` or `[v6]:port`. Raises Unacceptable."""
    host, colon, port = address.rpartition(":")
    remedy = "write host:port, such as 127.0.0.1:50051 or [::1]:50051"
    if not colon or not host:
        raise Unacceptable("is not host:port", remedy)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise Unacceptable("has a bare IPv6 address", remedy)
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", host):
        raise Unacceptable("has no valid host", remedy)
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > _PORT_MAX:
        raise Unacceptable("has no valid port", f"take a port from 0 (any free one) to {_PORT_MAX}")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether a host, without brackets, is this machine alone: `localhost` or a loopback IP address. Never
    asks DNS."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
