import asyncio
import json
import threading
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.call import Method
from sidecar.core.errors import Reason, UpstreamUnavailable
from sidecar.core.outcome import Reply, Usage
from sidecar.upstream import decode
from sidecar.upstream.judge import StreamJudge


def read(method: Method, value: object) -> Reply:
    return decode.reader(method)(value if isinstance(value, bytes) else json.dumps(value).encode())


def malformed(method: Method, value: object) -> str:
    """The message with which this answer is refused."""
    with pytest.raises(UpstreamUnavailable) as error:
        read(method, value)
    assert error.value.reason == Reason.UPSTREAM_MALFORMED
    assert error.value.retry_after_s is not None
    return error.value.message


def test_all_tokens_are_counted() -> None:
    metadata = {
        "promptTokenCount": 193,
        "cachedContentTokenCount": 100,
        "candidatesTokenCount": 1166,
        "thoughtsTokenCount": 954,
        "toolUsePromptTokenCount": 7,
        "totalTokenCount": 2320,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 193}],
    }
    reply = read(Method.GENERATE, {"usageMetadata": metadata})
    assert reply.usage == Usage(193, 100, 1166, 954, 7, 2320, prompt_details=(("TEXT", 193),))
    assert reply.json == {"usageMetadata": metadata}


def test_tokens_are_told_apart_by_modality() -> None:
    metadata = {
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 7},
            {"modality": "AUDIO", "tokenCount": 320},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 64}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
    }
    assert read(Method.GENERATE, {"usageMetadata": metadata}).usage == Usage(
        prompt_details=(("TEXT", 7), ("AUDIO", 320)),
        cached_details=(("AUDIO", 64),),
        candidates_details=(("IMAGE", 1290),),
    )


@pytest.mark.parametrize("spelling", ["promptTokenDetails", "promptTokensDetails"])
def test_both_faces_tell_the_modalities_of_what_was_embedded(spelling: str) -> None:
    usage = {"promptTokenCount": 9, spelling: [{"modality": "IMAGE", "tokenCount": 9}]}
    reply = read(Method.EMBED_CONTENT, {"embeddings": [], "usageMetadata": usage})
    assert reply.usage == Usage(prompt=9, prompt_details=(("IMAGE", 9),))


@pytest.mark.parametrize("item", [{"tokenCount": 5}, {"modality": None, "tokenCount": 5}])
def test_a_modality_left_out_is_told_as_none(item: dict[str, Any]) -> None:
    usage = read(Method.GENERATE, {"usageMetadata": {"promptTokensDetails": [item]}}).usage
    assert usage == Usage(prompt_details=(("", 5),))


@pytest.mark.parametrize(
    ("details", "complaint"),
    [
        ({"modality": "TEXT"}, "is not a list of objects"),
        (["TEXT"], "is not a list of objects"),
        ([{"tokenCount": -1}], "is not a token count"),
        ([{"tokenCount": "5"}], "is not a token count"),
    ],
)
def test_details_that_are_none_are_refused(details: object, complaint: str) -> None:
    with pytest.raises(UpstreamUnavailable, match=complaint):
        read(Method.GENERATE, {"usageMetadata": {"promptTokensDetails": details}})


@pytest.mark.parametrize(
    ("metadata", "tier"),
    [
        ({"serviceTier": "priority"}, "priority"),
        ({}, ""),
        ({"serviceTier": 7}, ""),
        ({"serviceTier": None}, ""),
    ],
)
def test_the_tier_served_is_lifted_out(metadata: dict[str, Any], tier: str) -> None:
    assert read(Method.GENERATE, {"usageMetadata": metadata}).service_tier == tier


@pytest.mark.parametrize("absent", [{}, {"usageMetadata": None}])
def test_usage_may_be_absent(absent: dict[str, Any]) -> None:
    assert read(Method.GENERATE, absent).usage is None


@pytest.mark.parametrize(
    "answer",
    [
        {"candidates": None},
        {"promptFeedback": None},
        {"candidates": [{"index": None, "finishReason": None}]},
        {"usageMetadata": {"promptTokenCount": None}},
    ],
)
def test_null_stands_for_absent(answer: dict[str, Any]) -> None:
    reply = read(Method.GENERATE, answer)
    StreamJudge(lambda: None).see(reply.json)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "not JSON"),
        (b"{", "at byte"),
        (b"\xff", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"null", "JSON NoneType"),
        ([], "JSON list"),
        ("text", "JSON str"),
        ({"candidates": {"0": {}}}, "candidates is not a list of objects"),
        ({"candidates": ["x"]}, "candidates is not a list of objects"),
        ({"candidates": [None]}, "candidates is not a list of objects"),
        ({"candidates": [{"index": "1"}]}, "candidates.index"),
        ({"candidates": [{"index": 1.5}]}, "candidates.index"),
        ({"candidates": [{"index": True}]}, "candidates.index"),
        ({"candidates": [{"finishReason": 1}]}, "candidates.finishReason"),
        ({"candidates": [{"finishReason": ["STOP"]}]}, "candidates.finishReason"),
        ({"promptFeedback": "SAFETY"}, "promptFeedback"),
        ({"promptFeedback": [{}]}, "promptFeedback"),
        ({"usageMetadata": [1]}, "usageMetadata is not an object"),
        ({"usageMetadata": {"promptTokenCount": "7"}}, "usageMetadata.promptTokenCount"),
        ({"usageMetadata": {"totalTokenCount": -1}}, "usageMetadata.totalTokenCount"),
        ({"usageMetadata": {"totalTokenCount": 2**31}}, "usageMetadata.totalTokenCount"),
        ({"usageMetadata": {"thoughtsTokenCount": 1.5}}, "usageMetadata.thoughtsTokenCount"),
        ({"usageMetadata": {"cachedContentTokenCount": True}}, "usageMetadata.cachedContentTokenCount"),
    ],
)
def test_an_answer_that_is_not_gemini_s_is_refused(answer: object, words: str) -> None:
    assert words in malformed(Method.GENERATE, answer)


