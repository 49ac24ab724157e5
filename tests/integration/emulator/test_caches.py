"""Cached contents, from creation to expiry, under a clock that the test advances."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from sidecar.emulator import ManualClock
from tests.integration.emulator.wire import MODEL, PROMPT, UNARY

_LONG = {"parts": [{"text": "A word or two about harbours. " * 1000}], "role": "user"}
_CACHES = "/v1beta/cachedContents"
_VERTEX = "/v1beta1/projects/p/locations/us-central1"
_BEARER = {"Authorization": "Bearer any", "x-goog-api-key": ""}
_TOOLS = [{"functionDeclarations": [{"name": "weather", "parameters": {"type": "OBJECT"}}]}]


def content(**fields: Any) -> dict[str, Any]:
    return {"model": f"models/{MODEL}", "contents": [_LONG], **fields}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


async def send(http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Status and parsed body."""
    async with http.request(method, path, json=body, headers=headers) as reply:
        return reply.status, await reply.json()


async def test_a_cache_is_created_shown_listed_prolonged_and_deleted(http, clock):
    status, made = await send(http, "POST", _CACHES, content(displayName="harbours", ttl="300s"))
    assert status == 200
    path = f"/v1beta/{made['name']}"
    assert made == {
        "name": made["name"],
        "model": f"models/{MODEL}",
        "displayName": "harbours",
        "createTime": "2026-11-22T12:00:00.000000Z",
        "updateTime": "2026-11-22T12:00:00.000000Z",
        "expireTime": "2026-11-22T12:05:00.000000Z",
        "usageMetadata": {"totalTokenCount": made["usageMetadata"]["totalTokenCount"]},
    }
    assert await send(http, "GET", path) == (200, made)
    assert await send(http, "GET", _CACHES) == (200, {"cachedContents": [made]})
    clock.advance(60)
    _, longer = await send(http, "PATCH", path + "?updateMask=ttl", {"ttl": "600.5s"})
    assert (longer["updateTime"], longer["expireTime"]) == (
        "2026-11-22T12:01:00.000000Z",
        "2026-11-22T12:11:00.500000Z",
    )
    assert await send(http, "DELETE", path) == (200, {})
    assert (await send(http, "GET", path))[0] == 403
    assert await send(http, "GET", _CACHES) == (200, {})


async def test_a_request_counts_and_reads_what_is_in_its_cache(http):
    _, made = await send(http, "POST", _CACHES, content(tools=_TOOLS))
    cached = made["usageMetadata"]["totalTokenCount"]
    _, plain = await send(http, "POST", UNARY, PROMPT)
    _, reply = await send(http, "POST", UNARY, PROMPT | {"cachedContent": made["name"]})
    usage = reply["usageMetadata"]
    assert usage["cachedContentTokenCount"] == cached
    own = plain["usageMetadata"]["promptTokenCount"]
    assert cached + own - 2 <= usage["promptTokenCount"] <= cached + own
    assert [item["modality"] for item in usage["cacheTokensDetails"]] == ["TEXT"]
    _, called = await send(
        http, "POST", UNARY, PROMPT | {"cachedContent": made["name"]}, **{"x-emulate": "call=weather"}
    )
    assert called["candidates"][0]["content"]["parts"][0]["functionCall"]["name"] == "weather"


@pytest.mark.parametrize(
    ("fields", "lifetime_s"),
    [({}, 3600), ({"ttl": "1.5s"}, 1.5), ({"expireTime": "2026-11-22T04:01:00-08:00"}, 60)],
    ids=["default", "ttl", "expireTime"],
)
async def test_after_its_time_a_cache_is_gone_for_all(http, clock, fields, lifetime_s):
    _, made = await send(http, "POST", _CACHES, content(**fields))
    request = PROMPT | {"cachedContent": made["name"]}
    clock.advance(lifetime_s - 0.000001)
    assert (await send(http, "POST", UNARY, request))[0] == 200
    clock.advance(0.000001)
    for method, path, body in [
        ("POST", UNARY, request),
        ("GET", f"/v1beta/{made['name']}", None),
        ("PATCH", f"/v1beta/{made['name']}", {"ttl": "9s"}),
        ("DELETE", f"/v1beta/{made['name']}", None),
    ]:
        status, reply = await send(http, method, path, body)
        assert (status, reply["error"]["message"]) == (403, "CachedContent not found (or permission denied)")


async def test_another_project_does_not_see_a_cache(http):
    _, made = await send(http, "POST", _CACHES, content())
    other = {"x-goog-api-key": "other"}
    assert (await send(http, "GET", f"/v1beta/{made['name']}", **other))[0] == 403
    assert (await send(http, "POST", UNARY, PROMPT | {"cachedContent": made["name"]}, **other))[0] == 403
    assert await send(http, "GET", _CACHES, **other) == (200, {})


