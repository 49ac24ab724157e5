"""The input of a request in tokens, before anything was learned."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.limits.measure import Measured, json_tokens, measure, text_tokens
from tests.support.facts import HELLO, MODEL

ENGLISH = "The quick brown fox jumps over the lazy dog, and nobody minds. " * 40


def of(*parts: dict[str, Any], **body: Any) -> Measured:
    return measure({"contents": [{"parts": list(parts), "role": "user"}], **body}, MODEL)


def text(*parts: dict[str, Any], **body: Any) -> int:
    """Tokens of a request that carries nothing but text."""
    measured = of(*parts, **body)
    assert measured.certain.keys() <= {"TEXT"}
    assert not measured.guessed
    return measured.certain.get("TEXT", 0)


def test_every_part_has_tokens_beside_its_words() -> None:
    assert measure(HELLO, MODEL) == Measured({"TEXT": 5}, {}, "")
    assert text({"text": ""}) == 4
    assert text({"text": "hi"}, {"text": "hi"}) == 10


@pytest.mark.parametrize(
    ("words", "bytes_per_token"),
    [
        (ENGLISH, 3),
        ("Größe und Maß, " * 50, 3),
        ("天地玄黄宇宙洪荒" * 50, 2),
        (
            base64.b64encode(b"lots of bytes without a digit" * 30)
            .decode()
            .translate({48 + i: 97 for i in range(10)}),
            2,
        ),
        ("x" * 63, 3),
        ("0123456789" * 10, 1),
    ],
    ids=["English", "German", "Chinese", "base64", "a long word", "digits"],
)
def test_a_token_has_fewer_bytes_where_a_text_is_dense(words: str, bytes_per_token: int) -> None:
    assert text_tokens(words) == -(-len(words.encode()) // bytes_per_token)


@given(st.text(max_size=500), st.text(max_size=500))
def test_more_text_is_never_fewer_tokens_than_a_third_of_its_bytes(one: str, other: str) -> None:
    assert text_tokens(one + other) >= len((one + other).encode()) / 3


@pytest.mark.parametrize("size", [60_000, 70_000, 3_000_000])
def test_a_long_text_is_weighed_like_a_short_one(size: int) -> None:
    words = (ENGLISH * (size // len(ENGLISH) + 1))[:size]
    assert text_tokens(words) == pytest.approx(size / 3, rel=0.01)


def test_a_text_whose_parts_differ_is_weighed_all_over() -> None:
    words = ENGLISH * 40 + "0" * 100_000
    assert text_tokens(words) == pytest.approx(len(ENGLISH) * 40 / 3 + 100_000, rel=0.15)


@pytest.mark.parametrize(
    "body",
    [
        {"systemInstruction": {"parts": [{"text": ENGLISH}]}},
        {"tools": [{"functionDeclarations": [{"name": "f", "description": ENGLISH}]}]},
        {"generationConfig": {"responseSchema": {"type": "OBJECT", "description": ENGLISH}}},
        {"generationConfig": {"responseJsonSchema": {"type": "object", "description": ENGLISH}}},
    ],
)
def test_all_that_a_model_reads_counts(body: dict[str, Any]) -> None:
    assert text({"text": "hi"}, **body) >= 5 + len(ENGLISH) / 3


@pytest.mark.parametrize(
    "part",
    [
        {"functionCall": {"name": "f", "args": {"q": ENGLISH}}},
        {"functionResponse": {"name": "f", "response": {"result": ENGLISH}}},
        {"executableCode": {"code": ENGLISH}},
        {"somethingNew": {"words": [ENGLISH]}},
    ],
)
def test_structured_parts_count_as_the_json_that_they_are(part: dict[str, Any]) -> None:
    assert text(part) == json_tokens(*part.values())
    assert text(part) >= len(ENGLISH) / 3


def test_sealed_thoughts_count_by_their_bytes() -> None:
    seal = base64.b64encode(bytes(3_000)).decode()
    assert text({"text": "hi", "thoughtSignature": seal}) == 5 + 1_000


def test_how_to_look_at_a_part_costs_nothing() -> None:
    assert text({"text": "hi", "thought": True, "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}}) == 5


def test_media_are_told_apart() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "A" * 32_000}}
    measured = of({"text": "hi"}, picture, picture, sound)
    assert measured.certain == {"TEXT": 5, "IMAGE": 2 * 1124, "AUDIO": 3 * 32 + 4}


def test_media_are_seen_as_the_request_says() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    measured = of(picture, generationConfig={"mediaResolution": "MEDIA_RESOLUTION_LOW"})
    assert measured.certain == {"IMAGE": 284}


def test_media_that_a_function_gave_back_count_as_media() -> None:
    blob = {"inlineData": {"mimeType": "image/png", "data": "A" * 100_000}}
    measured = of({"functionResponse": {"name": "f", "response": {}, "parts": [blob]}})
    assert measured.certain["IMAGE"] == 1124
    assert measured.certain["TEXT"] < 50


def test_what_is_only_named_is_guessed_apart() -> None:
    film = {"fileData": {"mimeType": "video/mp4", "fileUri": "files/x"}}
    assert of({"text": "hi"}, film) == Measured({"TEXT": 5}, {"VIDEO": 600 * 102}, "")
    cached = of({"text": "hi"}, cachedContent="cachedContents/x")
    assert cached == Measured({"TEXT": 5}, {}, "cachedContents/x")