def test_a_refusal_does_not_quote_the_answer() -> None:
    assert "secret" not in malformed(Method.GENERATE, b'{"candidates": "secret')
    assert "secret" not in malformed(Method.GENERATE, {"candidates": ["secret"]})


def test_counted_tokens() -> None:
    assert read(Method.COUNT_TOKENS, {"totalTokens": 7}).json == {"totalTokens": 7}
    assert "totalTokens" in malformed(Method.COUNT_TOKENS, {"totalTokens": "7"})
    assert "totalTokens" in malformed(Method.COUNT_TOKENS, {"totalTokens": True})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"embeddings": [{"values": [1, 2]}]}, {"embeddings": [{"values": [1, 2]}]}),
        (
            {"embedding": {"values": [1]}, "truncated": True, "usageMetadata": {"promptTokenCount": 3}},
            {
                "embeddings": [{"values": [1], "statistics": {"truncated": True, "tokenCount": 3}}],
                "usageMetadata": {"promptTokenCount": 3},
            },
        ),
        (
            {
                "predictions": [
                    {"embeddings": {"values": [1], "statistics": {"token_count": 4, "truncated": True}}},
                    {"embeddings": {"values": [2]}},
                    {"embeddings": {"statistics": {}}},
                ],
                "metadata": {"billableCharacterCount": 9},
            },
            {
                "embeddings": [
                    {"values": [1], "statistics": {"tokenCount": 4, "truncated": True}},
                    {"values": [2]},
                    {"statistics": {}},
                ],
                "metadata": {"billableCharacterCount": 9},
            },
        ),
    ],
    ids=["batch", "one", "predict"],
)
def test_embeddings_come_in_one_form(answer: object, expected: object) -> None:
    assert read(Method.EMBED_CONTENT, answer).json == expected


def test_embeddings_of_one_content_carry_their_usage() -> None:
    reply = read(Method.EMBED_CONTENT, {"embedding": {}, "usageMetadata": {"promptTokenCount": 3}})
    assert reply.usage == Usage(prompt=3)


@pytest.mark.parametrize(
    "answer", [{"predictions": 7}, {"predictions": [{}]}, {"predictions": [{"embeddings": []}]}]
)
def test_predictions_of_another_form_are_refused(answer: object) -> None:
    assert "predictions" in malformed(Method.EMBED_CONTENT, answer)


def test_models_come_in_the_developer_api_s_words() -> None:
    vertex = {
        "publisherModels": [{"name": "publishers/google/models/m", "versionId": "1"}],
        "nextPageToken": "n",
    }
    expected = {"models": [{"name": "publishers/google/models/m", "version": "1"}], "nextPageToken": "n"}
    assert read(Method.LIST_MODELS, vertex).json == expected
    developer = {"models": [{"name": "models/m", "version": "1"}]}
    assert read(Method.LIST_MODELS, developer).json == developer
    assert "publisherModels" in malformed(Method.LIST_MODELS, {"publisherModels": [7]})


def test_a_model_is_wrapped() -> None:
    assert read(Method.GET_MODEL, {"name": "models/m"}).json == {"model": {"name": "models/m"}}
    assert read(Method.GET_MODEL, {"versionId": "1"}).json == {"model": {"version": "1"}}


async def test_a_large_body_is_parsed_off_the_event_loop() -> None:
    threads: list[int] = []

    def note(raw: bytes) -> Reply:
        threads.append(threading.get_ident())
        return Reply(json={}, usage=None)

    small = await decode.decode(b"x" * decode.LARGE_BYTES, note)
    large = await decode.decode(b"x" * (decode.LARGE_BYTES + 1), note)
    assert (small.is_large, large.is_large) == (False, True)
    assert (threads[0] == threading.get_ident(), threads[1] == threading.get_ident()) == (True, False)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ODD_CANDIDATE = st.fixed_dictionaries({}, optional={"index": JSON, "finishReason": JSON, "content": JSON})
ODD = st.fixed_dictionaries(
    {},
    optional={
        "candidates": JSON | st.lists(ODD_CANDIDATE | JSON, max_size=3),
        "promptFeedback": JSON | st.fixed_dictionaries({"blockReason": JSON}),
        "usageMetadata": JSON | st.fixed_dictionaries({"promptTokenCount": JSON, "serviceTier": JSON}),
        "totalTokens": JSON,
        "embedding": JSON,
        "embeddings": JSON,
        "predictions": JSON | st.lists(st.fixed_dictionaries({"embeddings": JSON}), max_size=2),
        "publisherModels": JSON,
        "models": JSON,
    },
)


@given(
    answer=ODD, method=st.sampled_from([method for method in Method if method is not Method.STREAM_GENERATE])
)
def test_whatever_comes_is_read_or_refused(answer: dict[str, Any], method: Method) -> None:
    with suppress(UpstreamUnavailable):
        reply = read(method, orjson.dumps(answer))
        if method is Method.GENERATE:
            StreamJudge(lambda: None).see(reply.json)


def test_decode_hands_the_failure_of_a_large_body_on() -> None:
    with pytest.raises(UpstreamUnavailable, match="not JSON"):
        asyncio.run(decode.decode(b"{" * (decode.LARGE_BYTES + 1), decode.reader(Method.GENERATE)))
