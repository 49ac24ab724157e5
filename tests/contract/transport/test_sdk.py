"""What only the transport by google-genai could get wrong: it has own ideas of hops, tools and types."""

import asyncio
import gc
import subprocess
import sys
from typing import Any

import pytest

from sidecar.core.call import Json, Method
from sidecar.core.errors import Reason, UpstreamRejected, UpstreamUnavailable
from sidecar.core.outcome import Reply
from sidecar.upstream.credentials import Credentials
from sidecar.v1 import generate_pb2
from tests.contract.transport.conftest import Closable, sdk
from tests.support import facts
from tests.support.sidecar import serving as sidecar
from tests.support.upstream import STREAM_HEAD, answers, chunk, event, plays, said, serving, streams

GOOD = answers(said("hello", "STOP"))
HELLO: Json = facts.HELLO


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_headers(self: Credentials, endpoint: object) -> dict[str, str]:
        return {}

    monkeypatch.setattr(Credentials, "headers", no_headers)


@pytest.fixture
async def transport() -> Any:
    transport = sdk()
    yield transport
    await transport.close()


async def sent(transport: Closable, body: Json, api: str = "gemini", **values: Any) -> Any:
    """What is on the wire for a body."""
    async with serving(GOOD) as upstream:
        endpoint = getattr(facts, api)(upstream.base_url)
        await transport.send(facts.attempt(endpoint, body=body, **values))
        assert len(upstream.requests) == upstream.connections == 1
        return upstream.requests[0].json


NEWER: list[Json] = [
    {**HELLO, "brandNew": {"a": [1]}},
    {**HELLO, "generationConfig": {"temperature": 0.5, "brandNew": {"snake_case": 1}}},
    {**HELLO, "generationConfig": {"thinkingConfig": {"thinkingBudget": 5, "brandNew": True}}},
    {"contents": [{"parts": [{"text": "hi", "brandNew": 1}], "role": "user"}], "generationConfig": {}},
    {**HELLO, "tools": [{"googleSearch": {}}, {"brandNew": {}}], "generationConfig": {}},
    {**HELLO, "safetySettings": [{"category": "HARM_CATEGORY_NEW", "threshold": "OFF"}]},
    {**HELLO, "systemInstruction": {"parts": [{"brandNew": 1}]}, "toolConfig": {"brandNew": {}}},
]


@pytest.mark.parametrize("body", NEWER, ids=[str(number) for number in range(len(NEWER))])
async def test_what_is_newer_than_google_genai_is_sent_all_the_same(transport: Closable, body: Json) -> None:
    assert await sent(transport, body) == {"generationConfig": {}, **body}


async def test_newer_options_of_other_methods_are_sent_all_the_same(transport: Closable) -> None:
    async with serving(answers({"embeddings": [], "totalTokens": 1})) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        for method in (Method.EMBED_CONTENT, Method.COUNT_TOKENS):
            await transport.send(facts.attempt(endpoint, method, {**HELLO, "brandNew": 1}))
        embed, count = (request.json for request in upstream.requests)
    model = f"models/{facts.MODEL}"
    assert embed == {"requests": [{"brandNew": 1, "model": model, "content": HELLO["contents"][0]}]}
    assert count == {"generateContentRequest": {"model": model, **HELLO, "brandNew": 1}}


async def test_a_newer_option_of_a_question_about_models_is_refused(transport: Closable) -> None:
    async with serving(answers({"models": []})) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url), Method.LIST_MODELS, {"brandNew": 1})
        with pytest.raises(UpstreamRejected, match="brandNew parameter is not known to google-genai"):
            await transport.send(attempt)
        assert upstream.requests == []


async def test_words_newer_than_google_genai_are_read_without_a_warning(transport: Closable) -> None:
    answer = said("a", "BRAND_NEW", promptFeedback={"blockReason": "ALSO_NEW"})
    async with serving(answers(answer)) as upstream:
        reply = await transport.send(facts.attempt(facts.gemini(upstream.base_url)))
    assert reply.json == answer


async def test_servers_of_tools_are_left_to_vertex(transport: Closable) -> None:
    body = {**HELLO, "tools": [{"mcpServers": [{"name": "shop"}]}]}
    assert (await sent(transport, body, "vertex"))["tools"] == body["tools"]


