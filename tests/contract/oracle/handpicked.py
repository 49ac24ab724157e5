"""Requests as people make them, in google-genai's own types."""

from collections.abc import Iterator
from typing import Any

from google.genai import types as t

from sidecar.core.call import Method
from sidecar.core.policy import Api
from tests.contract.oracle.requests import HELLO, Case

GEMINI, VERTEX = Api.GEMINI, Api.VERTEX
PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(range(256))
SIGNATURE = bytes(range(255, 0, -1)) * 40


def user(*parts: t.Part) -> t.Content:
    return t.Content(role="user", parts=list(parts))


def model(*parts: t.Part) -> t.Content:
    return t.Content(role="model", parts=list(parts))


def text(said: str, **more: Any) -> t.Part:
    return t.Part(text=said, **more)


CONVERSATIONS: dict[str, list[t.Content]] = {
    "one word": [user(text("hi"))],
    "no role": [t.Content(parts=[text("hi")])],
    "empty text": [user(text(""))],
    "every script": [user(text('naïve 漢字 🙂 \x00 \u2028 \\ " </script> \ud7ff'))],
    "several parts": [user(text("a"), text("b"), text("c"))],
    "many turns": [user(text("a")), model(text("b")), user(text("c")), model(text("d")), user(text("e"))],
    "a long text": [user(text("lorem ipsum " * 5000))],
    "a picture": [user(text("what is this?"), t.Part.from_bytes(data=PIXEL, mime_type="image/png"))],
    "a large picture": [user(t.Part.from_bytes(data=PIXEL * 2000, mime_type="image/png"))],
    "a file": [user(t.Part.from_uri(file_uri="https://x.test/v1/files/abc", mime_type="application/pdf"))],
    "a file in a bucket": [user(t.Part.from_uri(file_uri="gs://bucket/a b.mp4", mime_type="video/mp4"))],
    "a stretch of a video": [
        user(
            t.Part(
                file_data=t.FileData(file_uri="https://youtu.be/x"),
                video_metadata=t.VideoMetadata(start_offset="1250s", end_offset="1570.25s", fps=0.5),
            )
        )
    ],
    "a picture read finely": [
        user(
            t.Part(
                inline_data=t.Blob(data=PIXEL, mime_type="image/png"),
                media_resolution=t.PartMediaResolution(
                    level=t.PartMediaResolutionLevel.MEDIA_RESOLUTION_HIGH
                ),
            )
        )
    ],
    "thoughts sent back": [
        user(text("why?")),
        model(text("hm", thought=True), text("because", thought_signature=SIGNATURE)),
        user(text("really?")),
    ],
    "a tool turn": [
        user(text("weather in Bern?")),
        model(
            t.Part(
                function_call=t.FunctionCall(id="1", name="weather", args={"city": "Bern", "days": 3}),
                thought_signature=SIGNATURE,
            )
        ),
        user(
            t.Part(
                function_response=t.FunctionResponse(
                    id="1", name="weather", response={"output": {"celsius": -1.5, "snow": True, "by": None}}
                )
            )
        ),
    ],
    "a call without arguments": [user(text("x")), model(t.Part(function_call=t.FunctionCall(name="now")))],
    "arguments with odd keys": [
        model(
            t.Part(function_call=t.FunctionCall(name="f", args={"snake_case": {"camelCase": [[], {}, ""]}}))
        )
    ],
    "a tool that answers with a picture": [
        user(
            t.Part(
                function_response=t.FunctionResponse(
                    name="draw",
                    response={"output": "see part"},
                    parts=[
                        t.FunctionResponsePart(
                            inline_data=t.FunctionResponseBlob(data=PIXEL, mime_type="image/png")
                        )
                    ],
                )
            )
        )
    ],
    "code run": [
        model(
            t.Part(executable_code=t.ExecutableCode(code="print(1)", language=t.Language.PYTHON)),
            t.Part(code_execution_result=t.CodeExecutionResult(outcome=t.Outcome.OUTCOME_OK, output="1\n")),
        )
    ],
}

