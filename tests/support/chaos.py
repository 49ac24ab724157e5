"""What may come from outside, made from a seed: requests, metadata, and the bytes of upstream answers.

Hypothesis draws the seed and nothing else: to draw every field, byte and header by itself would cost more
time than the calls that they are made for. The same seed makes the same thing.
"""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from tests.support.rpc import REQUESTS
from tests.support.upstream import head

RPCS = sorted(REQUESTS)

_TEXTS = (
    *("", "\0", "ok", "models/", "a/../b", "\u2028", "\U0001f600", "%0d%0a", "STOP", "[[emulate:"),
    "x" * 3000,
)
_INTEGERS = (0, 1, -1, 7, 2**31 - 1, -(2**31))
_NUMBERS = (0.0, -0.0, 0.7, 1e30, float("nan"), float("inf"), float("-inf"))
_BLOBS = (b"", b"\0", b"\xff" * 7, bytes(3000))
_JSON_TEXTS = (
    "{",
    "[]",
    "null",
    "NaN",
    "{}",
    '{"a": 1, "a": 2}',
    '{"newField": 1e999}',
    '{"contents": []}',
    '{"finishReason": 7, "temperature": 1}',
    '{"x": "\\ud800"}',
    '{"x": 123456789012345678901234567890}',
    '{"x": %s}' % ("[" * 49 + "]" * 49),
    "[" * 2000,
    '{"generateContentRequest": {}, "requests": 1}',
)
_MAX_DEPTH = 5


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - it is to be the same every time


def request(seed: int, rpc: str) -> Any:
    """A well-formed message with some of its fields set, some of them to what no caller should send."""
    message: Any = REQUESTS[rpc]()
    random = _seeded(seed)
    _fill(random, message, _MAX_DEPTH)
    if random.random() < 0.8 and hasattr(message, "model"):
        message.model = "model"
    if random.random() < 0.5 and hasattr(message, "prompt"):
        message.ClearField("contents")
        message.prompt = "hi"
    return message


def _fill(random: Random, message: Any, depth: int) -> None:
    fields = [field for field in message.DESCRIPTOR.fields if depth or field.message_type is None]
    for field in random.sample(fields, min(len(fields), random.randrange(5))):
        holder = getattr(message, field.name)
        if field.message_type is None:
            value = _value(random, field)
            if field.is_repeated:
                holder.append(value)
            else:
                setattr(message, field.name, value)
        elif field.message_type.GetOptions().map_entry:
            _fill_entry(random, holder, field, depth)
        else:
            child = holder.add() if field.is_repeated else holder
            if not field.is_repeated:
                child.SetInParent()
            _fill(random, child, depth - 1)


def _fill_entry(random: Random, entries: Any, field: Any, depth: int) -> None:
    key = random.choice(_TEXTS)
    if field.message_type.fields_by_name["value"].message_type is None:
        entries[key] = random.choice(_TEXTS)
    else:
        _fill(random, entries[key], depth - 1)


def _value(random: Random, field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        return random.choice([*field.enum_type.values_by_number, 4711, -1])
    if field.type == FieldDescriptor.TYPE_STRING:
        return random.choice(_JSON_TEXTS if "json" in field.name else _TEXTS)
    return random.choice(
        {
            FieldDescriptor.TYPE_BYTES: _BLOBS,
            FieldDescriptor.TYPE_BOOL: (True, False),
            FieldDescriptor.TYPE_FLOAT: _NUMBERS,
            FieldDescriptor.TYPE_DOUBLE: _NUMBERS,
        }.get(field.type, _INTEGERS)
    )


def spoiled_request(seed: int, rpc: str) -> bytes:
    """A message that something happened to on its way."""
    return _spoiled(_seeded(seed), request(seed, rpc).SerializeToString())


def _spoiled(random: Random, raw: bytes) -> bytes:
    """Bytes with one thing wrong: cut short, a byte changed, bytes put in or taken out."""
    at = random.randrange(len(raw) + 1)
    length = random.randrange(1, 9)
    return random.choice(
        (
            raw[:at],
            raw[:at] + random.randbytes(1) + raw[at + 1 :],
            raw[:at] + random.randbytes(length) + raw[at:],
            raw[:at] + raw[at + length :],
            raw + raw,
        )
    )


_KEYS = ("x-request-id", "x-a", "grpc-timeout", "grpc-tags-bin", "user-agent", "traceparent", "x-b-bin", "te")


def metadata(seed: int) -> list[tuple[str, str | bytes]]:
    """Metadata that a client can be made to send."""
    random = _seeded(seed)
    made: list[tuple[str, str | bytes]] = []
    for _ in range(random.randrange(5)):
        key = random.choice(_KEYS)
        length = random.choice((0, 1, 32, 128, 129, 2000))
        if key.endswith("-bin"):
            made.append((key, random.randbytes(length)))
        else:
            made.append((key, "".join(chr(random.randrange(0x20, 0x7F)) for _ in range(length))))
    return made


# ------------------------------------------------------------------------------------------------ answers

_USAGE = {
    "promptTokenCount": 3,
    "candidatesTokenCount": 4,
    "totalTokenCount": 7,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
    "serviceTier": "standard",
}
_GENERATED = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "ok"},
                    {"inlineData": {"mimeType": "image/png", "data": "AAEC"}},
                    {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "AAEC"},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "index": 0,
            "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}],
            "avgLogprobs": -0.5,
            "groundingMetadata": {"webSearchQueries": ["q"], "groundingChunks": [{"web": {"uri": "u"}}]},
        }
    ],
    "promptFeedback": {"safetyRatings": []},
    "usageMetadata": _USAGE,
    "modelVersion": "v",
    "responseId": "r",
    "createTime": "2026-11-22T12:00:00.123456Z",
}
_MODEL = {"name": "models/model", "inputTokenLimit": 1, "temperature": 1, "supportedGenerationMethods": ["x"]}
_ERROR = {
    "error": {
        "code": 429,
        "message": "Quota exceeded, limit: 5. Please retry in 7.5s.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "QuotaFailure", "violations": [{"quotaId": "PerDay", "quotaValue": "5"}]},
            {"@type": "RetryInfo", "retryDelay": "36s"},
            {"@type": "BadRequest", "fieldViolations": [{"field": "f", "description": "d"}]},
            {"@type": "ErrorInfo", "reason": "API_KEY_INVALID"},
        ],
    }
}
GOOD: dict[str, Any] = {
    "Generate": _GENERATED,
    "StreamGenerate": _GENERATED,
    "CountTokens": {"totalTokens": 3, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}]},
    "EmbedContent": {"embeddings": [{"values": [0.5, -0.5], "statistics": {"tokenCount": 3}}]},
    "ListModels": {"models": [_MODEL], "nextPageToken": "t"},
    "GetModel": _MODEL,
}
"""A good answer to every RPC."""

