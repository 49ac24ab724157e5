"""google-genai and both transports put the same JSON on the wire; see `differences` for what is left."""

from collections.abc import Mapping
from typing import Any

import pytest
from google.genai import types
from google.protobuf.message import Message
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sidecar.core.call import Method
from sidecar.core.errors import UpstreamRejected
from sidecar.core.policy import Api
from sidecar.upstream import encode, sdk_convert
from sidecar.v1.generate_pb2 import StreamGenerateRequest
from tests.contract.oracle import handpicked, requests
from tests.contract.oracle.conftest import CASES, Heard
from tests.contract.oracle.requests import CHAT, HELLO, MESSAGES, Case, message_of, place, said, unified
from tests.contract.oracle.samples import drawn
from tests.contract.oracle.wires import FACES, Wires, wires
from tests.support import facts
from tests.support.upstream import Request, streams
from tests.support.upstream import said as upstream_says

Corpus = Mapping[Api, list[Heard]]
APIS = pytest.mark.parametrize("api", Api)
TRANSPORTS = pytest.mark.parametrize("transport", ["rest", "sdk"])


def message(case: Case, request: Request) -> Message:
    return message_of(case.method, case.model, said(request))


async def difference(on: Wires, transport: str, case: Case, heard: Request) -> str:
    """How one of our transports says otherwise what google-genai said; empty when it does not."""
    ours = await on.said_by_us(transport, case.method, message(case, heard))
    if place(ours) != place(heard):
        return f"{case.name}: goes to {ours.target}, not {heard.target}"
    if heard.body and ours.headers["content-type"] != heard.headers["content-type"]:
        return f"{case.name}: is {ours.headers['content-type']}, not {heard.headers['content-type']}"
    theirs, our = unified(case.method, said(heard)), unified(case.method, said(ours))
    if case.config is not None and getattr(case.config, "service_tier", None) and on.api is Api.VERTEX:
        theirs.pop("servicetier")
    return "" if our == theirs else f"{case.name}: {said(ours)}, not {said(heard)}"


def test_the_corpus_is_as_large_as_it_should_be(corpus: Corpus) -> None:
    picked = list(handpicked.handpicked())
    assert len(picked) >= 80
    assert len({case.name for case in CASES}) == len(CASES)
    for api in Api:
        assert sum(heard.request is not None for heard in corpus[api]) >= 400


@APIS
@TRANSPORTS
async def test_every_request_of_the_corpus_is_said_alike(corpus: Corpus, api: Api, transport: str) -> None:
    async with wires(api) as on:
        found = [
            await difference(on, transport, heard.case, heard.request)
            for heard in corpus[api]
            if heard.request is not None
        ]
    assert [each for each in found if each] == []


@APIS
@TRANSPORTS
@pytest.mark.parametrize("method", [Method.GENERATE, Method.COUNT_TOKENS, Method.EMBED_CONTENT])
async def test_a_prompt_is_said_like_a_bare_string(api: Api, transport: str, method: Method) -> None:
    async with wires(api) as on:
        heard = await on.said_by_google(method, CHAT, "hi", None)
        ours = await on.said_by_us(transport, method, MESSAGES[method](model=CHAT, prompt="hi"))
    assert place(ours) == place(heard)
    assert unified(method, said(ours)) == unified(method, said(heard))


@APIS
@TRANSPORTS
async def test_a_stream_is_asked_for_alike(api: Api, transport: str) -> None:
    message = StreamGenerateRequest(model=CHAT, prompt="hi")
    async with wires(api, streams(upstream_says("a", "STOP"))) as on:
        heard = await on.said_by_google(Method.STREAM_GENERATE, CHAT, HELLO, None)
        ours = await on.said_by_us(transport, Method.STREAM_GENERATE, message)
    assert (ours.method, ours.target) == (heard.method, heard.target)
    assert ours.headers["content-type"] == heard.headers["content-type"]
    assert unified(Method.GENERATE, said(ours)) == unified(Method.GENERATE, said(heard))