SCHEMA = t.Schema(
    type=t.Type.OBJECT,
    title="recipe",
    properties={
        "name": t.Schema(type=t.Type.STRING, description="what it is called", max_length=80),
        "minutes": t.Schema(type=t.Type.INTEGER, minimum=1, maximum=600, format="int32"),
        "steps": t.Schema(type=t.Type.ARRAY, items=t.Schema(type=t.Type.STRING), min_items=1, max_items=9),
        "kind": t.Schema(type=t.Type.STRING, enum=["sweet", "savoury"], nullable=True),
        "yield": t.Schema(any_of=[t.Schema(type=t.Type.NUMBER), t.Schema(type=t.Type.STRING)]),
    },
    required=["name", "steps"],
    property_ordering=["name", "minutes", "steps", "kind", "yield"],
)
JSON_SCHEMA = {
    "type": "object",
    "properties": {"snake_case": {"$ref": "#/$defs/n"}, "n": {"type": ["integer", "null"], "minimum": 0}},
    "$defs": {"n": {"type": "number"}},
    "additionalProperties": False,
}
WEATHER = t.FunctionDeclaration(
    name="weather",
    description="The weather of a city",
    parameters=t.Schema(
        type=t.Type.OBJECT, properties={"city": t.Schema(type=t.Type.STRING)}, required=["city"]
    ),
    response=t.Schema(type=t.Type.OBJECT, properties={"celsius": t.Schema(type=t.Type.NUMBER)}),
)
LOOK_UP = t.FunctionDeclaration(name="look_up", parameters_json_schema=JSON_SCHEMA)
AnyConfig = t.GenerateContentConfig

