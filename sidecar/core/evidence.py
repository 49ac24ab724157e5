"""What a caller shows to prove who it is, before anybody has believed it. Pure."""

from typing import TypeAlias

from sidecar.core.secret import Secret

Evidence: TypeAlias = tuple[tuple[str, Secret], ...]
"""Metadata as it came, keys in lower case; a key may be there twice. Empty: the caller shows nothing."""


def values(evidence: Evidence, key: str) -> list[str]:
    """All that was shown under a key, in its order."""
    return [value.reveal() for name, value in evidence if name == key]
