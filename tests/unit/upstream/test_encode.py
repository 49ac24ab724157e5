"""Golden requests: for each API and method, what goes out. tests/contract compares with Google's own SDK."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
import pytest

from sidecar.core.call import Json, Method
from sidecar.core.policy import Endpoint
from sidecar.upstream import encode
from tests.support import facts

GEMINI = facts.gemini("https://g.test")
VERTEX = facts.vertex("https://v.test")
PUBLISHED = "https://v.test/v1/projects/acme/locations/europe-west4/publishers/google/models"
HI = {"parts": [{"text": "hi"}], "role": "user"}
HO = {"parts": [{"text": "ho"}, {"text": "!"}], "role": "user"}
SYSTEM = {"parts": [{"text": "be brief"}]}


class Golden(NamedTuple):
    endpoint: Endpoint
    method: Method
    body: Json
    sent: str
    sent_body: Json | None
    model: str = facts.MODEL
    headers: Mapping[str, str] = MappingProxyType({})


M = facts.MODEL
GOLDEN: dict[str, Golden] = {
    "gemini-generate": Golden(
        GEMINI,
        Method.GENERATE,
        facts.HELLO,
        f"POST https://g.test/v1beta/models/{M}:generateContent",
        facts.HELLO,
    ),
    "gemini-stream": Golden(
        GEMINI,
        Method.STREAM_GENERATE,
        facts.HELLO,
        f"POST https://g.test/v1beta/models/{M}:streamGenerateContent?alt=sse",
        facts.HELLO,
    ),
    "vertex-generate": Golden(
        VERTEX, Method.GENERATE, facts.HELLO, f"POST {PUBLISHED}/{M}:generateContent", facts.HELLO
    ),
    "vertex-stream": Golden(
        VERTEX,
        Method.STREAM_GENERATE,
        facts.HELLO,
        f"POST {PUBLISHED}/{M}:streamGenerateContent?alt=sse",
        facts.HELLO,
    ),
    "gemini-tuned-model": Golden(
        GEMINI,
        Method.GENERATE,
        facts.HELLO,
        "POST https://g.test/v1beta/tunedModels/mine:generateContent",
        facts.HELLO,
        "tunedModels/mine",
    ),
    "vertex-other-publisher": Golden(
        VERTEX,
        Method.GENERATE,
        facts.HELLO,
        "POST https://v.test/v1/projects/acme/locations/europe-west4/publishers/meta/models/x:generateContent",
        facts.HELLO,
        "publishers/meta/models/x",
    ),
    "vertex-endpoint": Golden(
        VERTEX,
        Method.GENERATE,
        facts.HELLO,
        "POST https://v.test/v1/projects/acme/locations/europe-west4/endpoints/12:generateContent",
        facts.HELLO,
        "projects/acme/locations/europe-west4/endpoints/12",
    ),
    "gemini-tier": Golden(
        GEMINI,
        Method.GENERATE,
        {**facts.HELLO, "serviceTier": "FLEX"},
        f"POST https://g.test/v1beta/models/{M}:generateContent",
        {**facts.HELLO, "serviceTier": "flex"},
    ),
    "gemini-standard-tier": Golden(
        GEMINI,
        Method.GENERATE,
        {**facts.HELLO, "serviceTier": "STANDARD"},
        f"POST https://g.test/v1beta/models/{M}:generateContent",
        {**facts.HELLO, "serviceTier": "standard"},
    ),
    "vertex-tier": Golden(
        VERTEX,
        Method.STREAM_GENERATE,
        {**facts.HELLO, "serviceTier": "PRIORITY"},
        f"POST {PUBLISHED}/{M}:streamGenerateContent?alt=sse",
        facts.HELLO,
        headers={"X-Vertex-AI-LLM-Shared-Request-Type": "priority"},
    ),
    "vertex-standard-tier": Golden(
        VERTEX,
        Method.GENERATE,
        {**facts.HELLO, "serviceTier": "STANDARD"},
        f"POST {PUBLISHED}/{M}:generateContent",
        facts.HELLO,
    ),
    "gemini-count-contents": Golden(
        GEMINI,
        Method.COUNT_TOKENS,
        facts.HELLO,
        f"POST https://g.test/v1beta/models/{M}:countTokens",
        facts.HELLO,
    ),
    "gemini-count-with-system": Golden(
        GEMINI,
        Method.COUNT_TOKENS,
        {**facts.HELLO, "systemInstruction": SYSTEM},
        f"POST https://g.test/v1beta/models/{M}:countTokens",
        {"generateContentRequest": {"model": f"models/{M}", **facts.HELLO, "systemInstruction": SYSTEM}},
    ),
    "vertex-count-with-system": Golden(
        VERTEX,
        Method.COUNT_TOKENS,
        {**facts.HELLO, "systemInstruction": SYSTEM},
        f"POST {PUBLISHED}/{M}:countTokens",
        {**facts.HELLO, "systemInstruction": SYSTEM},
    ),
    "gemini-embed": Golden(
        GEMINI,
        Method.EMBED_CONTENT,
        {"contents": [HI, HO], "taskType": "CLUSTERING", "outputDimensionality": 8},
        "POST https://g.test/v1beta/models/gemini-embedding-001:batchEmbedContents",
        {
            "requests": [
                {
                    "model": "models/gemini-embedding-001",
                    "content": content,
                    "taskType": "CLUSTERING",
                    "outputDimensionality": 8,
                }
                for content in (HI, HO)
            ]
        },
        "gemini-embedding-001",
    ),
    "gemini-embed-extra-cannot-name-another-model": Golden(
        GEMINI,
        Method.EMBED_CONTENT,
        {"contents": [HI], "content": HO},
        "POST https://g.test/v1beta/models/gemini-embedding-001:batchEmbedContents",
        {"requests": [{"model": "models/gemini-embedding-001", "content": HI}]},
        "gemini-embedding-001",
    ),
    "vertex-embed-one": Golden(
        VERTEX,
        Method.EMBED_CONTENT,
        {"contents": [HI], "outputDimensionality": 8},
        f"POST {PUBLISHED}/gemini-embedding-2:embedContent",
        {"content": HI, "embedContentConfig": {"outputDimensionality": 8}},
        "gemini-embedding-2",
    ),
    "vertex-embed-one-plain": Golden(
        VERTEX,
        Method.EMBED_CONTENT,
        {"contents": [HI]},
        f"POST {PUBLISHED}/gemini-embedding-2:embedContent",
        {"content": HI},
        "gemini-embedding-2",
    ),
    "vertex-embed-old": Golden(
        VERTEX,
        Method.EMBED_CONTENT,
        {"contents": [HI, HO], "taskType": "CLUSTERING", "title": "t", "autoTruncate": False},
        f"POST {PUBLISHED}/text-embedding-005:predict",
        {
            "instances": [
                {"content": "hi", "task_type": "CLUSTERING", "title": "t"},
                {"content": "ho!", "task_type": "CLUSTERING", "title": "t"},
            ],
            "parameters": {"autoTruncate": False},
        },
        "text-embedding-005",
    ),
    "vertex-embed-old-plain": Golden(
        VERTEX,
        Method.EMBED_CONTENT,
        {"contents": [HI]},
        f"POST {PUBLISHED}/text-embedding-005:predict",
        {"instances": [{"content": "hi"}]},
        "text-embedding-005",
    ),
    "gemini-list": Golden(GEMINI, Method.LIST_MODELS, {}, "GET https://g.test/v1beta/models", None, ""),
    "gemini-list-page": Golden(
        GEMINI,
        Method.LIST_MODELS,
        {"pageSize": 5, "pageToken": "a b&c=d/é"},
        "GET https://g.test/v1beta/models?pageSize=5&pageToken=a+b%26c%3Dd%2F%C3%A9",
        None,
        "",
    ),
    "vertex-list": Golden(
        VERTEX, Method.LIST_MODELS, {}, "GET https://v.test/v1/publishers/google/models", None, ""
    ),
    "gemini-get": Golden(GEMINI, Method.GET_MODEL, {}, f"GET https://g.test/v1beta/models/{M}", None),
    "vertex-get": Golden(
        VERTEX, Method.GET_MODEL, {}, f"GET https://v.test/v1/publishers/google/models/{M}", None
    ),
}


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=GOLDEN)
def test_what_goes_out(golden: Golden) -> None:
    before = orjson.dumps(golden.body)
    attempt = facts.attempt(golden.endpoint, golden.method, golden.body, model=golden.model)
    request = encode.http_request(attempt)
    assert f"{request.method} {request.url}" == golden.sent
    assert request.body == golden.sent_body
    expected = {"x-request-id": "req-1", **golden.headers}
    if golden.sent_body is not None:
        expected["Content-Type"] = "application/json"
    assert request.headers == expected
    assert orjson.dumps(golden.body) == before, "bodies are never mutated"


def test_every_method_of_both_apis_has_a_golden_request() -> None:
    covered = {(golden.endpoint.api, golden.method) for golden in GOLDEN.values()}
    assert covered == {(endpoint.api, method) for endpoint in (GEMINI, VERTEX) for method in Method}


def test_the_key_is_no_part_of_the_encoded_request() -> None:
    for golden in GOLDEN.values():
        attempt = facts.attempt(golden.endpoint, golden.method, golden.body, model=golden.model)
        assert facts.API_KEY not in repr(encode.http_request(attempt))


@pytest.mark.parametrize("value", [{"a": "é\u2028\x00"}, {"a": [1, 1.5, True, None]}, {}])
def test_bytes_are_plain_json(value: dict[str, Any]) -> None:
    assert orjson.loads(encode.to_bytes(value)) == value
