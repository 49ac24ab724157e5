"""Decoding: both spellings, enums as numbers, and Google's words for what is malformed."""

import contextlib
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.emulator.decode import MAX_DEPTH, decode, parse_json, snake_case
from sidecar.emulator.errors import ApiError
from sidecar.emulator.fields import MESSAGES

_GENERATE = "GenerateContentRequest"


def _violations(message: str, value: object) -> list[tuple[str, str]]:
    with pytest.raises(ApiError) as refusal:
        decode(message, value)
    assert refusal.value.code == 400
    listed = refusal.value.payload()["error"]["details"][0]["fieldViolations"]
    return [(violation.get("field", ""), violation["description"]) for violation in listed]


def _respelled(value: object) -> object:
    if isinstance(value, dict):
        return {snake_case(key): _respelled(item) for key, item in value.items()}
    return [_respelled(item) for item in value] if isinstance(value, list) else value


def test_both_spellings_decode_to_lower_camel():
    camel = {
        "contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "maxOutputTokens": 5,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
            "responseSchema": {"type": "ARRAY", "minItems": 1, "items": {"anyOf": [{"type": "STRING"}]}},
        },
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    }
    assert decode(_GENERATE, camel) == camel
    assert decode(_GENERATE, _respelled(camel)) == camel


def test_names_inside_maps_and_free_values_are_left_alone():
    value = {
        "labels": {"team_name": "a", "teamName": "b"},
        "contents": [{"parts": [{"functionCall": {"name": "f", "args": {"snake_case": {"camelCase": 1}}}}]}],
        "generationConfig": {"responseSchema": {"properties": {"first_name": {"type": "STRING"}}}},
    }
    assert decode(_GENERATE, value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [("HIGH", "HIGH"), ("high", "HIGH"), (3, "HIGH"), (0, "THINKING_LEVEL_UNSPECIFIED")],
)
def test_enums_come_as_names_in_any_case_or_as_numbers(value, expected):
    decoded = decode("ThinkingConfig", {"thinkingLevel": value})
    assert decoded == {"thinkingLevel": expected}


def test_null_is_the_same_as_absent():
    assert decode(_GENERATE, {"contents": None, "generationConfig": {"seed": None}}) == {
        "generationConfig": {}
    }


@pytest.mark.parametrize(("value", "expected"), [(5, 5), ("7", 7), (8.0, 8), (-1, -1)])
def test_whole_numbers_come_in_all_forms_of_proto_json(value, expected):
    assert decode("ThinkingConfig", {"thinkingBudget": value}) == {"thinkingBudget": expected}


@pytest.mark.parametrize(
    ("value", "expected"), [("-_-_", "+/+/"), ("AAA", "AAA="), ("AAA=", "AAA="), ("", "")]
)
def test_bytes_come_in_both_alphabets_with_or_without_padding(value, expected):
    assert decode("Part", {"thoughtSignature": value}) == {"thoughtSignature": expected}


def test_an_unknown_field_is_refused_with_its_place():
    path, text = _violations(_GENERATE, {"contents": [{"parts": [{"txet": "hi"}]}]})[0]
    assert path == "contents[0].parts[0]"
    assert text == (
        "Invalid JSON payload received. Unknown name \"txet\" at 'contents[0].parts[0]': Cannot find field."
    )
    assert _violations(_GENERATE, {"temperature": 1}) == [
        ("", 'Invalid JSON payload received. Unknown name "temperature": Cannot find field.')
    ]


@pytest.mark.parametrize(
    ("config", "path", "kind"),
    [
        ({"maxOutputTokens": "many"}, "generation_config.max_output_tokens", "TYPE_INT32"),
        ({"maxOutputTokens": 1.5}, "generation_config.max_output_tokens", "TYPE_INT32"),
        ({"maxOutputTokens": True}, "generation_config.max_output_tokens", "TYPE_INT32"),
        ({"maxOutputTokens": 2**31}, "generation_config.max_output_tokens", "TYPE_INT32"),
        ({"temperature": "warm"}, "generation_config.temperature", "TYPE_FLOAT"),
        ({"temperature": "inf"}, "generation_config.temperature", "TYPE_FLOAT"),
        ({"temperature": False}, "generation_config.temperature", "TYPE_FLOAT"),
        ({"responseMimeType": 5}, "generation_config.response_mime_type", "TYPE_STRING"),
        ({"responseLogprobs": "yes"}, "generation_config.response_logprobs", "TYPE_BOOL"),
        ({"stopSequences": "end"}, "generation_config.stop_sequences", "repeated field"),
        ({"stopSequences": [1]}, "generation_config.stop_sequences[0]", "TYPE_STRING"),
        ({"thinkingConfig": []}, "generation_config.thinking_config", "ThinkingConfig"),
        (
            {"thinkingConfig": {"thinkingLevel": "DEEP"}},
            "generation_config.thinking_config.thinking_level",
            "Thin",
        ),
        ({"mediaResolution": True}, "generation_config.media_resolution", "MediaResolution"),
        ({"mediaResolution": 99}, "generation_config.media_resolution", "MediaResolution"),
        ({"responseSchema": {"properties": []}}, "generation_config.response_schema.properties", "map field"),
    ],
)
def test_a_wrong_type_is_refused_with_path_type_and_value(config, path, kind):
    [(field, text)] = _violations(_GENERATE, {"generationConfig": config})
    assert field == path
    assert text.startswith(f"Invalid value at '{path}' (")
    assert kind in text


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"inlineData": {"data": "no base64!"}}, "TYPE_BYTES"),
        ({"functionCall": {"args": [1]}}, "google.protobuf.Struct"),
    ],
)
def test_bytes_and_structs_are_checked(part, kind):
    assert kind in _violations("Part", part)[0][1]


def test_all_faults_are_told_at_once_and_long_values_are_shortened():
    found = _violations(_GENERATE, {"x": 1, "model": 5, "contents": "ha" * 100})
    assert len(found) == 3
    assert found[2][1].endswith("...")


def test_a_field_given_in_both_spellings_is_refused():
    [(path, text)] = _violations("Blob", {"mimeType": "a/b", "mime_type": "c/d"})
    assert path == "mime_type"
    assert "given twice" in text


def test_a_request_that_is_no_object_is_refused():
    assert "GenerateContentRequest" in _violations(_GENERATE, [1])[0][1]


def test_nesting_is_bounded():
    schema: dict[str, object] = {"type": "STRING"}
    for _ in range(MAX_DEPTH):
        schema = {"type": "ARRAY", "items": schema}
    assert "Message too deep" in _violations("Schema", schema)[0][1]


def test_broken_json_is_refused_as_google_does():
    with pytest.raises(ApiError, match="Invalid JSON payload received"):
        parse_json(b"{contents: none}")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([name for fields in MESSAGES.values() for name in fields]) | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
)


@given(st.sampled_from(sorted(MESSAGES)), _JSON)
def test_whatever_comes_is_decoded_or_refused_and_never_changed(message, value):
    before = copy.deepcopy(value)
    # Refused is fine; an accepted value must be canonical.
    with contextlib.suppress(ApiError):
        decoded = decode(message, value)
        assert decode(message, decoded) == decoded
    assert value == before
