import enum

import pytest
from google.genai import types
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from sidecar.edge.spelling import carries_json, key_of, plain, words_of
from tests.unit.v1 import descriptors

ENUMS = descriptors.enums()
FIELDS = {
    f"{name}.{field.name}": field
    for name, message in descriptors.messages().items()
    for field in message.fields
}
SDK_NAMES = {
    "BlockReason": "BlockedReason",
    "EmbeddingTaskType": None,
    "ErrorReason": None,
    "FunctionCallingMode": "FunctionCallingConfigMode",
    "ResponseModality": "Modality",
    "SchemaType": "Type",
}
"""Enums that google-genai names otherwise, or has no enum for."""


@pytest.mark.parametrize("name", sorted(set(ENUMS) - {"ErrorReason"}))
def test_words_are_those_that_the_contract_promises(name: str) -> None:
    enum_ = ENUMS[name]
    promised = {
        value.number: descriptors.upstream_word(enum_, value.name).upper()
        for value in enum_.values
        if value.number
    }
    assert words_of(enum_) == promised


def sdk_enum(ours: EnumDescriptor) -> type[enum.Enum] | None:
    name = SDK_NAMES.get(ours.name, ours.name)
    found = getattr(types, name, None) if name else None
    return found if isinstance(found, type) and issubclass(found, enum.Enum) else None


@pytest.mark.parametrize("name", sorted(name for name, ours in ENUMS.items() if sdk_enum(ours)))
def test_every_word_is_one_that_google_genai_knows(name: str) -> None:
    theirs = [sdk_enum(ENUMS[name]), *([types.PartMediaResolutionLevel] if name == "MediaResolution" else [])]
    known = {str(member.value).upper() for each in theirs if each for member in each}
    assert set(words_of(ENUMS[name]).values()) - known == set()


def test_most_enums_are_compared() -> None:
    assert sum(sdk_enum(ours) is not None for ours in ENUMS.values()) >= 20


def test_keys_are_those_that_the_contract_promises() -> None:
    typed = {name: field for name, field in FIELDS.items() if not name.endswith(".extra_json")}
    assert {name: key_of(field) for name, field in typed.items()} == {
        name: descriptors.upstream_key(field) for name, field in typed.items()
    }


def test_no_two_fields_of_a_message_share_a_key() -> None:
    for name, message in descriptors.messages().items():
        keys = [plain(key_of(field)) for field in message.fields]
        assert len(set(keys)) == len(keys), name


@pytest.mark.parametrize(
    ("name", "key", "is_json"),
    [
        ("GenerationConfig.max_output_tokens", "maxOutputTokens", False),
        ("GenerationConfig.response_json_schema", "responseJsonSchema", True),
        ("FunctionCall.args_json", "args", True),
        ("Part.part_metadata_json", "partMetadata", True),
        ("Schema.additional_properties_json", "additionalProperties", True),
        ("Schema.any_of", "anyOf", False),
        ("PartialArg.json_path", "jsonPath", False),
    ],
)
def test_some_keys_by_name(name: str, key: str, is_json: bool) -> None:
    field: FieldDescriptor = FIELDS[name]
    assert (key_of(field), carries_json(field)) == (key, is_json)


@pytest.mark.parametrize(
    "spelling",
    ["max_output_tokens", "maxOutputTokens", "MaxOutputTokens", "MAX_OUTPUT_TOKENS", "_max_outputTokens_"],
)
def test_spellings_of_one_name_are_plainly_one(spelling: str) -> None:
    assert plain(spelling) == plain("maxOutputTokens")
