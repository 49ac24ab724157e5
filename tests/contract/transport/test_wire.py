"""What the upstream sees of a request, and what nobody else may see of it."""

import asyncio
import traceback
from pathlib import Path
from typing import Any

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.errors import UpstreamError
from sidecar.core.ports import Transport
from tests.contract.transport.conftest import Build, as_sent_by
from tests.support import facts, google_account
from tests.support.certificates import Authority
from tests.support.upstream import Script, answers, plays, refusal, said, serving, streams

TOKEN = "ya29.made-up-token"
GOOD = answers(said("hello", "STOP"))


async def test_a_request_to_the_developer_api(transport: Transport) -> None:
    async with serving(GOOD) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        await transport.send(attempt)
        request = upstream.requests[0]
    assert (request.method, request.target) == ("POST", "/v1beta/models/gemini-3.8-flash:generateContent")
    assert request.json == as_sent_by(transport, facts.HELLO)
    assert request.headers["x-goog-api-key"] == facts.API_KEY
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-request-id"] == "req-1"
    assert request.headers["content-length"] == str(len(request.body))


async def test_a_stream_asks_for_events(transport: Transport) -> None:
    async with serving(streams(said("a", "STOP"))) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url), Method.STREAM_GENERATE)
        async with transport.stream(attempt) as chunks:
            _ = [reply async for reply in chunks]
        request = upstream.requests[0]
    assert request.target == "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
    assert request.json == as_sent_by(transport, facts.HELLO)


async def test_questions_about_models_have_no_body(transport: Transport) -> None:
    async with serving(answers({"models": []})) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url), Method.LIST_MODELS, {"pageSize": 5})
        await transport.send(attempt)
        request = upstream.requests[0]
    assert (request.method, request.target, request.body) == ("GET", "/v1beta/models?pageSize=5", b"")


@pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")
async def test_a_request_to_vertex_carries_a_bearer_token(transport: Transport, tmp_path: Path) -> None:
    async with serving(google_account.grants(TOKEN)) as tokens, serving(GOOD) as upstream:
        file = google_account.credentials_file(tmp_path, tokens.base_url)
        attempt = facts.attempt(facts.vertex(upstream.base_url, credentials_file=file))
        await transport.send(attempt)
        request = upstream.requests[0]
    path = "/v1/projects/acme/locations/europe-west4/publishers/google/models/gemini-3.8-flash"
    assert request.target == f"{path}:generateContent"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert "x-goog-api-key" not in request.headers


async def test_what_is_not_sent(transport: Transport) -> None:
    async with serving(GOOD) as upstream:
        await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
        names = set(upstream.requests[0].headers)
    assert not names & {"accept-encoding", "cookie", "authorization", "expect", "transfer-encoding"}


async def test_cookies_of_the_upstream_are_not_kept(transport: Transport) -> None:
    async with serving(answers(said("a", "STOP"), set_cookie="a=b")) as upstream:
        await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
        await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
        assert "cookie" not in upstream.requests[1].headers


