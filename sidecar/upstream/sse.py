"""Server-sent events from bytes, without I/O.

Google frames each chunk as one `data: {json}` line ended by a blank line, and has been seen to write a bare
JSON error object into a stream; so a line that is no SSE field at all counts as data. Comments and the fields
`event`, `id` and `retry` carry nothing for us.
"""

_IGNORED = (b":", b"event:", b"id:", b"retry:")


class EventTooLarge(Exception):
    """An event outgrew the limit; the stream cannot be read further."""


class SseParser:
    """Collects bytes into events; holds at most `max_event_bytes` of an unfinished one."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        """A line without its end."""
        self._lines: list[bytes] = []

    def __repr__(self) -> str:
        return f"<SseParser {len(self._buffer)} bytes and {len(self._lines)} lines of an unfinished event>"

    def feed(self, data: bytes) -> list[bytes]:
        """Take more bytes; return the data of every event they complete. Raises EventTooLarge."""
        *lines, rest = data.split(b"\n")  # of what has come before nothing is scanned again
        if lines and self._buffer:
            lines[0] = bytes(self._buffer) + lines[0]
            self._buffer.clear()
        self._buffer += rest
        events: list[bytes] = []
        for line in lines:
            if text := line.rstrip(b"\r"):
                self._take_line(text)
            elif self._lines:
                events.append(b"\n".join(self._lines))
                self._lines.clear()
        if self._unfinished_bytes() > self._max_event_bytes:
            raise EventTooLarge
        return events

    def end(self) -> bytes:
        """The data of the event that the end of the stream left unfinished; empty when there is none."""
        if line := bytes(self._buffer).rstrip(b"\r"):
            self._take_line(line)
        self._buffer.clear()
        return b"\n".join(self._lines)

    def _unfinished_bytes(self) -> int:
        return len(self._buffer) + sum(map(len, self._lines)) + len(self._lines)

    def _take_line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._lines.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line.startswith(_IGNORED):
            self._lines.append(line)
