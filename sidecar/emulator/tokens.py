"""The emulator's own tokenizer: deterministic, different for each model, and no estimate of anybody else's.

Decides how many tokens a text, a medium or a whole request counts. Each kind of character (letters, digits,
space, punctuation, everything beyond ASCII) has a weight drawn from the model's name, such that any text of
one kind has between 2 and 6 characters to a token.

Theory of operation: weights are integers in thousandths of a token, so weights of pieces add up exactly and a
running total never goes back; rounding up to whole tokens happens once, at the end. Counting is a handful of
passes in C over the bytes, so that a megabyte of prompt costs milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import orjson

from sidecar.emulator.errors import Json
from sidecar.emulator.images import tile_count

_LETTERS = bytes(range(65, 91)) + bytes(range(97, 123))
_DIGITS = b"0123456789"
_SPACES = b" \t\r\n\v\f"
_ASCII = bytes(range(128))

_TILE_TOKENS = 258
_IMAGE_TOKENS = {
    "MEDIA_RESOLUTION_LOW": 280,
    "MEDIA_RESOLUTION_MEDIUM": 560,
    "MEDIA_RESOLUTION_HIGH": 1120,
    "MEDIA_RESOLUTION_ULTRA_HIGH": 2240,
}
_AUDIO_TOKENS_PER_S = 32
_VIDEO_TOKENS_PER_S = 70 + _AUDIO_TOKENS_PER_S
_FINE_VIDEO_TOKENS_PER_S = 280 + _AUDIO_TOKENS_PER_S
_EARLY_VIDEO_TOKENS_PER_S = {"MEDIA_RESOLUTION_LOW": 100}
_PAGE_TOKENS = 560
# How much of a medium one second or one page takes, for want of a decoder; and how long a medium is taken to
# be when only its address is known.
_AUDIO_BYTES_PER_S = 16_000
_VIDEO_BYTES_PER_S = 125_000
_PAGE_BYTES = 50_000
_UNSEEN_SECONDS = 60
_UNSEEN_PAGES = 10


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Counts for one model; weights are thousandths of a token for each character of a kind."""

    letter: int
    digit: int
    space: int
    punctuation: int
    beyond_ascii: int
    early_tiles: bool

    def weigh(self, text: str) -> int:
        """Return the weight of `text` in thousandths of a token; weights of concatenated texts add up."""
        encoded = text.encode()
        size = len(encoded)
        letters = size - len(encoded.translate(None, _LETTERS))
        digits = size - len(encoded.translate(None, _DIGITS))
        spaces = size - len(encoded.translate(None, _SPACES))
        ascii_size = size if text.isascii() else size - len(encoded.translate(None, _ASCII))
        return (
            letters * self.letter
            + digits * self.digit
            + spaces * self.space
            + (ascii_size - letters - digits - spaces) * self.punctuation
            + (len(text) - ascii_size) * self.beyond_ascii
        )

    def count(self, text: str) -> int:
        """Return the tokens of `text`."""
        return whole(self.weigh(text))

    def cut(self, text: str, limit: int) -> str:
        """Return the longest beginning of `text` that counts at most `limit` tokens."""
        if self.count(text) <= limit:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.count(text[:middle]) <= limit:
                low = middle
            else:
                high = middle - 1
        return text[:low]

    def count_request(self, request: Json) -> Counter[str]:
        """Return the input tokens of a canonical request by modality: contents, system instruction and
        tools."""
        resolution = request.get("generationConfig", {}).get("mediaResolution", "")
        weights: Counter[str] = Counter()
        for part in request_parts(request):
            modality, weight = self._weigh_part(part, resolution)
            weights[modality] += weight
        if tools := request.get("tools"):
            weights["TEXT"] += self.weigh(orjson.dumps(tools).decode())
        return Counter({modality: whole(weight) for modality, weight in weights.items() if weight})

    def _weigh_part(self, part: Json, resolution: str) -> tuple[str, int]:
        if "text" in part:
            return "TEXT", self.weigh(part["text"])
        if blob := part.get("inlineData"):
            size = len(blob.get("data", "")) * 3 // 4
        elif blob := part.get("fileData"):
            size = blob.get("sizeBytes")
        else:
            spoken = {key: value for key, value in part.items() if key != "thoughtSignature"}
            return "TEXT", self.weigh(orjson.dumps(spoken).decode())
        resolution = part.get("mediaResolution", {}).get("level", resolution)
        modality, tokens = self._count_medium(blob.get("mimeType", ""), size, resolution)
        if modality == "IMAGE" and self.early_tiles:
            tokens *= tile_count(blob.get("data", ""))
        return modality, tokens * 1000

    def _video_tokens_per_s(self, resolution: str) -> int:
        if self.early_tiles:
            return _EARLY_VIDEO_TOKENS_PER_S.get(resolution, 263)
        return _FINE_VIDEO_TOKENS_PER_S if resolution.endswith("HIGH") else _VIDEO_TOKENS_PER_S

    def _count_medium(self, mime_type: str, size_bytes: int | None, resolution: str) -> tuple[str, int]:
        kind = mime_type.partition("/")[0]
        if kind == "image":
            return "IMAGE", _TILE_TOKENS if self.early_tiles else _IMAGE_TOKENS.get(resolution, 1120)
        if kind == "audio":
            return "AUDIO", _AUDIO_TOKENS_PER_S * _spans(size_bytes, _AUDIO_BYTES_PER_S, _UNSEEN_SECONDS)
        if kind == "video":
            seconds = _spans(size_bytes, _VIDEO_BYTES_PER_S, _UNSEEN_SECONDS)
            return "VIDEO", self._video_tokens_per_s(resolution) * seconds
        page = _TILE_TOKENS if self.early_tiles else _PAGE_TOKENS
        return "DOCUMENT", page * _spans(size_bytes, _PAGE_BYTES, _UNSEEN_PAGES)


def whole(weight: int) -> int:
    """Return `weight` (thousandths of a token) in whole tokens, rounded up."""
    return -(-weight // 1000)


def _spans(size_bytes: int | None, span_bytes: int, unseen: int) -> int:
    return unseen if size_bytes is None else max(1, -(-size_bytes // span_bytes))


def request_parts(request: Json) -> Iterator[Json]:
    """Yield every part that a model reads: of the system instruction first, then of the contents in order."""
    for content in (request.get("systemInstruction"), *request.get("contents", ())):
        if content:
            yield from content.get("parts", ())


def modality_details(counts: Counter[str]) -> list[Json]:
    """Return `counts` in the form of `promptTokensDetails`."""
    return [{"modality": modality, "tokenCount": tokens} for modality, tokens in counts.items()]


@lru_cache(maxsize=256)
def tokenizer_for(model: str, *, early_tiles: bool = False) -> Tokenizer:
    """Return the tokenizer of the model with this name; the name is the seed."""
    seed = blake2b(model.encode(), digest_size=5, person=b"tokenizer").digest()

    def weight(draw: int, fewest_chars: float, most_chars: float) -> int:
        characters = fewest_chars + (most_chars - fewest_chars) * draw / 255
        return round(1000 / characters)

    return Tokenizer(
        letter=weight(seed[0], 3.6, 5.4),
        digit=weight(seed[1], 2.0, 3.2),
        space=weight(seed[2], 4.5, 6.0),
        punctuation=weight(seed[3], 2.0, 3.6),
        beyond_ascii=weight(seed[4], 2.0, 2.8),
        early_tiles=early_tiles,
    )
