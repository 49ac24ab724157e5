"""The directive language: how one request asks the emulator for latency, lengths and faults.

A script is a list of `key=value` pairs separated by spaces or commas. It comes in the request header
`x-emulate`, or inside any string of the request body (so it passes through gateways that know nothing of it)
as `[[emulate: key=value ...]]`. The header wins; of several directives in a body the last one counts, whole,
so that the newest turn of a conversation decides. A script concerns its own request only.

Decides the grammar, the keys and the admissible values. What a fault does is the table in `faults`; where a
value is used, its user says so in `KEYS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sidecar.emulator.errors import bad_request

HEADER = "x-emulate"
"""The request header that carries a script."""

OPENING = "[[emulate:"
_DIRECTIVE = re.compile(r"\[\[emulate:([^\]]*)\]\]")
_SEPARATORS = re.compile(r"[\s,]+")
_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)(ms|s|m)")
_SIZE = re.compile(r"(\d+)(B|KiB|MiB)")
_SECONDS_OF_UNIT = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60)}
_BYTES_OF_UNIT = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}
_MAX_DURATION_S = 3600
_MAX_SIZE_BYTES = 256 << 20


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FINISH_REASONS = _names(
    "STOP MAX_TOKENS SAFETY RECITATION LANGUAGE OTHER BLOCKLIST PROHIBITED_CONTENT SPII "
    "MALFORMED_FUNCTION_CALL IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_OTHER NO_IMAGE "
    "IMAGE_RECITATION UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MISSING_THOUGHT_SIGNATURE "
    "MALFORMED_RESPONSE ESCALATION PUP_LIMITED_DISABLED CONTINUATION MODEL_ARMOR"
)
BLOCK_REASONS = _names("SAFETY OTHER BLOCKLIST PROHIBITED_CONTENT IMAGE_SAFETY MODEL_ARMOR JAILBREAK")
TIERS = ("STANDARD", "FLEX", "PRIORITY")


@dataclass(frozen=True, slots=True)
class Script:
    """What one request asks for; the defaults are a good reply at once."""

    latency: Decimal = Decimal(0)
    gap: Decimal = Decimal(0)
    words: int | None = None
    chunks: int | None = None
    finish: str | None = None
    blocked: str | None = None
    call: str | None = None
    hop: int | None = None
    cached: int = 0
    tier: str | None = None
    fault: str | None = None
    after: int = 1
    code: int | None = None
    retry_after: Decimal | None = None
    size: int = 5 << 20
    times: int | None = None
    scene: str = ""
    text: str = field(default="", compare=False)
    """The script as it was written."""


PLAIN = Script()
"""The script of a request that asks for nothing."""


class _Refused(Exception):
    """A value that its key does not admit; the text says what it admits."""


def _duration(value: str) -> Decimal:
    match = _DURATION.fullmatch(value)
    if match is None:
        raise _Refused("a duration such as 250ms, 1.5s or 2m")
    seconds = Decimal(match[1]) * _SECONDS_OF_UNIT[match[2]]
    if seconds > _MAX_DURATION_S:
        raise _Refused(f"a duration of at most {_MAX_DURATION_S}s")
    return seconds


def _size(value: str) -> int:
    match = _SIZE.fullmatch(value)
    size_bytes = int(match[1]) * _BYTES_OF_UNIT[match[2]] if match else 0
    if not 0 < size_bytes <= _MAX_SIZE_BYTES:
        raise _Refused("a size such as 500B, 64KiB or 5MiB, at most 256MiB")
    return size_bytes


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdecimal() or not low <= int(value) <= high:
            raise _Refused(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.upper() not in names:
            raise _Refused("one of " + ", ".join(names))
        return value.upper()

    return parse


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the language: its one-line meaning and how its value is read."""

    meaning: str
    parse: Callable[[str], Any]


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "latency": Key("wait before the first byte of the reply, such as 250ms", _duration),
        "gap": Key("wait between two chunks of a stream, such as 20ms", _duration),
        "words": Key("length of the reply in words", _whole(1, 100_000)),
        "chunks": Key("number of chunks that a stream splits the reply into", _whole(1, 10_000)),
        "finish": Key("finish reason of every candidate", _one_of(FINISH_REASONS)),
        "blocked": Key(
            "refuse the prompt with this block reason instead of answering", _one_of(BLOCK_REASONS)
        ),
        "call": Key("answer with a call of this declared function", str),
        "hop": Key(
            "output tokens after which Gemini 4 must be asked to go on; 32768, in a stream 65536 by default",
            _whole(1, 100_000),
        ),
        "cached": Key("tokens of the prompt that an implicit cache held, at most", _whole(1, 10_000_000)),
        "tier": Key("service tier that serves the request, whatever it asked", _one_of(TIERS)),
        "fault": Key("what goes wrong; see the table of faults", str),
        "after": Key("chunks that a stream sends before its fault, 1 by default", _whole(0, 10_000)),
        "code": Key("HTTP status for the faults http_status and error_event", _whole(400, 599)),
        "retry_after": Key("delay in the RetryInfo of a quota fault, such as 1.5s", _duration),
        "size": Key("size of the fault oversized, 5MiB by default", _size),
        "times": Key(
            "let the fault befall only so many requests with the same x-request-id and script",
            _whole(1, 1000),
        ),
        "scene": Key("any word; tells two uses of times= apart that lack a request id", str),
    }
)
"""Every key of the language."""


