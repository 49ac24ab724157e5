import math
from typing import Any

import orjson
import pytest
from google.protobuf.message import DecodeError, Message

from sidecar.core.call import Method
from sidecar.core.errors import InvalidRequest
from sidecar.edge.json_writer import JsonWriter, Written
from sidecar.upstream import encode
from sidecar.v1 import content_pb2, generate_pb2, generation_config_pb2, safety_pb2, schema_pb2
from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import facts

WRITER = JsonWriter(GenerateRequest)


def written(**fields: Any) -> Written:
    return WRITER.write(GenerateRequest(**fields))


def refused(message: Message) -> tuple[str, str]:
    """Path and description of the one violation."""
    with pytest.raises(InvalidRequest) as error:
        JsonWriter(type(message)).write(message)
    (violation,) = error.value.violations
    return violation.field, violation.description


def config(**fields: Any) -> GenerateRequest:
    return GenerateRequest(generation_config=generation_config_pb2.GenerationConfig(**fields))


def part(**fields: Any) -> GenerateRequest:
    return GenerateRequest(contents=[{}, {"parts": [{}, content_pb2.Part(**fields)]}])


def schema(**fields: Any) -> GenerateRequest:
    return config(response_schema=schema_pb2.Schema(**fields))


CANONICAL: list[tuple[GenerateRequest, dict[str, Any]]] = [
    (GenerateRequest(), {}),
    (GenerateRequest(prompt="hi"), {"prompt": "hi"}),
    (config(), {"generationConfig": {}}),
    (config(temperature=0), {"generationConfig": {"temperature": 0}}),
    (config(temperature=0.7), {"generationConfig": {"temperature": 0.7}}),
    (config(top_p=1e-7), {"generationConfig": {"topP": 1e-7}}),
    (config(top_k=40), {"generationConfig": {"topK": 40}}),
    (config(seed=-1), {"generationConfig": {"seed": -1}}),
    (
        schema(max_items=2**53 + 1),
        {"generationConfig": {"responseSchema": {"maxItems": "9007199254740993"}}},
    ),
    (schema(minimum=1e300), {"generationConfig": {"responseSchema": {"minimum": 1e300}}}),
    (schema(default_json="null"), {"generationConfig": {"responseSchema": {"default": None}}}),
    (schema(default_json=" [1, 2] "), {"generationConfig": {"responseSchema": {"default": [1, 2]}}}),
    (
        part(thought_signature=b"\xff\xfe\xfd"),
        {"contents": [{}, {"parts": [{}, {"thoughtSignature": "//79"}]}]},
    ),
    (part(text=""), {"contents": [{}, {"parts": [{}, {"text": ""}]}]}),
    (
        part(video_metadata={"start_offset": {"seconds": 1, "nanos": 500_000_000}}),
        {"contents": [{}, {"parts": [{}, {"videoMetadata": {"startOffset": "1.500s"}}]}]},
    ),
    (GenerateRequest(labels={"b": "2", "a": "1"}), {"labels": {"a": "1", "b": "2"}}),
    (GenerateRequest(service_tier=1), {"serviceTier": "FLEX"}),  # type: ignore[arg-type]
    (GenerateRequest(store=False), {"store": False}),
]


@pytest.mark.parametrize(("message", "json"), CANONICAL, ids=range(len(CANONICAL)))
def test_canonical_json(message: GenerateRequest, json: dict[str, Any]) -> None:
    result = WRITER.write(message).json
    assert result == json
    assert list(result.get("labels", ())) == sorted(result.get("labels", ())), "map keys are sorted"


DEEP = "[" * 51 + "]" * 51


