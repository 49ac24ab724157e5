"""A streamed answer, event by event: framing, limits, and errors that come inside the stream.

The judgement whether the stream ended honestly is `judge`'s.
"""

from collections import deque
from datetime import UTC, datetime

from sidecar.core.outcome import Reply
from sidecar.upstream import classify, decode
from sidecar.upstream.http import Body, too_large
from sidecar.upstream.sse import EventTooLarge, SseParser


class Events:
    """The events of one stream. Holds nothing that needs closing: the exchange owns the connection."""

    def __init__(self, body: Body, limit_bytes: int) -> None:
        self._body = body
        self._limit_bytes = limit_bytes
        self._parser = SseParser(limit_bytes)
        self._read: deque[bytes] = deque()
        self._at_end = False

    def __repr__(self) -> str:
        return f"<Events: {len(self._read)} read ahead{', at the end' if self._at_end else ''}>"

    def take(self) -> bytes | None:
        """The data of the next event that has come; None when there is none yet."""
        return self._read.popleft() if self._read else None

    async def next(self) -> bytes | None:
        """The data of the next event, None at the end of the body. Raises ReplyTooLarge."""
        while not self._read and not self._at_end:
            await self._read_more()
        return self.take()

    async def _read_more(self) -> None:
        if data := await self._body.read():
            try:
                self._read += self._parser.feed(data)
            except EventTooLarge:
                raise too_large("event", self._limit_bytes) from None
            return
        self._at_end = True
        if unfinished := self._parser.end():
            self._read.append(unfinished)  # a bare error object, or an event cut short: reading it tells


def read_event(raw: bytes) -> Reply:
    """The chunk in an event. Raises the UpstreamError that an error object stands for."""
    json = decode.parse(raw)
    if "error" not in json:
        return decode.generate_reply(json)
    payload = json["error"] if isinstance(json["error"], dict) else {}
    code = payload.get("code")
    raise classify.payload_error(code if isinstance(code, int) else 500, payload, datetime.now(UTC))
