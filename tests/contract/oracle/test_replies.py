"""Both transports make the same reply of the same answer; see `differences` for what google-genai drops."""

import json
from typing import Any

import pytest
from google.genai import types
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sidecar.core.call import Method
from sidecar.core.outcome import Reply
from sidecar.core.policy import Api
from sidecar.v1 import count_tokens_pb2, embed_content_pb2, generate_pb2, model_pb2
from tests.contract.oracle import answers, replies, requests
from tests.contract.oracle.differences import UNREAD, clear_unread
from tests.contract.oracle.replies import Answer
from tests.contract.oracle.samples import drawn
from tests.contract.oracle.wires import FACES, Wires, wires
from tests.support import facts
from tests.support.upstream import LAST_CHUNK, STREAM_HEAD, Exchange, chunk, event, head

APIS = pytest.mark.parametrize("api", Api)
REPLIES = (
    generate_pb2.GenerateResponse,
    count_tokens_pb2.CountTokensResponse,
    embed_content_pb2.EmbedContentResponse,
    model_pb2.ListModelsResponse,
    model_pb2.GetModelResponse,
)
NOT_SAID = {"Model.version_id"}
"""Typed fields that no answer fills: `version` has the word of both APIs."""


class Teller:
    """An upstream that gives whatever it is told to, streamed when asked so."""

    def __init__(self) -> None:
        self.json: Any = None

    async def __call__(self, exchange: Exchange) -> None:
        if ":stream" in exchange.request.target:
            exchange.send(STREAM_HEAD + chunk(event(self.json)) + LAST_CHUNK)
        else:
            body = json.dumps(self.json).encode()
            exchange.send(head(content_length=len(body)) + body)


async def reply_by(on: Wires, transport: str, answer: Answer) -> Reply:
    """What one of our transports makes of an answer."""
    content = facts.HELLO["contents"][0]
    body = {} if "MODEL" in answer.method.name else {"contents": [content] * answer.contents}
    attempt = facts.attempt(on.endpoint, answer.method, body, model=answer.model)
    if answer.method is not Method.STREAM_GENERATE:
        reply: Reply = await getattr(on, transport).send(attempt)
        return reply
    async with getattr(on, transport).stream(attempt) as chunks:
        only: list[Reply] = [chunk async for chunk in chunks]
        assert len(only) == 1
        return only[0]


async def difference(on: Wires, answer: Answer, met: set[str]) -> str:
    """How the two replies differ; empty when they do not. Adds to `met` what google-genai dropped."""
    rest, sdk = [await reply_by(on, transport, answer) for transport in ("rest", "sdk")]
    ours, theirs = [await FACES[answer.method].write_reply(reply) for reply in (rest, sdk)]
    dropped = clear_unread(ours, on.api)
    kept = clear_unread(theirs, on.api)
    met |= dropped - kept
    if kept:
        return f"{answer.name}: google-genai reads {sorted(kept)} after all"
    if (rest.usage, rest.service_tier) != (sdk.usage, sdk.service_tier):
        return f"{answer.name}: usage {rest.usage} {rest.service_tier}, by google-genai {sdk.usage}"
    return "" if ours == theirs else f"{answer.name}: {ours}by google-genai: {theirs}"


def corpus(api: Api) -> list[Answer]:
    return [*answers.handpicked(api), *replies.mechanical(api)]


@APIS
async def test_every_answer_of_the_corpus_is_read_alike(api: Api) -> None:
    teller, met = Teller(), set[str]()
    async with wires(api, teller) as on:
        found = []
        for answer in corpus(api):
            teller.json = answer.json
            found.append(await difference(on, answer, met))
    assert [each for each in found if each] == []
    assert met == set(UNREAD[api]), "a difference that no answer shows is none"


@APIS
async def test_every_answer_is_read_alike_as_a_chunk_of_a_stream(api: Api) -> None:
    teller = Teller()
    async with wires(api, teller) as on:
        found = []
        for answer in answers.handpicked(api):
            finished = any(
                c.get("finishReason") in ("STOP", "SAFETY") for c in answer.json.get("candidates", ())
            )
            if answer.method is Method.GENERATE and finished and len(answer.json["candidates"]) == 1:
                teller.json = answer.json
                streamed = Answer(answer.name, api, Method.STREAM_GENERATE, answer.json)
                found.append(await difference(on, streamed, set()))
    assert len(found) >= 30
    assert [each for each in found if each] == []


@APIS
@settings(max_examples=10, phases=(Phase.explicit, Phase.generate))
@given(many=st.lists(drawn(types.GenerateContentResponse, 5), min_size=6, max_size=6))
async def test_answers_made_at_random_are_read_alike(
    api: Api, many: list[types.GenerateContentResponse]
) -> None:
    teller = Teller()
    async with wires(api, teller) as on:
        for reply in many:
            teller.json = replies.generated(reply, api)
            answer = Answer("drawn", api, Method.GENERATE, teller.json)
            assert await difference(on, answer, set()) == ""


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    for api in Api:
        assert len(list(answers.handpicked(api))) >= 80
        assert len(corpus(api)) >= 500


async def test_every_typed_field_of_a_reply_is_in_the_corpus() -> None:
    seen: set[str] = set()
    for api in Api:
        teller = Teller()
        async with wires(api, teller) as on:
            for answer in corpus(api):
                teller.json = answer.json
                message = await FACES[answer.method].write_reply(await reply_by(on, "rest", answer))
                seen |= requests.fields_set(message)
    wanted = {name for reply in REPLIES for name in requests.fields_below(reply)}
    assert wanted - seen == NOT_SAID
