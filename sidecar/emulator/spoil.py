"""How replies are spoiled: the functions behind the body, stream and connection faults.

Decides the bytes and the steps of each spoiled reply; the names by which a script asks for them are in
`faults`. Functions of a whole answer take a `Scene`; functions of a stream take the framing too and yield
steps, and `streamed` and `either` turn them into answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice

import orjson

from sidecar.emulator.answer import (
    HTML_TYPE,
    JSON_TYPE,
    Act,
    Answer,
    Framing,
    Step,
    body_answer,
    json_answer,
    stream_steps,
)
from sidecar.emulator.errors import ApiError, Json, model_overloaded
from sidecar.emulator.scene import Scene

Spoil = Callable[[Scene], Answer]
SpoilStream = Callable[[Scene, Framing], Iterator[Step]]

_BROKEN_EVENT = b'{"candidates": [{"content": {"parts": [{"text": '
_DEFAULT_CODE = 418


def streamed(make: SpoilStream) -> Spoil:
    """Return the fault that streams what `make` yields; it is asked for streams only."""

    def answer(scene: Scene) -> Answer:
        framing = scene.framing or Framing.SSE
        return Answer(200, framing.value, make(scene, framing))

    return answer


def either(unary: Spoil, stream: SpoilStream) -> Spoil:
    """Return the fault that is `unary` for a unary call and `stream` for a stream."""
    spoil_stream = streamed(stream)
    return lambda scene: spoil_stream(scene) if scene.framing else unary(scene)


def only(act: Act) -> Spoil:
    """Return the fault that does nothing but `act`."""
    return lambda scene: replace(body_answer(200, b""), steps=iter((act,)))


def payload(make: Callable[[Scene], bytes]) -> Spoil:
    """Return the fault whose whole body, or only event, is what `make` returns."""

    def events(scene: Scene, framing: Framing) -> Iterator[Step]:
        yield framing.frame(0, make(scene))
        yield framing.end()

    return either(lambda scene: body_answer(200, make(scene)), events)


def raw(status: int, body: bytes, content_type: str) -> Spoil:
    """Return the fault that answers with `body` whatever was asked."""
    return lambda scene: body_answer(status, body, content_type)


def http_status(scene: Scene) -> ApiError:
    """Return an error of the status that the script names."""
    code = scene.script.code or _DEFAULT_CODE
    return ApiError(code, f"The emulator was asked to answer {code}.")


def half_of_json(scene: Scene) -> bytes:
    """Return the first half of the good reply, or of the first good chunk."""
    whole = orjson.dumps(next(scene.chunks()) if scene.framing else scene.reply())
    return whole[: len(whole) // 2]


def empty_body(scene: Scene) -> Answer:
    """Answer 200 with Content-Length 0."""
    return body_answer(200, b"", scene.framing.value if scene.framing else JSON_TYPE)


def wrong_content_type(scene: Scene) -> Answer:
    """Answer well, under the wrong label."""
    return replace(scene.good(), content_type=HTML_TYPE)


def stale(scene: Scene) -> Answer:
    """Answer well and spoil the connection for the next request."""
    # Marked before the reply leaves: the client's next request may follow on its heels.
    good = scene.good()
    return replace(good, steps=chain((Act.EXPIRE,), good.steps))


def no_finish(scene: Scene) -> Answer:
    """Answer without a finish reason."""
    return json_answer(_without_finish(scene.reply()))


def no_finish_stream(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the first chunks without a finish reason, and a clean end."""
    chunks = islice(scene.chunks(), max(1, scene.script.after))
    return stream_steps(framing, map(_without_finish, chunks), scene.gap_s)


def _without_finish(chunk: Json) -> Json:
    shown = [
        {key: value for key, value in candidate.items() if key != "finishReason"}
        for candidate in chunk.get("candidates", ())
    ]
    return chunk | {"candidates": shown}


def oversized(scene: Scene) -> Answer:
    """Answer with a text of the size that the script names."""
    return json_answer(_padded(scene.reply(), scene.script.size))


def oversized_stream(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the good stream with one chunk blown up."""
    chunks = scene.chunks()
    before = list(islice(chunks, scene.script.after))
    following = (
        chunk if number else _padded(chunk, scene.script.size) for number, chunk in enumerate(chunks)
    )
    return stream_steps(framing, chain(before, following), scene.gap_s)


def _padded(reply: Json, size_bytes: int) -> Json:
    """Return `reply` with filler for its first text, so that its JSON has at least `size_bytes` bytes."""
    first, *others = reply.get("candidates") or [{"index": 0}]
    content = {"parts": [{"text": "ha" * -(-size_bytes // 2)}], "role": "model"}
    return reply | {"candidates": [first | {"content": content}, *others]}


def cut(scene: Scene) -> Answer:
    """Announce the whole body, send half of it and close."""
    body = orjson.dumps(scene.reply())
    return replace(body_answer(200, body), steps=iter((body[: len(body) // 2], Act.CLOSE)))


def cut_stream(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the first chunks and half of the next one, and close."""
    sent = 0
    for step in scene.frames(framing):
        if isinstance(step, bytes):
            if sent == scene.script.after:
                yield step[: len(step) // 2]
                break
            sent += 1
        yield step
    yield Act.CLOSE


def stall_stream(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the head and the first chunks, then nothing more."""
    # The empty step lets the head leave even when no chunk does.
    return chain((b"",), scene.frames(framing, scene.script.after), (Act.STALL,))


def empty_stream(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the head and the end."""
    return iter((b"", framing.end(is_empty=True)))


def error_event(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the first chunks, then an error event, then a clean end."""
    error = http_status(scene) if scene.script.code not in (None, 503) else model_overloaded()
    sent = 0
    for step in scene.frames(framing, scene.script.after):
        sent += isinstance(step, bytes)
        yield step
    yield framing.frame(sent, orjson.dumps(error.payload()))
    yield framing.end()


def malformed_event(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the good stream with an event of broken JSON in between."""
    sent = 0
    for step in scene.frames(framing):
        if isinstance(step, bytes):
            if sent == scene.script.after:
                yield framing.frame(sent, _BROKEN_EVENT)
            sent += 1
        yield step
    yield framing.end()


def comments(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the good stream with a comment (in an array: white space) before every event."""
    noise = b": keep-alive\r\n\r\n" if framing is Framing.SSE else b"\r\n"
    for step in scene.frames(framing):
        if isinstance(step, bytes):
            yield noise
        yield step
    yield framing.end()


def done_event(scene: Scene, framing: Framing) -> Iterator[Step]:
    """Yield the good stream and the closing event of other vendors."""
    yield from scene.frames(framing)
    yield framing.end()
    yield b"data: [DONE]\r\n\r\n"
