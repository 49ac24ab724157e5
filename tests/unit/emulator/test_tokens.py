"""The tokenizer: deterministic, additive, different for each model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.emulator.models import MODELS
from sidecar.emulator.tokens import tokenizer_for, whole

_TOKENIZER = tokenizer_for("gemini-3.8-flash")
_KINDS = {
    "prose": "the quick brown fox jumps over the lazy dog, and then it rests. " * 50,
    "code": "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }\n" * 50,
    "digits": "31415926535897932384626433832795" * 50,
    "base64": "aGVsbG8gd29ybGQh0123ABCDxyzQ" * 50,
    "chinese": "天空为什么是蓝色的" * 50,
    "emoji": "🚲🌊⚓" * 50,
    "white space": " \n\t" * 50,
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_of_text_has_two_to_six_characters_to_a_token(model, kind):
    text = _KINDS[kind]
    assert 2.0 <= len(text) / tokenizer_for(model).count(text) <= 6.0


def test_models_count_differently():
    counts = {tokenizer_for(model).count(_KINDS["prose"]) for model in MODELS}
    assert len(counts) > len(MODELS) / 2


@given(st.text(), st.text())
def test_weights_of_pieces_add_up(left, right):
    assert _TOKENIZER.weigh(left + right) == _TOKENIZER.weigh(left) + _TOKENIZER.weigh(right)


@given(st.text(max_size=200), st.integers(0, 60))
def test_a_cut_text_is_the_longest_beginning_within_the_limit(text, limit):
    cut = _TOKENIZER.cut(text, limit)
    assert text.startswith(cut)
    assert _TOKENIZER.count(cut) <= limit
    assert cut == text or _TOKENIZER.count(text[: len(cut) + 1]) > limit


def test_counts_are_rounded_up_once():
    assert [whole(weight) for weight in (0, 1, 1000, 1001)] == [0, 1, 1, 2]


def test_a_request_counts_system_instruction_contents_and_tools():
    request = {
        "systemInstruction": {"parts": [{"text": "a" * 100}]},
        "contents": [{"parts": [{"text": "b" * 100}]}],
    }
    without_tools = _TOKENIZER.count_request(request)["TEXT"]
    assert without_tools == _TOKENIZER.count("a" * 200)
    request["tools"] = [{"functionDeclarations": [{"name": "get_weather"}]}]
    assert _TOKENIZER.count_request(request)["TEXT"] > without_tools


@pytest.mark.parametrize(
    ("part", "modality", "tokens"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, "IMAGE", 1120),
        (
            {
                "inlineData": {"mimeType": "image/png", "data": "AAAA"},
                "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
            },
            "IMAGE",
            280,
        ),
        ({"inlineData": {"mimeType": "audio/wav", "data": "A" * 64_000}}, "AUDIO", 96),
        ({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v"}}, "VIDEO", 6120),
        ({"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}}, "DOCUMENT", 560),
    ],
)
def test_media_count_by_kind_and_size(part, modality, tokens):
    assert _TOKENIZER.count_request({"contents": [{"parts": [part]}]}) == {modality: tokens}


def test_early_models_count_images_in_tiles():
    tokenizer = tokenizer_for("gemini-2.5-pro", early_tiles=True)
    part = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    assert tokenizer.count_request({"contents": [{"parts": [part]}]}) == {"IMAGE": 258}


def test_thought_signatures_do_not_count():
    call = {"functionCall": {"name": "f", "args": {}}}
    signed = call | {"thoughtSignature": "A" * 4000}
    counts = [_TOKENIZER.count_request({"contents": [{"parts": [part]}]}) for part in (call, signed)]
    assert counts[0] == counts[1]
