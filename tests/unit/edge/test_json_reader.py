import base64
from typing import Any

import orjson
import pytest

from sidecar.edge.json_reader import JsonReader, Mismatch
from sidecar.v1 import embed_content_pb2, generate_pb2, model_pb2
from sidecar.v1.candidate_pb2 import FinishReason
from sidecar.v1.generate_pb2 import GenerateResponse

READER = JsonReader(GenerateResponse)


def read(json: dict[str, Any]) -> GenerateResponse:
    message = GenerateResponse()
    READER.read(json, message)
    return message


def part(**json: Any) -> Any:
    """The one part of an answer whose part is `json`."""
    return read({"candidates": [{"content": {"parts": [json]}}]}).candidates[0].content.parts[0]


def extra(text: str) -> Any:
    return orjson.loads(text)


# ------------------------------------------------------------------------------------------ nothing is lost


def test_unknown_keys_go_to_the_extra_json_of_their_object() -> None:
    message = read(
        {"new": {"a": [1]}, "candidates": [{"newer": "x", "content": {"parts": [{"newest": 2**60}]}}]}
    )
    assert extra(message.extra_json) == {"new": {"a": [1]}}
    candidate = message.candidates[0]
    assert extra(candidate.extra_json) == {"newer": "x"}
    assert extra(candidate.content.parts[0].extra_json) == {"newest": 2**60}


def test_keys_are_known_in_upstream_s_spelling_alone() -> None:
    assert extra(read({"model_version": "x", "ModelVersion": "y"}).extra_json) == {
        "model_version": "x",
        "ModelVersion": "y",
    }


@pytest.mark.parametrize("word", ["BRAND_NEW", "lower_case_new", ""])
def test_an_unknown_enum_word_goes_to_extra_json(word: str) -> None:
    candidate = read({"candidates": [{"finishReason": word}]}).candidates[0]
    assert candidate.finish_reason == FinishReason.FINISH_REASON_UNSPECIFIED
    assert extra(candidate.extra_json) == {"finishReason": word}


@pytest.mark.parametrize(
    ("word", "number"),
    [("STOP", 1), (1, 1), ("stop", 1), ("FINISH_REASON_UNSPECIFIED", 0), ("UNKNOWN", 0)],
    ids=repr,
)
def test_an_enum_comes_as_word_or_number(word: object, number: int) -> None:
    candidate = read({"candidates": [{"finishReason": word}]}).candidates[0]
    assert (candidate.finish_reason, candidate.extra_json) == (number, "")


def test_an_unknown_enum_number_goes_to_extra_json() -> None:
    assert extra(read({"candidates": [{"finishReason": 999}]}).candidates[0].extra_json) == {
        "finishReason": 999
    }


def test_a_tier_comes_in_lower_case() -> None:
    assert read({"usageMetadata": {"serviceTier": "priority"}}).usage_metadata.service_tier == 3


def test_a_list_with_an_unknown_word_goes_to_extra_json_whole() -> None:
    video = part(videoMetadata={"contentLayers": ["AUDIO", "SMELL"]}).video_metadata
    assert list(video.content_layers) == []
    assert extra(video.extra_json) == {"contentLayers": ["AUDIO", "SMELL"]}


def test_a_second_member_of_a_oneof_goes_to_extra_json() -> None:
    found = part(text="a", functionCall={"name": "f"})
    assert found.text == "a"
    assert extra(found.extra_json) == {"functionCall": {"name": "f"}}


def test_a_second_member_counts_even_when_the_first_is_empty() -> None:
    assert extra(part(text="", inlineData={}).extra_json) == {"inlineData": {}}


def test_what_the_sidecar_itself_says_cannot_be_said_by_upstream() -> None:
    message = read({"call": {"requestId": "forged", "served": {"project": "x"}, "more": 1}})
    assert not message.HasField("call")
    assert extra(message.extra_json)["call"]["requestId"] == "forged"


def test_nulls_are_absent() -> None:
    message = read({"candidates": None, "modelVersion": None, "new": None, "usageMetadata": None})
    assert message == GenerateResponse()
    assert not part(text=None).HasField("text")
    assert part(functionCall={"args": {"a": None}}).function_call.args_json == '{"a":null}'


def test_empty_objects_are_present() -> None:
    message = read({"usageMetadata": {}, "candidates": [{}]})
    assert message.HasField("usage_metadata")
    assert len(message.candidates) == 1


# ---------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("raw", [b"", b"a", b"ab", b"abc", b"\xff\xfe\xfd\xfb", bytes(range(256))])
@pytest.mark.parametrize("url_safe", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_bytes_come_in_every_base64(raw: bytes, url_safe: bool, padded: bool) -> None:
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(raw).decode()
    assert part(thoughtSignature=text if padded else text.rstrip("=")).thought_signature == raw


@pytest.mark.parametrize("value", [7, "7", 7.0], ids=repr)
def test_integers_come_as_number_or_text(value: object) -> None:
    assert read({"usageMetadata": {"promptTokenCount": value}}).usage_metadata.prompt_token_count == 7


@pytest.mark.parametrize(
    ("value", "number"), [(-0.5, -0.5), (0, 0.0), ("-Infinity", float("-inf")), ("Infinity", float("inf"))]
)
def test_numbers_come_as_number_or_word(value: object, number: float) -> None:
    assert read({"candidates": [{"avgLogprobs": value}]}).candidates[0].avg_logprobs == number


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("2026-11-22T12:00:00Z", 1795348800, 0),
        ("2026-11-22T12:00:00.123456789Z", 1795348800, 123456789),
        ("2026-11-22T13:00:00+01:00", 1795348800, 0),
    ],
)
def test_times(text: str, seconds: int, nanos: int) -> None:
    time = read({"createTime": text}).create_time
    assert (time.seconds, time.nanos) == (seconds, nanos)