REFUSED: list[tuple[Message, str, str]] = [
    (config(temperature=math.nan), "generation_config.temperature", "finite"),
    (config(temperature=math.inf), "generation_config.temperature", "finite"),
    (schema(minimum=-math.inf), "generation_config.response_schema.minimum", "finite"),
    (
        GenerateRequest(safety_settings=[{}, safety_pb2.SafetySetting(category=77)]),  # type: ignore[arg-type]
        "safety_settings[1].category",
        "77 is no value of HarmCategory",
    ),
    (config(response_modalities=[1, 55]), "generation_config.response_modalities[1]", "55 is no value"),
    (config(response_modalities=[0]), "generation_config.response_modalities[0]", "0 is no value"),
    (
        part(function_call={"args_json": '{"a": }'}),
        "contents[1].parts[1].function_call.args_json",
        "is not JSON",
    ),
    (
        part(function_call={"args_json": "{} {}"}),
        "contents[1].parts[1].function_call.args_json",
        "character",
    ),
    (
        part(function_call={"args_json": "NaN"}),
        "contents[1].parts[1].function_call.args_json",
        "not JSON",
    ),
    (
        part(function_call={"args_json": DEEP}),
        "contents[1].parts[1].function_call.args_json",
        "50 levels",
    ),
    (
        part(function_call={"args_json": "[" * 100_000}),
        "contents[1].parts[1].function_call.args_json",
        "not JSON",
    ),
    (config(response_json_schema="{"), "generation_config.response_json_schema", "is not JSON"),
    (
        schema(properties={"a.b": schema_pb2.Schema(default_json="no")}),
        "generation_config.response_schema.properties['a.b'].default_json",
        "is not JSON",
    ),
    (
        part(video_metadata={"end_offset": {"seconds": 10**12}}),
        "contents[1].parts[1].video_metadata.end_offset",
        "duration",
    ),
    (
        part(video_metadata={"end_offset": {"seconds": 1, "nanos": -1}}),
        "contents[1].parts[1].video_metadata.end_offset",
        "duration",
    ),
    (GenerateRequest(extra_json="{"), "extra_json", "is not JSON"),
    (GenerateRequest(extra_json="[]"), "extra_json", "must be a JSON object"),
    (GenerateRequest(extra_json='"x"'), "extra_json", "must be a JSON object"),
    (GenerateRequest(extra_json="null"), "extra_json", "must be a JSON object"),
    (GenerateRequest(extra_json='{"a":' + DEEP + "}"), "extra_json", "50 levels"),
    (part(extra_json="7"), "contents[1].parts[1].extra_json", "must be a JSON object"),
    (part(extra_json='{"text": "x"}'), "contents[1].parts[1].extra_json", "'text'"),
]


@pytest.mark.parametrize(("message", "field", "description"), REFUSED, ids=range(len(REFUSED)))
def test_what_has_no_canonical_json_is_refused_by_path(
    message: Message, field: str, description: str
) -> None:
    path, words = refused(message)
    assert path == field
    assert description in words


SPELLINGS = [
    "maxOutputTokens",
    "max_output_tokens",
    "MaxOutputTokens",
    "maxoutputtokens",
    "MAX_OUTPUT_TOKENS",
]


@pytest.mark.parametrize("key", SPELLINGS)
@pytest.mark.parametrize("is_set", [False, True])
def test_extra_json_may_not_shadow_a_field_in_any_spelling(key: str, is_set: bool) -> None:
    fields = {"max_output_tokens": 5} if is_set else {}
    path, words = refused(config(extra_json=orjson.dumps({key: 10}).decode(), **fields))
    assert path == "generation_config.extra_json"
    assert key in words


@pytest.mark.parametrize(
    "key", ["model", "prompt", "contents", "extraJson", "extra_json", "EXTRA_JSON", "call"]
)
def test_extra_json_may_not_carry_what_is_the_sidecar_s_own(key: str) -> None:
    if key == "call":
        assert written(extra_json='{"call": 1}').json == {"call": 1}, "no field of a request"
    else:
        refused(GenerateRequest(extra_json=orjson.dumps({key: "x"}).decode()))


@pytest.mark.parametrize("key", ["args", "argsJson", "args_json"])
def test_extra_json_may_not_shadow_a_field_of_json_text(key: str) -> None:
    message = part(function_call={"extra_json": orjson.dumps({key: {}}).decode()})
    assert refused(message)[0] == "contents[1].parts[1].function_call.extra_json"


def test_extra_json_joins_the_object_it_belongs_to() -> None:
    result = written(
        contents=[
            {"parts": [{"text": "hi", "extra_json": '{"newKind": {"a": 1}}'}], "extra_json": '{"b": null}'}
        ]
    )
    assert result.json == {"contents": [{"parts": [{"text": "hi", "newKind": {"a": 1}}], "b": None}]}
    assert result.has_extra


@pytest.mark.parametrize(("fields", "has"), [({"prompt": "x"}, False), ({"extra_json": "{}"}, True)])
def test_it_is_told_whether_there_was_any_extra_json(fields: dict[str, Any], has: bool) -> None:
    WRITER.write(GenerateRequest(extra_json="{}"))
    assert written(**fields).has_extra is has