async def test_a_parameter_of_the_other_api_is_refused_by_name(transport: Closable) -> None:
    async with serving(GOOD) as upstream:
        body = {**HELLO, "generationConfig": {"audioTimestamp": True}}
        attempt = facts.attempt(facts.gemini(upstream.base_url), body=body)
        with pytest.raises(UpstreamRejected, match="google-genai refuses the request") as error:
            await transport.send(attempt)
        assert upstream.requests == []
    assert [violation.field for violation in error.value.violations] == ["audio_timestamp"]
    assert not facts.grant_of(attempt).is_sent


async def test_an_answer_that_does_not_fit_its_types_is_malformed_and_not_quoted(transport: Closable) -> None:
    secret = "do not tell"
    answer = {"candidates": [{"content": {"parts": [{"text": {"oops": secret}}]}, "finishReason": "STOP"}]}
    async with serving(answers(answer), streams(answer)) as upstream:
        attempt = facts.attempt(facts.gemini(upstream.base_url))
        with pytest.raises(UpstreamUnavailable, match="google-genai's types") as error:
            await transport.send(attempt)
        streamed = facts.attempt(facts.gemini(upstream.base_url), Method.STREAM_GENERATE)
        with pytest.raises(UpstreamUnavailable, match="google-genai's types"):
            await chunks_of(transport, streamed)
    assert error.value.reason == Reason.UPSTREAM_MALFORMED
    assert error.value.message.endswith("at candidates.0.content.parts.0.text")
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__
    assert secret not in str(error.value)


CALLS = {"functionCall": {"name": "f", "args": {}}}
TO_BE_CONTINUED = {
    "candidates": [
        {"content": {"parts": [CALLS]}, "finishReason": "CONTINUATION", "continuationToken": "dG9rZW4="}
    ]
}


async def test_neither_a_function_call_nor_a_continuation_makes_a_second_request(transport: Closable) -> None:
    body = {**HELLO, "tools": [{"functionDeclarations": [{"name": "f"}]}]}
    async with serving(answers(TO_BE_CONTINUED), streams(TO_BE_CONTINUED)) as upstream:
        endpoint = facts.gemini(upstream.base_url)
        whole = await transport.send(facts.attempt(endpoint, body=body))
        chunks = await chunks_of(transport, facts.attempt(endpoint, Method.STREAM_GENERATE, body))
        assert len(upstream.requests) == 2
    assert whole.json == TO_BE_CONTINUED
    assert [reply.json for reply in chunks] == [TO_BE_CONTINUED]


async def test_streams_left_early_leave_no_task(transport: Closable) -> None:
    before = asyncio.all_tasks()
    async with serving(plays(STREAM_HEAD, chunk(event(said("a"))))) as upstream:
        for _ in range(5):
            attempt = facts.attempt(facts.gemini(upstream.base_url), Method.STREAM_GENERATE)
            async with transport.stream(attempt) as chunks:
                await anext(chunks)
        await upstream.disconnected(5)
    gc.collect()  # google-genai's generators are reference cycles
    for _ in range(10):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_endpoints_share_a_client_but_for_their_keys(transport: Closable) -> None:
    async with serving(GOOD) as upstream:
        for project in ("a", "b"):
            await transport.send(facts.attempt(facts.gemini(upstream.base_url, project=project)))
        await transport.send(facts.attempt(facts.gemini(f"{upstream.base_url}/elsewhere")))
    assert repr(transport).startswith("<SdkTransport of 2 endpoints")


async def test_the_setting_chooses_it() -> None:
    request = generate_pb2.GenerateRequest(model=facts.MODEL, prompt="hi")
    async with (
        serving(GOOD) as upstream,
        sidecar(facts.policy(facts.gemini(upstream.base_url)), upstream={"transport": "sdk"}) as served,
    ):
        reply = await served.gemini.Generate(request)
        assert upstream.requests[0].headers["x-goog-api-client"].startswith("google-genai-sdk/")
    assert reply.candidates[0].content.parts[0].text == "hello"


def test_google_genai_is_not_imported_unless_it_is_chosen() -> None:
    code = "import sidecar.app, sys; sys.exit('google.genai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def chunks_of(transport: Closable, attempt: Any) -> list[Reply]:
    async with transport.stream(attempt) as chunks:
        return [reply async for reply in chunks]