_WRONG_VALUES: Sequence[Any] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    0.5,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "NaN",
    "-Infinity",
    "12",
    "1e5",
    "9" * 5000,
    "\0",
    "?",
    "AA=A",
    "-_-_",
    "FINISH_REASON_UNSPECIFIED",
    "9999-99-99T99:99:99Z",
    "36.5s",
    "Please retry in " + "9" * 400 + "s",
    [],
    [[]],
    [None],
    {},
    {"x": {"y": [1]}},
)
_DEEP = ("[" * 5000, "[" * 300 + "]" * 300, '{"a":' * 900 + "1" + "}" * 900)


def _body(random: Random, good: Any) -> bytes:
    """The JSON of `good` with a few things wrong."""
    value = deepcopy(good)
    for _ in range(random.randrange(4)):
        value = _replaced(random, value, is_root=True)
    raw = json.dumps(value).encode()
    if random.random() < 0.1:
        raw = raw.replace(b'"ok"', random.choice(_DEEP).encode())
    if random.random() < 0.05:
        raw = raw.replace(b'"ok"', b'"\xff\xfe"')
    return _spoiled(random, raw) if random.random() < 0.15 else raw


def _replaced(random: Random, value: Any, *, is_root: bool = False) -> Any:
    """`value` with a wrong one somewhere in it."""
    chance = 0.02 if is_root else 0.2
    if random.random() < chance or not isinstance(value, dict | list) or not value:
        return deepcopy(random.choice(_WRONG_VALUES))
    key = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
    value[key] = _replaced(random, value[key])
    return value


_STATUSES = (100, 101, 199, 201, 204, 206, 301, 304, 400, 401, 403, 404, 418, 429, 500, 503, 999)
_KINDS = ("application/json", "text/event-stream", "text/html; charset=bogus", "\xff", "")


def answer(seed: int, rpc: str) -> bytes:
    """All bytes of an upstream's answer, to be followed by the end of the connection."""
    random, status = _seeded(seed), 200
    if random.random() < 0.3:
        status, raw = random.choice(_STATUSES), _body(random, _ERROR)
    elif rpc == "StreamGenerate":
        raw = _events(random)
    else:
        raw = _body(random, GOOD[rpc])
    if random.random() < 0.75:
        return head(status, content_length=len(raw)) + raw
    return _badly_framed(random, status, raw)


def _badly_framed(random: Random, status: int, raw: bytes) -> bytes:
    kind, length = random.choice(_KINDS), len(raw)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (length, raw)
    made: Callable[[], bytes] = random.choice(
        (
            lambda: head(status, kind, content_length=length + 5) + raw,
            lambda: head(status, kind, content_length=max(0, length - 5)) + raw,
            lambda: head(status, kind, content_length="many") + raw,
            lambda: head(status, kind) + raw,
            lambda: head(status, kind, transfer_encoding="chunked") + chunked,
            lambda: head(status, kind, transfer_encoding="chunked") + raw,
            lambda: head(status, kind, transfer_encoding="chunked", content_length=length) + chunked,
            lambda: head(status, kind, content_encoding="gzip", content_length=length) + raw,
            lambda: head(status, kind, set_cookie="a=\x01;", x="y" * 9000, content_length=length) + raw,
            lambda: _spoiled(random, head(status, kind, content_length=length)) + raw,
            lambda: raw,
        )
    )
    return made()


_PREFIXES = (
    b"data: ",
    b"data: ",
    b"data:",
    b"",
    b": ",
    b"event: x\ndata: ",
    b"\xef\xbb\xbfdata: ",
    b"DATA: ",
)
_LINE_ENDS = (b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b"\n", b"\r", b"")


def _events(random: Random) -> bytes:
    """Server-sent events, more or less."""
    is_clean = random.random() < 0.5
    return b"".join(
        (b"data: " if is_clean else random.choice(_PREFIXES))
        + _body(random, _GENERATED if random.random() < 0.9 else _ERROR)
        + (b"\r\n\r\n" if is_clean else random.choice(_LINE_ENDS))
        for _ in range(random.randrange(4))
    )
