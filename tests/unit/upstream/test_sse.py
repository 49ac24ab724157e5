import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.upstream.sse import EventTooLarge, SseParser

LIMIT = 10_000


def parsed(*pieces: bytes, limit: int = LIMIT) -> list[bytes]:
    """The events of a stream that arrives in these pieces; an unfinished last one included."""
    parser = SseParser(limit)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + ([rest] if (rest := parser.end()) else [])


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"", []),
        (b"\r\n\r\n\n\n", []),
        (b"data: {}\r\n\r\n", [b"{}"]),
        (b"data: {}\n\n", [b"{}"]),
        (b"data:{}\n\n", [b"{}"]),
        (b"data:  {}\n\n", [b" {}"]),
        (b"data: 1\n\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: {\ndata: }\n\n", [b"{\n}"]),
        (b": comment\n\ndata: 1\n\n", [b"1"]),
        (b":\ndata: 1\n:\n\n", [b"1"]),
        (b"event: error\nid: 7\nretry: 3\ndata: 1\n\n", [b"1"]),
        (b"data:\n\n", [b""]),
        (b'{"error": {\n  "code": 503\n}}\n\n', [b'{"error": {\n  "code": 503\n}}']),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else "",
)
def test_events_of_a_whole_stream(stream: bytes, events: list[bytes]) -> None:
    parser = SseParser(LIMIT)
    assert parser.feed(stream) == events
    assert parser.end() == b""


@pytest.mark.parametrize(
    "ending",
    [b"data: 1", b"data: 1\r", b"data: 1\n", b"data: 1\r\n", b"data: 1\r\n\r", b"data: 1\n: comment"],
)
def test_the_end_of_the_stream_gives_the_event_that_lacks_its_blank_line(ending: bytes) -> None:
    assert parsed(b"data: 0\n\n" + ending) == [b"0", b"1"]


def test_the_end_of_the_stream_gives_a_bare_error_of_several_lines() -> None:
    error = json.dumps({"error": {"code": 503}}, indent=1).encode()
    assert parsed(error + b"\n") == [error]


def test_nothing_is_given_twice() -> None:
    parser = SseParser(LIMIT)
    assert parser.feed(b"data: 1\n\ndata: 2") == [b"1"]
    assert parser.end() == b"2"
    assert parser.feed(b"") == []


LINES = st.sampled_from(
    [
        b"data: {}",
        b"data:x",
        b"data: \xe2\x82\xac",
        b"data:",
        b": note",
        b"event: e",
        b"id: 1",
        b"bare",
        b"",
        b"",
    ]
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n"])), max_size=20).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 400)))
def test_the_way_bytes_are_split_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    points = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in pairwise(points)]
    assert parsed(*pieces) == parsed(stream)


@given(stream=STREAMS)
def test_line_feeds_and_crlf_mean_the_same(stream: bytes) -> None:
    plain = stream.replace(b"\r\n", b"\n")
    assert parsed(stream) == parsed(plain) == parsed(plain.replace(b"\n", b"\r\n"))


@given(noise=st.binary(max_size=300), size=st.integers(1, 50))
def test_any_bytes_are_read_without_failure(noise: bytes, size: int) -> None:
    parsed(*(noise[at : at + size] for at in range(0, len(noise), size)))


@given(payloads=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20)), max_size=6))
def test_what_google_frames_is_what_is_read(payloads: list[dict[str, str]]) -> None:
    stream = b"".join(b"data: " + json.dumps(payload).encode() + b"\r\n\r\n" for payload in payloads)
    assert [json.loads(event) for event in parsed(stream)] == payloads


@pytest.mark.parametrize("piece", [b"x", b"data: x\n", b"data:\n", b": comment without end"])
def test_an_unfinished_event_may_not_outgrow_the_limit(piece: bytes) -> None:
    parser = SseParser(100)
    parser.feed(piece)
    with pytest.raises(EventTooLarge):
        parser.feed(piece * 100)


def test_finished_events_do_not_count_against_the_limit() -> None:
    parser = SseParser(100)
    for _ in range(100):
        assert parser.feed(b"data: 0123456789\n\n") == [b"0123456789"]


def test_its_repr_tells_what_it_holds_and_not_the_text() -> None:
    parser = SseParser(100)
    parser.feed(b"data: secret\ndata: mo")
    assert repr(parser) == "<SseParser 8 bytes and 1 lines of an unfinished event>"
