"""From the JSON of a request to its canonical form: lowerCamel names, enum names, types checked.

Decides what is refused as malformed and in which words (Google's: field path in snake_case, one violation for
each fault, all faults at once). What fields exist is the table in `fields`; whether values make sense is
judged by `rules`.

Invariants: the input is never changed; equal requests in either spelling, with enums as names or numbers,
decode to equal results; `null` is the same as absent; free-form values (arguments, JSON Schema) pass
untouched.
"""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import orjson

from sidecar.emulator.errors import Json, bad_request
from sidecar.emulator.fields import MESSAGES, PART_DATA, Enumeration, Scalar

MAX_DEPTH = 100
"""How many levels of messages and lists a request may nest, as in Google's own parser."""

_CAPITAL = re.compile("[A-Z]")
_TO_STANDARD_BASE64 = str.maketrans("-_", "+/")

Violations = list[tuple[str, str]]


def parse_json(body: bytes) -> Any:
    """Return the parsed `body`.

    Raises:
        ApiError: 400 when it is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise bad_request([("", f"Invalid JSON payload received. {fault}")]) from None


def decode(message: str, value: Any) -> Json:
    """Return `value` as a canonical request of type `message`, a name in `fields.MESSAGES`.

    Raises:
        ApiError: 400 with one field violation for each unknown field and each value of a wrong type.
    """
    violations: Violations = []
    decoded = _decode_message(message, value, "", violations, 0)
    if violations:
        raise bad_request(violations)
    return decoded


def snake_case(name: str) -> str:
    """Return the proto spelling of a lowerCamel field name."""
    return _CAPITAL.sub(lambda capital: "_" + capital[0].lower(), name)


@cache
def _spellings(message: str) -> Mapping[str, tuple[str, str, Any]]:
    """Return for either spelling of each field of `message` both its spellings and its type."""
    known = [(name, snake_case(name), kind) for name, kind in MESSAGES[message].items()]
    return {field[0]: field for field in known} | {field[1]: field for field in known}


def _decode(kind: Any, value: Any, path: str, violations: Violations, depth: int) -> Any:
    if depth > MAX_DEPTH:
        violations.append((path, f"Message too deep. Max recursion depth reached for '{path}'"))
        return None
    if isinstance(kind, Scalar):
        return _decode_scalar(kind, value, path, violations)
    if isinstance(kind, str):
        return _decode_message(kind, value, path, violations, depth)
    if isinstance(kind, list):
        return _decode_list(kind[0], value, path, violations, depth)
    if isinstance(kind, Enumeration):
        return _decode_enum(kind, value, path, violations)
    return _decode_map(kind["*"], value, path, violations, depth)


def _decode_message(message: str, value: Any, path: str, violations: Violations, depth: int) -> Json:
    if not isinstance(value, dict):
        _wrong_type(f"type.googleapis.com/google.ai.generativelanguage.{message}", value, path, violations)
        return {}
    spellings = _spellings(message)
    decoded: Json = {}
    for given, item in value.items():
        known = spellings.get(given)
        if known is None:
            place = f" at '{path}'" if path else ""
            text = f'Invalid JSON payload received. Unknown name "{given}"{place}: Cannot find field.'
            violations.append((path, text))
            continue
        name, snake, kind = known
        if item is None:
            continue
        inner = f"{path}.{snake}" if path else snake
        if name in decoded:
            violations.append((inner, f"Invalid JSON payload received. Field '{inner}' is given twice."))
        if message == "Part" and name in PART_DATA and not PART_DATA.isdisjoint(decoded):
            text = f"oneof field 'data' is already set. Cannot set '{name}'"
            violations.append((path, f"Invalid value at '{path}' (oneof), {text}"))
        decoded[name] = _decode(kind, item, inner, violations, depth + 1)
    return decoded


def _decode_list(kind: Any, value: Any, path: str, violations: Violations, depth: int) -> list[Any]:
    if not isinstance(value, list):
        _wrong_type("repeated field", value, path, violations)
        return []
    return [
        _decode(kind, item, f"{path}[{index}]", violations, depth + 1) for index, item in enumerate(value)
    ]


def _decode_map(kind: Any, value: Any, path: str, violations: Violations, depth: int) -> Json:
    if not isinstance(value, dict):
        _wrong_type("map field", value, path, violations)
        return {}
    return {
        key: _decode(kind, item, f"{path}[{key}]", violations, depth + 1)
        for key, item in value.items()
        if item is not None
    }


def _decode_enum(kind: Enumeration, value: Any, path: str, violations: Violations) -> Any:
    if isinstance(value, str) and value.upper() in kind.values:
        return value.upper()
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(kind.values):
        return kind.values[value]
    _wrong_type(f"type.googleapis.com/google.ai.generativelanguage.{kind.name}", value, path, violations)
    return None


def _decode_scalar(kind: Scalar, value: Any, path: str, violations: Violations) -> Any:
    accept = _ACCEPTED.get(kind)
    if accept is None:
        return value
    try:
        return accept(value)
    except (TypeError, ValueError):
        _wrong_type(kind.value, value, path, violations)
        return None


def _wrong_type(expected: str, value: Any, path: str, violations: Violations) -> None:
    shown = orjson.dumps(value).decode()
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    place = f" at '{path}'" if path else ""
    violations.append((path, f"Invalid value{place} ({expected}), {shown}"))


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError


def _float(value: Any) -> float:
    # The JSON form of a proto number may be a string; a boolean, though an int in Python, is no number.
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _integer(value: Any, bits: int) -> int:
    number = value if isinstance(value, int) and not isinstance(value, bool) else _float(value)
    whole = int(number)
    if whole != number or not -(1 << (bits - 1)) <= whole < 1 << (bits - 1):
        raise ValueError
    return whole


def _base64(value: Any) -> str:
    # Proto JSON accepts the URL-safe alphabet and missing padding; the canonical form has neither.
    text = _string(value).translate(_TO_STANDARD_BASE64).rstrip("=")
    text += "=" * (-len(text) % 4)
    binascii.a2b_base64(text, strict_mode=True)
    return text


def _struct(value: Any) -> Json:
    if isinstance(value, dict):
        return value
    raise TypeError


_ACCEPTED: Mapping[Scalar, Callable[[Any], Any]] = MappingProxyType(
    {
        Scalar.STRING: _string,
        Scalar.BOOL: _bool,
        Scalar.INT32: lambda value: _integer(value, 32),
        Scalar.INT64: lambda value: _integer(value, 64),
        Scalar.FLOAT: _float,
        Scalar.BYTES: _base64,
        Scalar.STRUCT: _struct,
    }
)