OPTIONS: dict[str, tuple[Api | None, t.GenerateContentConfig]] = {
    "cold": (None, AnyConfig(temperature=0.0, top_p=0.95, top_k=40, seed=0)),
    "hot": (None, AnyConfig(temperature=2, top_p=1)),
    "awkward floats": (None, AnyConfig(temperature=0.1, top_p=0.30000001192092896)),
    "short": (None, AnyConfig(max_output_tokens=1, stop_sequences=["\n\n", "END", ""])),
    "several answers": (None, AnyConfig(candidate_count=3, presence_penalty=-1.5, frequency_penalty=0.25)),
    "log probabilities": (None, AnyConfig(response_logprobs=True, logprobs=5)),
    "no log probabilities": (None, AnyConfig(response_logprobs=False, logprobs=0)),
    "system text": (None, AnyConfig(system_instruction="be brief")),
    "system parts": (None, AnyConfig(system_instruction=t.Content(parts=[text("be"), text("brief")]))),
    "json": (None, AnyConfig(response_mime_type="application/json")),
    "a schema": (None, AnyConfig(response_mime_type="application/json", response_schema=SCHEMA)),
    "a schema as a dict": (
        None,
        AnyConfig(
            response_mime_type="application/json",
            response_schema={"type": "ARRAY", "items": {"type": "STRING"}},
        ),
    ),
    "an enum schema": (
        None,
        AnyConfig(response_mime_type="text/x.enum", response_schema=t.Schema(type="STRING", enum=["a", "b"])),
    ),
    "a json schema": (
        None,
        AnyConfig(response_mime_type="application/json", response_json_schema=JSON_SCHEMA),
    ),
    "no thinking": (None, AnyConfig(thinking_config=t.ThinkingConfig(thinking_budget=0))),
    "free thinking": (
        None,
        AnyConfig(thinking_config=t.ThinkingConfig(thinking_budget=-1, include_thoughts=True)),
    ),
    "little thinking": (
        None,
        AnyConfig(
            thinking_config=t.ThinkingConfig(thinking_level=t.ThinkingLevel.LOW, include_thoughts=False)
        ),
    ),
    "all safety off": (
        None,
        AnyConfig(
            safety_settings=[
                t.SafetySetting(category=category, threshold=t.HarmBlockThreshold.OFF)
                for category in (
                    t.HarmCategory.HARM_CATEGORY_HARASSMENT,
                    t.HarmCategory.HARM_CATEGORY_HATE_SPEECH,
                    t.HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT,
                    t.HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
                )
            ]
        ),
    ),
    "safety by severity": (
        VERTEX,
        AnyConfig(
            safety_settings=[
                t.SafetySetting(
                    category=t.HarmCategory.HARM_CATEGORY_HARASSMENT,
                    threshold=t.HarmBlockThreshold.BLOCK_ONLY_HIGH,
                    method=t.HarmBlockMethod.SEVERITY,
                )
            ]
        ),
    ),
    "search": (None, AnyConfig(tools=[t.Tool(google_search=t.GoogleSearch())])),
    "search in a span of time": (
        None,
        AnyConfig(
            tools=[
                t.Tool(
                    google_search=t.GoogleSearch(
                        time_range_filter=t.Interval(
                            start_time="2026-01-01T00:00:00Z", end_time="2026-11-22T10:11:12.5Z"
                        )
                    )
                )
            ]
        ),
    ),
    "code and addresses": (
        None,
        AnyConfig(
            tools=[
                t.Tool(code_execution=t.ToolCodeExecution()),
                t.Tool(url_context=t.UrlContext()),
            ]
        ),
    ),
    "maps": (
        None,
        AnyConfig(
            tools=[t.Tool(google_maps=t.GoogleMaps())],
            tool_config=t.ToolConfig(
                retrieval_config=t.RetrievalConfig(
                    lat_lng=t.LatLng(latitude=46.948, longitude=-7.0), language_code="de"
                )
            ),
        ),
    ),
    "maps with a key": (
        GEMINI,
        AnyConfig(tools=[t.Tool(google_maps=t.GoogleMaps(auth_config=t.AuthConfig(api_key="k")))]),
    ),
    "functions": (None, AnyConfig(tools=[t.Tool(function_declarations=[WEATHER, LOOK_UP])])),
    "functions that must be called": (
        None,
        AnyConfig(
            tools=[t.Tool(function_declarations=[WEATHER])],
            tool_config=t.ToolConfig(
                function_calling_config=t.FunctionCallingConfig(
                    mode="ANY", allowed_function_names=["weather"]
                )
            ),
        ),
    ),
    "functions and search": (
        None,
        AnyConfig(
            tools=[
                t.Tool(function_declarations=[WEATHER]),
                t.Tool(google_search=t.GoogleSearch()),
                t.Tool(function_declarations=[LOOK_UP]),
            ]
        ),
    ),
    "file search": (
        GEMINI,
        AnyConfig(
            tools=[
                t.Tool(
                    file_search=t.FileSearch(
                        file_search_store_names=["fileSearchStores/a"], top_k=5, metadata_filter='a = "b"'
                    )
                )
            ]
        ),
    ),
    "a server of tools": (
        GEMINI,
        AnyConfig(
            tools=[
                t.Tool(
                    mcp_servers=[
                        t.McpServer(
                            name="shop",
                            streamable_http_transport=t.StreamableHttpTransport(
                                url="https://shop.test/mcp", headers={"X-Some-Key": "k"}, timeout="30s"
                            ),
                        )
                    ]
                )
            ]
        ),
    ),
    "a corpus of one's own": (
        VERTEX,
        AnyConfig(
            tools=[
                t.Tool(
                    retrieval=t.Retrieval(
                        vertex_ai_search=t.VertexAISearch(datastore="projects/p/locations/l/d", max_results=3)
                    )
                )
            ]
        ),
    ),
    "a screen": (
        None,
        AnyConfig(tools=[t.Tool(computer_use=t.ComputerUse(environment=t.Environment.ENVIRONMENT_BROWSER))]),
    ),
    "a cache": (GEMINI, AnyConfig(cached_content="cachedContents/abc")),
    "a cache on vertex": (
        VERTEX,
        AnyConfig(cached_content="projects/acme/locations/europe-west4/cachedContents/1"),
    ),
    "labels": (None, AnyConfig(labels={"team": "search", "snake_case": "camelCase"})),
    "flex": (GEMINI, AnyConfig(service_tier=t.ServiceTier.FLEX)),
    "priority": (GEMINI, AnyConfig(service_tier="priority")),
    "standard": (GEMINI, AnyConfig(service_tier=t.ServiceTier.STANDARD)),
    "not stored": (GEMINI, AnyConfig(store=False)),
    "going on": (None, AnyConfig(continuation_token=SIGNATURE)),
    "pictures out": (
        None,
        AnyConfig(
            response_modalities=["TEXT", "IMAGE"],
            image_config=t.ImageConfig(aspect_ratio="16:9", image_size="2K"),
        ),
    ),
    "speech": (
        None,
        AnyConfig(
            response_modalities=["AUDIO"],
            speech_config=t.SpeechConfig(
                language_code="de-CH",
                voice_config=t.VoiceConfig(
                    prebuilt_voice_config=t.PrebuiltVoiceConfig(voice_name="Kore"),
                ),
            ),
        ),
    ),
    "two speakers": (
        GEMINI,
        AnyConfig(
            response_modalities=["AUDIO"],
            speech_config=t.SpeechConfig(
                multi_speaker_voice_config=t.MultiSpeakerVoiceConfig(
                    speaker_voice_configs=[
                        t.SpeakerVoiceConfig(
                            speaker=name,
                            voice_config=t.VoiceConfig(
                                prebuilt_voice_config=t.PrebuiltVoiceConfig(voice_name=voice)
                            ),
                        )
                        for name, voice in (("Ann", "Kore"), ("Bob", "Puck"))
                    ]
                )
            ),
        ),
    ),
    "speech by name": (None, AnyConfig(speech_config="Kore")),
    "media read coarsely": (None, AnyConfig(media_resolution=t.MediaResolution.MEDIA_RESOLUTION_LOW)),
    "audio with times": (VERTEX, AnyConfig(audio_timestamp=True)),
    "routing": (
        VERTEX,
        AnyConfig(
            routing_config=t.GenerationConfigRoutingConfig(
                auto_mode=t.GenerationConfigRoutingConfigAutoRoutingMode(model_routing_preference="BALANCED")
            )
        ),
    ),
    "model armor": (VERTEX, AnyConfig(model_armor_config=t.ModelArmorConfig(prompt_template_name="p"))),
    "everything at once": (
        None,
        AnyConfig(
            system_instruction=t.Content(parts=[text("be brief")]),
            temperature=0.7,
            top_p=0.9,
            top_k=32,
            max_output_tokens=4096,
            stop_sequences=["END"],
            seed=42,
            response_mime_type="application/json",
            response_schema=SCHEMA,
            thinking_config=t.ThinkingConfig(thinking_level=t.ThinkingLevel.HIGH, include_thoughts=True),
            tools=[t.Tool(function_declarations=[WEATHER], google_search=t.GoogleSearch())],
            tool_config=t.ToolConfig(function_calling_config=t.FunctionCallingConfig(mode="AUTO")),
            labels={"a": "b"},
        ),
    ),
}


