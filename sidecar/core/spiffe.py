"""SPIFFE ids: how a workload is named across clusters and clouds. Pure.

`spiffe://TRUST_DOMAIN/PATH`, where Kubernetes meshes write the path as `/ns/NAMESPACE/sa/SERVICE_ACCOUNT`.
Source: the SPIFFE ID standard, sections 2.1 to 2.3.
"""

import re

SCHEME = "spiffe://"
_ID_MAX_BYTES = 2048
_TRUST_DOMAIN = r"[a-z0-9._-]{1,255}"
_SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+"
_ID = re.compile(rf"{SCHEME}({_TRUST_DOMAIN})((?:/{_SEGMENT})+)", re.ASCII)
_PREFIX = re.compile(rf"{SCHEME}{_TRUST_DOMAIN}/(?:{_SEGMENT}/)*[A-Za-z0-9._-]*", re.ASCII)
_DOMAIN = re.compile(_TRUST_DOMAIN, re.ASCII)


def is_trust_domain(text: str) -> bool:
    """Whether a text is the name of a trust domain."""
    return _DOMAIN.fullmatch(text) is not None


def is_prefix(text: str) -> bool:
    """Whether ids of workloads of one trust domain can begin so."""
    return _PREFIX.fullmatch(text) is not None


def trust_domain(spiffe_id: str) -> str:
    """The trust domain of a workload's SPIFFE id; empty when it is none."""
    match = _ID.fullmatch(spiffe_id) if len(spiffe_id) <= _ID_MAX_BYTES else None
    return match[1] if match else ""


def namespace(spiffe_id: str) -> str:
    """The Kubernetes namespace in a workload's SPIFFE id, of whatever trust domain; empty when it has
    none.
    """
    match = _ID.fullmatch(spiffe_id) if len(spiffe_id) <= _ID_MAX_BYTES else None
    parts = match[2].split("/") if match else []
    return parts[2] if len(parts) > 2 and parts[1] == "ns" else ""
