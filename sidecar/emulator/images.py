"""The size of a picture, read from the beginning of its bytes.

Decides width and height of PNG, GIF and JPEG, which early models count by tiles; other forms and broken bytes
have no size.
"""

from __future__ import annotations

import binascii
from base64 import b64decode

_BEGINNING_CHARS = 64 << 10
_TILE_PIXELS = 768
_SMALL_PIXELS = 384
_JPEG_MARKERS_WITHOUT_SIZE = frozenset({0xC4, 0xC8, 0xCC})


def tile_count(data: str) -> int:
    """Return how many tiles a base64 picture has: one if it is small or of unknown size."""
    size = picture_size(data)
    if size is None or max(size) <= _SMALL_PIXELS:
        return 1
    width, height = size
    return -(-width // _TILE_PIXELS) * -(-height // _TILE_PIXELS)


def picture_size(data: str) -> tuple[int, int] | None:
    """Return width and height in pixels of a base64 picture, or None if they cannot be told."""
    try:
        beginning = b64decode(data[:_BEGINNING_CHARS])
    except binascii.Error:
        return None
    if beginning.startswith(b"\x89PNG\r\n\x1a\n") and len(beginning) >= 24:
        return _number(beginning[16:20]), _number(beginning[20:24])
    if beginning[:6] in (b"GIF87a", b"GIF89a") and len(beginning) >= 10:
        return _number(beginning[7:5:-1]), _number(beginning[9:7:-1])
    if beginning.startswith(b"\xff\xd8"):
        return _jpeg_size(beginning)
    return None


def _jpeg_size(beginning: bytes) -> tuple[int, int] | None:
    """Walk the segments of a JPEG up to the frame header."""
    position = 2
    while position + 9 <= len(beginning) and beginning[position] == 0xFF:
        marker = beginning[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _JPEG_MARKERS_WITHOUT_SIZE:
            frame = beginning[position + 5 : position + 9]
            return _number(frame[2:]), _number(frame[:2])
        position += 2 + max(2, _number(beginning[position + 2 : position + 4]))
    return None


def _number(big_endian: bytes) -> int:
    return int.from_bytes(big_endian, "big")