def parse_duration(text: str) -> Decimal:
    """Return a duration such as 250ms, 1.5s or 2m in seconds, with the digits it was given.

    Raises:
        ApiError: 400 when it is none.
    """
    try:
        return _duration(text)
    except _Refused as expected:
        raise bad_request([("", f"'{text}' must be {expected}.")]) from None


@lru_cache(maxsize=1024)
def parse_script(text: str) -> Script:
    """Return the script that `text` spells; an empty text asks for nothing.

    Raises:
        ApiError: 400 with one field violation for each bad pair, naming the key and what is admissible.
    """
    violations: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for pair in filter(None, _SEPARATORS.split(text)):
        name, equals, value = pair.partition("=")
        key = KEYS.get(name)
        if key is None:
            known = ", ".join(sorted(KEYS))
            violations.append(
                (HEADER, f"Unknown emulator key '{name}'; write key=value with one of: {known}.")
            )
        elif not equals or not value:
            violations.append((HEADER, f"Emulator key '{name}' needs a value: {name}=... ({key.meaning})."))
        elif name in values:
            violations.append((HEADER, f"Emulator key '{name}' is given twice."))
        else:
            try:
                values[name] = key.parse(value)
            except _Refused as expected:
                violations.append((HEADER, f"Emulator key '{name}' must be {expected}, not '{value}'."))
    if violations:
        raise bad_request(violations)
    return Script(**values, text=text)


def find_script(header: str | None, body: Any, body_text: bytes) -> Script:
    """Return the script of a request: of its header if there is one, else of the last directive in its body.

    `body` is the parsed JSON of `body_text`.

    Raises:
        ApiError: 400 when the script is faulty.
    """
    if header is not None:
        return parse_script(header)
    if b"emulate:" not in body_text:
        return PLAIN
    found = [match[1] for text in _strings(body) for match in _DIRECTIVE.finditer(text)]
    return parse_script(found[-1]) if found else PLAIN


def without_directives(text: str) -> str:
    """Return `text` without its directives, for quoting."""
    if OPENING not in text:
        return text
    return _DIRECTIVE.sub("", text)


def _strings(body: Any) -> list[str]:
    # Depth first with an explicit stack: a body may be nested as deep as the JSON parser allows.
    texts: list[str] = []
    stack = [body]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            stack.extend(reversed(value.values()))
        elif isinstance(value, list):
            stack.extend(reversed(value))
    return texts
