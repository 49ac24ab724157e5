"""Upstream's JSON to messages, by functions compiled from descriptors once at start.

A tolerant reader that loses nothing: keys the schema does not type, enum words it does not know, and a second
value for a oneof go to the `extra_json` of the object they stand in. A value of the wrong JSON type is not
tolerated: what sends it does not speak Gemini.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import orjson
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.core.call import Json
from sidecar.edge.spelling import EXTRA, carries_json, key_of, words_of

Convert = Callable[[Any], Any]
"""JSON value to field value; None for one that the schema has no place for. Raises TypeError or ValueError
for a wrong type.
"""

Put = Callable[[Message, Any], bool]
"""Sets one field from a JSON value; False when the value belongs into `extra_json`."""

Field: TypeAlias = tuple[type | None, str, Put]
"""A JSON value of exactly this type is set under this name as it is; any other is for Put to judge."""

_URL_SAFE = str.maketrans("-_", "+/")


class Mismatch(Exception):
    """A JSON value that is not of the type the schema gives it; `path` in upstream's spelling."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self._path: list[str] = []
        self._found = type(value).__name__

    def under(self, step: str) -> "Mismatch":
        """The same, seen from one step further out."""
        self._path.append(step)
        return self

    def __str__(self) -> str:
        return f"{''.join(reversed(self._path)).lstrip('.')} does not fit the schema (JSON {self._found})"


class JsonReader:
    """Reads objects into messages of one type; compile once, use for every reply."""

    def __init__(self, message: type[Message]) -> None:
        self._read = _Compiler().message(cast(Descriptor, message.DESCRIPTOR))

    def read(self, json: Json, message: Message) -> None:
        """Fill `message` from `json`. Raises Mismatch."""
        self._read(message, json)


class _Compiler:
    """Compiles each message type once; recursive types refer to themselves through the table."""

    def __init__(self) -> None:
        self._messages: dict[str, Callable[[Message, Any], None]] = {}

    def message(self, descriptor: Descriptor) -> Callable[[Message, Any], None]:
        if descriptor.full_name not in self._messages:
            fields: dict[str, Field] = {}
            self._messages[descriptor.full_name] = _message_reader(fields)
            for field in descriptor.fields:
                if field.name != EXTRA and not _is_ours(field):
                    fields[key_of(field)] = self._field(field)
        return self._messages[descriptor.full_name]

    def _field(self, field: FieldDescriptor) -> Field:
        put = self._put(field)
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1:  # an `optional` field is a oneof of its own
            return None, field.name, _oneof_put(oneof.name, put)
        is_plain = not (field.is_repeated or carries_json(field))
        return _PLAIN.get(field.type) if is_plain else None, field.name, put

    def _put(self, field: FieldDescriptor) -> Put:
        if field.message_type is None or field.message_type.full_name in _WELL_KNOWN:
            return self._values(field)
        if field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            if value.message_type is not None:
                return _message_map_put(field.name, self.message(value.message_type))
            return _map_put(field.name, _converter(value))
        read = self.message(field.message_type)
        return _message_list_put(field.name, read) if field.is_repeated else _message_put(field.name, read)

    def _values(self, field: FieldDescriptor) -> Put:
        convert = _converter(field)
        if field.is_repeated:
            return _list_put(field.name, convert)
        if field.message_type is not None:
            return _copied_put(field.name, convert)
        return _text_put(field.name) if convert is _text else _value_put(field.name, convert)


def _is_ours(field: FieldDescriptor) -> bool:
    """Whether the field holds what the sidecar itself has to say, as `call` does: upstream cannot fill it."""
    message = field.message_type
    if message is None or message.full_name in _WELL_KNOWN or message.GetOptions().map_entry:
        return False
    return EXTRA not in message.fields_by_name


def _message_reader(fields: Mapping[str, Field]) -> Callable[[Message, Any], None]:
    def read(message: Message, json: Any) -> None:
        if type(json) is not dict:
            raise Mismatch(json)
        extra: dict[str, Any] | None = None
        for key, value in json.items():
            plain, name, put = fields.get(key, _UNTYPED)
            try:
                if type(value) is plain:
                    setattr(message, name, value)
                elif value is not None and not put(message, value):
                    extra = extra or {}
                    extra[key] = value
            except Mismatch as mismatch:
                raise mismatch.under(f".{key}") from None
            except (TypeError, ValueError):
                raise Mismatch(value).under(f".{key}") from None
        if extra:
            try:
                setattr(message, EXTRA, orjson.dumps(extra).decode())
            except TypeError:  # nested deeper than orjson writes
                raise Mismatch(extra).under(f".{next(iter(extra))}") from None

    return read


_UNTYPED: Field = (None, "", lambda _message, _value: False)


def _value_put(name: str, convert: Convert) -> Put:
    def put(message: Message, value: Any) -> bool:
        converted = convert(value)
        if converted is None:
            return False
        setattr(message, name, converted)
        return True

    return put


