"""Streams that something befalls at a random chunk, and a judge of what their callers are left with.

The judge knows the whole answer from the emulator itself, so it sees an answer that is not whole, a chunk
that comes twice, and usage that is not that of what came.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import grpc

from sidecar.v1.candidate_pb2 import FinishReason
from sidecar.v1.generate_pb2 import StreamGenerateRequest
from tests.support.rpc import Ended, ask

MODEL = "gemini-3.8-flash"
CHUNKS = 6
_SHAPE = f"chunks={CHUNKS} words=24"
_PLAIN = (
    "unavailable",
    "internal",
    "bad_gateway",
    "quota_rpm retry_after=50ms",
    "reset",
    "close",
    "empty_stream",
)
"""Faults that come before any chunk."""
_WITHIN = ("cut", "stall", "no_finish", "error_event", "error_event code=500", "malformed_event")
"""Faults that come after so many chunks as a directive says."""
_FOR_EVER = 1000
TYPED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
"""How a call may end that has got nothing."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls one stream: a fault of the emulator, after so many chunks, so many times."""

    fault: str
    after: int
    times: int

    @property
    def prompt(self) -> str:
        """A prompt that brings it about."""
        return f"hello [[emulate: fault={self.fault} after={self.after} times={self.times} {_SHAPE}]]"

    @property
    def can_be_mended(self) -> bool:
        """Whether another attempt is possible and answers."""
        return self.after == 0 and self.times == 1


def trouble(random: Random) -> Trouble:
    """Some trouble."""
    fault = random.choice(_PLAIN + _WITHIN * 2)
    least = 1 if fault == "no_finish" else 0  # without a chunk it would be an empty stream
    after = random.randrange(least, CHUNKS) if fault in _WITHIN else 0
    return Trouble(fault, after, random.choice((1, _FOR_EVER)))


@dataclass
class Verdicts:
    """What became of many streams, and every lie that one of them told."""

    ends: Counter[str] = field(default_factory=Counter)
    mended: Counter[bool] = field(default_factory=Counter)
    """Of the streams that another attempt could mend, whether it did."""
    lies: list[str] = field(default_factory=list)


class Judge:
    """Asks the emulator itself what the whole answer is, once for each prompt."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
        self._whole: dict[str, list[tuple[str, int]]] = {}

    async def whole(self, prompt: str) -> list[tuple[str, int]]:
        """Of every chunk its text and the tokens so far."""
        if prompt not in self._whole:
            body = {"contents": [{"parts": [{"text": prompt}], "role": "user"}]}
            headers = {"x-goog-api-key": "any", "x-emulate": _SHAPE}
            async with (
                aiohttp.ClientSession() as session,
                session.post(self._url, json=body, headers=headers) as response,
            ):
                lines = (await response.text()).splitlines()
            events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
            self._whole[prompt] = [
                (_text(e["candidates"]), e["usageMetadata"]["totalTokenCount"]) for e in events
            ]
        return self._whole[prompt]

    async def lie(self, given: Trouble, ended: Ended) -> str:
        """What is wrong with the end of a stream; empty when it is honest."""
        whole = await self.whole(given.prompt)
        came = [
            ("".join(part.text for part in reply.candidates[0].content.parts), _total(reply))
            for reply in ended.replies
        ]
        if came != whole[: len(came)]:
            return "what came is not how the answer begins"
        if ended.code is grpc.StatusCode.OK:
            is_finished = (
                bool(came)
                and ended.replies[-1].candidates[0].finish_reason == FinishReason.FINISH_REASON_STOP
            )
            return "" if len(came) == len(whole) and is_finished else "a success that is none"
        if not came:
            return "" if ended.code in TYPED else f"{ended.code.name} for a stream that had not begun"
        told = {key: ended.facts.get(key) for key in ("chunks_sent", "total_tokens")}
        is_honest = told == {"chunks_sent": str(len(came)), "total_tokens": str(came[-1][1])}
        if ended.code is not grpc.StatusCode.ABORTED or ended.reason != "STREAM_INTERRUPTED" or not is_honest:
            return f"{ended.code.name} with {told} after {len(came)} chunks"
        return ""


async def run(gemini: Any, base_url: str, seed: int, count: int, at_once: int = 64) -> Verdicts:
    """Put so many streams through a sidecar before the emulator at `base_url`, and judge each."""
    verdicts, judge, random = Verdicts(), Judge(base_url), Random(seed)  # noqa: S311 - the same every time
    troubles = [trouble(random) for _ in range(count)]

    async def some(mine: Sequence[tuple[int, Trouble]]) -> None:
        for number, given in mine:
            request = StreamGenerateRequest(model=MODEL, prompt=given.prompt)
            metadata = (("x-request-id", f"stream.{number}"),)
            ended = await ask(gemini, "StreamGenerate", request, timeout_s=120.0, metadata=metadata)
            verdicts.ends[ended.code.name] += 1
            if given.can_be_mended:
                verdicts.mended[ended.code is grpc.StatusCode.OK] += 1
            if lie := await judge.lie(given, ended):
                verdicts.lies.append(f"{given}: {lie}")

    numbered = list(enumerate(troubles))
    async with asyncio.TaskGroup() as group:
        for first in range(at_once):
            group.create_task(some(numbered[first::at_once]))
    return verdicts


def _text(candidates: Any) -> str:
    return "".join(part.get("text", "") for part in candidates[0]["content"].get("parts", ()))


def _total(reply: Any) -> int:
    total: int = reply.usage_metadata.total_token_count
    return total
