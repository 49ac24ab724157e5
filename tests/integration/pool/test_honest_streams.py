"""Streams through a pool whose endpoints break at random: whole, or broken and said to be."""

import json
import sys

import grpc
import pytest

from sidecar.core.policy import Policy
from sidecar.core.pooling import BreakerRules, PoolRules, RetryRules
from sidecar.emulator import Emulator
from sidecar.v1.generate_pb2 import StreamGenerateResponse
from tests.support import facts, streams
from tests.support.rpc import Ended
from tests.support.sidecar import serving

PATIENT = {"first_content_timeout": 2.0, "idle_timeout": 2.0}
"""Until a stall is one; no stream that goes well is so slow, even on a busy machine."""


def pool_at(base_url: str) -> Policy:
    """Three endpoints whose breakers stay closed: here every call is to have its attempts."""
    rules = PoolRules(
        retry=RetryRules(attempts=3, budget_share=10.0, budget_floor=1000.0),
        breaker=BreakerRules(failures=1_000_000),
    )
    endpoints = [facts.gemini(base_url, project=name) for name in ("first", "second", "third")]
    return facts.policy(*endpoints, pools=rules)


@pytest.mark.timeout(180)
async def test_every_stream_is_whole_or_says_that_it_is_not() -> None:
    async with Emulator() as emulator, serving(pool_at(emulator.base_url), upstream=PATIENT) as served:
        verdicts = await streams.run(served.gemini, emulator.base_url, seed=5, count=1000)
        assert served.sidecar.gate.in_flight == 0
        assert served.sidecar.limits.open == 0
    sys.stdout.write(json.dumps({"ends": verdicts.ends, "mended": verdicts.mended[True]}) + "\n")
    assert verdicts.lies == []
    assert verdicts.ends.total() == 1000
    assert min(verdicts.ends[name] for name in ("OK", "ABORTED", "UNAVAILABLE", "RESOURCE_EXHAUSTED")) > 20
    assert verdicts.mended[True] > 100
    assert verdicts.mended[False] == 0


def message(text: str, total: int, finish: str | None = None) -> StreamGenerateResponse:
    """A chunk as a caller gets it."""
    reply = StreamGenerateResponse()
    candidate = reply.candidates.add(finish_reason=finish and f"FINISH_REASON_{finish}")
    candidate.content.parts.add(text=text)
    reply.usage_metadata.total_token_count = total
    return reply


def aborted(chunks: list[StreamGenerateResponse], **facts_told: str) -> Ended:
    info = {"reason": "STREAM_INTERRUPTED", "metadata": facts_told}
    return Ended(grpc.StatusCode.ABORTED, replies=chunks, details={"ErrorInfo": info})


async def test_the_judge_finds_every_lie() -> None:
    given = streams.Trouble("cut", after=2, times=1)
    async with Emulator() as emulator:
        judge = streams.Judge(emulator.base_url)
        whole = await judge.whole(given.prompt)
        chunks = [message(*told) for told in whole[:-1]] + [message(*whole[-1], "STOP")]
        two = {"chunks_sent": "2", "total_tokens": str(whole[1][1])}
        honest = [
            Ended(grpc.StatusCode.OK, replies=chunks),
            aborted(chunks[:2], **two),
            Ended(grpc.StatusCode.UNAVAILABLE),
        ]
        lies = [
            Ended(grpc.StatusCode.OK, replies=chunks[:-1]),
            Ended(grpc.StatusCode.OK),
            Ended(grpc.StatusCode.OK, replies=[*chunks[:2], chunks[1], *chunks[2:]]),
            Ended(grpc.StatusCode.OK, replies=[*chunks[:-1], message(*whole[-1])]),
            Ended(grpc.StatusCode.UNAVAILABLE, replies=chunks[:2]),
            Ended(grpc.StatusCode.INTERNAL),
            aborted(chunks[:3], **two),
            aborted(chunks[:2], **{**two, "total_tokens": str(whole[2][1])}),
            aborted([chunks[0], chunks[2]], **two),
            aborted([], chunks_sent="0"),
        ]
        assert len(whole) == streams.CHUNKS
        assert [await judge.lie(given, ended) for ended in honest] == [""] * len(honest)
        assert [bool(await judge.lie(given, ended)) for ended in lies] == [True] * len(lies)
