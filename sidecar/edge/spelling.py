"""How a field of the schema is spelled in Gemini's JSON. Decided from descriptors alone.

Three rules and no exceptions by name: a key is the field's lowerCamel JSON name; a string field `x_json`
carries the JSON value of key `x` as text, and one ending in `_json_schema` that of its own key; an enum value
is spelled without the prefix that proto style asks for, unless upstream's own word has it.
"""

import re

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

EXTRA = "extra_json"
"""The field that carries what the schema does not type."""


def key_of(field: FieldDescriptor) -> str:
    """The JSON key of a field."""
    key: str = field.json_name
    return key.removesuffix("Json") if carries_json(field) else key


def carries_json(field: FieldDescriptor) -> bool:
    """Whether the field is JSON text that stands for a value."""
    if field.type != FieldDescriptor.TYPE_STRING:
        return False
    return bool(field.name.endswith(("_json", "_json_schema")))


def plain(name: str) -> str:
    """A name without the marks that tell spellings apart: `max_output_tokens`, `maxOutputTokens` and
    `MaxOutputTokens` are one.
    """
    return name.replace("_", "").lower()


def words_of(enum: EnumDescriptor) -> dict[int, str]:
    """Upstream's word for each number of an enum; the unspecified zero has none."""
    prefix = "" if enum.name in _PREFIX_IS_UPSTREAMS else _upper_snake(enum.name) + "_"
    return {value.number: value.name.removeprefix(prefix) for value in enum.values if value.number}


def spellings_of(enum: EnumDescriptor) -> frozenset[str]:
    """All that may stand for a value of an enum that is known here, in upper case: with the prefix and
    without it, whichever is upstream's.
    """
    prefix = _upper_snake(enum.name) + "_"
    bare = {value.name.removeprefix(prefix) for value in enum.values}
    return frozenset(bare | {prefix + word for word in bare})


_PREFIX_IS_UPSTREAMS = frozenset(
    {
        "AspectRatio",
        "Environment",
        "HarmCategory",
        "HarmSeverity",
        "ImageSize",
        "MediaResolution",
        "Outcome",
        "UrlRetrievalStatus",
    }
)
"""Enums whose words upstream itself spells with the prefix, as in HARM_CATEGORY_HARASSMENT."""


def _upper_snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", camel).upper()
