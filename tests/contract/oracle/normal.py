"""What two JSON texts must agree in to say the same to Gemini.

Written apart from the product, from descriptors alone. Leave is given to:

- the spelling of keys, `maxOutputTokens` or `max_output_tokens`;
- base64 in either alphabet, padded or not; enum words in either case; 64-bit integers as strings;
- the digits of a float beyond its width, of a duration and of a time beyond their value;
- a default left out where the field knows no absence, and a list left out for an empty one.
"""

import base64
import struct
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from sidecar.core.call import Json

JSON_TEXT = ("_json", "_json_schema")
TIME, DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"


def plain(name: str) -> str:
    """A key without what tells spellings apart."""
    return name.replace("_", "").lower()


def is_json_text(field: FieldDescriptor) -> bool:
    """Whether the field carries JSON as text."""
    return field.type == FieldDescriptor.TYPE_STRING and field.name.endswith(JSON_TEXT)


def by_key(message: Descriptor) -> Mapping[str, FieldDescriptor]:
    """The typed fields of a message by plain key."""
    return {
        plain(field.name.removesuffix("_json")): field
        for field in message.fields
        if field.name != "extra_json"
    }


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def normal(json: Json, message: Descriptor) -> dict[str, Any]:
    """An object of the wire, in one spelling."""
    fields = by_key(message)
    said: dict[str, Any] = {}
    for key, value in json.items():
        if value is None:
            continue
        field = fields.get(plain(key))
        spelled = loose(value) if field is None else normal_field(value, field)
        if field is None or not is_default(spelled, field):
            assert plain(key) not in said, f"{key} is said twice"
            said[plain(key)] = spelled
    return said


def normal_field(value: Any, field: FieldDescriptor) -> Any:
    if is_map(field):
        item = field.message_type.fields_by_name["value"]
        return {key: normal_value(each, item) for key, each in value.items()}
    if field.is_repeated:
        return [normal_value(each, field) for each in value]
    return normal_value(value, field)


def normal_value(value: Any, field: FieldDescriptor) -> Any:
    if is_json_text(field):
        return value
    if field.enum_type is not None:
        word = str(value).upper()
        return "" if word.endswith("UNSPECIFIED") or word == "UNKNOWN" else word
    if field.message_type is not None:
        return normal_message(value, field.message_type)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4))
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return struct.unpack("f", struct.pack("f", float(value)))[0]
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return float(value)
    if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BOOL):
        return value
    return int(value)


def normal_message(value: Any, message: Descriptor) -> Any:
    if message.full_name == DURATION:
        return Decimal(value.removesuffix("s"))
    if message.full_name == TIME:
        return datetime.fromisoformat(value)
    return normal(value, message)


def is_default(value: Any, field: FieldDescriptor) -> bool:
    """Whether leaving the value out says the same."""
    if field.is_repeated:
        return not value
    if field.enum_type is not None:
        return value == ""
    return not field.has_presence and not is_json_text(field) and not value


def loose(value: Any) -> Any:
    """JSON that the schema does not type: only spelling and nulls are taken out."""
    if isinstance(value, dict):
        return {plain(key): loose(each) for key, each in value.items() if each is not None}
    return [loose(each) for each in value] if isinstance(value, list) else value


def camel(json: Json, message: Descriptor) -> dict[str, Any]:
    """The same object with the keys that the product's reader knows. Nothing but typed keys changes."""
    fields = by_key(message)
    spelled: dict[str, Any] = {}
    for key, value in json.items():
        field = fields.get(plain(key))
        if field is None:
            spelled[key] = value
        else:
            spelled[field.json_name.removesuffix("Json")] = camel_field(value, field)
    return spelled


def camel_field(value: Any, field: FieldDescriptor) -> Any:
    if field.message_type is None or field.message_type.full_name in (TIME, DURATION):
        return value
    if is_map(field):
        item = field.message_type.fields_by_name["value"]
        return {key: camel_field(each, item) for key, each in value.items()}
    if isinstance(value, list):
        return [camel(each, field.message_type) for each in value]
    return camel(value, field.message_type) if isinstance(value, dict) else value