async def test_vertex_ai_keeps_caches_under_the_location_and_answers_404(http):
    model = f"projects/p/locations/us-central1/publishers/google/models/{MODEL}"
    _, made = await send(http, "POST", f"{_VERTEX}/cachedContents", content(model=model), **_BEARER)
    assert made["name"].startswith("projects/p/locations/us-central1/cachedContents/")
    assert made["model"] == model
    request = PROMPT | {"cachedContent": made["name"]}
    path = f"/v1beta1/{model}:generateContent"
    _, reply = await send(http, "POST", path, request, **_BEARER)
    assert reply["usageMetadata"]["cachedContentTokenCount"] == made["usageMetadata"]["totalTokenCount"]
    assert await send(http, "DELETE", f"/v1beta1/{made['name']}", **_BEARER) == (200, {})
    status, refusal = await send(http, "POST", path, request, **_BEARER)
    assert (status, refusal["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "code", "complaint"),
    [
        (
            content(contents=[{"parts": [{"text": "short"}]}]),
            400,
            "Cached content is too small. total_token_",
        ),
        (content(ttl="60s", expireTime="2027-01-01T00:00:00Z"), 400, "mutually exclusive"),
        (content(ttl="a minute"), 400, "Invalid value at 'ttl'"),
        (content(ttl="0s"), 400, "must be in the future"),
        (content(expireTime="2020-01-01T00:00:00Z"), 400, "must be in the future"),
        (content(expireTime="tomorrow"), 400, "Invalid value at 'expire_time'"),
        (content(colour="red"), 400, 'Unknown name "colour"'),
        ({"contents": [_LONG]}, 400, "model is required"),
        ({"model": f"models/{MODEL}"}, 400, "contents is not specified"),
        (content(model="models/gemini-4-argon"), 404, "not supported for createCachedContent"),
        (content(model="models/gemini-9"), 404, "gemini-9 is not found"),
    ],
)
async def test_a_cache_that_cannot_be_is_refused(http, body, code, complaint):
    status, reply = await send(http, "POST", _CACHES, body)
    assert status == code
    assert complaint in reply["error"]["message"]


async def test_a_request_may_not_bring_what_its_cache_has_nor_another_model(http):
    _, made = await send(http, "POST", _CACHES, content())
    request = PROMPT | {"cachedContent": made["name"]}
    for fields in ({"tools": _TOOLS}, {"systemInstruction": {"parts": [{"text": "Be brief."}]}}):
        status, reply = await send(http, "POST", UNARY, request | fields)
        assert status == 400
        assert "CachedContent can not be used with GenerateContent request" in reply["error"]["message"]
    status, reply = await send(http, "POST", UNARY.replace(MODEL, "gemini-3.7-flash"), request)
    assert status == 400
    assert "has to be the same" in reply["error"]["message"]


async def test_only_the_expiration_can_be_changed(http):
    _, made = await send(http, "POST", _CACHES, content())
    for body in ({}, {"displayName": "new"}, {"ttl": "9s", "displayName": "new"}):
        status, reply = await send(http, "PATCH", f"/v1beta/{made['name']}", body)
        assert status == 400
        assert "Only the expiration" in reply["error"]["message"]


async def test_an_instruction_alone_may_be_cached(http):
    body = {"model": f"models/{MODEL}", "systemInstruction": _LONG}
    assert (await send(http, "POST", _CACHES, body))[0] == 200


async def test_caches_are_listed_in_pages(http):
    made = [(await send(http, "POST", _CACHES, content()))[1]["name"] for _ in range(3)]
    _, page = await send(http, "GET", _CACHES + "?pageSize=2")
    _, following = await send(http, "GET", f"{_CACHES}?pageSize=2&pageToken={page['nextPageToken']}")
    assert [cache["name"] for cache in page["cachedContents"] + following["cachedContents"]] == made


async def test_memory_is_bounded(http, monkeypatch):
    monkeypatch.setattr("sidecar.emulator.caches._MAX_CACHES", 1)
    assert (await send(http, "POST", _CACHES, content(ttl="60s")))[0] == 200
    status, reply = await send(http, "POST", _CACHES, content())
    assert status == 429
    assert "keeps at most 1 caches" in reply["error"]["message"]


async def test_a_placeholder_stands_for_no_cache(http):
    _, plain = await send(http, "POST", UNARY, PROMPT)
    status, reply = await send(http, "POST", UNARY, PROMPT | {"cachedContent": "cachedContents/abc"})
    assert status == 200
    assert reply["usageMetadata"]["promptTokenCount"] == plain["usageMetadata"]["promptTokenCount"]
    assert "cachedContentTokenCount" not in reply["usageMetadata"]
