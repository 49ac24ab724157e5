"""Continuation: how a reply that is too long for one call goes on in the next.

Decides the limits of one hop and the token that leads from a hop to the next. The fourth generation stops
with the finish reason CONTINUATION after 32,768 output tokens, in a stream after 65,536; the same request
with the `continuationToken` of the candidate says what follows. Limits of the whole reply are kept by
`author`.

Invariant: a token is good for the request that it came from, and nothing is remembered for it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from sidecar.emulator.errors import bad_request

UNARY_HOP_TOKENS = 32_768
STREAM_HOP_TOKENS = 65_536
_LABEL = b"hop:"
_DIGEST_BYTES = 16


def continuation_token(digest: bytes, position: int) -> str:
    """Return the token for the rest of a reply from `position` on; `digest` is that of the request."""
    return b64encode(_LABEL + digest + str(position).encode()).decode()


def position_of(token: str | None, digest: bytes) -> int:
    """Return where the hop begins that `token` asks for; 0 without one.

    Raises:
        ApiError: 400 when the token does not belong to the request with this digest.
    """
    if token is None:
        return 0
    decoded = b64decode(token)
    begin = len(_LABEL) + _DIGEST_BYTES
    position = decoded[begin:]
    if decoded[:begin] != _LABEL + digest or not position.isdigit():
        text = "Continuation token is invalid: send it with the very request that it came from."
        raise bad_request([("continuation_token", text)])
    return int(position)
