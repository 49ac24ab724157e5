"""The contract against google-genai's own types: what the SDK knows of the wire is typed here or a named gap.

A google-genai that learns a field or a word fails here until the contract types it or names it.
"""

import enum
import typing
from collections.abc import Iterator
from dataclasses import dataclass

import pydantic
import pytest
from google.genai import types
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from tests.unit.v1 import descriptors

Model: typing.TypeAlias = type[pydantic.BaseModel]

ROOTS: dict[str, Model] = {
    "Candidate": types.Candidate,
    "Content": types.Content,
    "ContentEmbedding": types.ContentEmbedding,
    "EmbedContentMetadata": types.EmbedContentMetadata,
    "GenerationConfig": types.GenerationConfig,
    "ImageConfig": types.ImageConfig,
    "Model": types.Model,
    "ModelArmorConfig": types.ModelArmorConfig,
    "ModelStatus": types.ModelStatus,
    "PromptFeedback": types.GenerateContentResponsePromptFeedback,
    "SafetySetting": types.SafetySetting,
    "Tool": types.Tool,
    "ToolConfig": types.ToolConfig,
    "UsageMetadata": types.GenerateContentResponseUsageMetadata,
}
"""Where the walk through both type trees begins."""

RENAMED = {
    "GenerationConfig.model_selection_config": "modelConfig",
    "Model.supported_actions": "supportedGenerationMethods",
}
"""SDK fields whose wire key is not their own name in lowerCamelCase."""

SDK_ONLY = {"ImageConfig.output_mime_type", "ImageConfig.output_compression_quality"}
"""Shorthands that the SDK folds into other fields before sending."""

GAPS = {
    # Deprecated upstream.
    "AudioTranscriptionConfig": {"language_auto", "language_hints", "adaptation_phrases"},
    "ParallelAiSearch": {"enable_data_retention"},
    "VertexRagStore": {"rag_corpora", "similarity_top_k", "vector_distance_threshold"},
    # Credentials of a third party, for tools that are rarely used.
    "AuthConfig": {
        "api_key_config",
        "auth_type",
        "google_service_account_config",
        "http_basic_auth_config",
        "oauth_config",
        "oidc_config",
    },
    "Retrieval": {"external_api"},
    # Live sessions only.
    "GenerationConfig": {"enable_affective_dialog", "translation_config"},
    # Tuned models only.
    "Model": {"endpoints", "tuned_model_info", "default_checkpoint_id", "checkpoints"},
}
"""SDK fields left to extra_json, by message."""


@dataclass(frozen=True)
class MessagePair:
    """A message here and its type in the SDK, met at a place."""

    place: str
    ours: Descriptor
    theirs: Model


@dataclass(frozen=True)
class EnumPair:
    """An enum here and its type in the SDK, met at a place."""

    place: str
    ours: EnumDescriptor
    theirs: type[enum.Enum]


def leaf_types(annotation: object) -> Iterator[type]:
    """The classes inside Optional, list, dict and Annotated."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from leaf_types(argument)


def wire_key(pair: MessagePair, name: str) -> str:
    """The JSON key under which the SDK sends or reads its field."""
    return RENAMED.get(f"{pair.ours.name}.{name}", pair.theirs.model_fields[name].alias or name)


def below(pair: MessagePair) -> Iterator[MessagePair | EnumPair]:
    """The pairs that the fields of a pair lead to."""
    by_key = {descriptors.upstream_key(field): field for field in pair.ours.fields}
    for name, theirs in pair.theirs.model_fields.items():
        field = by_key.get(wire_key(pair, name))
        if field is None:
            continue
        for leaf in leaf_types(theirs.annotation):
            yield from joined(f"{pair.ours.name}.{name}", field, leaf)


def joined(place: str, field: FieldDescriptor, leaf: type) -> Iterator[MessagePair | EnumPair]:
    """The pair of a field's type and a class of the SDK, when they are of one kind."""
    entry = descriptors.map_entry(field)
    value = entry.fields_by_name["value"] if entry else field
    if value.message_type is not None and issubclass(leaf, pydantic.BaseModel):
        yield MessagePair(place, value.message_type, leaf)
    if value.enum_type is not None and issubclass(leaf, enum.Enum):
        yield EnumPair(place, value.enum_type, leaf)


