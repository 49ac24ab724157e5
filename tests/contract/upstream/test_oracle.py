"""Google's own SDK as the oracle: asked the same, both put the same request on the wire.

The SDK's requests are recorded by a scripted upstream; ours start from the typed message that a caller would
send. Compared are method, path, query, the headers that carry meaning, and the body in one spelling: the SDK
mixes snake_case into its JSON and both are the same to proto JSON.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeAlias

import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials as GoogleCredentials

from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.policy import Api
from sidecar.edge.convert import faces
from sidecar.upstream import encode
from sidecar.v1.count_tokens_pb2 import CountTokensRequest
from sidecar.v1.embed_content_pb2 import EmbedContentRequest
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from sidecar.v1.model_pb2 import GetModelRequest, ListModelsRequest
from tests.support import facts
from tests.support.upstream import Exchange, Request, answers, said, serving, streams

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

Models: TypeAlias = Any
"""`client.aio.models` of google-genai."""

MODEL = "gemini-3.8-flash"
EMBEDDER = "gemini-embedding-001"
FACES = faces(1 << 20)


class Pair(NamedTuple):
    """One wish, said to the SDK and said to us."""

    method: Method
    theirs: Callable[[Models], Awaitable[Any]]
    ours: Any
    apis: tuple[Api, ...] = (Api.GEMINI, Api.VERTEX)


def generate(config: types.GenerateContentConfig | None = None, contents: Any = "hi") -> Callable[..., Any]:
    async def ask(models: Models) -> None:
        await models.generate_content(model=MODEL, contents=contents, config=config)

    return ask


async def stream(models: Models) -> None:
    async for _ in await models.generate_content_stream(model=MODEL, contents="hi"):
        pass


def count(config: types.CountTokensConfig | None = None) -> Callable[..., Any]:
    async def ask(models: Models) -> None:
        await models.count_tokens(model=MODEL, contents="hi", config=config)

    return ask


def embed(
    contents: Any, config: types.EmbedContentConfig | None = None, model: str = EMBEDDER
) -> Callable[..., Any]:
    async def ask(models: Models) -> None:
        await models.embed_content(model=model, contents=contents, config=config)

    return ask


QUIET = types.AutomaticFunctionCallingConfig(disable=True)
SCHEMA = '{"type":"object","properties":{"x":{"type":"number"}}}'


def request(**fields: Any) -> GenerateRequest:
    return GenerateRequest(**{"model": MODEL, "prompt": "hi", **fields})


def configured(**fields: Any) -> GenerateRequest:
    return request(generation_config=fields)


PAIRS: dict[str, Pair] = {
    "prompt": Pair(Method.GENERATE, generate(), request()),
    "stream": Pair(Method.STREAM_GENERATE, stream, StreamGenerateRequest(model=MODEL, prompt="hi")),
    "sampling": Pair(
        Method.GENERATE,
        generate(
            types.GenerateContentConfig(
                temperature=0.7,
                top_p=0.95,
                top_k=40,
                candidate_count=1,
                max_output_tokens=100,
                stop_sequences=["a", "b"],
                seed=7,
                presence_penalty=0.5,
                frequency_penalty=-0.5,
                response_logprobs=True,
                logprobs=3,
            )
        ),
        configured(
            temperature=0.7,
            top_p=0.95,
            top_k=40,
            candidate_count=1,
            max_output_tokens=100,
            stop_sequences=["a", "b"],
            seed=7,
            presence_penalty=0.5,
            frequency_penalty=-0.5,
            response_logprobs=True,
            logprobs=3,
        ),
    ),
    "zeros-are-sent": Pair(
        Method.GENERATE,
        generate(types.GenerateContentConfig(temperature=0, seed=0)),
        configured(temperature=0, seed=0),
    ),
    "thinking": Pair(
        Method.GENERATE,
        generate(
            types.GenerateContentConfig(
                thinking_config=types.ThinkingConfig(
                    include_thoughts=True, thinking_level=types.ThinkingLevel.LOW
                )
            )
        ),
        configured(thinking_config={"include_thoughts": True, "thinking_level": 2}),
    ),
    "thinking-budget": Pair(
        Method.GENERATE,
        generate(types.GenerateContentConfig(thinking_config=types.ThinkingConfig(thinking_budget=0))),
        configured(thinking_config={"thinking_budget": 0}),
    ),
    "system-and-safety": Pair(
        Method.GENERATE,
        generate(
            types.GenerateContentConfig(
                system_instruction=types.Content(parts=[types.Part(text="be brief")]),
                safety_settings=[
                    types.SafetySetting(
                        category=types.HarmCategory.HARM_CATEGORY_HARASSMENT,
                        threshold=types.HarmBlockThreshold.BLOCK_ONLY_HIGH,
                    )
                ],
            )
        ),
        request(
            system_instruction={"parts": [{"text": "be brief"}]},
            safety_settings=[{"category": 1, "threshold": 3}],
        ),
    ),
    "json-answer": Pair(
        Method.GENERATE,
        generate(
            types.GenerateContentConfig(
                response_mime_type="application/json",
                response_schema=types.Schema(
                    type=types.Type.OBJECT,
                    properties={"a": types.Schema(type=types.Type.INTEGER, minimum=1)},
                    required=["a"],
                ),
            )
        ),
        configured(
            response_mime_type="application/json",
            response_schema={
                "type": 6,
                "properties": {"a": {"type": 3, "minimum": 1}},
                "required": ["a"],
            },
        ),
    ),
    "json-schema-answer": Pair(
        Method.GENERATE,
        generate(
            types.GenerateContentConfig(
                response_mime_type="application/json",
                response_json_schema={"type": "object", "properties": {"a_b": {"type": "integer"}}},
            )
        ),
        configured(
            response_mime_type="application/json",
            response_json_schema='{"type":"object","properties":{"a_b":{"type":"integer"}}}',
        ),
    ),
    "tools": Pair(
        Method.GENERATE,
        generate(
            types.GenerateContentConfig(
                automatic_function_calling=QUIET,
                tools=[
                    types.Tool(google_search=types.GoogleSearch()),
                    types.Tool(code_execution=types.ToolCodeExecution()),
                    types.Tool(url_context=types.UrlContext()),
                    types.Tool(
                        function_declarations=[
                            types.FunctionDeclaration(
                                name="f",
                                description="does",
                                parameters_json_schema={
                                    "type": "object",
                                    "properties": {"x": {"type": "number"}},
                                },
                            )
                        ]
                    ),
                ],
                tool_config=types.ToolConfig(
                    function_calling_config=types.FunctionCallingConfig(
                        mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["f"]
                    )
                ),
            )
        ),
        request(
            tools=[
                {"google_search": {}},
                {"code_execution": {}},
                {"url_context": {}},
                {
                    "function_declarations": [
                        {
                            "name": "f",
                            "description": "does",
                            "parameters_json_schema": SCHEMA,
                        }
                    ]
                },
            ],
            tool_config={"function_calling_config": {"mode": 2, "allowed_function_names": ["f"]}},
        ),
    ),
    "conversation": Pair(
        Method.GENERATE,
        generate(
            contents=[
                types.Content(
                    role="user",
                    parts=[
                        types.Part(text="look"),
                        types.Part(inline_data=types.Blob(mime_type="image/png", data=b"\xff\xfe\xfd")),
                        types.Part(file_data=types.FileData(mime_type="video/mp4", file_uri="gs://b/v.mp4")),
                    ],
                ),
                types.Content(
                    role="model",
                    parts=[
                        types.Part(
                            function_call=types.FunctionCall(id="1", name="f", args={"x_y": [1, None]}),
                            thought_signature=b"\x00\xff",
                        )
                    ],
                ),
                types.Content(
                    role="user",
                    parts=[
                        types.Part(
                            function_response=types.FunctionResponse(id="1", name="f", response={"output": 5})
                        )
                    ],
                ),
            ]
        ),
        request(
            prompt="",
            contents=[
                {
                    "role": "user",
                    "parts": [
                        {"text": "look"},
                        {"inline_data": {"mime_type": "image/png", "data": b"\xff\xfe\xfd"}},
                        {"file_data": {"mime_type": "video/mp4", "file_uri": "gs://b/v.mp4"}},
                    ],
                },
                {
                    "role": "model",
                    "parts": [
                        {
                            "function_call": {"id": "1", "name": "f", "args_json": '{"x_y":[1,null]}'},
                            "thought_signature": b"\x00\xff",
                        }
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"function_response": {"id": "1", "name": "f", "response_json": '{"output":5}'}}
                    ],
                },
            ],
        ),
    ),
    "media": Pair(
        Method.GENERATE,
        generate(
            types.GenerateContentConfig(
                response_modalities=["TEXT", "AUDIO"],
                media_resolution=types.MediaResolution.MEDIA_RESOLUTION_LOW,
                speech_config=types.SpeechConfig(
                    language_code="en-US",
                    voice_config=types.VoiceConfig(
                        prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore")
                    ),
                ),
            )
        ),
        configured(
            response_modalities=[1, 3],
            media_resolution=1,
            speech_config={
                "language_code": "en-US",
                "voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}},
            },
        ),
    ),
    "cache-and-labels": Pair(
        Method.GENERATE,
        generate(types.GenerateContentConfig(cached_content="cachedContents/x", labels={"team": "a"})),
        request(cached_content="cachedContents/x", labels={"team": "a"}),
        (Api.GEMINI,),
    ),
    "tier": Pair(
        Method.GENERATE,
        generate(types.GenerateContentConfig(service_tier=types.ServiceTier.FLEX)),
        request(service_tier=1),
        (Api.GEMINI,),
    ),
    "count": Pair(Method.COUNT_TOKENS, count(), CountTokensRequest(model=MODEL, prompt="hi")),
    "count-with-system": Pair(
        Method.COUNT_TOKENS,
        count(types.CountTokensConfig(system_instruction=types.Content(parts=[types.Part(text="be brief")]))),
        CountTokensRequest(model=MODEL, prompt="hi", system_instruction={"parts": [{"text": "be brief"}]}),
        (Api.VERTEX,),
    ),
    "embed": Pair(
        Method.EMBED_CONTENT,
        embed("hi"),
        EmbedContentRequest(model=EMBEDDER, prompt="hi"),
        (Api.GEMINI,),
    ),
    "embed-many": Pair(
        Method.EMBED_CONTENT,
        embed(
            ["hi", "ho"], types.EmbedContentConfig(task_type="CLUSTERING", output_dimensionality=8, title="t")
        ),
        EmbedContentRequest(
            model=EMBEDDER,
            contents=[{"parts": [{"text": text}], "role": "user"} for text in ("hi", "ho")],
            task_type="EMBEDDING_TASK_TYPE_CLUSTERING",
            output_dimensionality=8,
            title="t",
        ),
        (Api.GEMINI,),
    ),
    "embed-predict": Pair(
        Method.EMBED_CONTENT,
        embed(
            ["hi", "ho"],
            types.EmbedContentConfig(task_type="CLUSTERING", auto_truncate=False),
            "text-embedding-005",
        ),
        EmbedContentRequest(
            model="text-embedding-005",
            contents=[{"parts": [{"text": text}], "role": "user"} for text in ("hi", "ho")],
            task_type="EMBEDDING_TASK_TYPE_CLUSTERING",
            auto_truncate=False,
        ),
        (Api.VERTEX,),
    ),
    "embed-content": Pair(
        Method.EMBED_CONTENT,
        embed("hi", types.EmbedContentConfig(output_dimensionality=8), "gemini-embedding-2"),
        EmbedContentRequest(model="gemini-embedding-2", prompt="hi", output_dimensionality=8),
        (Api.VERTEX,),
    ),
    "get": Pair(Method.GET_MODEL, lambda models: models.get(model=MODEL), GetModelRequest(model=MODEL)),
    "list": Pair(
        Method.LIST_MODELS,
        lambda models: models.list(config=types.ListModelsConfig(page_size=5)),
        ListModelsRequest(page_size=5),
    ),
}

CASES = [pytest.param(api, pair, id=f"{api}-{name}") for name, pair in PAIRS.items() for api in pair.apis]


@asynccontextmanager
async def sdk(api: Api, base_url: str) -> AsyncIterator[Models]:
    options = types.HttpOptions(
        base_url=base_url,
        api_version="v1beta" if api is Api.GEMINI else "v1",
        retry_options=types.HttpRetryOptions(attempts=1),
    )
    if api is Api.GEMINI:
        client = genai.Client(api_key=facts.API_KEY, http_options=options)
    else:
        client = genai.Client(
            enterprise=True,
            project="acme",
            location="europe-west4",
            credentials=GoogleCredentials(token="ya29.any"),  # type: ignore[no-untyped-call]
            http_options=options,
        )
    async with client.aio as aio:
        yield aio.models


async def answer_anything(exchange: Exchange) -> None:
    target = exchange.request.target
    if "streamGenerate" in target:
        await streams(said("a", "STOP"))(exchange)
    elif "predict" in target:
        await answers({"predictions": [{"embeddings": {"values": [1.0]}}]})(exchange)
    else:
        embedded = {"embeddings": [{"values": [1.0]}], "embedding": {"values": [1.0]}}
        await answers({**said("a", "STOP"), "totalTokens": 1, **embedded, "name": "models/m"})(exchange)


async def recorded(api: Api, pair: Pair) -> Request:
    async with serving(answer_anything) as upstream:
        async with sdk(api, upstream.base_url) as models:
            await pair.theirs(models)
        assert len(upstream.requests) == 1
        return upstream.requests[0]


async def encoded(api: Api, pair: Pair) -> encode.HttpRequest:
    model, body, *_ = await FACES[pair.method].read_request(pair.ours.SerializeToString())
    endpoint = facts.gemini("") if api is Api.GEMINI else facts.vertex("")
    attempt: Attempt = facts.attempt(endpoint, pair.method, body, model=model)
    return encode.http_request(attempt)


FREE_FORM = {"args", "response", "responseJsonSchema", "parametersJsonSchema", "labels", "properties"}
"""Keys under which the keys are the user's own."""
BYTES = {"data", "thoughtSignature"}


def spelled_alike(value: Any) -> Any:
    """One spelling of what proto JSON takes for the same: lowerCamel keys, standard base64, no nulls."""
    if isinstance(value, list):
        return [spelled_alike(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        (camel := _camel(key)): _value_alike(camel, item)
        for key, item in value.items()
        if item is not None and (key, item) != ("generationConfig", {})  # the SDK sends an empty one
    }


def _value_alike(key: str, value: Any) -> Any:
    if key in FREE_FORM and isinstance(value, dict):
        return {name: spelled_alike(item) for name, item in value.items()}
    if key in BYTES and isinstance(value, str):
        return value.replace("-", "+").replace("_", "/")
    return spelled_alike(value)


def _camel(key: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), key)


@pytest.mark.parametrize(("api", "pair"), CASES)
async def test_both_put_the_same_request_on_the_wire(api: Api, pair: Pair) -> None:
    theirs = await recorded(api, pair)
    ours = await encoded(api, pair)
    assert (ours.method, ours.url) == (theirs.method, theirs.target)
    if theirs.method == "POST":
        assert spelled_alike(ours.body) == spelled_alike(theirs.json)
        assert theirs.headers["content-type"] == ours.headers["Content-Type"]
