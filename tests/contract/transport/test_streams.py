"""Streams: which endings are honest, and what a broken one has given until then."""

import asyncio
import json
from typing import Any

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.errors import (
    Reason,
    ReplyTooLarge,
    UpstreamError,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.core.outcome import Reply, Usage
from sidecar.core.ports import Transport
from tests.contract.transport.conftest import REPLY_LIMIT_BYTES
from tests.support import facts
from tests.support.upstream import (
    LAST_CHUNK,
    STREAM_HEAD,
    Script,
    answers,
    chunk,
    event,
    head,
    plays,
    refusal,
    said,
    serving,
    streams,
)


def asked(base_url: str) -> Attempt:
    return facts.attempt(facts.gemini(base_url), Method.STREAM_GENERATE)


async def texts(transport: Transport, attempt: Attempt, heard: list[str]) -> None:
    """Iterate a stream to its end, keeping the text of each chunk."""
    async with transport.stream(attempt) as chunks:
        async for reply in chunks:
            heard += [text_of(reply)]  # one by one, because the stream may break off


def text_of(reply: Reply) -> str:
    return "".join(
        part["text"]
        for candidate in reply.json.get("candidates", ())
        for part in candidate.get("content", {}).get("parts", ())
    )


def usage(total: int) -> dict[str, Any]:
    return {"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": total}}


GOOD = [
    pytest.param(streams(said("a"), said("b", "STOP")), ["a", "b"], id="finish-on-last-chunk"),
    pytest.param(streams(said("a"), said("", "MAX_TOKENS")), ["a", ""], id="cut-off-by-limit-is-an-answer"),
    pytest.param(streams(said("a", "STOP"), usage(9)), ["a", ""], id="usage-after-finish"),
    pytest.param(streams(said("a", "BRAND_NEW_REASON")), ["a"], id="newer-finish-reason"),
    pytest.param(
        streams(said("a"), said("b", index=1), said("", "STOP"), said("", "SAFETY", index=1)),
        ["a", "b", "", ""],
        id="several-candidates",
    ),
    pytest.param(
        streams(said("a", "FINISH_REASON_UNSPECIFIED"), said("b", "STOP")), ["a", "b"], id="vertex-interim"
    ),
    pytest.param(streams({"promptFeedback": {"blockReason": "SAFETY"}}), [""], id="blocked-prompt"),
    pytest.param(
        streams(b": hello\r\n\r\n", said("a"), b"event: x\nid: 1\n\n", said("b", "STOP")),
        ["a", "b"],
        id="comments-and-other-fields",
    ),
    pytest.param(
        streams(
            event(said("a")).replace(b"\r\n", b"\n"), b'data:{"candidates":[{"finishReason":"STOP"}]}\n\n'
        ),
        ["a", ""],
        id="line-feeds-alone",
    ),
    pytest.param(
        plays(STREAM_HEAD + chunk(event(said("a", "STOP"))[:-2]) + LAST_CHUNK),
        ["a"],
        id="last-event-without-its-blank-line",
    ),
    pytest.param(
        plays(STREAM_HEAD + chunk(event(said("a", "STOP")).rstrip()) + LAST_CHUNK),
        ["a"],
        id="last-event-without-its-line-end",
    ),
    pytest.param(
        plays(
            head(content_type="text/event-stream", connection="close") + event(said("a", "STOP")),
            then="close",
        ),
        ["a"],
        id="ended-by-the-connection",
    ),
    pytest.param(
        plays(STREAM_HEAD + b"".join(chunk(bytes([byte])) for byte in event(said("a", "STOP"))) + LAST_CHUNK),
        ["a"],
        id="byte-by-byte",
    ),
    pytest.param(
        plays(
            STREAM_HEAD + chunk(event(said("a")) + event(said("b")) + event(said("c", "STOP"))) + LAST_CHUNK
        ),
        ["a", "b", "c"],
        id="all-at-once",
    ),
]


