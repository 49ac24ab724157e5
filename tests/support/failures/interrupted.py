"""Streams that break off after the caller has had a part of the answer."""

from functools import partial

import grpc

from sidecar.core.errors import Reason
from tests.support.failures.row import FIGURE, STREAM, Row, http
from tests.support.provoke import Provocation, fault, over_quota, scripted
from tests.support.upstream import STREAM_HEAD, chunk, event, plays, said, streams

_row = partial(Row, code=grpc.StatusCode.ABORTED, reason=Reason.STREAM_INTERRUPTED, rpcs=STREAM)

_HALF = said("half", usageMetadata={"promptTokenCount": 3, "totalTokenCount": 5})
_BARE_ERROR = b'{"error": {"code": 500,\n"message": "it is gone"}}\n\n'


def _broken_off(
    name: str, by: Provocation, says: str, cause: Reason, *, chunks: int = 1, **more: dict[str, str]
) -> Row:
    """A stream whose usage so far is known."""
    told = {"cause": str(cause), "chunks_sent": str(chunks), "prompt_tokens": FIGURE, "total_tokens": FIGURE}
    return _row(name, by, says, chunks=chunks, facts=told | more.get("also", {}))


ROWS = [
    _broken_off(
        "503 after a chunk",
        fault("error_event after=1 chunks=3"),
        "broke off after 1 chunks",
        Reason.UPSTREAM_UNAVAILABLE,
        also=http(503, "UNAVAILABLE"),
    ),
    _broken_off(
        "429 after two chunks",
        over_quota("error_event after=2 chunks=3 code=429"),
        "broke off after 2 chunks",
        Reason.UPSTREAM_QUOTA,
        chunks=2,
        also=http(429, "RESOURCE_EXHAUSTED"),
    ),
    _broken_off(
        "cut after two chunks",
        fault("cut after=2 chunks=4"),
        "cut its answer short",
        Reason.UPSTREAM_UNAVAILABLE,
        chunks=2,
    ),
    _broken_off(
        "event of broken JSON",
        fault("malformed_event after=1 chunks=3"),
        "is not JSON",
        Reason.UPSTREAM_MALFORMED,
    ),
    _broken_off(
        "another vendor's last event",
        fault("done_event chunks=2"),
        "is not JSON",
        Reason.UPSTREAM_MALFORMED,
        chunks=2,
    ),
    _broken_off(
        "no finish reason",
        fault("no_finish after=2 chunks=3"),
        "without a finish reason",
        Reason.UPSTREAM_MALFORMED,
        chunks=2,
    ),
    _broken_off(
        "too large a chunk",
        fault("oversized size=1100KiB after=1 chunks=3", listen={"message_limit": "1MiB"}),
        "listen.message_limit",
        Reason.REPLY_TOO_LARGE,
    ),
    _broken_off(
        "far too large a chunk",
        fault("oversized size=3MiB after=1 chunks=3", listen={"message_limit": "1MiB"}),
        "listen.message_limit",
        Reason.REPLY_TOO_LARGE,
    ),
    _row(
        "silence after a chunk",
        scripted(plays(STREAM_HEAD + chunk(event(_HALF))), upstream={"idle_timeout": 0.2}),
        "(idle_timeout)",
        facts={
            "cause": "UPSTREAM_TIMEOUT",
            "chunks_sent": "1",
            "prompt_tokens": "3",
            "total_tokens": "5",
        },
        chunks=1,
    ),
    _row(
        "no usage known",
        scripted(streams(said("half"), b"data: }\r\n\r\n")),
        "is not JSON",
        facts={"cause": "UPSTREAM_MALFORMED", "chunks_sent": "1"},
        chunks=1,
    ),
    _row(
        "bare error object",
        scripted(streams(said("half"), _BARE_ERROR)),
        "it is gone",
        facts={"cause": "UPSTREAM_UNAVAILABLE", "chunks_sent": "1"} | http(500),
        chunks=1,
    ),
]