@APIS
async def test_google_genai_says_it_all_in_its_own_words(corpus: Corpus, api: Api) -> None:
    """Nothing of the corpus goes into an extra body, which google-genai would send unread."""
    read: dict[str, Any] = {}
    for heard in corpus[api]:
        case = heard.case
        if heard.request is not None and case.method not in (Method.LIST_MODELS, Method.GET_MODEL):
            endpoint = facts.gemini() if api is Api.GEMINI else facts.vertex()
            raw = message(case, heard.request).SerializeToString()
            body = (await FACES[case.method].read_request(raw)).body
            attempt = facts.attempt(endpoint, case.method, body.json, model=case.model)
            asked = sdk_convert.parameters(case.method, body.json, encode.http_request(attempt), api)
            read |= asked.config.http_options.extra_body or {}
    empty = {key for key, value in read.items() if value == {}}
    assert set(read) - empty - {"generationConfig"} == set()
    assert all(value == {} for value in read.get("generationConfig", {}).values())


@APIS
async def test_what_google_genai_does_not_send_to_an_api_is_refused_before_it_leaves(
    corpus: Corpus, api: Api
) -> None:
    other = Api.VERTEX if api is Api.GEMINI else Api.GEMINI
    elsewhere = {heard.case.name: heard for heard in corpus[other] if says_more_than_hello(heard)}
    refused = [h.case for h in corpus[api] if h.request is None and h.case.name in elsewhere]
    assert len(refused) >= 20
    async with wires(api) as on:
        for case in refused:
            heard = elsewhere[case.name].request
            assert heard is not None
            with pytest.raises(UpstreamRejected, match="google-genai refuses the request") as error:
                await on.said_by_us("sdk", case.method, message(case, heard))
            assert len(error.value.violations) == 1, case.name
        assert on.upstream.requests == []


def says_more_than_hello(heard: Heard) -> bool:
    """Whether the case's options left a trace on the wire that is more than an empty object."""
    bare = Case("bare", heard.case.method, HELLO, model=heard.case.model)
    if heard.request is None or heard.case.name.endswith("={}"):
        return False
    hello = {"contents": [{"parts": [{"text": "hi"}], "role": "user"}]}
    if heard.case.method is Method.EMBED_CONTENT:
        return unified(bare.method, said(heard.request)) != [unified(Method.GENERATE, hello)]
    return unified(bare.method, said(heard.request)) != unified(bare.method, hello)


def of_api(config: types.GenerateContentConfig, api: Api) -> types.GenerateContentConfig:
    """Without what only google-genai itself would act on."""
    for tool in config.tools or ():
        if api is Api.VERTEX and isinstance(tool, types.Tool):
            tool.mcp_servers = None
    if api is Api.VERTEX:
        config.service_tier = None
    return config


MANY = 6
"""Made in one go, because setting up the three ways takes longer than asking."""
ASKED = st.tuples(drawn(types.GenerateContentConfig, 4), st.lists(drawn(types.Content, 4), max_size=3))


@APIS
@settings(max_examples=10, phases=(Phase.explicit, Phase.generate))
@given(many=st.lists(ASKED, min_size=MANY, max_size=MANY))
async def test_requests_made_at_random_are_said_alike(
    api: Api, many: list[tuple[types.GenerateContentConfig, list[types.Content]]]
) -> None:
    async with wires(api) as on:
        for config, contents in many:
            case = Case("drawn", Method.GENERATE, [*contents, *HELLO], of_api(config, api))
            try:
                heard = await on.said_by_google(case.method, case.model, case.contents, case.config)
            except (ValueError, TypeError, AttributeError):
                continue  # google-genai itself does not send such a thing
            for transport in ("rest", "sdk"):
                assert await difference(on, transport, case, heard) == ""


def test_every_typed_field_of_a_request_is_in_the_corpus(corpus: Corpus) -> None:
    seen: set[str] = set()
    for heard in (each for api in Api for each in corpus[api]):
        if heard.request is not None:
            seen |= requests.fields_set(message(heard.case, heard.request))
    wanted = {name for request in requests.MESSAGES.values() for name in requests.fields_below(request)}
    assert wanted - seen == requests.NOT_ON_THE_WIRE
