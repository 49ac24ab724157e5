"""Vectors: deterministic, of unit length, near for texts that share words."""

import math

import pytest

from sidecar.emulator.embeddings import batch_embed, embed, predict
from sidecar.emulator.errors import ApiError
from sidecar.emulator.models import MODELS
from sidecar.emulator.routes import Face

_MODEL = MODELS["gemini-embedding-001"]


def _vector(text: str, **fields: object) -> list[float]:
    request = {"content": {"parts": [{"text": text}]}, **fields}
    return embed(_MODEL, request, Face.DEVELOPER)["embedding"]["values"]


def _similarity(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def test_vectors_are_deterministic_and_of_unit_length():
    assert _vector("the harbour") == _vector("the harbour")
    assert len(_vector("the harbour")) == 3072
    assert math.isclose(_similarity(_vector("the harbour"), _vector("the harbour")), 1, abs_tol=1e-6)


def test_texts_that_share_words_are_nearer_than_strangers():
    cat = _vector("The cat sleeps on the warm roof.")
    assert _similarity(cat, _vector("a CAT sleeps, on a roof!")) > 0.4
    assert _similarity(cat, _vector("quarterly revenue grew by nine percent")) < 0.2


def test_the_size_is_chosen_by_the_request():
    assert len(_vector("hello", outputDimensionality=64)) == 64
    assert len(_vector("hello", embedContentConfig={"outputDimensionality": 8})) == 8


def test_nothing_to_compare_still_has_a_vector_of_unit_length():
    assert math.isclose(sum(value**2 for value in _vector(" ")), 1, abs_tol=1e-4)


def test_media_have_vectors_of_their_own():
    def image(data: str) -> list[float]:
        request = {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}}
        return embed(MODELS["gemini-embedding-2"], request, Face.DEVELOPER)["embedding"]["values"]

    assert image("AAAA") == image("AAAA") != image("BBBB")


def test_a_batch_holds_one_vector_for_each_request():
    requests = [{"content": {"parts": [{"text": text}]}} for text in ("one", "two")]
    reply = batch_embed(_MODEL, {"requests": requests}, Face.DEVELOPER)
    assert [item["values"] for item in reply["embeddings"]] == [_vector("one"), _vector("two")]


def test_predict_answers_in_the_form_of_vertex_ai():
    request = {"instances": [{"content": "one two"}], "parameters": {"outputDimensionality": 16}}
    reply = predict(_MODEL, request)
    [prediction] = reply["predictions"]
    assert len(prediction["embeddings"]["values"]) == 16
    assert prediction["embeddings"]["statistics"]["token_count"] > 0
    assert reply["metadata"] == {"billableCharacterCount": 6}


def test_the_two_products_spell_usage_details_differently():
    request = {"content": {"parts": [{"text": "one"}]}}
    assert "promptTokenDetails" in embed(_MODEL, request, Face.DEVELOPER)["usageMetadata"]
    assert "promptTokensDetails" in embed(_MODEL, request, Face.VERTEX)["usageMetadata"]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: embed(_MODEL, {}, Face.DEVELOPER), "content is not specified"),
        (lambda: batch_embed(_MODEL, {}, Face.DEVELOPER), "requests is not specified"),
        (lambda: predict(_MODEL, {}), "instances is not specified"),
        (lambda: _vector("hello", outputDimensionality=4000), "from 1 to 3072"),
        (lambda: _vector("word " * 9000), "exceeds the maximum number of tokens"),
    ],
)
def test_what_cannot_be_embedded_is_refused(make, complaint):
    with pytest.raises(ApiError, match=complaint):
        make()
