"""The size of a picture from its first bytes."""

import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.limits.image_size import image_size

REST = bytes(1000)


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + REST


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + REST


def jpeg(width: int, height: int, *, thumbnail_bytes: int = 0, frame: int = 0xC0) -> bytes:
    exif = b"\xff\xe1" + struct.pack(">H", 2 + thumbnail_bytes) + bytes(thumbnail_bytes)
    tables = b"\xff\xc4" + struct.pack(">H", 5) + b"abc"
    header = bytes([0xFF, frame]) + struct.pack(">HBHH", 17, 8, height, width)
    return b"\xff\xd8" + exif + tables + header + REST


def riff(kind: bytes, payload: bytes) -> bytes:
    return (
        b"RIFF" + struct.pack("<I", 100) + b"WEBP" + kind + struct.pack("<I", len(payload)) + payload + REST
    )


def webp(width: int, height: int) -> bytes:
    return riff(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", width, height))


def webp_lossless(width: int, height: int) -> bytes:
    return riff(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14))


def webp_extended(width: int, height: int) -> bytes:
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return riff(b"VP8X", bytes(4) + sides)


def progressive(width: int, height: int) -> bytes:
    return jpeg(width, height, frame=0xC2)


def photo(width: int, height: int) -> bytes:
    return jpeg(width, height, thumbnail_bytes=60_000)


@pytest.mark.parametrize("make", [png, gif, jpeg, progressive, photo, webp, webp_lossless, webp_extended])
@pytest.mark.parametrize("size", [(1, 1), (960, 540), (4000, 3001)])
def test_the_size_is_read(make: object, size: tuple[int, int]) -> None:
    assert callable(make)
    assert image_size(b64encode(make(*size)).decode()) == size


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"BM" + REST, b"RIFF", png(0, 5), jpeg(5, 5)[:20]]
)
def test_what_does_not_say_has_no_size(raw: bytes) -> None:
    assert image_size(b64encode(raw).decode()) is None


@pytest.mark.parametrize("data", ["not base64 at all", "é" * 40, "AAA"])
def test_what_is_not_base64_has_no_size(data: str) -> None:
    assert image_size(data) is None


@given(st.binary(max_size=300), st.sampled_from([b"\xff\xd8", b"RIFF____WEBP", b"GIF89a", b""]))
def test_nothing_makes_it_fail(raw: bytes, head: bytes) -> None:
    image_size(b64encode(head + raw).decode())