@pytest.mark.parametrize(("script", "expected"), GOOD)
async def test_an_honest_stream_ends_normally(
    transport: Transport, script: Script, expected: list[str]
) -> None:
    heard: list[str] = []
    async with serving(script) as upstream:
        await texts(transport, asked(upstream.base_url), heard)
        assert len(upstream.requests) == 1
    assert heard == expected


MALFORMED, UNAVAILABLE = Reason.UPSTREAM_MALFORMED, Reason.UPSTREAM_UNAVAILABLE
BAD = [
    pytest.param(streams(said("a")), ["a"], MALFORMED, "without a finish reason", id="no-finish-reason"),
    pytest.param(
        streams(said("a"), said("b", index=1), said("", "STOP")),
        ["a", "b", ""],
        MALFORMED,
        "without a finish reason",
        id="one-of-two-unfinished",
    ),
    pytest.param(
        streams(said("a", "FINISH_REASON_UNSPECIFIED")),
        ["a"],
        MALFORMED,
        "without a finish reason",
        id="only-vertex-interim",
    ),
    pytest.param(streams(), [], MALFORMED, "without a single candidate", id="empty"),
    pytest.param(streams(usage(3)), [""], MALFORMED, "without a single candidate", id="usage-alone"),
    pytest.param(
        plays(STREAM_HEAD + chunk(event(said("a"))), then="close"),
        ["a"],
        UNAVAILABLE,
        "cut its answer short",
        id="cut-after-a-chunk",
    ),
    pytest.param(
        plays(STREAM_HEAD + chunk(event(said("a"))), then="cut"),
        None,
        UNAVAILABLE,
        "",
        id="reset-after-a-chunk",
    ),
    pytest.param(
        plays(STREAM_HEAD, then="close"), [], UNAVAILABLE, "cut its answer short", id="cut-before-a-chunk"
    ),
    pytest.param(
        streams(said("a"), b'data: {"candidates": [{"con'),
        ["a"],
        MALFORMED,
        "not JSON",
        id="event-cut-short",
    ),
    pytest.param(streams(said("a"), b"data: [DONE]\n\n"), ["a"], MALFORMED, "not JSON", id="done-marker"),
    pytest.param(streams(said("a"), b"data: 7\n\n"), ["a"], MALFORMED, "JSON int", id="no-object"),
    pytest.param(
        streams(said("a"), b'data: {"candidates": 7}\n\n'), ["a"], MALFORMED, "candidates", id="wrong-type"
    ),
    pytest.param(
        streams(refusal(503, "UNAVAILABLE", "overloaded")), [], UNAVAILABLE, "overloaded", id="error-first"
    ),
    pytest.param(
        streams(said("a"), refusal(500, "INTERNAL", "oops")),
        ["a"],
        UNAVAILABLE,
        "oops",
        id="error-after-chunk",
    ),
    pytest.param(
        streams(said("a"), {"error": {"message": "oops"}}),
        ["a"],
        UNAVAILABLE,
        "oops",
        id="error-without-code",
    ),
    pytest.param(streams(said("a"), {"error": "oops"}), ["a"], UNAVAILABLE, "HTTP 500", id="error-no-object"),
    pytest.param(
        streams(said("a"), json.dumps(refusal(503, "UNAVAILABLE", "bare"), indent=2).encode()),
        ["a"],
        UNAVAILABLE,
        "bare",
        id="bare-error",
    ),
    pytest.param(
        streams(said("a"), json.dumps(refusal(503, "UNAVAILABLE", "bare"), indent=2).encode() + b"\n"),
        ["a"],
        UNAVAILABLE,
        "bare",
        id="bare-error-with-line-end",
    ),
    pytest.param(
        streams(said("a", "STOP"), refusal(500, "INTERNAL", "oops")),
        ["a"],
        UNAVAILABLE,
        "oops",
        id="error-after-finish",
    ),
    pytest.param(streams(b"<html>Bad gateway</html>"), [], MALFORMED, "not JSON", id="html-in-the-stream"),
]