def _text_put(name: str) -> Put:
    def put(message: Message, value: Any) -> bool:
        if type(value) is not str:
            raise TypeError
        setattr(message, name, value)
        return True

    return put


def _copied_put(name: str, convert: Convert) -> Put:
    def put(message: Message, value: Any) -> bool:
        getattr(message, name).CopyFrom(convert(value))
        return True

    return put


def _list_put(name: str, convert: Convert) -> Put:
    def put(message: Message, values: Any) -> bool:
        if not isinstance(values, list):
            raise TypeError
        converted: list[Any] = []
        try:
            for value in values:
                converted.append(convert(value))  # noqa: PERF401 - its length is the path of a failure
        except (TypeError, ValueError):
            at = len(converted)
            raise Mismatch(values[at]).under(f"[{at}]") from None
        if None in converted:
            return False
        getattr(message, name).extend(converted)
        return True

    return put


def _map_put(name: str, convert: Convert) -> Put:
    def put(message: Message, values: Any) -> bool:
        getattr(message, name).update({key: convert(value) for key, value in _entries(values)})
        return True

    return put


def _message_put(name: str, read: Callable[[Message, Any], None]) -> Put:
    def put(message: Message, value: Any) -> bool:
        child = getattr(message, name)
        read(child, value)
        child.SetInParent()  # an empty object is present all the same
        return True

    return put


def _message_list_put(name: str, read: Callable[[Message, Any], None]) -> Put:
    def put(message: Message, values: Any) -> bool:
        if not isinstance(values, list):
            raise TypeError
        children = getattr(message, name)
        for value in values:
            try:
                read(children.add(), value)
            except Mismatch as mismatch:
                raise mismatch.under(f"[{len(children) - 1}]") from None
        return True

    return put


def _message_map_put(name: str, read: Callable[[Message, Any], None]) -> Put:
    def put(message: Message, values: Any) -> bool:
        children = getattr(message, name)
        for key, value in _entries(values):
            try:
                read(children[key], value)
            except Mismatch as mismatch:
                raise mismatch.under(f"[{key!r}]") from None
        return True

    return put


def _oneof_put(oneof: str, put: Put) -> Put:
    def put_first(message: Message, value: Any) -> bool:
        return message.WhichOneof(oneof) is None and put(message, value)

    return put_first


def _entries(values: Any) -> Any:
    if not isinstance(values, dict):
        raise TypeError
    return values.items()


def _converter(field: FieldDescriptor) -> Convert:
    if field.enum_type is not None:
        return _enum_converter(field.enum_type)
    if field.message_type is not None:
        return _WELL_KNOWN[field.message_type.full_name]
    if carries_json(field):
        return _json_text
    return _SCALARS[field.type]


def _enum_converter(enum: EnumDescriptor) -> Convert:
    numbers = {word: number for number, word in words_of(enum).items()}
    known = frozenset(numbers.values())

    def convert(value: Any) -> int | None:
        if type(value) is int:
            return value if value in known else None
        if not isinstance(value, str):
            raise TypeError
        if (number := numbers.get(value)) is not None:
            return number
        word = value.upper()  # service tiers are spelled in lower case
        return 0 if word.endswith("UNSPECIFIED") or word == "UNKNOWN" else numbers.get(word)

    return convert


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if (
        isinstance(value, bool)
        or not isinstance(value, int | str | float)
        or (isinstance(value, float) and value % 1)
    ):
        raise TypeError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not (
        isinstance(value, int | float) or value in ("NaN", "Infinity", "-Infinity")
    ):
        raise TypeError
    return float(value)


def _bytes(value: Any) -> bytes:
    text = _text(value).translate(_URL_SAFE)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _timestamp(value: Any) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromJsonString(_text(value))
    return timestamp


def _duration(value: Any) -> Duration:
    duration = Duration()
    duration.FromJsonString(_text(value))
    return duration


_WELL_KNOWN: Mapping[str, Convert] = {
    Timestamp.DESCRIPTOR.full_name: _timestamp,
    Duration.DESCRIPTOR.full_name: _duration,
}

_PLAIN: Mapping[int, type] = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_INT32: int,
    FieldDescriptor.TYPE_INT64: int,
    FieldDescriptor.TYPE_UINT32: int,
    FieldDescriptor.TYPE_UINT64: int,
    FieldDescriptor.TYPE_FLOAT: float,
    FieldDescriptor.TYPE_DOUBLE: float,
}
"""Where the JSON type is the field's own."""

_SCALARS: Mapping[int, Convert] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BOOL: _flag,
    FieldDescriptor.TYPE_INT32: _integer,
    FieldDescriptor.TYPE_INT64: _integer,
    FieldDescriptor.TYPE_UINT32: _integer,
    FieldDescriptor.TYPE_UINT64: _integer,
    FieldDescriptor.TYPE_FLOAT: _number,
    FieldDescriptor.TYPE_DOUBLE: _number,
    FieldDescriptor.TYPE_BYTES: _bytes,
}
