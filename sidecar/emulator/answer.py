"""What will be written to the client: status, headers and a lazy sequence of steps.

An answer is decided completely before the first byte leaves, and played by `player`. Faults are functions
from a good answer to a spoiled one (see `faults`), so every way in which a reply can go wrong is a list of
steps that a test can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, unique
from itertools import chain

import orjson

from sidecar.emulator.arrivals import Arrival
from sidecar.emulator.errors import ApiError, Json, deadline_exceeded

JSON_TYPE = "application/json; charset=UTF-8"
SSE_TYPE = "text/event-stream"
HTML_TYPE = "text/html; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that lets time pass."""

    seconds: float


@unique
class Act(Enum):
    """A step that does something to the connection."""

    STALL = "stay silent until the client leaves"
    CLOSE = "close the connection after what was written"
    RESET = "reset the connection at once"
    EXPIRE = "let the connection look alive, and close it when the next request arrives on it"


Step = bytes | Wait | Act


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply to be played once; its head leaves with the first step that is bytes.

    `length` is the announced Content-Length in bytes; None sends the body in HTTP chunks, one for each step.
    """

    status: int
    content_type: str
    steps: Iterator[Step]
    length: int | None = None
    tier: str | None = None
    """The service tier to name in `x-gemini-service-tier`."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers."""
    arrival: Arrival | None = None
    """What was decided on the request, for the arrival log."""


@unique
class Framing(Enum):
    """How the events of a stream are written: server-sent events, or the elements of one JSON array."""

    SSE = SSE_TYPE
    ARRAY = JSON_TYPE

    def frame(self, index: int, payload: bytes) -> bytes:
        """Return the bytes of event number `index` (from 0)."""
        if self is Framing.SSE:
            return b"data: " + payload + b"\r\n\r\n"
        return (b",\r\n" if index else b"[") + payload

    def end(self, *, is_empty: bool = False) -> bytes:
        """Return the bytes after the last event; an array that had none is opened too."""
        if self is Framing.SSE:
            return b""
        return b"[]" if is_empty else b"]"


def body_answer(status: int, body: bytes, content_type: str = JSON_TYPE) -> Answer:
    """Return the answer that sends `body` at once."""
    return Answer(status, content_type, iter((body,)), length=len(body))


def json_answer(payload: Json) -> Answer:
    """Return the answer that sends `payload` as JSON."""
    return body_answer(200, orjson.dumps(payload))


def stream_answer(framing: Framing, payloads: Iterable[Json], gap_s: float = 0.0) -> Answer:
    """Return the answer that sends each of `payloads` as an event, `gap_s` seconds apart."""
    return Answer(200, framing.value, stream_steps(framing, payloads, gap_s))


def stream_steps(framing: Framing, payloads: Iterable[Json], gap_s: float = 0.0) -> Iterator[Step]:
    """Yield the steps of a stream of at least one event."""
    for index, payload in enumerate(payloads):
        if index and gap_s:
            yield Wait(gap_s)
        yield framing.frame(index, orjson.dumps(payload))
    yield framing.end()


def error_answer(error: ApiError, framing: Framing | None = None) -> Answer:
    """Return the answer that sends `error`; a JSON array stream wraps it into a list, as Google does."""
    body = orjson.dumps(error.payload(), option=orjson.OPT_INDENT_2)
    if framing is Framing.ARRAY:
        body = b"[" + body + b"]"
    return body_answer(error.code, body)


def delayed(answer: Answer, latency_s: float) -> Answer:
    """Return `answer` with its first byte `latency_s` seconds later."""
    if not latency_s:
        return answer
    return replace(answer, steps=chain((Wait(latency_s),), answer.steps))


def bounded(answer: Answer, timeout_s: float, framing: Framing | None) -> Answer:
    """Return `answer` as a server sends it that gives up after `timeout_s` seconds.

    If the scripted waits reach the timeout before the first byte, the answer is 504; after it, a stream ends
    with an error event. `Act.STALL` is not bounded: it plays a server that keeps no promise.
    """
    steps = iter(answer.steps)
    first = next(steps, b"")
    if not isinstance(first, Wait):
        return replace(answer, steps=_bounded_steps(chain((first,), steps), timeout_s, framing))
    if first.seconds >= timeout_s:
        return delayed(error_answer(deadline_exceeded(), framing), timeout_s)
    later = _bounded_steps(steps, timeout_s - first.seconds, framing)
    return replace(answer, steps=chain((first,), later))


def _bounded_steps(steps: Iterator[Step], left_s: float, framing: Framing | None) -> Iterator[Step]:
    events = 0
    for step in steps:
        if isinstance(step, Wait):
            if step.seconds >= left_s and framing:
                yield Wait(left_s)
                yield framing.frame(events, orjson.dumps(deadline_exceeded().payload()))
                yield framing.end()
                return
            left_s -= step.seconds
        events += isinstance(step, bytes)
        yield step