def test_a_newer_enum_word_may_be_sent_where_the_field_is_unset() -> None:
    result = written(safety_settings=[{"extra_json": '{"category": "HARM_CATEGORY_BOREDOM"}'}])
    assert result.json == {"safetySettings": [{"category": "HARM_CATEGORY_BOREDOM"}]}


@pytest.mark.parametrize(
    ("fields", "extra"),
    [
        ({"category": 1}, {"category": "HARM_CATEGORY_BOREDOM"}),
        ({}, {"category": "HARM_CATEGORY_HARASSMENT"}),
        ({}, {"category": "harm_category_harassment"}),
        ({}, {"Category": "HARM_CATEGORY_BOREDOM"}),
        ({}, {"category": 12}),
        ({}, {"category": None}),
        ({}, {"category": ["HARM_CATEGORY_BOREDOM"]}),
        ({}, {"category": ""}),
        ({}, {"category": "BOREDOM\r\nX-Evil: 1"}),
        ({}, {"category": "BORE DOM"}),
        ({}, {"category": "BÖREDOM"}),
    ],
    ids=[
        "set",
        "known",
        "known-in-lower-case",
        "other-key",
        "number",
        "null",
        "list",
        "empty",
        "lines",
        "space",
        "umlaut",
    ],
)
def test_nothing_else_passes_for_a_newer_word(fields: dict[str, Any], extra: dict[str, Any]) -> None:
    setting = safety_pb2.SafetySetting(extra_json=orjson.dumps(extra).decode(), **fields)
    assert refused(GenerateRequest(safety_settings=[setting]))[0] == "safety_settings[0].extra_json"


@pytest.mark.parametrize(
    "word",
    ["UNSPECIFIED", "unspecified", "SERVICE_TIER_UNSPECIFIED", "SERVICE_TIER_PRIORITY", "Service_Tier_flex"],
)
def test_no_word_that_upstream_may_take_for_a_known_tier_passes_for_a_newer_one(word: str) -> None:
    """A rule or a quota of that tier would not see it."""
    message = GenerateRequest(extra_json=orjson.dumps({"serviceTier": word}).decode())
    assert refused(message)[0] == "extra_json"


def test_a_newer_tier_cannot_break_out_of_its_header() -> None:
    for text in ("batch", "a\r\nX-Evil: 1"):
        message = GenerateRequest(extra_json=orjson.dumps({"serviceTier": text}).decode())
        if text == "batch":
            attempt = facts.attempt(facts.vertex(), Method.GENERATE, WRITER.write(message).json)
            header = encode.http_request(attempt).headers["X-Vertex-AI-LLM-Shared-Request-Type"]
            assert header == "batch"
        else:
            assert refused(message)[0] == "extra_json"


def test_a_list_of_newer_words_is_not_taken() -> None:
    """A list of enums is typed as a whole: it cannot be given in part here and in part there."""
    assert (
        refused(config(extra_json='{"responseModalities": ["SMELL"]}'))[0] == "generation_config.extra_json"
    )


def test_the_deepest_message_with_the_deepest_json_can_be_put_on_the_wire() -> None:
    """Nesting adds up: protobuf's own limit, our limit for JSON text, and orjson's for all."""
    depth = 1
    while True:
        message = GenerateRequest()
        node = message.generation_config.response_schema
        for _ in range(depth):
            node = node.any_of.add()
        node.default_json = "[" * 50 + "]" * 50
        try:
            read = GenerateRequest.FromString(message.SerializeToString())
        except DecodeError:  # the limit is reached
            break
        depth += 1
    assert depth > 90
    json = WRITER.write(read).json
    for endpoint in (facts.gemini(), facts.vertex()):
        request = encode.http_request(facts.attempt(endpoint, Method.COUNT_TOKENS, json))
        assert request.body is not None
        encode.to_bytes(request.body)


def test_writing_leaves_the_message_as_it_was() -> None:
    message = GenerateRequest(prompt="x", labels={"a": "b"}, extra_json='{"c": 1}')
    before = message.SerializeToString(deterministic=True)
    WRITER.write(message)
    assert message.SerializeToString(deterministic=True) == before


def test_a_stream_request_is_written_like_a_request() -> None:
    raw = GenerateRequest(prompt="x", labels={"a": "b"}, store=True).SerializeToString()
    streamed = generate_pb2.StreamGenerateRequest.FromString(raw)
    plain = GenerateRequest.FromString(raw)
    assert JsonWriter(generate_pb2.StreamGenerateRequest).write(streamed) == WRITER.write(plain)