@pytest.mark.parametrize(("script", "expected", "reason", "words"), BAD)
async def test_a_dishonest_stream_raises_after_what_it_gave(
    transport: Transport, script: Script, expected: list[str] | None, reason: Reason, words: str
) -> None:
    heard: list[str] = []
    async with serving(script) as upstream:
        attempt = asked(upstream.base_url)
        with pytest.raises(UpstreamUnavailable) as caught:
            await texts(transport, attempt, heard)
        assert len(upstream.requests) == 1, "one attempt is one request"
    assert expected is None or heard == expected
    assert caught.value.reason == reason
    assert words in caught.value.message
    assert facts.grant_of(attempt).sent_count == 1


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [(400, "INVALID_ARGUMENT", UpstreamRejected), (429, "RESOURCE_EXHAUSTED", UpstreamQuota)],
)
@pytest.mark.parametrize("inside", [False, True], ids=["as-answer", "as-event"])
async def test_a_refused_stream_is_classified_like_a_refused_answer(
    transport: Transport, code: int, status: str, error: type[UpstreamError], inside: bool
) -> None:
    payload = refusal(code, status, "no")
    async with serving(streams(payload) if inside else answers(payload, code)) as upstream:
        with pytest.raises(error):
            await texts(transport, asked(upstream.base_url), [])


async def test_an_error_wrapped_in_a_list_is_read(transport: Transport) -> None:
    async with serving(answers([refusal(429, "RESOURCE_EXHAUSTED", "slow down")], 429)) as upstream:
        with pytest.raises(UpstreamQuota, match="slow down"):
            await texts(transport, asked(upstream.base_url), [])


async def test_each_chunk_is_handed_on_before_the_next_is_made(transport: Transport) -> None:
    second = asyncio.Event()
    script = plays(STREAM_HEAD, chunk(event(said("a"))), second, chunk(event(said("b", "STOP"))) + LAST_CHUNK)
    async with serving(script) as upstream, transport.stream(asked(upstream.base_url)) as chunks:
        assert text_of(await anext(chunks)) == "a"
        second.set()
        assert text_of(await anext(chunks)) == "b"
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)


async def test_usage_is_the_running_total_of_each_chunk(transport: Transport) -> None:
    script = streams(said("a", **usage(4)), said("b"), said("c", "STOP", **usage(9)))
    async with serving(script) as upstream, transport.stream(asked(upstream.base_url)) as chunks:
        seen = [reply.usage async for reply in chunks]
    assert seen == [Usage(prompt=3, total=4), None, Usage(prompt=3, total=9)]


async def test_a_connection_is_kept_after_an_honest_stream(transport: Transport) -> None:
    async with serving(streams(said("a", "STOP"))) as upstream:
        await texts(transport, asked(upstream.base_url), [])
        await texts(transport, asked(upstream.base_url), [])
        assert [request.connection for request in upstream.requests] == [1, 1]


async def test_leaving_a_stream_early_closes_its_connection(transport: Transport) -> None:
    async with serving(plays(STREAM_HEAD, chunk(event(said("a"))))) as upstream:
        async with transport.stream(asked(upstream.base_url)) as chunks:
            await anext(chunks)
        await upstream.disconnected()


async def test_a_giant_event_within_the_limit_is_one_chunk(transport: Transport) -> None:
    text = "x" * (REPLY_LIMIT_BYTES - 1000)
    script = streams(said(text, "STOP"))
    async with serving(script) as upstream, transport.stream(asked(upstream.base_url)) as chunks:
        replies = [reply async for reply in chunks]
    assert [text_of(reply) for reply in replies] == [text]
    assert replies[0].is_large


async def test_an_event_above_the_message_limit_ends_the_stream(transport: Transport) -> None:
    heard: list[str] = []
    endless = plays(STREAM_HEAD, chunk(event(said("a"))), chunk(b"data: " + b"x" * (2 * REPLY_LIMIT_BYTES)))
    async with serving(endless) as upstream:
        with pytest.raises(ReplyTooLarge, match=r"listen\.message_limit"):
            await texts(transport, asked(upstream.base_url), heard)
        await upstream.disconnected()
    assert heard == ["a"]
