"""JSON that satisfies a schema: the smallest honest value, the same for the same schema and seed.

Decides values for Gemini's `Schema` (types in capitals) and for JSON Schema alike: types, `enum`, `const`,
`properties` with `propertyOrdering`, `items`, `anyOf`/`oneOf`/`allOf`, `$ref` into `$defs`, bounds of
numbers, lengths and array sizes, and the common string formats. `pattern` is not solved. A schema that refers
to itself is followed only as deep as its required parts ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sidecar.emulator.errors import Json

_MAX_DEPTH = 24
_FULL_DEPTH = 4
"""Levels that show optional parts too."""
_MAX_VALUES = 10_000
_MAX_CHARS = 100_000
_WORDS = ("harbour", "lantern", "bicycle", "orange", "island", "ferry", "piano", "tide")
_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "date-time": "2026-11-22T12:00:00Z",
        "date": "2026-11-22",
        "time": "12:00:00Z",
        "duration": "P1D",
        "email": "keeper@example.com",
        "uri": "https://example.com/harbour",
        "uuid": "00000000-0000-4000-8000-000000000000",
        "ipv4": "192.0.2.1",
        "ipv6": "2001:db8::1",
        "hostname": "example.com",
    }
)


def sample(schema: Any, seed: int) -> Any:
    """Return a value that satisfies `schema`.

    Raises:
        ValueError: the schema is no schema, or asks for a value of more than 10,000 parts.
    """
    try:
        return _Sampler(schema).value(schema, seed, 0)
    except (TypeError, AttributeError, LookupError, OverflowError) as fault:
        # A schema in JSON Schema form is free JSON: any part of it may be of any type.
        raise ValueError("it is not a valid schema") from fault


class _Sampler:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._made = 0

    def value(self, schema: Any, seed: int, depth: int) -> Any:
        self._made += 1
        if self._made > _MAX_VALUES:
            raise ValueError(f"it asks for a value of more than {_MAX_VALUES} parts")
        if schema is None or isinstance(schema, bool):
            return None if schema is False else _word(seed, depth)
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if options := schema.get("enum"):
            return options[seed % len(options)]
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, seed, depth)
        if kind == "array":
            return self._array(schema, seed, depth)
        if kind == "string":
            return _string(schema, seed, depth)
        if kind in ("integer", "number"):
            return _number(schema, seed, kind)
        return True if kind == "boolean" else None

    def _resolved(self, schema: Json) -> Json:
        """Return `schema` without references and alternatives at its top."""
        for _ in range(_MAX_DEPTH):
            if reference := schema.get("$ref"):
                schema = self._referred(reference)
            elif choices := schema.get("anyOf") or schema.get("oneOf"):
                schema = _without(schema, "anyOf", "oneOf") | choices[0]
            elif every := schema.get("allOf"):
                schema = _without(schema, "allOf")
                for one in every:
                    schema = schema | one
            else:
                break
        return schema

    def _referred(self, reference: str) -> Json:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found[step] if step else found
        if not isinstance(found, dict):
            raise TypeError
        return found

    def _object(self, schema: Json, seed: int, depth: int) -> Json:
        properties: Json = schema.get("properties", {})
        required = schema.get("required", ())
        names = schema.get("propertyOrdering") or list(properties)
        # Beyond a few levels only what must be there, so that a schema which contains itself comes to an end.
        shown = [name for name in names if name in properties and (depth < _FULL_DEPTH or name in required)]
        if depth >= _MAX_DEPTH:
            return {}
        made = {name: self.value(properties[name], seed, depth + 1) for name in shown}
        return made | {name: _word(seed, depth) for name in required if name not in properties}

    def _array(self, schema: Json, seed: int, depth: int) -> list[Any]:
        if depth >= _MAX_DEPTH:
            return []
        if prefix := schema.get("prefixItems"):
            return [self.value(item, seed, depth + 1) for item in prefix]
        wished = min(2 if depth < _FULL_DEPTH else 0, int(schema.get("maxItems", 2)))
        length = max(wished, int(schema.get("minItems", 0)))
        return [self.value(schema.get("items"), seed + index, depth + 1) for index in range(length)]


def _without(schema: Json, *names: str) -> Json:
    return {key: value for key, value in schema.items() if key not in names}


def _kind(schema: Json) -> str:
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if kind:
        return str(kind).lower()
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _string(schema: Json, seed: int, depth: int) -> str:
    text = _FORMATS.get(schema.get("format", "")) or _word(seed, depth)
    text = text.ljust(min(int(schema.get("minLength", 0)), _MAX_CHARS), "o")
    return text[: int(schema["maxLength"])] if "maxLength" in schema else text


def _number(schema: Json, seed: int, kind: str) -> float:
    step = 1 if kind == "integer" else 0.5
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + step)
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - step)
    number: float = min(max(seed % 100, low), high)
    if multiple := schema.get("multipleOf"):
        number = math.ceil(number / multiple) * multiple
    return math.ceil(number) if kind == "integer" else float(number)


def _word(seed: int, depth: int) -> str:
    return _WORDS[(seed + depth) % len(_WORDS)]
