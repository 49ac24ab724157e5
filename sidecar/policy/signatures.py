"""Which issuer gave out a thought signature or a continuation token, as far as this process has seen.

Both are opaque, and say of nobody where they are from. So replies are remembered, by a hash of each that fits
a dictionary: not what was said, only who said it. The memory is bounded and forgets the oldest first; what it
does not know any more is left to the caller's word (`project`).
"""

from collections.abc import Iterator

from sidecar.core.call import Json

_MOST = 32_768
"""Signatures; some 4 MiB."""


class Signatures:
    """What was given out by whom."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._issuers: dict[int, str] = {}

    def __repr__(self) -> str:
        return f"<Signatures {len(self._issuers)} known>"

    def note(self, reply: Json, issuer: str) -> None:
        """Remember whatever a reply, or a chunk of one, gives out."""
        for candidate in reply.get("candidates", ()):
            for opaque in _given_out(candidate):
                self._issuers.pop(hash(opaque), None)  # what is given out again is new again
                self._issuers[hash(opaque)] = issuer
        while len(self._issuers) > self._most:
            del self._issuers[next(iter(self._issuers))]

    def issuers(self, opaques: tuple[str, ...]) -> tuple[str, ...]:
        """Who gave these out, as far as known: each once, the one of the last first."""
        known = (self._issuers.get(hash(opaque), "") for opaque in reversed(opaques))
        return tuple(dict.fromkeys(filter(None, known)))


def _given_out(candidate: Json) -> Iterator[str]:
    for part in candidate.get("content", {}).get("parts", ()):
        if "thoughtSignature" in part:
            yield part["thoughtSignature"]
    if "continuationToken" in candidate:
        yield candidate["continuationToken"]
