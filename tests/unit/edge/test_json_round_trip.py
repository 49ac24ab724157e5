"""Every message type of the contract: written, spelled like protobuf's own JSON, and read back equal."""

import struct
from contextlib import suppress
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core.errors import InvalidRequest
from sidecar.edge.json_reader import JsonReader, Mismatch
from sidecar.edge.json_writer import JsonWriter
from tests.unit.edge.strategies import JSON_OBJECTS, carries_json, kind_of, messages
from tests.unit.v1 import descriptors

MESSAGES = {
    name: message
    for name, message in descriptors.messages().items()
    if message.file.name not in ("sidecar/v1/call.proto", "sidecar/v1/quota.proto")
}
"""All but those in which the sidecar speaks for itself: they are never JSON."""
READABLE = {name: message for name, message in MESSAGES.items() if "extra_json" in message.fields_by_name}
FLOAT_MAX = 3.4e38


@pytest.mark.parametrize("descriptor", MESSAGES.values(), ids=MESSAGES)
@settings(max_examples=10)
@given(data=st.data())
def test_what_is_written_is_read_back_equal(descriptor: Descriptor, data: st.DataObject) -> None:
    message = data.draw(messages(descriptor))
    kind = kind_of(descriptor)
    written = JsonWriter(kind).write(message)
    again = kind()
    JsonReader(kind).read(orjson.loads(orjson.dumps(written.json)), again)
    assert again == message
    assert not written.has_extra


@pytest.mark.parametrize("descriptor", MESSAGES.values(), ids=MESSAGES)
@settings(max_examples=5)
@given(data=st.data())
def test_the_spelling_is_protobuf_s_own_but_for_our_three_rules(
    descriptor: Descriptor, data: st.DataObject
) -> None:
    message = data.draw(messages(descriptor))
    ours = JsonWriter(kind_of(descriptor)).write(message).json
    assert rounded(ours) == rounded(respelled(descriptor, json_format.MessageToDict(message)))


def rounded(value: Any) -> Any:
    """Every number as the 32-bit float it stands for: of those there are several spellings."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > FLOAT_MAX:
        return value
    return struct.pack("f", value)


def respelled(descriptor: Descriptor, json: dict[str, Any]) -> dict[str, Any]:
    """protobuf's JSON under our rules, worked out from the contract's comments and not from the product."""
    fields = {field.json_name: field for field in descriptor.fields}
    return {
        descriptors.upstream_key(fields[key]): _respelled(fields[key], value)
        for key, value in json.items()
        if not _is_unspecified(fields[key], value)
    }


def _respelled(field: FieldDescriptor, value: Any) -> Any:
    if entry := descriptors.map_entry(field):
        return {key: _respelled(entry.fields_by_name["value"], item) for key, item in value.items()}
    if isinstance(value, list):
        return [_respelled(field, item) for item in value]
    if field.enum_type is not None:
        return descriptors.upstream_word(field.enum_type, value).upper()
    if carries_json(field):
        return orjson.loads(value)
    inner = field.message_type
    return respelled(inner, value) if inner and inner.full_name.startswith("sidecar.") else value


def _is_unspecified(field: FieldDescriptor, value: Any) -> bool:
    return field.enum_type is not None and isinstance(value, str) and value.endswith("_UNSPECIFIED")


@given(json=JSON_OBJECTS)
def test_what_is_not_typed_survives_the_way_there_and_back(json: dict[str, Any]) -> None:
    """Keys that happen to be typed aside, a reply's unknown keys can be sent back as a request's."""
    kind = kind_of(MESSAGES["Content"])
    unknown = {f"x-{key}": value for key, value in json.items()}
    message = kind()
    JsonReader(kind).read(orjson.loads(orjson.dumps(unknown)), message)
    kept = {key: value for key, value in unknown.items() if value is not None}
    assert JsonWriter(kind).write(message).json == kept


@settings(max_examples=300)
@given(raw=st.binary(max_size=200), name=st.sampled_from(sorted(MESSAGES)))
def test_any_message_is_written_or_refused(raw: bytes, name: str) -> None:
    """Bytes that parse at all: unknown fields, enum numbers out of range, times that do not exist."""
    kind = kind_of(MESSAGES[name])
    try:
        message = kind.FromString(raw)
    except DecodeError:
        return  # no message, nothing to write
    try:
        written = JsonWriter(kind).write(message)
    except InvalidRequest as refused:
        (violation,) = refused.violations
        assert violation.description
        return
    orjson.dumps(written.json)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.just("1e5"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.parametrize("descriptor", READABLE.values(), ids=READABLE)
@settings(max_examples=5)
@given(data=st.data())
def test_any_object_is_read_or_refused(descriptor: Descriptor, data: st.DataObject) -> None:
    keys = st.sampled_from([descriptors.upstream_key(field) for field in descriptor.fields] + ["nobody"])
    json = data.draw(st.dictionaries(keys, ODD | st.lists(ODD, max_size=2), max_size=4))
    kind = kind_of(descriptor)
    message = kind()
    with suppress(Mismatch):
        JsonReader(kind).read(orjson.loads(orjson.dumps(json)), message)
        message.SerializeToString()
