"""How many tokens a medium may be, from its kind, its size and the model's generation. Pure, and generous.

What decides is arithmetic on lengths; of a picture's bytes only the first are read, of other media none. A
sound or film tells its length by its bytes, at the lowest rate of bits that its format is commonly stored at.

Sources: ai.google.dev "Understand and count tokens", "Media resolution", "Image understanding", "Audio
understanding", "Video understanding", "Document processing", and Vertex AI's pages of the same names for
Gemini 2. Rates of bits and the sizes taken for files that only an address is known of are ours.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from sidecar.core.call import Json
from sidecar.limits.image_size import image_size

TEXT, IMAGE, AUDIO, VIDEO, DOCUMENT = "TEXT", "IMAGE", "AUDIO", "VIDEO", "DOCUMENT"

_GENERATION = re.compile(r"gemini-(\d+)")
_NEWEST = 4
"""What a model of unknown generation is taken for."""
_FIRST_WITH_RESOLUTIONS = 3
"""Gemini 3 sees by resolution; before, a picture is cut into tiles, and a frame or a page is one."""
_TILE_TOKENS = 258
_TILE_SIDE_MIN, _TILE_SIDE_MAX, _SMALL_SIDE = 256, 768, 384
_IMAGE_SIDE_MAX = 3072  # larger ones are scaled down
_TILES_MAX = (_IMAGE_SIDE_MAX // _TILE_SIDE_MAX) ** 2
_IMAGE_TOKENS = {"": 1120, "LOW": 280, "MEDIUM": 560, "HIGH": 1120, "ULTRA_HIGH": 2240}
_FRAME_TOKENS = {"": 70, "LOW": 70, "MEDIUM": 70, "HIGH": 280, "ULTRA_HIGH": 280}
_PAGE_TOKENS = {"": 560, "LOW": 280, "MEDIUM": 560, "HIGH": 1120, "ULTRA_HIGH": 2240}
_AUDIO_TOKENS_PER_S = 32

_AUDIO_BYTES_PER_S = {
    "wav": 8_000,
    "x-wav": 8_000,
    "pcm": 8_000,
    "l16": 16_000,
    "aiff": 16_000,
    "flac": 8_000,
    "mp3": 4_000,
    "mpeg": 4_000,
}
_SPEECH_BYTES_PER_S = 1_500  # Opus and AAC, where speech begins to suffer
_VIDEO_BYTES_PER_S = 25_000
_PAGE_BYTES = 10_000
_UNSEEN_TEXT_TOKENS = 32_768
_TEXT_KINDS = ("json", "xml", "javascript", "x-python", "csv", "rtf", "yaml")


class _Extent(NamedTuple):
    """How much there is of a medium."""

    seconds: float
    seconds_max: float
    """Even if its cut asks for more."""
    pages: int
    pages_max: int


_UNSEEN = _Extent(seconds=600, seconds_max=34_200, pages=50, pages_max=1000)  # Google's own bounds


class View(NamedTuple):
    """With what eyes a model looks at media."""

    generation: int
    resolution: str
    """Of the whole request: `LOW`, `HIGH`..., empty for the model's default."""


def view(model: str, config: Json) -> View:
    """How `model` looks at the media of a request with this generationConfig."""
    return View(_generation(model), resolution(config.get("mediaResolution", "")))


@lru_cache(maxsize=256)
def _generation(model: str) -> int:
    named = _GENERATION.search(model)
    return int(named[1]) if named else _NEWEST


def resolution(word: str) -> str:
    """`HIGH` of `MEDIA_RESOLUTION_HIGH`; a word that is newer than us is taken for the finest."""
    short = word.removeprefix("MEDIA_RESOLUTION_")
    return short if short in _IMAGE_TOKENS else "ULTRA_HIGH"