def handpicked() -> Iterator[Case]:
    """Every conversation, every set of options, and every other method."""
    for name, contents in CONVERSATIONS.items():
        yield Case(name, Method.GENERATE, contents)
    for name, (api, config) in OPTIONS.items():
        yield Case(name, Method.GENERATE, HELLO, config, api=api)
    for name in ("models/gemini-3.8-flash", "tunedModels/mine-1"):
        yield Case(f"model {name}", Method.GENERATE, HELLO, model=name, api=GEMINI)
    for name in ("publishers/google/models/g", "publishers/meta/models/llama-4"):
        yield Case(f"model {name}", Method.GENERATE, HELLO, model=name, api=VERTEX)
    yield from counts()
    yield from embeddings()
    yield Case("all models", Method.LIST_MODELS, None, model="")
    for config in (
        t.ListModelsConfig(page_size=5),
        t.ListModelsConfig(page_size=1000, page_token="a b&c=d/e+f%20="),
        t.ListModelsConfig(page_token="ü"),
    ):
        yield Case(f"models {config.page_size} {config.page_token}", Method.LIST_MODELS, None, config, "")
    yield Case("one model", Method.GET_MODEL, None)
    yield Case("a tuned model", Method.GET_MODEL, None, model="tunedModels/mine-1", api=GEMINI)


def counts() -> Iterator[Case]:
    for name in ("one word", "many turns", "a picture", "a tool turn"):
        yield Case(f"count {name}", Method.COUNT_TOKENS, CONVERSATIONS[name])
    config = t.CountTokensConfig(
        system_instruction=t.Content(parts=[text("be brief")]),
        tools=[t.Tool(function_declarations=[WEATHER])],
        generation_config=t.GenerationConfig(response_schema=SCHEMA, max_output_tokens=5),
    )
    yield Case("count everything", Method.COUNT_TOKENS, HELLO, config, api=VERTEX)


def embeddings() -> Iterator[Case]:
    both = [user(text("a")), user(text("b"))]
    for name in ("gemini-embedding-2", "gemini-embedding-001", "text-embedding-005"):
        one = t.EmbedContentConfig(task_type="RETRIEVAL_DOCUMENT", title="T", output_dimensionality=256)
        yield Case(f"embed {name}", Method.EMBED_CONTENT, HELLO, model=name)
        yield Case(f"embed {name} with options", Method.EMBED_CONTENT, HELLO, one, name)
        yield Case(f"embed two {name}", Method.EMBED_CONTENT, both, model=name)
        yield Case(f"embed two {name} with options", Method.EMBED_CONTENT, both, one, name)
        cut = t.EmbedContentConfig(auto_truncate=False)
        yield Case(f"embed {name} uncut", Method.EMBED_CONTENT, HELLO, cut, name, VERTEX)
    picture = [user(t.Part.from_bytes(data=PIXEL, mime_type="image/png"), text("a cat"))]
    yield Case("embed a picture", Method.EMBED_CONTENT, picture, model="gemini-embedding-2")
    pages = t.EmbedContentConfig(document_ocr=True, audio_track_extraction=True)
    yield Case("embed a document", Method.EMBED_CONTENT, HELLO, pages, "gemini-embedding-2", VERTEX)
