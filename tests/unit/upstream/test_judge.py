from typing import Any

import pytest

from sidecar.core.errors import Reason, UpstreamUnavailable
from sidecar.upstream.judge import StreamJudge, has_content, is_last_word

Chunk = dict[str, Any]


def said(finish: object = ..., index: object = ...) -> dict[str, Any]:
    given = {"finishReason": finish, "index": index}
    return {key: value for key, value in given.items() if value is not ...}


def chunk(*candidates: Chunk, **more: Any) -> Chunk:
    return {"candidates": list(candidates), **more}


BLOCKED = {"promptFeedback": {"blockReason": "SAFETY"}}

COMPLETE: dict[str, list[Chunk]] = {
    "one-chunk": [chunk(said("STOP"))],
    "finish-later": [chunk(said()), chunk(said("STOP"))],
    "finish-then-usage": [chunk(said("STOP")), {"usageMetadata": {}}],
    "any-reason-is-an-end": [chunk(said("MAX_TOKENS"))],
    "newer-reason": [chunk(said("NEVER_HEARD_OF"))],
    "two-finish-together": [chunk(said("STOP"), said("STOP", 1))],
    "two-finish-apart": [chunk(said(), said("STOP", 1)), chunk(said("SAFETY", 0))],
    "index-null-is-zero": [chunk(said()), chunk(said("STOP", None))],
    "blocked": [BLOCKED],
    "blocked-later": [chunk(said()), BLOCKED],
    "finish-twice": [chunk(said("STOP")), chunk(said("STOP"))],
}
BROKEN: dict[str, list[Chunk]] = {
    "nothing": [],
    "empty-chunks": [{}, {}],
    "usage-alone": [{"usageMetadata": {"totalTokenCount": 3}}],
    "no-candidates": [chunk()],
    "null-candidates": [{"candidates": None, "promptFeedback": None}],
    "unfinished": [chunk(said())],
    "finish-null": [chunk(said(None))],
    "finish-empty": [chunk(said(""))],
    "finish-unspecified": [chunk(said("FINISH_REASON_UNSPECIFIED"))],
    "one-of-two": [chunk(said(), said("STOP", 1))],
    "second-speaks-after-first-finished": [chunk(said("STOP")), chunk(said(..., 1))],
    "feedback-without-block": [{"promptFeedback": {"safetyRatings": []}}],
    "block-unspecified": [{"promptFeedback": {"blockReason": "BLOCK_REASON_UNSPECIFIED"}}],
    "block-unspecified-vertex": [{"promptFeedback": {"blockReason": "BLOCKED_REASON_UNSPECIFIED"}}],
}


def judged(chunks: list[Chunk]) -> StreamJudge:
    judge = StreamJudge()
    for each in chunks:
        judge.see(each)
    return judge


@pytest.mark.parametrize("chunks", COMPLETE.values(), ids=COMPLETE)
def test_a_stream_that_may_end_here(chunks: list[Chunk]) -> None:
    judge = judged(chunks)
    judge.check_end()
    assert judge.is_complete
    assert repr(judge) == "<StreamJudge complete>"


@pytest.mark.parametrize("chunks", BROKEN.values(), ids=BROKEN)
def test_a_stream_that_may_not_end_here(chunks: list[Chunk]) -> None:
    judge = judged(chunks)
    assert not judge.is_complete
    with pytest.raises(UpstreamUnavailable) as error:
        judge.check_end()
    assert error.value.reason == Reason.UPSTREAM_MALFORMED
    spoke = any(each.get("candidates") for each in chunks)
    assert ("finish reason" if spoke else "single candidate") in error.value.message


@pytest.mark.parametrize(
    ("said_last", "is_last"),
    [
        (chunk(said("STOP")), True),
        (chunk(said(), said("SAFETY", 1)), True),
        (BLOCKED, True),
        ({"usageMetadata": {}}, True),
        (chunk(said()), False),
        (chunk(said("FINISH_REASON_UNSPECIFIED")), False),
    ],
)
def test_a_chunk_that_finishes_a_candidate_or_has_none_is_a_last_word(
    said_last: Chunk, is_last: bool
) -> None:
    assert is_last_word(said_last) is is_last


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, False),
        ({"usageMetadata": {"promptTokenCount": 3}}, False),
        (chunk({"content": {"role": "model"}}), False),
        (chunk({"content": {"parts": [{"text": ""}, {}]}}), False),
        (chunk({"finishReason": "FINISH_REASON_UNSPECIFIED"}), False),
        (chunk({"content": None}), False),
        (chunk({"content": {"parts": [{"text": "a"}]}}), True),
        (chunk({"content": {"parts": [{"text": "", "thoughtSignature": "AA=="}]}}), True),
        (chunk({"content": {"parts": [{"functionCall": {"name": "f"}}]}}), True),
        (chunk({}, {"content": {"parts": [{"text": "a"}]}}), True),
        (chunk(said("STOP")), True),
        (BLOCKED, True),
    ],
)
def test_content_is_what_says_something(given: Chunk, expected: bool) -> None:
    assert has_content(given) is expected


def test_the_first_content_is_told_once() -> None:
    told: list[bool] = []
    judge = StreamJudge(lambda: told.append(True))
    judge.see({"usageMetadata": {}})
    assert told == []
    judge.see(chunk({"content": {"parts": [{"text": "a"}]}}))
    judge.see(chunk({"content": {"parts": [{"text": "b"}]}}, said("STOP")))
    assert told == [True]
