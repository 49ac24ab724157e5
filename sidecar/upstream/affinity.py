"""Which endpoint calls with the same long prefix meet, so that Google's implicit cache finds it there. Pure.

Theory of operation. A prefix is what stands at the beginning of a prompt and is likely to come again: system
instruction and tools; where these are short, the first content too, which all turns of a conversation share.
Google caches prefixes from some 1,000 to 4,000 tokens on, so short ones have no home.

Homes are found by rendezvous hashing (Thaler and Ravishankar, 1998): every sidecar finds the same one without
a word, and when an endpoint leaves, only its prefixes move, each to the next in its own order. Weights enter
as -weight / ln(hash), which gives each endpoint its share of the prefixes.

A home that is busier than its part of the load, by a quarter, passes a call on to the next in the prefix's
order (consistent hashing with bounded loads: Mirrokni, Thorup and Zadimoghaddam, SODA 2018). A few calls more
are borne everywhere: in small numbers chance alone exceeds a quarter, and prefixes of a quiet pool would
scatter.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import ceil, log

import orjson

from sidecar.core.call import Json
from sidecar.upstream.rank import Standing

LONG_CHARS = 4096
"""A prefix from here on has a home."""
_BOUND = 1.25
_A_FEW = 4
_NONE: Json = {}
_HASHED_CHARS = 4096
"""Of each part of a prefix so much is hashed: what is equal so far shares a cache as well."""


def prefix_of(model: str, body: Json) -> bytes | None:
    """What equal prefixes have in common; None for a short one."""
    pieces: list[str] = []
    chars = 0
    if system := body.get("systemInstruction"):
        chars += _add(system, pieces)
    if tools := body.get("tools"):
        pieces.append(orjson.dumps(tools).decode())
        chars += len(pieces[-1])
    if chars < LONG_CHARS:
        contents = body.get("contents")
        if not contents or chars + _add(contents[0], pieces) < LONG_CHARS:
            return None
    digest = blake2b(model.encode(), digest_size=16)
    for piece in pieces:
        digest.update(b"\0" + piece[:_HASHED_CHARS].encode())
    return digest.digest()


def home(prefix: bytes, peers: Sequence[Standing], weights: Sequence[float]) -> Standing | None:
    """The peer that a prefix lives at, within the bound of the load; None when it has no home now. `weights`
    are the shares that the peers take.
    """
    total = sum(weights)
    calls = 1 + sum(peer.health.in_flight for peer in peers)
    order = sorted(zip(peers, weights, strict=True), key=lambda pair: -_draw(prefix, *pair))
    for peer, weight in order:
        bound = _A_FEW + ceil(_BOUND * calls * weight / total)
        if peer.health.in_flight < bound and peer.headroom > 0.0:
            return peer
    return None


def _draw(prefix: bytes, peer: Standing, weight: float) -> float:
    drawn = blake2b(prefix + peer.health.place.name.encode(), digest_size=6).digest()
    return -weight / log((int.from_bytes(drawn) + 0.5) / 2**48)


def _add(content: Json, pieces: list[str]) -> int:
    """Add the texts and inline data of a content; returns how many characters they have."""
    chars = 0
    for part in content.get("parts") or ():
        piece = part.get("text") or (part.get("inlineData") or _NONE).get("data")
        if piece:
            pieces.append(piece)
            chars += len(piece)
    return chars
