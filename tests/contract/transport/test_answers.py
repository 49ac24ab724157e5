"""Whole answers: what a Transport makes of each way an upstream can answer, and how often it asks."""

import asyncio
import json

import pytest

from sidecar.core.call import Method
from sidecar.core.errors import (
    Reason,
    ReplyTooLarge,
    UpstreamCredentials,
    UpstreamError,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.core.outcome import Usage
from sidecar.core.ports import Transport
from tests.contract.transport.conftest import REPLY_LIMIT_BYTES, as_read_by, as_sent_by
from tests.support import facts
from tests.support.upstream import LAST_CHUNK, Script, answers, chunk, head, plays, refusal, said, serving

USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 2, "totalTokenCount": 9, "serviceTier": "flex"}


async def test_a_good_answer_is_returned_with_its_usage_and_tier(transport: Transport) -> None:
    async with serving(answers(said("hello", "STOP", usageMetadata=USAGE))) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        reply = await transport.send(attempt)
    assert reply.json == as_read_by(transport, said("hello", "STOP", usageMetadata=USAGE))
    assert reply.usage == Usage(prompt=7, candidates=2, total=9)
    assert reply.service_tier == "flex"
    assert not reply.is_large


async def test_a_chunked_answer_is_read_to_its_end(transport: Transport) -> None:
    body = json.dumps(said("hello", "STOP")).encode()
    pieces = b"".join(chunk(body[at : at + 7]) for at in range(0, len(body), 7))
    script = plays(head(transfer_encoding="chunked") + pieces + LAST_CHUNK)
    async with serving(script) as upstream:
        reply = await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
    assert reply.json == said("hello", "STOP")


async def test_an_answer_that_ends_with_the_connection_is_read_to_its_end(transport: Transport) -> None:
    script = plays(head(connection="close") + json.dumps(said("hello")).encode(), then="close")
    async with serving(script) as upstream:
        reply = await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
    assert reply.json == said("hello")


async def test_a_large_answer_is_marked_as_work_for_a_thread(transport: Transport) -> None:
    async with serving(answers(said("x" * 300_000, "STOP"))) as upstream:
        reply = await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
    assert reply.is_large


async def test_a_large_request_arrives_whole(transport: Transport) -> None:
    body = {"contents": [{"parts": [{"text": "x" * 3_000_000}], "role": "user"}]}
    async with serving(answers(said("hello", "STOP"))) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url), body=body)
        await transport.send(attempt)
        assert upstream.requests[0].json == as_sent_by(transport, body)


