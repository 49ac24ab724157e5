"""Messages to canonical JSON, by functions compiled from descriptors once at start.

Canonical means: one spelling (see `spelling`), enum words, standard base64, 64-bit integers as strings, map
keys sorted, fields with their default value left out. `extra_json` is merged into the object it belongs to; a
key there may not stand for a typed field in any spelling, so nothing that policy or limits read from typed
fields can be overruled by it. One thing is let through: a word that an unset enum field does not know,
because that is how a reply hands out a newer word and a caller must be able to send it back.
"""

import base64
import math
import re
import struct
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast

import orjson
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.core.errors import FieldViolation, InvalidRequest
from sidecar.edge.spelling import EXTRA, carries_json, key_of, plain, spellings_of, words_of

Write = Callable[[Any], Any]

_WORD = re.compile(r"[A-Za-z]\w*", re.ASCII)
"""What an enum word looks like: one goes into a header, so nothing else may pass for one."""
_MAX_JSON_DEPTH = 50
"""Nesting allowed in JSON text. Protobuf allows messages 100 levels, each up to two of JSON, and orjson
writes 254 in all.
"""


class _Unfit(Exception):
    """A value that has no canonical JSON; gathers its path on the way out."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description
        self.path: list[str] = []

    def under(self, step: str) -> "_Unfit":
        self.path.append(step)
        return self

    def spelled(self) -> str:
        return "".join(reversed(self.path)).lstrip(".")


class Written(NamedTuple):
    """A message in canonical JSON."""

    json: dict[str, Any]
    has_extra: bool
    """Whether any object in it carried `extra_json`."""


class _Extras(threading.local):
    """Whether the write that runs on this thread has met an `extra_json`; large messages are written on other
    threads.
    """

    met = False


class JsonWriter:
    """Writes messages of one type; compile once, use for every request, from any thread."""

    def __init__(self, message: type[Message]) -> None:
        self._extras = _Extras()
        self._write = _Compiler(self._extras).message(cast(Descriptor, message.DESCRIPTOR))

    def write(self, message: Message) -> Written:
        """The message as canonical JSON. Raises InvalidRequest naming the field that cannot be written."""
        self._extras.met = False
        try:
            return Written(self._write(message), self._extras.met)
        except _Unfit as unfit:
            raise InvalidRequest(FieldViolation(unfit.spelled(), unfit.description)) from None


class _Compiler:
    """Compiles each message type once; recursive types refer to themselves through the table."""

    def __init__(self, extras: _Extras) -> None:
        self._extras = extras
        self._messages: dict[str, Write] = {}

    def message(self, descriptor: Descriptor) -> Write:
        if descriptor.full_name in _WELL_KNOWN:
            return _WELL_KNOWN[descriptor.full_name]
        if descriptor.full_name not in self._messages:
            fields: dict[int, tuple[str, Write]] = {}
            self._messages[descriptor.full_name] = _message_writer(fields, _Typed(descriptor), self._extras)
            for field in descriptor.fields:
                fields[field.number] = (
                    (EXTRA, _json_value) if field.name == EXTRA else (key_of(field), self._field(field))
                )
        return self._messages[descriptor.full_name]

    def _field(self, field: FieldDescriptor) -> Write:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return _map_writer(self._value(field.message_type.fields_by_name["value"]))
        value = self._value(field)
        return _list_writer(value) if field.is_repeated else value

    def _value(self, field: FieldDescriptor) -> Write:
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return _enum_writer(field.enum_type)
        if carries_json(field):
            return _json_value
        return _SCALARS.get(field.type, _as_is)


class _Typed:
    """The fields of one message type, as far as they bar keys of its `extra_json`."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._names = frozenset(
            plain(name) for field in descriptor.fields for name in (field.name, key_of(field))
        )
        self._words = {
            key_of(field): spellings_of(field.enum_type)
            for field in descriptor.fields
            if field.enum_type is not None and not field.is_repeated
        }

    def merge(self, extra: Any, written: dict[str, Any]) -> None:
        """Add `extra` to the fields `written`. Raises _Unfit for a key that a field stands for."""
        if not isinstance(extra, dict):
            raise _Unfit("must be a JSON object")
        for key, value in extra.items():
            if plain(key) in self._names and (key in written or not self._is_newer_word(key, value)):
                raise _Unfit(f"may not carry {key!r}: the schema has a field for it")
        written.update(extra)

    def _is_newer_word(self, key: str, value: Any) -> bool:
        words = self._words.get(key)
        if words is None or not isinstance(value, str) or not _WORD.fullmatch(value):
            return False
        word = value.upper()
        return word not in words and not word.endswith("UNSPECIFIED")


