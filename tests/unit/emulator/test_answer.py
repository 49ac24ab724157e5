"""Answers: framing, delay and deadline as lists of steps."""

import orjson
import pytest

from sidecar.emulator.answer import (
    Act,
    Answer,
    Framing,
    Step,
    Wait,
    bounded,
    delayed,
    error_answer,
    json_answer,
    stream_answer,
)
from sidecar.emulator.errors import ApiError


def _steps(answer: Answer) -> list[Step]:
    return list(answer.steps)


def _text(answer: Answer) -> bytes:
    return b"".join(step for step in answer.steps if isinstance(step, bytes))


def test_events_are_framed_exactly_as_google_frames_them():
    answer = stream_answer(Framing.SSE, [{"a": 1}, {"b": 2}])
    assert answer.content_type == "text/event-stream"
    assert _text(answer) == b'data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n'


@pytest.mark.parametrize("count", [1, 2, 5])
def test_without_sse_a_stream_is_one_json_array(count):
    payloads = [{"n": number} for number in range(count)]
    assert orjson.loads(_text(stream_answer(Framing.ARRAY, payloads))) == payloads


def test_an_empty_array_is_an_array():
    assert Framing.ARRAY.end(is_empty=True) == b"[]"


def test_gaps_lie_between_events():
    kinds = [type(step) for step in _steps(stream_answer(Framing.SSE, [{}, {}, {}], 0.5))]
    assert kinds == [bytes, Wait, bytes, Wait, bytes, bytes]


def test_latency_comes_before_the_first_byte():
    assert _steps(delayed(json_answer({}), 0.25)) == [Wait(0.25), b"{}"]
    assert _steps(delayed(json_answer({}), 0)) == [b"{}"]


def test_an_error_in_an_array_stream_is_wrapped_into_a_list():
    error = ApiError(503, "busy")
    assert orjson.loads(_text(error_answer(error))) == error.payload()
    assert orjson.loads(_text(error_answer(error, Framing.SSE))) == error.payload()
    assert orjson.loads(_text(error_answer(error, Framing.ARRAY))) == [error.payload()]


def test_a_latency_beyond_the_server_timeout_becomes_a_504_at_that_time():
    answer = bounded(delayed(json_answer({}), 5), 2, None)
    assert answer.status == 504
    assert next(answer.steps) == Wait(2)
    assert orjson.loads(_text(answer))["error"]["status"] == "DEADLINE_EXCEEDED"


def test_a_reply_within_the_server_timeout_is_untouched():
    assert _steps(bounded(delayed(json_answer({}), 1), 2, None)) == [Wait(1), b"{}"]
    assert _steps(bounded(json_answer({}), 2, None)) == [b"{}"]


@pytest.mark.parametrize("framing", Framing)
def test_a_stream_beyond_the_server_timeout_ends_with_an_error_event(framing):
    slow = delayed(stream_answer(framing, [{"n": n} for n in range(9)], 1.0), 1.5)
    steps = _steps(bounded(slow, 4.0, framing))
    assert [step for step in steps if isinstance(step, Wait)] == [Wait(1.5), Wait(1.0), Wait(1.0), Wait(0.5)]
    text = b"".join(step for step in steps if isinstance(step, bytes))
    assert text.count(b'"n":') == 3
    if framing is Framing.ARRAY:
        assert orjson.loads(text)[-1]["error"]["code"] == 504
    else:
        assert orjson.loads(text.split(b"data: ")[-1])["error"]["code"] == 504


def test_a_stall_is_not_bounded():
    answer = Answer(200, "text/event-stream", iter((b"", Act.STALL)))
    assert _steps(bounded(answer, 2, Framing.SSE)) == [b"", Act.STALL]
