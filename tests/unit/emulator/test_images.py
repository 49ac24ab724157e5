"""Pictures and videos by their size and resolution."""

import struct
from base64 import b64encode

import pytest

from sidecar.emulator.images import picture_size, tile_count
from sidecar.emulator.tokens import tokenizer_for


def _png(width, height):
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)


def _gif(width, height):
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(9)


def _jpeg(width, height):
    quantization = b"\xff\xdb" + struct.pack(">H", 67) + bytes(65)
    frame = b"\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width) + bytes(10)
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + bytes(14) + quantization + frame


@pytest.mark.parametrize("make", [_png, _gif, _jpeg])
def test_width_and_height_are_read(make):
    assert picture_size(b64encode(make(1024, 600)).decode()) == (1024, 600)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x00", b"RIFF....WEBP"]
)
def test_what_has_no_size_is_one_tile(data):
    encoded = b64encode(data).decode()
    assert picture_size(encoded) is None
    assert tile_count(encoded) == 1


def test_broken_base64_has_no_size():
    assert picture_size("A") is None


@pytest.mark.parametrize(
    ("width", "height", "tiles"), [(384, 384, 1), (385, 10, 1), (769, 10, 2), (768, 768, 1), (2000, 1000, 6)]
)
def test_a_large_picture_counts_by_tiles_on_early_models(width, height, tiles):
    data = b64encode(_png(width, height)).decode()
    request = {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}]}
    early = tokenizer_for("gemini-2.5-flash", early_tiles=True).count_request(request)
    assert early["IMAGE"] == 258 * tiles
    assert tokenizer_for("gemini-3.8-flash").count_request(request)["IMAGE"] == 1120


@pytest.mark.parametrize(
    ("resolution", "tokens"), [("LOW", 102), ("MEDIUM", 102), ("HIGH", 312), ("UNSPECIFIED", 102)]
)
def test_a_second_of_video_counts_by_resolution(resolution, tokens):
    part = {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}
    request = {
        "contents": [{"parts": [part]}],
        "generationConfig": {"mediaResolution": f"MEDIA_RESOLUTION_{resolution}"},
    }
    assert tokenizer_for("gemini-3.8-flash").count_request(request)["VIDEO"] == tokens
    early = tokenizer_for("gemini-2.5-flash", early_tiles=True).count_request(request)
    assert early["VIDEO"] == (100 if resolution == "LOW" else 263)
