"""Google's own SDK: tools, caches, files, continuation, and what is refused."""

import io

import pytest
from google.genai import errors, types

from tests.integration.emulator.wire import MODEL

# The SDK derives its own session class from aiohttp's and uploads 8 MiB at a time, which aiohttp warns about.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning"),
]

_QUESTION = "Why is the sky blue?"
_LONG = "A word or two about harbours. " * 1000


def _script(text: str, **fields: object) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(http_options=types.HttpOptions(headers={"x-emulate": text}), **fields)


async def test_a_function_is_called_and_its_answer_is_taken(either):
    weather = types.FunctionDeclaration(name="weather", parameters_json_schema={"type": "object"})
    any_call = types.FunctionCallingConfig(mode="ANY")
    tools = [types.Tool(function_declarations=[weather])]
    config = types.GenerateContentConfig(
        tools=tools, tool_config=types.ToolConfig(function_calling_config=any_call)
    )
    asked = types.Content(role="user", parts=[types.Part(text=_QUESTION)])
    called = await either.models.generate_content(model=MODEL, contents=[asked], config=config)
    [call] = called.function_calls
    assert called.candidates[0].content.parts[0].thought_signature
    answer = types.Part.from_function_response(name=call.name, response={"sky": "clear"})
    turns = [asked, called.candidates[0].content, types.Content(role="user", parts=[answer])]
    reply = await either.models.generate_content(
        model=MODEL, contents=turns, config=types.GenerateContentConfig(tools=tools)
    )
    assert reply.text.startswith('The function weather answered {"sky":"clear"}')


async def test_a_cache_lives_and_is_used(either):
    made = await either.caches.create(
        model=MODEL,
        config=types.CreateCachedContentConfig(contents=_LONG, ttl="600s", display_name="harbours"),
    )
    assert made.display_name == "harbours"
    config = types.GenerateContentConfig(cached_content=made.name)
    reply = await either.models.generate_content(model=MODEL, contents=_QUESTION, config=config)
    assert reply.usage_metadata.cached_content_token_count == made.usage_metadata.total_token_count
    changed = await either.caches.update(name=made.name, config=types.UpdateCachedContentConfig(ttl="60s"))
    assert changed.expire_time < made.expire_time
    assert [cache.name async for cache in await either.caches.list()] == [made.name]
    assert (await either.caches.get(name=made.name)).name == made.name
    await either.caches.delete(name=made.name)
    with pytest.raises(errors.ClientError) as refusal:
        await either.models.generate_content(model=MODEL, contents=_QUESTION, config=config)
    assert refusal.value.code in (403, 404)


@pytest.mark.parametrize("size_bytes", [5, (8 << 20) + 5], ids=["one-chunk", "two-chunks"])
async def test_a_file_is_uploaded_used_and_deleted(client, size_bytes):
    made = await client.files.upload(
        file=io.BytesIO(bytes(size_bytes)),
        config=types.UploadFileConfig(mime_type="audio/mpeg", display_name="Waves"),
    )
    assert (made.size_bytes, made.state, made.display_name) == (size_bytes, types.FileState.ACTIVE, "Waves")
    reply = await client.models.generate_content(model=MODEL, contents=[_QUESTION, made])
    details = {item.modality.value: item.token_count for item in reply.usage_metadata.prompt_tokens_details}
    assert details["AUDIO"] >= 32
    assert [file.name async for file in await client.files.list()] == [made.name]
    assert (await client.files.get(name=made.name)).uri == made.uri
    await client.files.delete(name=made.name)
    with pytest.raises(errors.ClientError) as refusal:
        await client.files.get(name=made.name)
    assert refusal.value.code == 403


async def test_the_sdk_follows_continuations_by_itself(client):
    script = _script("words=400 hop=100")
    reply = await client.models.generate_content(model="gemini-4-argon", contents=_QUESTION, config=script)
    whole = await client.models.generate_content(
        model="gemini-4-argon", contents=_QUESTION, config=_script("words=400")
    )
    assert reply.text == whole.text
    assert reply.candidates[0].finish_reason is types.FinishReason.STOP
    stream = await client.models.generate_content_stream(
        model="gemini-4-argon", contents=_QUESTION, config=script
    )
    assert "".join([chunk.text or "" async for chunk in stream]) == whole.text


async def test_a_single_hop_names_its_token(client):
    script = _script("words=400 hop=100", automatic_continuation=False)
    reply = await client.models.generate_content(model="gemini-4-argon", contents=_QUESTION, config=script)
    assert reply.candidates[0].finish_reason is types.FinishReason.CONTINUATION
    assert reply.candidates[0].continuation_token


async def test_sources_of_a_search_are_read(client):
    config = types.GenerateContentConfig(tools=[types.Tool(google_search=types.GoogleSearch())])
    reply = await client.models.generate_content(model=MODEL, contents=_QUESTION, config=config)
    grounding = reply.candidates[0].grounding_metadata
    assert grounding.web_search_queries == [_QUESTION]
    assert grounding.grounding_chunks[0].web.uri.endswith("example.com/")
    assert reply.text.startswith(grounding.grounding_supports[0].segment.text)


@pytest.mark.parametrize(
    "config",
    [
        types.GenerateContentConfig(thinking_config=types.ThinkingConfig(thinking_budget=100)),
        types.GenerateContentConfig(candidate_count=2),
        types.GenerateContentConfig(presence_penalty=1.0),
    ],
    ids=["budget", "candidates", "penalty"],
)
async def test_what_the_fourth_generation_refuses_is_a_client_error(either, config):
    with pytest.raises(errors.ClientError) as refusal:
        await either.models.generate_content(model="gemini-4-argon", contents=_QUESTION, config=config)
    assert (refusal.value.code, refusal.value.status) == (400, "INVALID_ARGUMENT")


async def test_batches_are_refused_knowingly(client):
    with pytest.raises(errors.ServerError, match="one by one") as refusal:
        await client.batches.create(model=MODEL, src=[types.InlinedRequest(contents=_QUESTION)])
    assert refusal.value.code == 501
