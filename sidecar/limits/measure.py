"""How many tokens a request's input may be, before anything was learned about its caller. Pure.

Theory of operation. Nothing that runs here knows a model's vocabulary, so texts are weighed: a token has at
least three bytes of UTF-8, but digits are tokens of their own (Gemma's and so Gemini's tokenizer splits
them: Gemma report, section 2.2), and text with hardly a space (base64, minified code, Chinese, Japanese) has
two bytes to a token. English prose has four to five, so a measure is an upper estimate, which `estimate`
corrects by what is learned. Every part has 4 tokens more, for the marks around it.

What a request only names is guessed and kept apart: a file by its kind, a cache not at all. A guess may be
wrong by any factor, so nothing may be refused for it alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from sidecar.core.call import Json
from sidecar.limits.media import TEXT, inline_tokens, unseen_tokens, view

_MARK_TOKENS = 4
_BYTES_PER_TOKEN, _DENSE_BYTES_PER_TOKEN = 3, 2
_DENSE_BYTES_PER_SPACE = 16
_DENSE_FROM_BYTES = 64
_DIGITS = b"0123456789"
_WEIGHED_CHARS, _SAMPLES = 65_536, 8
"""Longer texts are weighed by samples: a megabyte would hold the event loop for a millisecond."""

_SILENT_KEYS = frozenset(
    {
        "thought",
        "videoMetadata",
        "mediaResolution",
        "mediaProcessing",
        "audioMetadata",
        "documentMetadata",
        "partMetadata",
    }
)
"""Keys of a part that say how to look at it."""


@dataclass(slots=True)
class Measured:
    """The input of a request in tokens, by modality."""

    certain: dict[str, int]
    """Of what the request carries."""
    guessed: dict[str, int]
    """Of files that it only names."""
    cache: str
    """The name of the cached content that it begins with, of unknown size; empty for none."""


_Eyes: TypeAlias = tuple[str, Json]
"""Model and config: whose view of media it is, worked out where there is one, as most requests have none."""
_NONE: Json = {}


def measure(body: Json, model: str) -> Measured:
    """Measure a canonical body of Generate, StreamGenerate or EmbedContent."""
    config = body.get("generationConfig") or _NONE
    measured = Measured({}, {}, body.get("cachedContent", ""))
    eyes = model, config
    for content in body.get("contents", ()):
        _measure_parts(content.get("parts", ()), eyes, measured)
    if system := body.get("systemInstruction"):
        _measure_parts(system.get("parts", ()), eyes, measured)
    for spoken in (body.get("tools"), config.get("responseSchema"), config.get("responseJsonSchema")):
        if spoken:
            _add(measured.certain, TEXT, json_tokens(spoken))
    return measured


def text_tokens(text: str) -> int:
    """An upper estimate of the tokens of a text."""
    if len(text) > _WEIGHED_CHARS:
        stride, width = len(text) // _SAMPLES, _WEIGHED_CHARS // _SAMPLES
        sampled = "".join(text[start : start + width] for start in range(0, stride * _SAMPLES, stride))
        return -(-text_tokens(sampled) * len(text) // len(sampled))
    raw = text.encode()
    size = len(raw)
    digits = size - len(raw.translate(None, _DIGITS))
    is_dense = size >= _DENSE_FROM_BYTES and raw.count(b" ") * _DENSE_BYTES_PER_SPACE < size
    return digits + -(-(size - digits) // (_DENSE_BYTES_PER_TOKEN if is_dense else _BYTES_PER_TOKEN))


def json_tokens(value: Any) -> int:
    """An upper estimate of the tokens of a JSON value, which a model reads as text."""
    return len(orjson.dumps(value)) // _DENSE_BYTES_PER_TOKEN + _MARK_TOKENS


def _add(amounts: dict[str, int], modality: str, tokens: int) -> None:
    amounts[modality] = amounts.get(modality, 0) + tokens


def _measure_parts(parts: Iterable[Json], eyes: _Eyes, measured: Measured) -> None:
    certain, text = measured.certain, 0
    for part in parts:
        for key, value in part.items():
            if key == "text":
                text += text_tokens(value) + _MARK_TOKENS
            elif key == "inlineData":
                modality, tokens = inline_tokens(part, view(*eyes))
                _add(certain, modality, tokens + _MARK_TOKENS)
            elif key == "fileData":
                _add(measured.guessed, *unseen_tokens(part, view(*eyes)))
            elif key == "functionResponse" and "parts" in value:  # media that a function gave back
                _measure_parts(value["parts"], eyes, measured)
                text += json_tokens({k: v for k, v in value.items() if k != "parts"})
            elif key == "thoughtSignature":  # thoughts under seal, in base64
                text += len(value) * 3 // 4 // _BYTES_PER_TOKEN
            elif key not in _SILENT_KEYS:
                text += json_tokens(value)
    if text:
        _add(certain, TEXT, text)
