"""What the services beside GeminiService have in common: reading what is asked, and bounding who watches.

Their calls take no place at the gate, so that a sidecar that sheds calls can still be looked into.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from sidecar.core.errors import FieldViolation, InvalidRequest, Overloaded
from sidecar.edge.context import REQUEST_ID, Context, request_id

WATCHES_MAX = 16
"""Watches of one service at one listener; each looks again and again."""
QUIET_S = 10.0
"""A watcher hears so often that nothing has changed."""
_INTERVAL_S, _INTERVAL_LEAST_S, _INTERVAL_MOST_S = 1.0, 0.1, 3600.0

Asked = TypeVar("Asked", bound=Message)


def begun(context: Context) -> str:
    """The request id of a call that begins."""
    name = request_id(context)
    context.set_trailing_metadata(((REQUEST_ID, name),))
    return name


def read(kind: type[Asked], raw: bytes) -> Asked:
    """The request as it is on the wire. Raises InvalidRequest."""
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise InvalidRequest(FieldViolation("request", f"is no protobuf message: {error}")) from None


def interval_s(asked: Duration | None) -> float:
    """Seconds between two looks; `asked` is None for the default. Raises InvalidRequest."""
    if asked is None:
        return _INTERVAL_S
    seconds = asked.seconds + asked.nanos / 1e9
    if not _INTERVAL_LEAST_S <= seconds <= _INTERVAL_MOST_S:
        raise InvalidRequest(FieldViolation("interval", "is out of range: take 100 ms to 1 h"))
    return seconds


class Watches:
    """Counts those who watch; refuses above the limit."""

    def __init__(self, instead: str) -> None:
        self._instead = instead
        self._count = 0

    def __repr__(self) -> str:
        return f"<Watches: {self._count} of {WATCHES_MAX}>"

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Hold a place while somebody watches. Raises Overloaded, which says what to do `instead`."""
        if self._count >= WATCHES_MAX:
            raise Overloaded(f"{WATCHES_MAX} watch already, as many as may: {self._instead}")
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