async def test_the_environment_names_no_proxy(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(GOOD) as upstream, serving(GOOD) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
        await build().send(facts.attempt(facts.gemini(upstream.base_url)))
        assert (len(upstream.requests), len(proxy.requests)) == (1, 0)


@pytest.mark.parametrize(
    ("allowed_s", "header"),
    [(0.5, None), (9.9, None), (10.9, "11"), (60.0, "60"), (59.9, "60"), (600.0, "600")],
)
async def test_the_upstream_is_told_the_time_left_when_it_accepts_so_short_a_time(
    transport: Transport, allowed_s: float, header: str | None
) -> None:
    """Google answers 400 to an X-Server-Timeout below 10 s; the figure is rounded up, never down."""
    async with serving(GOOD) as upstream:
        attempt = facts.attempt(
            facts.gemini(upstream.base_url), arrival=facts.arrival(Method.GENERATE, allowed_s)
        )
        await transport.send(attempt)
        assert upstream.requests[0].headers.get("x-server-timeout") == header


async def test_a_base_url_may_have_a_path_prefix(transport: Transport) -> None:
    async with serving(GOOD) as upstream:
        await transport.send(facts.attempt(facts.gemini(f"{upstream.base_url}/pre/fix")))
        assert upstream.requests[0].target.startswith("/pre/fix/v1beta/models/")


async def test_text_of_every_script_arrives_as_it_was(transport: Transport) -> None:
    text = 'naïve 漢字 🙂 \x00 \u2028 \\ " </script>'
    body = {"contents": [{"parts": [{"text": text}], "role": "user"}]}
    async with serving(answers(said(text, "STOP"))) as upstream:
        reply = await transport.send(facts.attempt(facts.gemini(upstream.base_url), body=body))
        assert upstream.requests[0].json == as_sent_by(transport, body)
    assert reply.json == said(text, "STOP")


# --------------------------------------------------------------------------------------------------- TLS


async def test_tls_with_the_authority_named_in_settings(build: Build, tmp_path: Path) -> None:
    authority = Authority()
    async with serving(GOOD, tls=authority.server_context(tmp_path)) as upstream:
        transport = build(ca_file=authority.bundle(tmp_path))
        reply = await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
    assert reply.json == said("hello", "STOP")


@pytest.mark.parametrize("trusted", ["system", "another"])
async def test_tls_of_an_authority_not_trusted_sends_nothing(
    build: Build, tmp_path: Path, trusted: str
) -> None:
    another = {"ca_file": Authority().bundle(tmp_path)} if trusted == "another" else {}
    async with serving(GOOD, tls=Authority().server_context(tmp_path)) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        with pytest.raises(UpstreamError, match="TLS certificate or handshake was refused"):
            await build(**another).send(attempt)
        assert upstream.requests == []
    assert not facts.grant_of(attempt).is_sent


async def test_tls_for_another_host_sends_nothing(build: Build, tmp_path: Path) -> None:
    authority = Authority()
    async with serving(GOOD, tls=authority.server_context(tmp_path, "127.0.0.2")) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        with pytest.raises(UpstreamError, match="TLS"):
            await build(ca_file=authority.bundle(tmp_path)).send(attempt)
    assert not facts.grant_of(attempt).is_sent


async def test_cancelling_closes_a_tls_connection_at_once(build: Build, tmp_path: Path) -> None:
    authority = Authority()
    async with serving(plays(), tls=authority.server_context(tmp_path)) as upstream:
        transport = build(ca_file=authority.bundle(tmp_path))
        task = asyncio.ensure_future(transport.send(facts.attempt(facts.gemini(upstream.base_url))))
        await upstream.requested()
        task.cancel()
        async with asyncio.timeout(0.1):
            await upstream.disconnected()
        await asyncio.wait({task})


# ----------------------------------------------------------------------------------------------- secrets

FAILURES: dict[str, Script] = {
    "refused": answers(refusal(403, "PERMISSION_DENIED", f"key {facts.API_KEY} is bad"), 403),
    "cut": plays(then="close"),
    "malformed": answers(b"<html>"),
    "not-http": plays(b"nonsense\r\n\r\n"),
}


@pytest.mark.parametrize("script", FAILURES.values(), ids=FAILURES)
async def test_a_failure_shows_neither_key_nor_prompt(transport: Transport, script: Script) -> None:
    prompt = "the secret prompt"
    body = {"contents": [{"parts": [{"text": prompt}], "role": "user"}]}
    async with serving(script) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url), body=body)
        with pytest.raises(UpstreamError) as caught:
            await transport.send(attempt)
    shown = shown_by(caught.value)
    assert facts.API_KEY not in shown
    assert prompt not in shown


@pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")
async def test_a_failure_does_not_show_the_token(transport: Transport, tmp_path: Path) -> None:
    async with serving(google_account.grants(TOKEN)) as tokens, serving(plays(then="close")) as upstream:
        file = google_account.credentials_file(tmp_path, tokens.base_url)
        attempt = facts.attempt(facts.vertex(upstream.base_url, credentials_file=file))
        with pytest.raises(UpstreamError) as caught:
            await transport.send(attempt)
    shown = shown_by(caught.value)
    assert TOKEN not in shown
    assert "PRIVATE KEY" not in shown


async def test_neither_attempt_nor_transport_shows_the_key(transport: Transport) -> None:
    async with serving(GOOD) as upstream:
        attempt: Attempt = facts.attempt(facts.gemini(upstream.base_url))
        await transport.send(attempt)
        assert facts.API_KEY not in repr(attempt) + repr(transport) + str(attempt.candidate)


def shown_by(error: UpstreamError) -> str:
    """All that a log could show: the error and its causes as text, with tracebacks, and its metadata."""
    told: list[Any] = [error.message, error.metadata, repr(error)]
    return "".join(traceback.format_exception(error)) + "".join(map(str, told))
