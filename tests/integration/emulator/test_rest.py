"""The REST surface, as a plain HTTP client sees it."""

import orjson
import pytest

from sidecar.emulator import Ending
from tests.integration.emulator.wire import ARRAY, MODEL, PROMPT, STREAM, UNARY, events, fetch

_VERTEX = "/v1beta1/projects/p/locations/global/publishers/google/models"
_BEARER = {"Authorization": "Bearer any", "x-goog-api-key": ""}


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_a_prompt_is_answered_on_every_version(http, version):
    async with http.post(f"/{version}/models/{MODEL}:generateContent", json=PROMPT) as reply:
        answer = await reply.json()
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert reply.headers["x-gemini-service-tier"] == "standard"
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert list(answer) == ["candidates", "usageMetadata", "modelVersion", "responseId"]


async def test_the_same_request_gets_the_same_bytes(http):
    assert await fetch(http, UNARY) == await fetch(http, UNARY)


async def test_a_stream_is_nothing_but_data_lines(http):
    status, content_type, raw = await fetch(http, STREAM, "chunks=5")
    assert (status, content_type) == (200, "text/event-stream")
    chunks = events(raw)
    assert len(chunks) == 5
    assert ["finishReason" in chunk["candidates"][0] for chunk in chunks] == [False] * 4 + [True]


async def test_a_stream_without_sse_is_a_json_array_of_the_same_chunks(http):
    status, content_type, raw = await fetch(http, ARRAY, "chunks=5")
    assert (status, content_type) == (200, "application/json; charset=UTF-8")
    _, _, sse = await fetch(http, STREAM, "chunks=5")
    assert orjson.loads(raw) == events(sse)


async def test_both_spellings_mean_the_same(http):
    camel = PROMPT | {"generationConfig": {"maxOutputTokens": 30, "thinkingConfig": {"thinkingLevel": "LOW"}}}
    snake = PROMPT | {
        "generation_config": {"max_output_tokens": 30, "thinking_config": {"thinking_level": "LOW"}}
    }
    assert await fetch(http, UNARY, body=camel) == await fetch(http, UNARY, body=snake)


async def test_counting_agrees_with_usage(http):
    _, _, counted = await fetch(http, f"/v1/models/{MODEL}:countTokens")
    _, _, answered = await fetch(http, UNARY)
    assert orjson.loads(counted)["totalTokens"] == orjson.loads(answered)["usageMetadata"]["promptTokenCount"]


async def test_texts_are_embedded_one_by_one_and_in_batches(http):
    request = {"content": {"parts": [{"text": "one"}]}, "outputDimensionality": 8}
    _, _, single = await fetch(http, "/v1/models/gemini-embedding-001:embedContent", body=request)
    path = "/v1/models/gemini-embedding-001:batchEmbedContents"
    _, _, batch = await fetch(http, path, body={"requests": [request, request]})
    values = orjson.loads(single)["embedding"]["values"]
    assert len(values) == 8
    assert orjson.loads(batch)["embeddings"] == [{"values": values}] * 2


async def test_models_are_listed_in_pages_and_shown_alone(http):
    async with http.get("/v1/models", params={"pageSize": 2}) as reply:
        page = await reply.json()
    assert len(page["models"]) == 2
    async with http.get("/v1/models", params={"pageSize": 2, "pageToken": page["nextPageToken"]}) as reply:
        following = await reply.json()
    assert not {model["name"] for model in page["models"]} & {model["name"] for model in following["models"]}
    async with http.get(f"/v1/{page['models'][0]['name']}") as reply:
        assert await reply.json() == page["models"][0]


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent", "countTokens"])
async def test_vertex_ai_answers_under_a_project(http, method):
    async with http.post(f"{_VERTEX}/{MODEL}:{method}", json=PROMPT, headers=_BEARER) as reply:
        assert reply.status == 200
        assert "x-gemini-service-tier" not in reply.headers
        assert await reply.json()


async def test_vertex_ai_embeds_by_predict(http):
    body = {
        "instances": [{"content": "one", "task_type": "RETRIEVAL_QUERY"}],
        "parameters": {"outputDimensionality": 4},
    }
    async with http.post(f"{_VERTEX}/gemini-embedding-001:predict", json=body, headers=_BEARER) as reply:
        assert len((await reply.json())["predictions"][0]["embeddings"]["values"]) == 4


async def test_vertex_ai_tells_the_resource_name_of_an_unknown_model(http):
    async with http.post(f"{_VERTEX}/gemini-9:generateContent", json=PROMPT, headers=_BEARER) as reply:
        error = (await reply.json())["error"]
    assert error["code"] == 404
    assert "`projects/p/locations/global/publishers/google/models/gemini-9`" in error["message"]