@pytest.mark.parametrize(
    ("script", "error", "reason", "words"),
    [
        pytest.param(
            answers(refusal(400, "INVALID_ARGUMENT", "too hot"), 400),
            UpstreamRejected,
            Reason.UPSTREAM_REJECTED,
            "HTTP 400: too hot",
            id="google-400",
        ),
        pytest.param(
            answers(refusal(429, "RESOURCE_EXHAUSTED", "slow down"), 429),
            UpstreamQuota,
            Reason.UPSTREAM_QUOTA,
            "slow down",
            id="google-429",
        ),
        pytest.param(
            answers(refusal(403, "PERMISSION_DENIED", "no key"), 403),
            UpstreamCredentials,
            Reason.UPSTREAM_CREDENTIALS,
            "credentials",
            id="google-403",
        ),
        pytest.param(
            answers(b"<html><h1>502 Bad Gateway</h1></html>", 502, "text/html"),
            UpstreamUnavailable,
            Reason.UPSTREAM_UNAVAILABLE,
            "HTTP 502",
            id="html-502",
        ),
        pytest.param(
            answers(b"", 503), UpstreamUnavailable, Reason.UPSTREAM_UNAVAILABLE, "HTTP 503", id="empty-503"
        ),
        pytest.param(
            answers(b"", 504), UpstreamUnavailable, Reason.UPSTREAM_TIMEOUT, "HTTP 504", id="empty-504"
        ),
        pytest.param(
            answers(said("hello"), 201), UpstreamUnavailable, Reason.UPSTREAM_UNAVAILABLE, "201", id="201"
        ),
        pytest.param(
            plays(b"HTTP/1.1 204 No Content\r\n\r\n"),
            UpstreamUnavailable,
            Reason.UPSTREAM_UNAVAILABLE,
            "204",
            id="204",
        ),
        pytest.param(
            answers(b"<html>", 200, "text/html"),
            UpstreamUnavailable,
            Reason.UPSTREAM_MALFORMED,
            "not JSON",
            id="html-200",
        ),
        pytest.param(
            answers(b""), UpstreamUnavailable, Reason.UPSTREAM_MALFORMED, "not JSON", id="empty-200"
        ),
        pytest.param(answers([]), UpstreamUnavailable, Reason.UPSTREAM_MALFORMED, "JSON list", id="list-200"),
        pytest.param(
            answers(b'{"candidates": [{"index": NaN}]}'),
            UpstreamUnavailable,
            Reason.UPSTREAM_MALFORMED,
            "not JSON",
            id="nan",
        ),
        pytest.param(
            answers(b"[" * 100_000),
            UpstreamUnavailable,
            Reason.UPSTREAM_MALFORMED,
            "not JSON",
            id="deep",
        ),
        pytest.param(
            answers({"candidates": "none"}),
            UpstreamUnavailable,
            Reason.UPSTREAM_MALFORMED,
            "candidates",
            id="wrong-type",
        ),
        pytest.param(
            plays(head(content_length=100) + b'{"candidates"', then="close"),
            UpstreamUnavailable,
            Reason.UPSTREAM_UNAVAILABLE,
            "cut its answer short",
            id="cut-body",
        ),
        pytest.param(
            plays(head(transfer_encoding="chunked") + chunk(b"{"), then="close"),
            UpstreamUnavailable,
            Reason.UPSTREAM_UNAVAILABLE,
            "cut its answer short",
            id="cut-chunked-body",
        ),
        pytest.param(
            plays(then="close"),
            UpstreamUnavailable,
            Reason.UPSTREAM_UNAVAILABLE,
            "before it answered",
            id="closed-before-headers",
        ),
        pytest.param(
            plays(then="cut"),
            UpstreamUnavailable,
            Reason.UPSTREAM_UNAVAILABLE,
            "before it answered",
            id="reset-before-headers",
        ),
        pytest.param(
            plays(b"HTTP/1.1 200 OK\r\nContent-", then="close"),
            UpstreamUnavailable,
            Reason.UPSTREAM_UNAVAILABLE,
            "before it answered",
            id="closed-within-headers",
        ),
        pytest.param(
            plays(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            UpstreamUnavailable,
            Reason.UPSTREAM_MALFORMED,
            "not HTTP",
            id="not-http",
        ),
        pytest.param(
            plays(head(transfer_encoding="chunked") + b"zz\r\nx\r\n"),
            UpstreamUnavailable,
            None,
            "",
            id="bad-chunk-size",
        ),
    ],
)
async def test_a_bad_answer_is_a_typed_error(
    transport: Transport, script: Script, error: type[UpstreamError], reason: Reason | None, words: str
) -> None:
    async with serving(script) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        with pytest.raises(error) as caught:
            await transport.send(attempt)
        assert len(upstream.requests) == 1, "one attempt is one request"
    assert reason is None or caught.value.reason == reason
    assert words in caught.value.message
    assert facts.grant_of(attempt).sent_count == 1


async def test_an_answer_above_the_message_limit_is_too_large(transport: Transport) -> None:
    async with serving(answers(said("x" * (REPLY_LIMIT_BYTES * 2)))) as upstream:
        with pytest.raises(ReplyTooLarge, match=r"listen\.message_limit"):
            await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
        await upstream.disconnected()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(transport: Transport, status: int) -> None:
    async with serving(answers(said("elsewhere", "STOP"))) as elsewhere:
        script = answers(b"", status, location=f"{elsewhere.base_url}/v1beta/models/x:generateContent")
        async with serving(script) as upstream:
            with pytest.raises(UpstreamUnavailable, match=f"HTTP {status}"):
                await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
            assert len(upstream.requests) == 1
        assert elsewhere.requests == []


async def test_an_informational_answer_is_passed_over(transport: Transport) -> None:
    body = json.dumps(said("hello", "STOP")).encode()
    script = plays(b"HTTP/1.1 103 Early Hints\r\n\r\n" + head(content_length=len(body)) + body)
    async with serving(script) as upstream:
        reply = await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
    assert reply.json == said("hello", "STOP")


async def test_connections_are_kept_for_the_next_attempt(transport: Transport) -> None:
    scripts = [answers(said("hello", "STOP")), answers(refusal(503, "UNAVAILABLE", "busy"), 503)]
    async with serving(*scripts, answers(said("hello", "STOP"))) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        await transport.send(facts.attempt(endpoint))
        with pytest.raises(UpstreamUnavailable):
            await transport.send(facts.attempt(endpoint))
        await transport.send(facts.attempt(endpoint))
        assert [request.connection for request in upstream.requests] == [1, 1, 1]


async def test_a_kept_connection_that_dies_under_the_request_is_not_tried_again(transport: Transport) -> None:
    async with serving(answers(said("hello", "STOP")), plays(then="close")) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        await transport.send(facts.attempt(endpoint))
        attempt = facts.attempt(endpoint)
        with pytest.raises(UpstreamUnavailable, match="before it answered"):
            await transport.send(attempt)
        assert len(upstream.requests) == 2
    assert facts.grant_of(attempt).is_sent, "the request left: it may have been billed"


async def test_a_question_by_get_on_a_dying_connection_is_asked_once(transport: Transport) -> None:
    async with serving(answers({"models": []}), plays(then="close"), answers({"models": []})) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        await transport.send(facts.attempt(endpoint, Method.LIST_MODELS, {}))
        with pytest.raises(UpstreamUnavailable):
            await transport.send(facts.attempt(endpoint, Method.LIST_MODELS, {}))
        assert len(upstream.requests) == 2


async def test_a_connection_closed_while_idle_is_replaced(transport: Transport) -> None:
    async with serving(
        answers(said("hello", "STOP"), connection="close"), answers(said("again", "STOP"))
    ) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        await transport.send(facts.attempt(endpoint))
        await upstream.disconnected()
        reply = await transport.send(facts.attempt(endpoint))
        assert [request.connection for request in upstream.requests] == [1, 2]
    assert reply.json == said("again", "STOP")


async def test_attempts_at_the_same_time_have_a_connection_each(transport: Transport) -> None:
    go = asyncio.Event()
    body = json.dumps(said("hello", "STOP")).encode()
    async with serving(plays(go, head(content_length=len(body)) + body)) as upstream:
        attempts = [facts.attempt(facts.gemini(upstream.base_url)) for _ in range(5)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(transport.send(attempt)) for attempt in attempts]
            await upstream.requested(5)
            go.set()
        assert upstream.connections == 5
    assert all(task.result().json == said("hello", "STOP") for task in tasks)


async def test_closing_the_transport_closes_idle_connections(transport: Transport) -> None:
    async with serving(answers(said("hello", "STOP"))) as upstream:
        await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
        assert upstream.open_connections == 1
        await transport.close()  # type: ignore[attr-defined]
        await upstream.disconnected()


async def test_a_delay_asked_for_by_retry_after_is_told_and_forgotten_with_the_answer(
    transport: Transport,
) -> None:
    busy = refusal(503, "UNAVAILABLE", "busy")
    async with serving(answers(busy, 503, retry_after="17"), answers(busy, 503)) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        delays = []
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable) as caught:
                await transport.send(facts.attempt(endpoint))
            delays.append((caught.value.pushback_s, caught.value.retry_after_s))
        assert [request.connection for request in upstream.requests] == [1, 1]
    assert delays == [(17.0, 17.0), (None, 1.0)]
