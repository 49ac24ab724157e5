"""Calls that refer to what one project has issued, through a real sidecar before two projects."""

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from sidecar.upstream.rewrite import SKIP_VALIDATION
from sidecar.v1 import content_pb2, count_tokens_pb2, generate_pb2
from tests.support import facts, upstream
from tests.support.rpc import ask
from tests.support.sidecar import serving
from tests.support.upstream import answers, said, streams

SIGNED = said("", "STOP")
SIGNED["candidates"][0]["content"]["parts"] = [
    {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}
]


@dataclass
class World:
    """A sidecar before two projects, of which `near` is asked first. Both sign what they answer."""

    gemini: object
    near: upstream.ScriptedUpstream
    far: upstream.ScriptedUpstream
    lose_far: object
    """Takes the far project off the network."""


@asynccontextmanager
async def world_of(script=answers(SIGNED), **policy):  # noqa: B008 - a script has no state
    async with AsyncExitStack() as closing, upstream.serving(script) as near:
        far = await closing.enter_async_context(upstream.serving(script))
        endpoints = (
            facts.gemini(near.base_url, project="near"),
            facts.gemini(far.base_url, project="far", level=1),
        )
        async with serving(facts.policy(*endpoints, **policy)) as served:
            yield World(served.gemini, near, far, closing.aclose)


def request(reply=None, kind=generate_pb2.GenerateRequest, **fields):
    """A first turn, or the one that follows a reply."""
    turns = [content_pb2.Content(role="user", parts=[{"text": "hi"}])]
    if reply is not None:
        result = {"function_response": {"name": "f", "response_json": "{}"}}
        turns += [reply.candidates[0].content, content_pb2.Content(role="user", parts=[result])]
    return kind(model=facts.MODEL, contents=turns, **fields)


async def test_the_next_turn_goes_where_its_signature_was_given_out():
    async with world_of() as world:
        first = await world.gemini.Generate(request(project="far"))
        second = await world.gemini.Generate(request(first))
        other = await world.gemini.Generate(request())
    assert [reply.call.served.project for reply in (first, second, other)] == ["far", "far", "near"]
    assert b'"project"' not in world.far.requests[0].body
    assert b"c2ln" in world.far.requests[1].body


async def test_signatures_of_a_stream_are_remembered_too():
    kind = generate_pb2.StreamGenerateRequest
    async with world_of(streams(SIGNED)) as world:
        (first,) = [chunk async for chunk in world.gemini.StreamGenerate(request(kind=kind, project="far"))]
        (second,) = [chunk async for chunk in world.gemini.StreamGenerate(request(first, kind))]
    assert second.call.served.project == "far"


async def test_a_caller_names_the_project_when_the_sidecar_does_not_remember():
    async with world_of() as world:
        first = await world.gemini.Generate(request(project="far"))
    async with world_of() as world:
        forgotten = await world.gemini.Generate(request(first))
    async with world_of() as world:
        named = await world.gemini.Generate(request(first, project=first.call.served.project))
    assert [reply.call.served.project for reply in (forgotten, named)] == ["near", "far"]


async def test_a_call_does_not_leave_its_issuer_by_itself():
    async with world_of() as world:
        first = await world.gemini.Generate(request(project="far"))
        await world.lose_far()
        ended = await ask(world.gemini, "Generate", request(first))
    assert ended.reason == "UPSTREAM_UNAVAILABLE"
    assert not world.near.requests


async def test_a_call_leaves_its_issuer_without_signatures_where_the_policy_strips_them():
    async with world_of(strips_signatures=True) as world:
        first = await world.gemini.Generate(request(project="far"))
        await world.lose_far()
        second = await world.gemini.Generate(request(first))
    assert second.call.served.project == "near"
    assert list(second.call.rewrites) == ["thought_signatures=stripped"]
    assert SKIP_VALIDATION.encode() in world.near.requests[0].body
    assert b'"c2ln"' not in world.near.requests[0].body


@pytest.mark.parametrize("rpc", ["Generate", "CountTokens"])
async def test_whose_a_file_is_must_be_said_where_two_may_have_it(rpc):
    kind = {"Generate": generate_pb2.GenerateRequest, "CountTokens": count_tokens_pb2.CountTokensRequest}[rpc]
    file = content_pb2.Content(parts=[{"file_data": {"file_uri": "files/7"}}])
    async with world_of() as world:
        ended = await ask(world.gemini, rpc, kind(model=facts.MODEL, contents=[file]))
        assert ended.reason == "INVALID_REQUEST"
        assert "files/7 may be of far or near" in ended.message
        assert not world.near.requests
        await ask(world.gemini, rpc, kind(model=facts.MODEL, contents=[file], project="far"))
    assert (len(world.near.requests), len(world.far.requests)) == (0, 1)
