"""What keeps an answer from coming, or from being one: outages, silence, nonsense, size."""

from functools import partial

import grpc

from sidecar.core.errors import Reason
from tests.support import facts
from tests.support.failures.row import FIGURE, STREAM, UNARY, Row, http
from tests.support.provoke import (
    NOBODY,
    after_unreachable,
    cut_by_drain,
    fault,
    refused,
    scripted,
    silent_handshake,
    tokens_from,
    under,
    untrusted,
)
from tests.support.upstream import STREAM_HEAD, answers, head, plays, refusal, streams

_MINUTE = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "60s"}
_BUSY = refusal(503, "UNAVAILABLE", "The model is overloaded.", _MINUTE)
_GONE = facts.gemini(NOBODY)
_SHORT = {"default": 0.2, "margin": 0.05}
_FIRST_CONTENT = {"first_content_timeout": 0.2}
_SMALL = {"message_limit": "1MiB"}
_IMAGE = {"content": {"parts": [{"inlineData": {"data": "?"}}]}, "finishReason": "STOP"}
_NO_BASE64 = {"candidates": [_IMAGE]}

_out = partial(Row, code=grpc.StatusCode.UNAVAILABLE, reason=Reason.UPSTREAM_UNAVAILABLE, retry=1.0)
_silent = partial(_out, reason=Reason.UPSTREAM_TIMEOUT)
_nonsense = partial(_out, reason=Reason.UPSTREAM_MALFORMED)
_late = partial(
    Row,
    code=grpc.StatusCode.DEADLINE_EXCEEDED,
    reason=Reason.DEADLINE_EXCEEDED,
    facts={"chunks_sent": "0"},
)
_large = partial(
    Row,
    says="listen.message_limit",
    code=grpc.StatusCode.RESOURCE_EXHAUSTED,
    reason=Reason.REPLY_TOO_LARGE,
)

OUTAGES = [
    _out("499", fault("cancelled"), "operation was cancelled", facts=http(499, "CANCELLED")),
    _out("500", fault("internal"), "An internal error has occurred", facts=http(500, "INTERNAL")),
    _out("502 HTML", fault("bad_gateway"), "HTTP 502", facts=http(502)),
    _out("503", fault("unavailable"), "model is overloaded", facts=http(503, "UNAVAILABLE")),
    _out("503 and a delay", refused(503, _BUSY), "overloaded", facts=http(503, "UNAVAILABLE"), retry=60.0),
    _out(
        "503 in a stream's first event",
        fault("error_event after=0"),
        "model is overloaded",
        rpcs=STREAM,
        facts=http(503, "UNAVAILABLE"),
    ),
    _out(
        "302 is not followed",
        scripted(answers({}, 302, location=NOBODY)),
        "HTTP 302",
        facts=http(302),
    ),
    _out("closed before any byte", fault("close"), "closed the connection before it answered"),
    _out("reset before any byte", fault("reset"), "closed the connection before it answered"),
    _out("body cut", fault("cut after=0"), "cut its answer short"),
    _out("nobody listens", under(facts.policy(_GONE)), "cannot be reached", is_safe=True),
    _out(
        "nobody listens at two places",
        under(facts.policy(_GONE, facts.gemini(NOBODY, project="other"))),
        "cannot be reached",
        is_safe=True,
    ),
    _out(
        "one place gone, the other busy for a minute, so the first once more",
        after_unreachable(answers(_BUSY, 503)),
        "cannot be reached",
    ),
    _out(
        "no such host",
        under(facts.policy(facts.gemini("https://nowhere.invalid"))),
        "host name cannot be resolved",
        is_safe=True,
    ),
    _out(
        "what is no host name",
        under(facts.policy(facts.gemini("https://no..name"))),
        "host name cannot be resolved",
        is_safe=True,
    ),
    _out("certificate not trusted", untrusted(), "TLS certificate or handshake", is_safe=True),
    _out("token service gone", tokens_from(), "token service cannot be reached", is_safe=True),
]

SILENCES = [
    _silent("504", fault("deadline"), "Deadline expired", facts=http(504, "DEADLINE_EXCEEDED")),
    _silent("408", refused(408, b""), "HTTP 408", facts=http(408)),
    _silent("no connection in time", silent_handshake(), "(connect_timeout)", is_safe=True),
    _silent("no answer", scripted(plays(), upstream=_FIRST_CONTENT), "(first_content_timeout)"),
    _silent(
        "nothing but headers",
        scripted(plays(STREAM_HEAD), upstream=_FIRST_CONTENT),
        "(first_content_timeout)",
        rpcs=STREAM,
    ),
    _silent(
        "silence in the body",
        scripted(plays(head(content_length=9) + b"{"), upstream={"idle_timeout": 0.2}),
        "(idle_timeout)",
        rpcs=UNARY,
    ),
    _silent(
        "silence before the first event",
        scripted(plays(STREAM_HEAD), upstream={"idle_timeout": 0.2}),
        "(idle_timeout)",
        rpcs=STREAM,
    ),
    _silent("never done", fault("stall after=0", upstream={"total_timeout": 0.2}), "(total_timeout)"),
    _late("default deadline", fault("stall after=0", timeout_s=None, deadline=_SHORT), "within the 0.2 s"),
    _late(
        "caller's deadline",
        fault("stall", timeout_s=2.0, deadline={"margin": 0.2}),
        "that the deadline allowed",
        rpcs=UNARY,
    ),
    _late(
        "deadline after two chunks",
        fault("stall after=2 chunks=3", timeout_s=None, deadline=_SHORT | {"default": 2.0}),
        "within the 2 s",
        rpcs=STREAM,
        facts={"chunks_sent": "2", "prompt_tokens": FIGURE, "total_tokens": FIGURE},
        chunks=2,
    ),
]

NONSENSE = [
    _nonsense("no JSON", fault("invalid_json"), "is not JSON"),
    _nonsense("half of the JSON", fault("truncated_json"), "is not JSON"),
    _nonsense("wrong types", fault("wrong_types"), "is not an integer"),
    _nonsense("web page", fault("html_page"), "is not JSON"),
    _nonsense("no HTTP", scripted(plays(b"SSH-2.0-OpenSSH_9.2\r\n", then="close")), "is not HTTP"),
    _nonsense("no body", fault("empty_body"), "is not JSON", rpcs=UNARY),
    _nonsense("no object", refused(200, b"[]"), "a JSON list, not an object", rpcs=UNARY),
    _nonsense("no base64", scripted(answers(_NO_BASE64)), "parts[0].inlineData.data", rpcs=UNARY),
    _nonsense("no base64 in an event", scripted(streams(_NO_BASE64)), "inlineData.data", rpcs=STREAM),
    _nonsense("no event in a body", fault("empty_body"), "without a single candidate", rpcs=STREAM),
    _nonsense("no event in a stream", fault("empty_stream"), "without a single candidate", rpcs=STREAM),
    _nonsense(
        "nothing but an empty object", fault("empty_object"), "without a single candidate", rpcs=STREAM
    ),
    _nonsense("no JSON in an event", fault("malformed_event after=0"), "is not JSON", rpcs=STREAM),
    _large("reply above the limit", fault("oversized size=1100KiB after=0", listen=_SMALL)),
    _large("reply far above the limit", fault("oversized size=3MiB after=0", listen=_SMALL)),
]

CUT = [
    _out(
        "cut by the drain",
        cut_by_drain(),
        "can wait for the answer no longer",
        reason=Reason.DRAINING,
    ),
]

ROWS = [*CUT, *OUTAGES, *SILENCES, *NONSENSE]