def inline_tokens(part: Json, seen: View) -> tuple[str, int]:
    """Modality and tokens of a part that carries its medium."""
    blob = part["inlineData"]
    kind, subtype = _kind(blob.get("mimeType", ""))
    size_bytes = len(blob.get("data", "")) * 3 // 4
    if kind == TEXT:
        return TEXT, size_bytes // 3 + 1
    rate = _VIDEO_BYTES_PER_S if kind == VIDEO else _AUDIO_BYTES_PER_S.get(subtype, _SPEECH_BYTES_PER_S)
    seconds, pages = size_bytes / rate, min(size_bytes // _PAGE_BYTES + 1, _UNSEEN.pages_max)
    return kind, _tokens(kind, part, seen, _Extent(seconds, seconds, pages, pages))


def unseen_tokens(part: Json, seen: View) -> tuple[str, int]:
    """Modality and a guess at the tokens of a part that names its medium only by address."""
    kind, _ = _kind(part["fileData"].get("mimeType", "video/*"))  # films of YouTube come without a type
    return kind, _UNSEEN_TEXT_TOKENS if kind == TEXT else _tokens(kind, part, seen, _UNSEEN)


def _kind(mime_type: str) -> tuple[str, str]:
    top, _, subtype = mime_type.lower().partition(";")[0].strip().partition("/")
    if top in ("image", "audio", "video"):
        return top.upper(), subtype
    return (TEXT if top == "text" or subtype.endswith(_TEXT_KINDS) else DOCUMENT), subtype


def _tokens(kind: str, part: Json, seen: View, extent: _Extent) -> int:
    if kind == IMAGE:
        return _image(part, seen)
    if kind == AUDIO:
        return _seconds(part.get("audioMetadata") or {}, extent) * _AUDIO_TOKENS_PER_S
    if kind == VIDEO:
        return _video(part, seen, extent)
    return _pages(part.get("documentMetadata") or {}, extent) * _each(part, seen, _PAGE_TOKENS)


def _each(part: Json, seen: View, by_resolution: Mapping[str, int]) -> int:
    """The tokens of one picture, frame or page."""
    if seen.generation < _FIRST_WITH_RESOLUTIONS:
        return _TILE_TOKENS
    own = part.get("mediaResolution") or {}
    asked: int = own.get("numTokens") or 0
    if asked > 0:
        return asked
    return by_resolution[resolution(own["level"]) if "level" in own else seen.resolution]


def _image(part: Json, seen: View) -> int:
    each = _each(part, seen, _IMAGE_TOKENS)
    if seen.generation >= _FIRST_WITH_RESOLUTIONS:
        return each
    return each * _tiles(image_size(part.get("inlineData", {}).get("data", "")))


def _tiles(size: tuple[int, int] | None) -> int:
    """How many tiles Gemini 2 cuts a picture into: squares of two thirds of its shorter side, from 256 to
    768 pixels.
    """
    if size is None:
        return _TILES_MAX
    if max(size) <= _SMALL_SIDE:
        return 1
    side = min(max(int(min(size) / 1.5), _TILE_SIDE_MIN), _TILE_SIDE_MAX)
    width, height = (-(-min(pixels, _IMAGE_SIDE_MAX) // side) for pixels in size)
    return width * height


def _video(part: Json, seen: View, extent: _Extent) -> int:
    cut = part.get("videoMetadata") or {}
    seconds = _seconds(cut, extent)
    frames = seconds * max(1.0, cut.get("fps") or 1)
    return int(frames * _each(part, seen, _FRAME_TOKENS)) + seconds * _AUDIO_TOKENS_PER_S


def _seconds(cut: Json, extent: _Extent) -> int:
    """How long a sound or film plays: as its cut says, within its extent; at least a second."""
    seconds = extent.seconds
    if "endOffset" in cut:
        begin, end = (float(cut.get(key, "0s").removesuffix("s")) for key in ("startOffset", "endOffset"))
        seconds = min(end - begin, extent.seconds_max)
    return max(1, math.ceil(seconds))


def _pages(cut: Json, extent: _Extent) -> int:
    pages = extent.pages
    if last := cut.get("endPage"):
        pages = min(last - cut.get("startPage", 1) + 1, extent.pages_max)
    return max(1, pages)
