"""Values of google-genai's own types, made from the types: one for each field and word, or at random."""

import enum
import types as builtin
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pydantic
from google.genai import types
from hypothesis import strategies as st

from tests.unit.v1 import descriptors

Model: typing.TypeAlias = type[pydantic.BaseModel]

LEFT_OUT = {
    types.GenerateContentConfig: {
        "http_options",
        "should_return_http_response",
        "automatic_function_calling",
        "automatic_continuation",
    },
    types.CountTokensConfig: {"http_options"},
    types.EmbedContentConfig: {"http_options"},
    types.GenerateContentResponse: {"sdk_http_response", "automatic_function_calling_history", "parsed"},
    types.CountTokensResponse: {"sdk_http_response"},
    types.EmbedContentResponse: {"sdk_http_response"},
    types.ImageConfig: {"output_mime_type", "output_compression_quality"},
    types.Model: {"endpoints", "tuned_model_info", "checkpoints", "default_checkpoint_id"},
    types.UsageMetadata: {"response_token_count", "response_tokens_details"},
}
"""Fields left out: google-genai's own options, its names for what stands elsewhere on the wire, and what only
tuned models and live sessions have.
"""

NARROWED: dict[str, Any] = {
    "GenerateContentConfig.system_instruction": types.Content,
    "GenerateContentConfig.tools": list[types.Tool],
    "GenerateContentConfig.response_schema": types.Schema,
    "GenerateContentConfig.speech_config": types.SpeechConfig,
    "GenerateContentConfig.response_modalities": list[types.Modality],
    "CountTokensConfig.system_instruction": types.Content,
    "CountTokensConfig.tools": list[types.Tool],
}
"""What stands for annotations that take almost anything."""

DURATION = "1.500s"
TIME = "2026-11-22T10:00:00Z"
FORMATS: dict[str, str] = {
    "start_offset": DURATION,
    "end_offset": DURATION,
    "timeout": DURATION,
    "sse_read_timeout": DURATION,
    "duration": DURATION,
}
"""Samples of fields that google-genai types as plain strings and Gemini does not."""

WORDS: dict[str, list[str]] = {
    "EmbedContentConfig.task_type": [
        "RETRIEVAL_QUERY",
        "RETRIEVAL_DOCUMENT",
        "SEMANTIC_SIMILARITY",
        "CLASSIFICATION",
        "CLUSTERING",
        "QUESTION_ANSWERING",
        "FACT_VERIFICATION",
        "CODE_RETRIEVAL_QUERY",
    ],
}
"""Words of fields that are enums in Gemini and strings in google-genai."""

ANY_JSON: dict[str, Any] = {"snake_key": [1, 2.5, "naïve", True, {}], "camelKey": {"a": "b"}}
SCALARS: dict[Any, list[Any]] = {
    str: ["naïve \u2028 text"],
    int: [7, 0],
    float: [0.7, 2.0, 0.0],
    bool: [True, False],
    bytes: [b"\xfb\xff\x00\x10"],
    datetime: [datetime(2026, 11, 22, 10, 0, 0, 120000, UTC)],
}


def one_each(model: Model, seen: set[Model] | None = None) -> Iterator[tuple[str, Any]]:
    """Instances with one field set, for each field and, for enums, each word; a type within is taken apart
    where it is first met.
    """
    met = set() if seen is None else seen
    met.add(model)
    for name in fields_of(model):
        for label, value in values(f"{model.__name__}.{name}", kind_of(model, name), met):
            yield f"{name}{label}", model(**{name: value})


def fields_of(model: Model) -> list[str]:
    return [name for name in model.model_fields if name not in LEFT_OUT.get(model, set())]


def kind_of(model: Model, name: str) -> Any:
    return NARROWED.get(f"{model.__name__}.{name}") or without_none(model.model_fields[name].annotation)


def without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, builtin.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        return kinds[0]
    return annotation


def values(place: str, kind: Any, seen: set[Model]) -> Iterator[tuple[str, Any]]:
    """Sample values of a kind, each with what tells it apart from the others."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if place in WORDS:
        yield from ((f"={word}", word) for word in WORDS[place])
    elif origin is list:
        for label, value in values(place, without_none(arguments[0]), seen):
            yield f"[]{label}", [value]
    elif origin is dict:
        for label, value in values(place, without_none(arguments[1]), seen):
            yield f"{{}}{label}", {"some_key": value}
    elif is_a(kind, pydantic.BaseModel):
        yield "={}", kind()
        yield from ((f".{label}", value) for label, value in ([] if kind in seen else one_each(kind, seen)))
    elif is_a(kind, enum.Enum):
        yield from ((f"={word.value}", word) for word in words(kind))
    elif origin is typing.Literal:
        yield from ((f"={word}", word) for word in arguments)
    elif kind in SCALARS:
        spelled = FORMATS.get(place.rpartition(".")[2])
        yield from ((f"={each!r}"[:20], each) for each in ([spelled] if spelled else SCALARS[kind]))
    else:
        yield "", ANY_JSON


def is_a(kind: Any, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)


def words(kind: Any) -> list[Any]:
    """The words of an enum that say something."""
    return [word for word in kind if not word.value.upper().endswith("UNSPECIFIED")]


@cache
def drawn(model: Model, depth: int = 3) -> st.SearchStrategy[Any]:
    """Instances with a few fields set, nested as deep as said."""
    return st.deferred(lambda: _drawn(model, depth))


def _drawn(model: Model, depth: int) -> st.SearchStrategy[Any]:
    names = [name for name in fields_of(model) if depth or not nests(kind_of(model, name))]
    if not names:
        return st.builds(model)
    chosen = st.lists(st.sampled_from(names), min_size=0, max_size=3, unique=True)

    def filled(some: list[str]) -> st.SearchStrategy[Any]:
        barred = [name for name in some if name in either_or(model.__name__)][1:]
        fields = {name: value_of(model, name, depth) for name in some if name not in barred}
        return st.fixed_dictionaries(fields).map(lambda given: model(**given))

    return chosen.flatmap(filled)


@cache
def either_or(message: str) -> frozenset[str]:
    """The fields of a message of sidecar.v1 of which it has one at most, as Gemini has."""
    descriptor = descriptors.messages().get(message.removeprefix("GenerationConfig") or message)
    oneofs = descriptor.oneofs if descriptor else ()
    return frozenset(field.name for oneof in oneofs if len(oneof.fields) > 1 for field in oneof.fields)


def nests(kind: Any) -> bool:
    inner = [kind, *typing.get_args(kind)]
    return any(is_a(each, pydantic.BaseModel) for each in inner)


@cache
def value_of(model: Model, name: str, depth: int) -> st.SearchStrategy[Any]:
    place = f"{model.__name__}.{name}"
    if place in WORDS:
        return st.sampled_from(WORDS[place])
    if name in FORMATS:
        return st.decimals(0, 9999, places=3).map(lambda seconds: f"{seconds}s")
    return of_kind(kind_of(model, name), depth)


def of_kind(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return st.lists(of_kind(without_none(arguments[0]), depth), max_size=3)
    if origin is dict:
        return st.dictionaries(TEXT, of_kind(without_none(arguments[1]), depth), max_size=3)
    if is_a(kind, enum.Enum):
        return st.sampled_from(words(kind))
    if is_a(kind, pydantic.BaseModel):
        return drawn(kind, depth - 1)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    return DRAWN_SCALARS.get(kind, ANY)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
DRAWN_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(0, 2**31 - 1),
    float: st.floats(-1e6, 1e6, width=32),
    bool: st.booleans(),
    bytes: st.binary(max_size=40),
    datetime: st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
}
