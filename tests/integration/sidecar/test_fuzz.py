"""Whatever comes in, from callers or from upstream: every call ends, in time, with a status of ours, and the
sidecar goes on serving.
"""

from contextlib import asynccontextmanager

import grpc
import orjson
import pytest
import pytest_asyncio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.v1 import generate_pb2
from tests.support import chaos, facts
from tests.support.rpc import REQUESTS, ask
from tests.support.sidecar import serving
from tests.support.told import no_tracebacks
from tests.support.upstream import LAST_CHUNK, STREAM_HEAD, chunk, event, head
from tests.support.upstream import serving as upstream_serving

PATIENCE_S = 10.0
SEEDS = st.integers(0, 2**32 - 1)
RPCS = st.sampled_from(chaos.RPCS)

OURS = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
}
"""How a call may end here. Neither UNKNOWN nor INTERNAL, which are defects, nor DEADLINE_EXCEEDED, a hang."""

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


class World:
    """A sidecar before an upstream that answers what it is told to, and well where it is told nothing."""

    def __init__(self, served, upstream):
        self.served = served
        self.upstream = upstream
        self.answer = None

    async def play(self, exchange):
        verb = exchange.request.target.rpartition(":")[2]
        if self.answer is not None and "/sane" not in exchange.request.target:
            exchange.send(self.answer)
            exchange.close()
        elif verb.startswith("stream"):
            good = chunk(event(chaos.GOOD["StreamGenerate"]))
            exchange.send(STREAM_HEAD + good + LAST_CHUNK)
        else:
            good = orjson.dumps(chaos.GOOD[_RPC_OF.get(verb, "GetModel")])
            exchange.send(head(content_length=len(good)) + good)

    async def still_serves(self):
        request = generate_pb2.GenerateRequest(model="sane", prompt="hi")
        ended = await ask(self.served.gemini, "Generate", request, timeout_s=PATIENCE_S)
        assert ended.code is grpc.StatusCode.OK, ended


_RPC_OF = {"generateContent": "Generate", "countTokens": "CountTokens", "batchEmbedContents": "EmbedContent"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world():
    async with world_of_its_own() as world:
        yield world


@asynccontextmanager
async def world_of_its_own():
    worlds = []

    async def play(exchange):
        await worlds[0].play(exchange)

    with no_tracebacks():
        async with upstream_serving(play) as upstream:
            policy = facts.policy(facts.gemini(upstream.base_url), unknown_fields=True)
            async with serving(policy) as served:
                worlds.append(World(served, upstream))
                yield worlds[0]
                await served.sidecar.drain()
                assert (served.sidecar.gate.in_flight, served.sidecar.limits.open) == (0, 0)


def check(ended):
    assert ended.code in OURS, ended
    if ended.code is not grpc.StatusCode.OK:
        assert ended.reason, ended
        assert ended.trailers["x-request-id"] == ended.facts["request_id"]


async def ask_raw(world, rpc, raw):
    """A call with these bytes for its request."""
    maker = world.served.channel.unary_stream if rpc == "StreamGenerate" else world.served.channel.unary_unary
    stub = RawStub(rpc, maker(f"/sidecar.v1.GeminiService/{rpc}"))
    return await ask(stub, rpc, raw, timeout_s=PATIENCE_S)


class RawStub:
    def __init__(self, rpc, call):
        setattr(self, rpc, call)


@settings(max_examples=400)
@given(RPCS, st.binary(max_size=300))
@example("Generate", b"\x0a\x01\xff")
@example("StreamGenerate", b"\xff")
async def test_any_bytes_for_a_request(world, rpc, raw):
    world.answer = None
    check(await ask_raw(world, rpc, raw))
    await world.still_serves()


@settings(max_examples=400)
@given(RPCS, SEEDS)
async def test_requests_spoiled_on_their_way(world, rpc, seed):
    world.answer = None
    check(await ask_raw(world, rpc, chaos.spoiled_request(seed, rpc)))
    await world.still_serves()


@settings(max_examples=1000)
@given(RPCS, SEEDS)
async def test_any_well_formed_request(world, rpc, seed):
    world.answer = None
    said = len(world.upstream.requests)
    ended = await ask(world.served.gemini, rpc, chaos.request(seed, rpc), timeout_s=PATIENCE_S)
    check(ended)
    for request in world.upstream.requests[said:]:
        assert not request.body or isinstance(request.json, dict)
    await world.still_serves()


@settings(max_examples=300)
@given(RPCS, SEEDS)
async def test_any_metadata(world, rpc, seed):
    world.answer = None
    metadata = chaos.metadata(seed)
    check(await ask(world.served.gemini, rpc, plain(rpc), timeout_s=PATIENCE_S, metadata=metadata))
    await world.still_serves()


@settings(max_examples=60)
@given(RPCS, st.sampled_from([-1.0, 0.0, 1e-9, 1e-4, 1e-3, 0.01, 1e9, None]))
async def test_any_timeout(world, rpc, timeout_s):
    world.answer = None
    ended = await ask(world.served.gemini, rpc, plain(rpc), timeout_s=timeout_s)
    if ended.code is not grpc.StatusCode.DEADLINE_EXCEEDED or timeout_s is None or timeout_s > 1:
        check(ended)
    await world.still_serves()


@settings(max_examples=1200)
@given(RPCS, SEEDS)
async def test_any_answer_of_upstream(world, rpc, seed):
    world.answer = chaos.answer(seed, rpc)
    check(await ask(world.served.gemini, rpc, plain(rpc), timeout_s=PATIENCE_S))
    await world.still_serves()


def plain(rpc):
    """A request that nothing is wrong with."""
    message = REQUESTS[rpc]
    fields = message.DESCRIPTOR.fields_by_name
    return message(**{name: "hi" for name in ("model", "prompt") if name in fields})
