"""How one log record looks: a JSON object for machines, an aligned line for a person.

Both are total: any record gives one entry, and nothing in a message or a field can begin another. JSON
escapes line ends by its own rules; the human format escapes every character that is not printable, which
disarms terminal sequences, line separators and text direction marks as well. A traceback is one JSON string,
or lines behind a bar that no log line starts with.

A record's fields travel as `extra={"fields": {...}}`: strings, numbers, booleans, None, lists and dicts of
these. Anything else shows its type and nothing of its content.
"""

import logging
import time
import traceback
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

_MAX_DEPTH = 6
_MAX_STACK = 16_384
"""Characters of a traceback; the end, with the error itself, is what stays."""
_JSON = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATACLASS


def json_line(record: logging.LogRecord) -> bytes:
    """The record as one JSON object and a line end.

    `time` (RFC 3339, UTC, milliseconds), `severity`, `message` and `logger` always, three of them in the
    words that Google Cloud Logging reads; then the fields, which cannot replace these; `stack_trace` last.
    """
    head = {
        "time": _time(record.created),
        "severity": record.levelname,
        "message": record.getMessage(),
        "logger": record.name,
    }
    fields = _fields(record)
    entry = {**head, **fields}
    if len(entry) < len(head) + len(fields):  # a field under one of our names
        entry |= head
    stack = _stack(record)
    if stack:
        entry["stack_trace"] = stack
    try:
        return orjson.dumps(entry, option=_JSON)
    except TypeError:  # a lone surrogate, a huge integer, a type that JSON does not have
        return orjson.dumps(_plain(entry, _MAX_DEPTH), option=_JSON)


def _time(created: float) -> str:
    """Seconds since the epoch as RFC 3339 with milliseconds, cut and not rounded."""
    second, micros = divmod(round(created * 1_000_000), 1_000_000)
    return f"{_second(second)}.{micros // 1000:03d}Z"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    """Many lines are of one second."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def human_line(record: logging.LogRecord) -> bytes:
    """The record as one line: local time, level, logger, message, `key=value` fields; a traceback below it.

    Fields that are None or empty are left out.
    """
    clock = time.strftime("%H:%M:%S", time.localtime(record.created))
    logger = record.name.removeprefix("sidecar.")
    words = [
        f"{clock}.{int(record.msecs):03d}",
        f"{record.levelname:<7}",
        f"{_printable(logger):<8}",
        _printable(record.getMessage()),
        *_pairs(_fields(record), _MAX_DEPTH),
    ]
    bars = [f"  | {_printable(line)}" for line in _stack(record).splitlines()]
    return "\n".join([" ".join(words), *bars, ""]).encode()


def _fields(record: logging.LogRecord) -> dict[Any, Any]:
    fields = getattr(record, "fields", None)
    return fields if isinstance(fields, dict) else {}


def _stack(record: logging.LogRecord) -> str:
    text = record.stack_info or ""
    if record.exc_info and record.exc_info[0] is not None:
        text = "".join(traceback.format_exception(*record.exc_info))
    return text[-_MAX_STACK:]


def _plain(value: Any, depth: int) -> Any:
    """The value in types that JSON has."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else hex(value)
    if depth and isinstance(value, dict):
        return {_plain(_name(key), depth): _plain(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_plain(item, depth - 1) for item in value]
    return _type(value)


def _pairs(fields: dict[Any, Any], depth: int) -> list[str]:
    return [
        f"{_printable(_name(key))}={_show(value, depth)}"
        for key, value in fields.items()
        if value is not None and not (isinstance(value, str | list | tuple | dict) and not value)
    ]


def _show(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    if depth and isinstance(value, dict):
        return "{" + " ".join(_pairs(value, depth - 1)) + "}"
    if depth and isinstance(value, list | tuple):
        return "[" + " ".join(_show(item, depth - 1) for item in value) + "]"
    return _type(value)


def _name(key: Any) -> str:
    return key if isinstance(key, str) else _type(key)


def _type(value: Any) -> str:
    return f"<{type(value).__name__}>"


def _quoted(text: str) -> str:
    """The text bare where it is one plain word, else in quotes: a value cannot pass for a further field."""
    if text and text.isprintable() and not any(mark in text for mark in ' "=\\{}[]'):
        return text
    return '"' + _printable(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
