"""How large a picture is, read from its first bytes without decoding the rest. Pure.

Takes base64 and looks only at the bytes it needs: 30 for PNG, GIF and WebP; for JPEG the few bytes at the
head of each segment until the frame header, however large the segments between (an EXIF thumbnail has up to
64 KiB). Formats: PNG (ISO 15948, IHDR), GIF89a, WebP (RFC 9649), JPEG (ITU T.81, annex B).
"""

from base64 import b64decode

_SEGMENTS_MAX = 64
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15, less DHT, JPG and DAC


def image_size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of the picture in `data` (standard base64); None when it does not say."""
    try:
        head = _bytes_at(data, 0, 30)
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            size = _big(head[16:20]), _big(head[20:24])
        elif head.startswith((b"GIF87a", b"GIF89a")):
            size = _little(head[6:8]), _little(head[8:10])
        elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            size = _webp(head)
        else:
            size = _jpeg(data) if head.startswith(b"\xff\xd8") else (0, 0)
    except ValueError:  # not base64
        return None
    return size if all(size) else None


def _webp(head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8X":
        return _little(head[24:27]) + 1, _little(head[27:30]) + 1
    if kind == b"VP8L":
        bits = _little(head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF


def _jpeg(data: str) -> tuple[int, int]:
    offset = 2
    for _ in range(_SEGMENTS_MAX):
        segment = _bytes_at(data, offset, 9)
        if len(segment) < 9 or segment[0] != 0xFF:
            break
        if segment[1] in _FRAME_HEADERS:
            return _big(segment[7:9]), _big(segment[5:7])
        offset += 2 + _big(segment[2:4])
    return 0, 0


def _bytes_at(data: str, offset: int, count: int) -> bytes:
    """Some bytes out of base64: four characters hold three bytes."""
    first = offset // 3
    last = -(-(offset + count) // 3)
    return b64decode(data[first * 4 : last * 4], validate=True)[offset - first * 3 :][:count]


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
