"""Google's own SDK as a client: what it reads is what Gemini would have sent."""

from collections.abc import AsyncIterator

import pytest
from google import genai
from google.genai import errors, types

from tests.integration.emulator.wire import MODEL

# The SDK derives its own session class from aiohttp's, which warns about it.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

_QUESTION = "Why is the sky blue?"


def _script(text: str) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(http_options=types.HttpOptions(headers={"x-emulate": text}))


async def test_content_is_generated(either):
    reply = await either.models.generate_content(model=MODEL, contents=_QUESTION)
    assert reply.text.startswith(f'You asked: "{_QUESTION}"')
    assert reply.candidates[0].finish_reason is types.FinishReason.STOP
    assert reply.model_version == MODEL
    usage = reply.usage_metadata
    parts = usage.prompt_token_count + usage.candidates_token_count + usage.thoughts_token_count
    assert usage.total_token_count == parts


async def test_a_stream_spells_the_same_text(either):
    whole = await either.models.generate_content(model=MODEL, contents=_QUESTION)
    stream = await either.models.generate_content_stream(model=MODEL, contents=_QUESTION)
    chunks = [chunk async for chunk in stream]
    assert len(chunks) > 1
    assert "".join(chunk.text for chunk in chunks) == whole.text
    assert chunks[-1].usage_metadata.total_token_count == whole.usage_metadata.total_token_count
    assert {chunk.response_id for chunk in chunks} == {whole.response_id}


async def test_tokens_are_counted(either):
    counted = await either.models.count_tokens(model=MODEL, contents=_QUESTION)
    reply = await either.models.generate_content(model=MODEL, contents=_QUESTION)
    assert counted.total_tokens == reply.usage_metadata.prompt_token_count


@pytest.mark.parametrize("model", ["gemini-embedding-001", "gemini-embedding-2"])
@pytest.mark.parametrize("texts", [["one"], ["one", "two"]], ids=["single", "batch"])
async def test_texts_are_embedded(either, model, texts):
    contents = [types.Content(parts=[types.Part(text=text)]) for text in texts]
    config = types.EmbedContentConfig(output_dimensionality=16, task_type="RETRIEVAL_QUERY")
    reply = await either.models.embed_content(model=model, contents=contents, config=config)
    assert [len(embedding.values) for embedding in reply.embeddings] == [16] * len(texts)


async def test_vertex_ai_embeds_by_predict_when_the_model_is_not_named_gemini(vertex):
    with pytest.raises(errors.ClientError) as refusal:
        await vertex.models.embed_content(model="text-embedding-005", contents="one")
    assert refusal.value.code == 404


async def test_models_are_listed_over_pages_and_shown(client):
    pager = await client.models.list(config={"page_size": 4})
    models = [model async for model in pager]
    assert f"models/{MODEL}" in {model.name for model in models}
    assert len(models) > 4
    shown = await client.models.get(model=MODEL)
    assert (shown.input_token_limit, shown.thinking) == (1_048_576, True)
    assert "generateContent" in shown.supported_actions


async def test_the_model_garden_is_listed_and_shown(vertex):
    pager = await vertex.models.list(config={"page_size": 100})
    assert f"publishers/google/models/{MODEL}" in {model.name async for model in pager}
    assert (await vertex.models.get(model=MODEL)).version == "3.8-flash-09-2026"


async def test_thoughts_are_marked(client):
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="LOW")
    )
    reply = await client.models.generate_content(model=MODEL, contents=_QUESTION, config=config)
    thought, answer = reply.candidates[0].content.parts
    assert thought.thought is True
    assert thought.thought_signature
    assert answer.text == reply.text


async def test_a_function_is_called(client):
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return city

    config = types.GenerateContentConfig(
        tools=[get_weather],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")),
    )
    reply = await client.models.generate_content(model=MODEL, contents=_QUESTION, config=config)
    [call] = reply.function_calls
    assert call.name == "get_weather"
    assert isinstance(call.args["city"], str)
    part = types.Part.from_function_response(name="get_weather", response={"sky": "blue"})
    history = [types.Content(role="user", parts=[types.Part(text=_QUESTION)]), reply.candidates[0].content]
    after = await client.models.generate_content(
        model=MODEL, contents=[*history, types.Content(role="user", parts=[part])]
    )
    assert after.text.startswith('The function get_weather answered {"sky":"blue"}')


async def test_a_schema_is_satisfied(client):
    schema = types.Schema(
        type="OBJECT",
        properties={"title": types.Schema(type="STRING"), "pages": types.Schema(type="INTEGER", minimum=10)},
        required=["title", "pages"],
    )
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=schema)
    reply = await client.models.generate_content(model=MODEL, contents=_QUESTION, config=config)
    assert isinstance(reply.parsed["title"], str)
    assert reply.parsed["pages"] >= 10


async def test_an_image_is_counted_by_modality(client):
    image = types.Part.from_bytes(data=b"\x89PNG" * 20, mime_type="image/png")
    reply = await client.models.generate_content(model=MODEL, contents=[_QUESTION, image])
    details = {item.modality.value: item.token_count for item in reply.usage_metadata.prompt_tokens_details}
    assert details["IMAGE"] == 1120


async def test_a_quota_refusal_keeps_its_details(either):
    with pytest.raises(errors.ClientError) as refusal:
        await either.models.generate_content(
            model=MODEL, contents=_QUESTION, config=_script("fault=quota_rpm retry_after=1.5s")
        )
    assert (refusal.value.code, refusal.value.status) == (429, "RESOURCE_EXHAUSTED")
    details = {
        detail["@type"].rpartition(".")[2]: detail for detail in refusal.value.details["error"]["details"]
    }
    assert details["RetryInfo"]["retryDelay"] == "1.5s"


async def test_an_error_in_the_middle_of_a_stream_is_an_error(client):
    stream = await client.models.generate_content_stream(
        model=MODEL, contents=_QUESTION, config=_script("fault=error_event after=2 chunks=5")
    )
    received = []
    with pytest.raises(errors.ServerError) as failure:
        await _collect(stream, received)
    assert failure.value.code == 503
    assert len(received) == 2


async def _collect(stream: AsyncIterator[object], received: list[object]) -> None:
    async for chunk in stream:
        received.append(chunk)  # noqa: PERF401 - what came before a failure must survive it


async def test_a_blocked_prompt_has_feedback(client):
    reply = await client.models.generate_content(
        model=MODEL, contents=_QUESTION, config=_script("blocked=SAFETY")
    )
    assert not reply.candidates
    assert reply.prompt_feedback.block_reason is types.BlockedReason.SAFETY


async def test_a_timeout_below_ten_seconds_is_refused(emulator):
    headers = {"X-Server-Timeout": "0.05"}
    options = types.HttpOptions(base_url=emulator.base_url, timeout=30_000, headers=headers)
    async with genai.Client(api_key="any", http_options=options).aio as hurried:
        with pytest.raises(errors.ClientError, match="too short"):
            await hurried.models.generate_content(model=MODEL, contents=_QUESTION)