async def test_the_model_garden_is_listed_for_bearers(http):
    async with http.get("/v1beta1/publishers/google/models", headers=_BEARER) as reply:
        assert (await reply.json())["publisherModels"][0]["name"].startswith("publishers/google/models/")


async def test_a_request_without_credentials_is_refused(http):
    async with http.post(UNARY, json=PROMPT, headers={"x-goog-api-key": ""}) as reply:
        assert reply.status == 403


async def test_the_key_may_come_in_the_query(http):
    async with http.post(UNARY, params={"key": "any"}, json=PROMPT, headers={"x-goog-api-key": ""}) as reply:
        assert reply.status == 200


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "Invalid JSON payload received"),
        (b"", "contents is not specified"),
        (b'{"contents": "hi"}', "Invalid value at 'contents'"),
        (b'{"content": []}', 'Unknown name \\"content\\"'),
        (b'{"contents": [{"parts": [{"text": "[[emulate: fualt=x]]"}]}]}', "Unknown emulator key 'fualt'"),
    ],
)
async def test_a_bad_body_is_refused_with_the_reason(http, body, complaint):
    async with http.post(UNARY, data=body) as reply:
        assert reply.status == 400
        assert complaint in await reply.text()


async def test_an_error_of_an_array_stream_is_wrapped_into_a_list(http):
    status, _, raw = await fetch(http, ARRAY, "fault=unavailable")
    assert status == 503
    assert orjson.loads(raw)[0]["error"]["status"] == "UNAVAILABLE"


async def test_an_unknown_path_says_what_is_served(http):
    async with http.get("/v2/anything") as reply:
        assert reply.status == 404
        assert "streamGenerateContent" in (await reply.json())["error"]["message"]


async def test_a_body_in_a_broken_encoding_is_refused(http):
    async with http.post(UNARY, data=b"0123456789", headers={"Content-Encoding": "gzip"}) as reply:
        assert reply.status == 400
        assert "could not be decoded" in await reply.text()


async def test_a_server_timeout_below_the_minimum_is_refused(http):
    async with http.post(UNARY, json=PROMPT, headers={"X-Server-Timeout": "0.05"}) as reply:
        assert reply.status == 400
        assert "Manually set deadline 0.05s is too short." in await reply.text()


async def test_a_reply_later_than_the_server_timeout_is_a_504(http):
    headers = {"X-Server-Timeout": "0.1", "x-emulate": "latency=1m"}
    async with http.post(UNARY, json=PROMPT, headers=headers) as reply:
        assert reply.status == 504


async def test_a_stream_longer_than_the_server_timeout_ends_with_an_error_event(http):
    headers = {"X-Server-Timeout": "0.1", "x-emulate": "gap=1m chunks=3"}
    async with http.post(STREAM, json=PROMPT, headers=headers) as reply:
        chunks = events(await reply.read())
    assert [next(iter(chunk)) for chunk in chunks] == ["candidates", "error"]
    assert chunks[1]["error"]["code"] == 504


async def test_the_wire_is_recorded_without_credentials(http, emulator):
    headers = {"x-request-id": "r-1", "X-Server-Timeout": "60", "X-Vertex-AI-LLM-Request-Type": "shared"}
    body = {"contents": PROMPT["contents"], "generation_config": {"seed": 1}}
    async with http.post(UNARY + "?key=secret", json=body, headers=headers) as reply:
        await reply.read()
    [record] = (await emulator.wait_for(lambda seen: seen.finished == 1)).requests
    assert (record.method, record.path, record.model) == ("POST", UNARY, MODEL)
    assert (record.request_id, record.body, record.ending, record.status) == (
        "r-1",
        body,
        Ending.FINISHED,
        200,
    )
    assert record.headers["x-server-timeout"] == "60"
    assert record.headers["x-vertex-ai-llm-request-type"] == "shared"
    assert "secret" not in repr(record)
    assert "any" not in record.headers.values()


async def test_a_body_beyond_the_limit_is_refused(http, monkeypatch):
    monkeypatch.setattr("sidecar.emulator.server._MAX_BODY_BYTES", 1000)
    async with http.post(UNARY, data=b" " * 2000) as reply:
        assert reply.status == 400
        assert "Request payload size exceeds the limit: 1000 bytes." in await reply.text()


async def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(http):
    async with http.post(UNARY, json=PROMPT, expect100=True) as reply:
        assert reply.status == 200
        assert (await reply.json())["candidates"]


async def test_a_compressed_body_is_read(http):
    async with http.post(UNARY, data=orjson.dumps(PROMPT), compress="gzip") as reply:
        assert reply.status == 200
