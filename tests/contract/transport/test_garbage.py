"""Whatever bytes an upstream answers with, an attempt ends in an answer or in an error of ours."""

import json
import random
from collections.abc import Iterator

import pytest

from sidecar.core.call import Method
from sidecar.core.errors import ReplyTooLarge, UpstreamError
from sidecar.core.ports import Transport
from tests.contract.transport.conftest import Build
from tests.support import facts
from tests.support.upstream import LAST_CHUNK, STREAM_HEAD, Exchange, chunk, event, head, said, serving

BODY = json.dumps(said("hello", "STOP", usageMetadata={"promptTokenCount": 7})).encode()
WHOLE = head(content_length=len(BODY)) + BODY
ZIPPED = head(content_length=len(BODY), content_encoding="gzip") + BODY
STREAM = STREAM_HEAD + chunk(event(said("a"))) + chunk(event(said("b", "STOP"))) + LAST_CHUNK
REFUSED = head(429, content_length=len(BODY)) + BODY
COUNT = 150


def spoilt(answer: bytes, seed: int) -> Iterator[bytes]:
    """The answer cut, with bytes changed, put in, taken out or repeated."""
    draw = random.Random(seed)  # noqa: S311 - the same garbage every time
    for _ in range(COUNT):
        bytes_ = bytearray(answer)
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(bytes_))
            kind = draw.randrange(5)
            if kind == 0:
                del bytes_[at + 1 :]
            elif kind == 1:
                bytes_[at] = draw.randrange(256)
            elif kind == 2:
                bytes_[at:at] = draw.choice([b"\r\n", b"\x00", b"\xff\xff", b": ", b"9" * 30, b"{", b'"'])
            elif kind == 3:
                del bytes_[at : at + draw.randint(1, 8)]
            else:
                bytes_[at:at] = bytes_[at : at + draw.randint(1, 60)]
            if not bytes_:
                break
        yield bytes(bytes_)


async def ask(transport: Transport, base_url: str, method: Method) -> None:
    attempt = facts.attempt(facts.gemini(base_url), method)
    if method is Method.GENERATE:
        await transport.send(attempt)
        return
    async with transport.stream(attempt) as chunks:
        async for _ in chunks:
            pass


@pytest.mark.parametrize(
    ("answer", "method"),
    [
        (WHOLE, Method.GENERATE),
        (ZIPPED, Method.GENERATE),
        (REFUSED, Method.GENERATE),
        (STREAM, Method.STREAM_GENERATE),
        (WHOLE, Method.STREAM_GENERATE),
    ],
    ids=["answer", "falsely-zipped", "refusal", "stream", "answer-for-a-stream"],
)
async def test_garbage_is_an_answer_or_an_error_of_ours(build: Build, answer: bytes, method: Method) -> None:
    garbage = spoilt(answer, seed=len(answer))

    async def script(exchange: Exchange) -> None:
        exchange.send(next(garbage))
        exchange.close()

    transport = build(idle_timeout=2.0, first_content_timeout=2.0)
    async with serving(script) as upstream:
        foreign = []
        for _ in range(COUNT):
            try:
                await ask(transport, upstream.base_url, method)
            except (UpstreamError, ReplyTooLarge):
                continue
            except Exception as error:
                foreign.append(error)
        assert foreign == []
        assert len(upstream.requests) <= COUNT, "one attempt is at most one request"
