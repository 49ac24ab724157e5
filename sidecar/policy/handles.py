"""What a request refers to that somebody has issued: caches, files, thought signatures, tokens. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from sidecar.core.call import Json


class Handles(NamedTuple):
    """All of it, as the body has it."""

    cache: str = ""
    """Name of a cached content; empty for none."""
    files: tuple[str, ...] = ()
    """Addresses, each once."""
    signatures: tuple[str, ...] = ()
    """Thought signatures in the order of the conversation."""
    token: str = ""
    """Of a candidate that was cut off; empty for none."""

    @property
    def opaques(self) -> tuple[str, ...]:
        """What does not say itself whose it is, the oldest first."""
        return (*self.signatures, self.token) if self.token else self.signatures


NO_HANDLES = Handles()
"""Of nearly all calls."""


def handles_of(body: Json) -> Handles:
    """What a canonical body refers to."""
    files: dict[str, None] = {}
    signatures: list[str] = []
    for content in body.get("contents", ()):
        _look_at_parts(content.get("parts", ()), files, signatures)
    if "systemInstruction" in body:
        _look_at_parts(body["systemInstruction"].get("parts", ()), files, signatures)
    cache, token = body.get("cachedContent", ""), body.get("continuationToken", "")
    if not (files or signatures or cache or token):
        return NO_HANDLES
    return Handles(cache, tuple(files), tuple(signatures), token)


def _look_at_parts(parts: Iterable[Json], files: dict[str, None], signatures: list[str]) -> None:
    for part in parts:
        if "thoughtSignature" in part:
            signatures.append(part["thoughtSignature"])
        if "fileData" in part:
            files[part["fileData"].get("fileUri", "")] = None
        elif "functionResponse" in part:  # files that a function gave back
            _look_at_parts(part["functionResponse"].get("parts", ()), files, signatures)