@pytest.mark.parametrize(("text", "nanos"), [("1.5s", 1_500_000_000), ("0s", 0), ("-1s", -(10**9))])
def test_durations(text: str, nanos: int) -> None:
    assert part(videoMetadata={"startOffset": text}).video_metadata.start_offset.ToNanoseconds() == nanos


def test_json_values_become_text() -> None:
    call = part(functionCall={"args": {"b": 2**60, "a": [1.5, None, "é"]}}).function_call
    assert call.args_json == '{"b":1152921504606846976,"a":[1.5,null,"é"]}', "keys keep their order"


def test_embeddings_are_read_as_numbers() -> None:
    message = embed_content_pb2.EmbedContentResponse()
    JsonReader(embed_content_pb2.EmbedContentResponse).read(
        {"embeddings": [{"values": [1, 0.5, -2]}]}, message
    )
    assert list(message.embeddings[0].values) == [1.0, 0.5, -2.0]


def test_a_model_with_labels() -> None:
    message = model_pb2.Model()
    JsonReader(model_pb2.Model).read({"labels": {"a": "b"}, "topK": 64}, message)
    assert dict(message.labels) == {"a": "b"}
    assert message.top_k == 64


# --------------------------------------------------------------------------------------------- refusals


def candidate(**json: Any) -> dict[str, Any]:
    return {"candidates": [{}, json]}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"candidates": {}}, "candidates", "dict"),
    ({"candidates": [7]}, "candidates[0]", "int"),
    ({"candidates": [{}, None]}, "candidates[1]", "NoneType"),
    (candidate(content="x"), "candidates[1].content", "str"),
    (candidate(content={"parts": "x"}), "candidates[1].content.parts", "str"),
    (candidate(content={"parts": [{}, {"text": 7}]}), "candidates[1].content.parts[1].text", "int"),
    (candidate(content={"parts": [{"thought": "yes"}]}), "candidates[1].content.parts[0].thought", "str"),
    (
        candidate(content={"parts": [{"thoughtSignature": "?"}]}),
        "candidates[1].content.parts[0].thoughtSignature",
        "str",
    ),
    (candidate(finishReason=[]), "candidates[1].finishReason", "list"),
    (candidate(finishReason=True), "candidates[1].finishReason", "bool"),
    (candidate(finishReason=1.5), "candidates[1].finishReason", "float"),
    (candidate(index=1.5), "candidates[1].index", "float"),
    (candidate(index=True), "candidates[1].index", "bool"),
    (candidate(index="one"), "candidates[1].index", "str"),
    (candidate(index=2**31), "candidates[1].index", "int"),
    (candidate(index=1e300), "candidates[1].index", "float"),
    (candidate(index="9" * 5000), "candidates[1].index", "str"),
    (candidate(avgLogprobs="low"), "candidates[1].avgLogprobs", "str"),
    (candidate(avgLogprobs=[1]), "candidates[1].avgLogprobs", "list"),
    (
        candidate(groundingMetadata={"webSearchQueries": ["a", 7]}),
        "candidates[1].groundingMetadata.webSearchQueries[1]",
        "int",
    ),
    (
        candidate(groundingMetadata={"webSearchQueries": "a"}),
        "candidates[1].groundingMetadata.webSearchQueries",
        "str",
    ),
    ({"createTime": 7}, "createTime", "int"),
    ({"createTime": "yesterday"}, "createTime", "str"),
    ({"createTime": "2026-13-45T00:00:00Z"}, "createTime", "str"),
    ({"usageMetadata": {"promptTokenCount": {}}}, "usageMetadata.promptTokenCount", "dict"),
    ({"usageMetadata": {"serviceTier": 2.5}}, "usageMetadata.serviceTier", "float"),
    ({"modelVersion": ["x"]}, "modelVersion", "list"),
    (
        {"promptFeedback": {"safetyRatings": [{"blocked": 1}]}},
        "promptFeedback.safetyRatings[0].blocked",
        "int",
    ),
]


@pytest.mark.parametrize(("json", "path", "found"), REFUSED, ids=range(len(REFUSED)))
def test_a_value_of_the_wrong_type_is_refused_by_path(json: dict[str, Any], path: str, found: str) -> None:
    with pytest.raises(Mismatch) as error:
        read(json)
    assert str(error.value) == f"{path} does not fit the schema (JSON {found})"


def test_a_refusal_does_not_quote_the_value() -> None:
    with pytest.raises(Mismatch) as error:
        read({"modelVersion": {"secret": "words"}})
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("depth", [200, 300, 900])
@pytest.mark.parametrize("place", ["unknown", "args"])
def test_deep_nesting_is_kept_or_refused(depth: int, place: str) -> None:
    value = orjson.loads("[" * depth + "]" * depth)
    json: dict[str, Any] = {"new": value}
    if place == "args":
        json = {"candidates": [{"content": {"parts": [{"functionCall": {"args": value}}]}}]}
    if depth < 254:
        read(json)
    else:
        with pytest.raises(Mismatch):
            read(json)


def test_a_stream_s_chunk_is_read_like_an_answer() -> None:
    json = {
        "candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}],
        "responseId": "r",
    }
    chunk = generate_pb2.StreamGenerateResponse()
    JsonReader(generate_pb2.StreamGenerateResponse).read(json, chunk)
    assert chunk.SerializeToString() == read(json).SerializeToString()
