"""Random messages of any type, built from its descriptor."""

from typing import Any

import orjson
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

WORDS = st.text(st.characters(codec="utf-8"), max_size=6)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value or 0.0)
"""Without the negative zero, which JSON spells 0."""
SHORT_FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda value: value or 0.0)

JSON_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | FLOATS | WORDS,
    lambda inner: (
        st.lists(inner | st.none(), max_size=3) | st.dictionaries(WORDS, inner | st.none(), max_size=3)
    ),
    max_leaves=4,
)
"""What a field `x_json` may hold; null alone means an absent key."""
JSON_TEXTS = JSON_VALUES.map(lambda value: orjson.dumps(value).decode())
JSON_OBJECTS = st.dictionaries(WORDS, JSON_VALUES | st.none(), max_size=3)

SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: WORDS,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=9),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_FLOAT: SHORT_FLOATS,
    FieldDescriptor.TYPE_DOUBLE: FLOATS,
}


def carries_json(field: FieldDescriptor) -> bool:
    """Whether the field is JSON text by the rule in generate.proto."""
    return field.type == FieldDescriptor.TYPE_STRING and field.name.endswith(("_json", "_json_schema"))


def kind_of(descriptor: Descriptor) -> type[Message]:
    """The class of a message type."""
    return message_factory.GetMessageClass(descriptor)


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 2) -> Message:
    """A message with a few random fields set, never `extra_json` and never what the sidecar says itself."""
    message = kind_of(descriptor)()
    if descriptor.full_name.startswith("google.protobuf."):
        _fill_well_known(draw, message)
        return message
    fields = [field for field in descriptor.fields if _may_set(field, depth)]
    for field in draw(st.lists(st.sampled_from(fields), max_size=4, unique_by=_slot)) if fields else []:
        _fill(draw, message, field, depth)
    return message


def _may_set(field: FieldDescriptor, depth: int) -> bool:
    if field.name in ("extra_json", "call"):
        return False
    return field.message_type is None or depth > 0


def _slot(field: FieldDescriptor) -> str:
    """Fields of one oneof share one."""
    return field.containing_oneof.name if field.containing_oneof else field.name


def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    inner = field.message_type
    if inner is None:
        value = draw(_values(field))
        if field.is_repeated:
            getattr(message, field.name).extend(value)
        else:
            setattr(message, field.name, value)
    elif inner.GetOptions().map_entry:
        _fill_map(draw, message, field, depth)
    elif field.is_repeated:
        getattr(message, field.name).extend(
            draw(st.lists(messages(inner, depth - 1), min_size=1, max_size=2))
        )
    else:
        getattr(message, field.name).CopyFrom(draw(messages(inner, depth - 1)))
        getattr(message, field.name).SetInParent()


def _fill_map(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    assert field.message_type is not None
    entries = getattr(message, field.name)
    value = field.message_type.fields_by_name["value"]
    for key in draw(st.lists(WORDS, max_size=2, unique=True)):
        if value.message_type is None:
            entries[key] = draw(SCALARS[value.type])
        else:
            entries[key].CopyFrom(draw(messages(value.message_type, depth - 1)))


def _values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    one: st.SearchStrategy[Any]
    if field.enum_type is not None:
        numbers = [value.number for value in field.enum_type.values]
        one = st.sampled_from(numbers[1:] if field.is_repeated else numbers)
    elif carries_json(field):
        one = JSON_TEXTS
    else:
        one = SCALARS[field.type]
    return st.lists(one, max_size=3) if field.is_repeated else one


def _fill_well_known(draw: st.DrawFn, message: Any) -> None:
    nanos = draw(st.integers(0, 999_999_999))
    if message.DESCRIPTOR.name == "Timestamp":
        message.seconds, message.nanos = draw(st.integers(-62135596800, 253402300799)), nanos
    else:
        sign = draw(st.sampled_from([1, -1]))
        message.seconds, message.nanos = sign * draw(st.integers(0, 315_576_000_000)), sign * nanos
