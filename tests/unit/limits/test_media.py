"""Tokens of media by arithmetic: Google's own examples and rules."""

from base64 import b64encode
from typing import Any

import pytest

from sidecar.limits.media import View, inline_tokens, unseen_tokens, view
from tests.unit.limits.test_image_size import png

EARLY, NOW = View(2, ""), View(3, "")


def inline(mime_type: str, data: str | int = 1_000, **part: Any) -> dict[str, Any]:
    """A part with some bytes of a type."""
    if isinstance(data, int):
        data = b64encode(bytes(data)).decode()
    return {"inlineData": {"mimeType": mime_type, "data": data}, **part}


def picture(width: int, height: int) -> dict[str, Any]:
    return inline("image/png", b64encode(png(width, height)).decode())


@pytest.mark.parametrize(
    ("model", "generation"),
    [
        ("gemini-2.5-flash", 2),
        ("models/gemini-3.8-flash", 3),
        ("gemini-4-neon", 4),
        ("tuned", 4),
    ],
)
def test_the_generation_of_a_model_stands_in_its_name(model: str, generation: int) -> None:
    assert view(model, {}).generation == generation


@pytest.mark.parametrize(
    ("width", "height", "tiles"),
    [(384, 384, 1), (385, 100, 2), (960, 540, 6), (1024, 1024, 4), (3072, 3072, 16), (9000, 9000, 16)],
)
def test_an_early_model_cuts_a_picture_into_tiles(width: int, height: int, tiles: int) -> None:
    assert inline_tokens(picture(width, height), EARLY) == ("IMAGE", tiles * 258)


def test_a_picture_of_unknown_size_is_taken_for_the_largest() -> None:
    assert inline_tokens(inline("image/heic"), EARLY) == ("IMAGE", 16 * 258)


@pytest.mark.parametrize(
    ("of_request", "of_part", "tokens"),
    [
        (None, None, 1120),
        ("MEDIA_RESOLUTION_LOW", None, 280),
        ("MEDIA_RESOLUTION_MEDIUM", None, 560),
        ("MEDIA_RESOLUTION_LOW", {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}, 2240),
        ("MEDIA_RESOLUTION_LOW", {}, 280),
        (None, {"numTokens": 70}, 70),
        (None, {"numTokens": -70}, 1120),
        ("MEDIA_RESOLUTION_HIGHEST", None, 2240),
    ],
)
def test_a_newer_model_sees_a_picture_by_its_resolution(
    of_request: str | None, of_part: dict[str, Any] | None, tokens: int
) -> None:
    seen = view("gemini-3.8-flash", {"mediaResolution": of_request} if of_request else {})
    part = picture(5000, 5000) | ({"mediaResolution": of_part} if of_part is not None else {})
    assert inline_tokens(part, seen) == ("IMAGE", tokens)


@pytest.mark.parametrize(
    ("mime_type", "seconds"),
    [("audio/wav", 15), ("audio/l16; rate=8000", 8), ("audio/mpeg", 30), ("audio/ogg", 80)],
)
def test_a_sound_has_32_tokens_for_each_second_that_its_bytes_may_be(mime_type: str, seconds: int) -> None:
    assert inline_tokens(inline(mime_type, 120_000), NOW) == ("AUDIO", seconds * 32)


def test_a_film_has_a_frame_and_its_sound_for_each_second() -> None:
    ten_seconds = inline("video/mp4", 249_999)
    assert inline_tokens(ten_seconds, NOW) == ("VIDEO", 10 * (70 + 32))
    assert inline_tokens(ten_seconds, View(3, "HIGH")) == ("VIDEO", 10 * (280 + 32))
    assert inline_tokens(ten_seconds, EARLY) == ("VIDEO", 10 * (258 + 32))


def test_a_film_looked_at_more_often_has_more_frames() -> None:
    part = inline("video/mp4", 249_999, videoMetadata={"fps": 5.0})
    assert inline_tokens(part, NOW) == ("VIDEO", 50 * 70 + 10 * 32)


@pytest.mark.parametrize(
    ("cut", "seconds"),
    [
        ({"startOffset": "2s", "endOffset": "5.500s"}, 4),
        ({"endOffset": "3s"}, 3),
        ({"startOffset": "3s"}, 10),
        ({"endOffset": "9000s"}, 10),
        ({"startOffset": "5s", "endOffset": "1s"}, 1),
    ],
    ids=["both ends", "until", "from", "beyond its end", "backwards"],
)
def test_a_cut_film_is_as_long_as_its_cut_and_no_longer_than_its_bytes(
    cut: dict[str, str], seconds: int
) -> None:
    part = inline("video/mp4", 249_999, videoMetadata=cut)
    assert inline_tokens(part, NOW) == ("VIDEO", seconds * (70 + 32))


@pytest.mark.parametrize(
    ("pages", "count"),
    [(None, 6), ({"startPage": 2, "endPage": 3}, 2), ({"endPage": 99}, 6), ({"endPage": -4}, 1)],
)
def test_a_document_has_as_many_pages_as_its_bytes_may_be(pages: dict[str, int] | None, count: int) -> None:
    part = inline("application/pdf", 50_000, **({"documentMetadata": pages} if pages else {}))
    assert inline_tokens(part, NOW) == ("DOCUMENT", count * 560)
    assert inline_tokens(part, EARLY) == ("DOCUMENT", count * 258)


@pytest.mark.parametrize("mime_type", ["text/plain", "text/html; charset=utf-8", "application/json"])
def test_a_text_in_a_file_is_a_text(mime_type: str) -> None:
    assert inline_tokens(inline(mime_type, 3_000), NOW) == ("TEXT", 1_001)


def test_a_medium_of_unknown_kind_is_taken_for_a_document() -> None:
    assert inline_tokens({"inlineData": {}}, NOW) == ("DOCUMENT", 560)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"mimeType": "image/png"}, ("IMAGE", 1120)),
        ({"mimeType": "audio/mp3"}, ("AUDIO", 600 * 32)),
        ({"mimeType": "video/mp4"}, ("VIDEO", 600 * 102)),
        ({"fileUri": "https://www.youtube.com/watch?v=x"}, ("VIDEO", 600 * 102)),
        ({"mimeType": "application/pdf"}, ("DOCUMENT", 50 * 560)),
        ({"mimeType": "text/csv"}, ("TEXT", 32_768)),
    ],
)
def test_a_file_that_is_only_named_is_guessed_by_its_kind(
    file: dict[str, str], expected: tuple[str, int]
) -> None:
    assert unseen_tokens({"fileData": file}, NOW) == expected


def test_a_cut_says_how_long_a_film_is_that_nobody_has_seen() -> None:
    part = {"fileData": {"mimeType": "video/mp4"}, "videoMetadata": {"endOffset": "7200s"}}
    assert unseen_tokens(part, NOW) == ("VIDEO", 7200 * 102)


def test_tens_of_megabytes_are_measured_by_length_alone() -> None:
    part = {"inlineData": {"mimeType": "video/mp4", "data": "*" * 40_000_000}}  # not even base64
    assert inline_tokens(part, NOW) == ("VIDEO", 1200 * 102)