def pairs() -> list[MessagePair | EnumPair]:
    """Every pair reached from the roots through typed fields, each once, where it was first met."""
    messages = descriptors.messages()
    todo: list[MessagePair | EnumPair] = [
        MessagePair(name, messages[name], sdk) for name, sdk in ROOTS.items()
    ]
    found: dict[tuple[str, type], MessagePair | EnumPair] = {}
    while todo:
        pair = todo.pop()
        key = (pair.ours.full_name, pair.theirs)
        if key not in found:
            found[key] = pair
            todo.extend(below(pair) if isinstance(pair, MessagePair) else ())
    return list(found.values())


PAIRS = pairs()
MESSAGE_PAIRS = [pair for pair in PAIRS if isinstance(pair, MessagePair)]
ENUM_PAIRS = [pair for pair in PAIRS if isinstance(pair, EnumPair)]


def test_the_walk_reaches_every_mirrored_message() -> None:
    mirrored = {
        name
        for name, message in descriptors.messages().items()
        if "extra_json" in message.fields_by_name
        and not (name.endswith(("Request", "Response")) and name != "FunctionResponse")
    }
    assert mirrored - {pair.ours.name for pair in MESSAGE_PAIRS} == set()


def test_the_walk_reaches_every_enum_that_the_sdk_has() -> None:
    own = {"AttemptKind", "ErrorReason", "GroupKind", "LimitsMode", "LimitUnit", "CalendarPeriod"}
    own |= {"SidecarHealth"}
    plain_strings_there = {"EmbeddingTaskType", "ModelRoutingPreference"}
    not_read_by_the_sdk = {"ServiceTier"}
    missed = set(descriptors.enums()) - {pair.ours.name for pair in ENUM_PAIRS}
    assert missed == own | plain_strings_there | not_read_by_the_sdk


@pytest.mark.parametrize("pair", MESSAGE_PAIRS, ids=lambda pair: pair.place)
def test_every_field_of_the_sdk_is_typed_or_a_named_gap(pair: MessagePair) -> None:
    keys = {descriptors.upstream_key(field) for field in pair.ours.fields}
    untyped = {name for name in pair.theirs.model_fields if wire_key(pair, name) not in keys}
    shorthands = {name for name in untyped if f"{pair.ours.name}.{name}" in SDK_ONLY}
    assert untyped - shorthands == GAPS.get(pair.ours.name, set())


@pytest.mark.parametrize("pair", ENUM_PAIRS, ids=lambda pair: pair.place)
def test_every_word_of_the_sdk_is_a_value_here(pair: EnumPair) -> None:
    here = {descriptors.upstream_word(pair.ours, value.name) for value in pair.ours.values if value.number}
    there = {word.value for word in pair.theirs if not word.value.endswith("UNSPECIFIED")}
    for_single_parts_only = {"MEDIA_RESOLUTION_ULTRA_HIGH"} if pair.theirs is types.MediaResolution else set()
    assert here == there | for_single_parts_only


def test_every_option_of_the_sdk_has_its_place_on_the_wire() -> None:
    messages = descriptors.messages()
    typed = [*messages["GenerateRequest"].fields, *messages["GenerationConfig"].fields]
    options = {field.alias or name for name, field in types.GenerateContentConfig.model_fields.items()}
    about_the_sdk_itself = {
        "httpOptions",
        "shouldReturnHttpResponse",
        "automaticFunctionCalling",
        "automaticContinuation",
    }
    sent_as_model_config = {"modelSelectionConfig"}
    gap = {"generationOutputConfig"}
    missing = options - {descriptors.upstream_key(field) for field in typed}
    assert missing == about_the_sdk_itself | sent_as_model_config | gap


def test_service_tier_has_the_lower_case_words_of_the_sdk() -> None:
    tier = descriptors.enums()["ServiceTier"]
    words = {descriptors.upstream_word(tier, value.name) for value in tier.values}
    assert words == {word.value for word in types.ServiceTier}