def _message_writer(fields: Mapping[int, tuple[str, Write]], typed: _Typed, extras: _Extras) -> Write:
    def write(message: Message) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for field, value in message.ListFields():
            key, write_value = fields[field.number]
            try:
                if key is EXTRA:  # the highest number of its message, so the last of its fields
                    extras.met = True
                    typed.merge(write_value(value), written)
                else:
                    written[key] = write_value(value)
            except _Unfit as unfit:
                raise unfit.under(f".{field.name}") from None
        return written

    return write


def _list_writer(write_item: Write) -> Write:
    def write(items: Any) -> list[Any]:
        written: list[Any] = []
        try:
            for item in items:
                written.append(write_item(item))  # noqa: PERF401 - its length is the path of a failure
        except _Unfit as unfit:
            raise unfit.under(f"[{len(written)}]") from None
        return written

    return write


def _map_writer(write_value: Write) -> Write:
    def write(entries: Any) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for key in sorted(entries):
            try:
                written[key] = write_value(entries[key])
            except _Unfit as unfit:
                raise unfit.under(f"[{key!r}]") from None
        return written

    return write


def _enum_writer(enum: EnumDescriptor) -> Write:
    words = words_of(enum)

    def write(number: int) -> str:
        try:
            return words[number]
        except KeyError:
            raise _Unfit(f"{number} is no value of {enum.name} that this sidecar knows") from None

    return write


def _json_value(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _Unfit(f"is not JSON: {error.msg} at character {error.pos}") from None
    if text.count("{") + text.count("[") > _MAX_JSON_DEPTH and _depth(value) > _MAX_JSON_DEPTH:
        raise _Unfit(f"is nested deeper than {_MAX_JSON_DEPTH} levels")
    return value


def _depth(value: Any) -> int:
    """Levels of nesting, found level by level so that depth costs no stack."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


_MAX_EXACT = 2**53
"""Up to here every integer is a float; such a float is written as an integer, as Google does."""


def _as_is(value: Any) -> Any:
    return value


def _double(value: float) -> float:
    if not math.isfinite(value):
        raise _Unfit("must be a finite number")
    return int(value) if value.is_integer() and abs(value) <= _MAX_EXACT else value


@lru_cache(maxsize=1024)
def _float(value: float) -> float:
    """The shortest decimal that is the same 32-bit float: 0.7, where Python shows 0.699999988079071."""
    if isinstance(exact := _double(value), int):
        return exact
    packed = struct.pack("f", value)
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        if struct.pack("f", short) == packed:
            return short
    return float(f"{value:.9g}")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _timestamp(value: Timestamp) -> str:
    try:
        return value.ToJsonString()
    except ValueError:
        raise _Unfit("is not a time between the years 1 and 9999") from None


def _duration(value: Duration) -> str:
    try:
        return value.ToJsonString()
    except ValueError:
        raise _Unfit("is not a duration that JSON can spell") from None


_WELL_KNOWN: Mapping[str, Write] = {
    Timestamp.DESCRIPTOR.full_name: _timestamp,
    Duration.DESCRIPTOR.full_name: _duration,
}

_SCALARS: Mapping[int, Write] = {
    FieldDescriptor.TYPE_INT64: str,
    FieldDescriptor.TYPE_UINT64: str,
    FieldDescriptor.TYPE_FLOAT: _float,
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_BYTES: _base64,
}
