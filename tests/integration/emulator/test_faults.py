"""Every fault by name, as bytes on the wire."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson
import pytest

from sidecar.emulator import FAULTS, Ending
from tests.integration.emulator.wire import (
    ARRAY,
    MODEL,
    PROMPT,
    STREAM,
    UNARY,
    RawConnection,
    events,
    fetch,
    scripted,
)

_FREE = "-FreeTier"
_QUOTAS = {
    "quota_rpm": ("GenerateRequestsPerMinutePerProjectPerModel", "36s"),
    "quota_tpm": ("GenerateContentPaidTierInputTokensPerModelPerMinute", "36s"),
    "quota_rpd": ("GenerateRequestsPerDayPerProjectPerModel", "27s"),
    "quota_free_rpm": ("GenerateRequestsPerMinutePerProjectPerModel" + _FREE, "36s"),
    "quota_free_tpm": ("GenerateContentInputTokensPerModelPerMinute" + _FREE, "36s"),
    "quota_free_rpd": ("GenerateRequestsPerDayPerProjectPerModel" + _FREE, "27s"),
    "quota_zero": ("GenerateRequestsPerDayPerProjectPerModel" + _FREE, "36s"),
    "quota_fractional": ("GenerateRequestsPerMinutePerProjectPerModel", "45.837906927s"),
}
_REFUSALS = {
    "quota_spend": (429, "RESOURCE_EXHAUSTED", "spend-based rate limit", ["Help"]),
    "quota_bare": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", []),
    "quota_shared": (429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.", []),
    "invalid_argument": (400, "INVALID_ARGUMENT", "generation_config.temperature", ["BadRequest"]),
    "input_too_long": (400, "INVALID_ARGUMENT", "(1200000) exceeds the maximum number of tokens allowed", []),
    "deadline_too_short": (400, "INVALID_ARGUMENT", "Manually set deadline 1s is too short", []),
    "thought_signature": (400, "INVALID_ARGUMENT", "missing a thought_signature", []),
    "location": (400, "FAILED_PRECONDITION", "User location is not supported", []),
    "billing": (400, "FAILED_PRECONDITION", "enable billing", []),
    "key_invalid": (400, "INVALID_ARGUMENT", "API key not valid", ["ErrorInfo", "LocalizedMessage"]),
    "key_expired": (400, "INVALID_ARGUMENT", "API key expired", ["ErrorInfo", "LocalizedMessage"]),
    "unauthenticated": (401, "UNAUTHENTICATED", "Expected OAuth 2 access token", ["ErrorInfo"]),
    "key_missing": (403, "PERMISSION_DENIED", "unregistered callers", ["ErrorInfo"]),
    "permission_denied": (403, "PERMISSION_DENIED", "does not have permission", ["ErrorInfo"]),
    "not_found": (404, "NOT_FOUND", f"models/{MODEL} is not found for API version v1", []),
    "model_retired": (404, "NOT_FOUND", "no longer available to new users", []),
    "cancelled": (499, "CANCELLED", "The operation was cancelled.", []),
    "internal": (500, "INTERNAL", "An internal error has occurred", []),
    "unavailable": (503, "UNAVAILABLE", "The model is overloaded.", []),
    "deadline": (504, "DEADLINE_EXCEEDED", "Deadline expired", []),
    "http_status": (418, "UNKNOWN", "asked to answer 418", []),
}
_BODIES: dict[str, Callable[[bytes, bytes], bool]] = {
    "invalid_json": lambda body, good: body == b"{candidates: none",
    "truncated_json": lambda body, good: body == good[: len(good) // 2],
    "wrong_types": lambda body, good: isinstance(
        orjson.loads(body)["candidates"][0]["content"]["parts"], str
    ),
    "empty_object": lambda body, good: body == b"{}",
    "empty_body": lambda body, good: body == b"",
    "wrong_content_type": lambda body, good: body == good,
    "html_page": lambda body, good: body.startswith(b"<!DOCTYPE html>"),
    "no_finish": lambda body, good: "finishReason" not in orjson.loads(body)["candidates"][0],
}
_TESTED_BELOW = {
    "quota_many", "bad_gateway", "oversized", "error_event", "empty_stream", "malformed_event", "comments",
    "done_event", "stall", "cut", "close", "reset", "stale",
}  # fmt: skip


def test_every_fault_has_a_test_here():
    assert {*_QUOTAS, *_REFUSALS, *_BODIES, *_TESTED_BELOW} == set(FAULTS)


def _details(error: dict[str, Any]) -> dict[str, Any]:
    return {detail["@type"].rpartition(".")[2]: detail for detail in error.get("details", ())}


async def _error(http: aiohttp.ClientSession, script: str, path: str = UNARY) -> tuple[int, dict[str, Any]]:
    status, _, body = await fetch(http, path, script)
    payload = orjson.loads(body)
    assert list(payload) == ["error"]
    assert payload["error"]["code"] == status
    return status, payload["error"]


@pytest.mark.parametrize("name", _QUOTAS)
async def test_a_quota_is_exceeded_in_full_detail(http, name):
    quota_id, delay = _QUOTAS[name]
    status, error = await _error(http, f"fault={name}")
    assert (status, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    details = _details(error)
    [violation] = details["QuotaFailure"]["violations"]
    assert violation["quotaId"] == quota_id
    assert violation["quotaDimensions"] == {"location": "global", "model": MODEL}
    assert (violation["quotaValue"] == "0") is (name == "quota_zero")
    assert details["RetryInfo"]["retryDelay"] == delay
    assert f"Please retry in {delay}." in error["message"]


async def test_several_quotas_are_exceeded_at_once_with_the_delay_first(http):
    _, error = await _error(http, "fault=quota_many")
    assert list(_details(error)) == ["RetryInfo", "QuotaFailure", "Help"]
    violations = _details(error)["QuotaFailure"]["violations"]
    assert len(violations) == 3
    assert violations[0]["quotaId"] == violations[2]["quotaId"]
    assert ["quotaValue" in violation for violation in violations] == [True, False, False]


async def test_the_delay_of_a_quota_is_set_by_the_script(http):
    _, error = await _error(http, "fault=quota_rpm retry_after=1.5s")
    assert _details(error)["RetryInfo"]["retryDelay"] == "1.5s"


@pytest.mark.parametrize("path", [UNARY, STREAM], ids=["unary", "stream"])
@pytest.mark.parametrize("name", _REFUSALS)
async def test_a_call_is_refused(http, name, path):
    code, status, text, details = _REFUSALS[name]
    answered, error = await _error(http, f"fault={name}", path)
    assert (answered, error["status"]) == (code, status)
    assert text in error["message"]
    assert list(_details(error)) == details


async def test_any_status_can_be_asked_for(http):
    assert (await _error(http, "fault=http_status code=409"))[1]["status"] == "ABORTED"


async def test_a_bad_gateway_sends_html(http):
    status, content_type, body = await fetch(http, UNARY, "fault=bad_gateway")
    assert (status, content_type) == (502, "text/html; charset=UTF-8")
    assert b"502" in body


@pytest.mark.parametrize("name", _BODIES)
async def test_a_body_is_spoiled_under_status_200(http, name):
    _, _, good = await fetch(http, UNARY)
    status, content_type, body = await fetch(http, UNARY, f"fault={name}")
    assert status == 200
    assert _BODIES[name](body, good)
    is_html = name in ("wrong_content_type", "html_page")
    assert content_type == ("text/html; charset=UTF-8" if is_html else "application/json; charset=UTF-8")


@pytest.mark.parametrize("name", ["invalid_json", "truncated_json", "wrong_types", "empty_object"])
async def test_the_only_event_of_a_stream_is_spoiled(http, name):
    _, _, stream = await fetch(http, STREAM)
    good = stream.split(b"\r\n\r\n")[0].removeprefix(b"data: ")
    _, content_type, body = await fetch(http, STREAM, f"fault={name}")
    assert content_type == "text/event-stream"
    assert body.startswith(b"data: ")
    assert body.endswith(b"\r\n\r\n")
    assert _BODIES[name](body.removeprefix(b"data: ").removesuffix(b"\r\n\r\n"), good)


async def test_a_stream_ends_cleanly_without_a_finish_reason(http):
    _, _, raw = await fetch(http, STREAM, "fault=no_finish after=2 chunks=4")
    assert len(events(raw)) == 2
    _, _, raw = await fetch(http, STREAM, "fault=no_finish after=9 chunks=4")
    assert len(events(raw)) == 4
    assert b"finishReason" not in raw


@pytest.mark.parametrize("size", [1000, 3 << 20])
async def test_a_reply_has_the_size_that_was_asked_for(http, size):
    _, _, body = await fetch(http, UNARY, f"fault=oversized size={size}B")
    assert size <= len(body) <= size + 2000
    _, _, raw = await fetch(http, STREAM, f"fault=oversized size={size}B after=1 chunks=3")
    lengths = [len(frame) for frame in raw.split(b"\r\n\r\n")]
    assert len(lengths) == 4
    assert size <= lengths[1] <= size + 2000
    assert len(events(raw)) == 3


async def test_an_error_event_comes_in_the_middle_of_a_stream(http):
    _, _, raw = await fetch(http, STREAM, "fault=error_event after=2 chunks=5")
    *good, error = events(raw)
    assert len(good) == 2
    assert list(error) == ["error"]
    assert (error["error"]["code"], error["error"]["status"]) == (503, "UNAVAILABLE")


async def test_the_code_of_an_error_event_is_set_by_the_script_and_arrays_carry_it_too(http):
    _, _, raw = await fetch(http, ARRAY, "fault=error_event after=0 code=429")
    assert orjson.loads(raw)[0]["error"]["status"] == "RESOURCE_EXHAUSTED"


async def test_a_stream_without_events(http):
    assert await fetch(http, STREAM, "fault=empty_stream") == (200, "text/event-stream", b"")
    _, _, raw = await fetch(http, ARRAY, "fault=empty_stream")
    assert orjson.loads(raw) == []


async def test_a_malformed_event_stands_between_good_ones(http):
    _, _, raw = await fetch(http, STREAM, "fault=malformed_event after=1 chunks=3")
    frames = raw.split(b"\r\n\r\n")[:-1]
    assert frames.pop(1) == b'data: {"candidates": [{"content": {"parts": [{"text": '
    assert b"".join(frame + b"\r\n\r\n" for frame in frames) == (await fetch(http, STREAM, "chunks=3"))[2]


async def test_comments_stand_before_every_event(http):
    _, _, raw = await fetch(http, STREAM, "fault=comments chunks=2")
    assert raw.count(b": keep-alive\r\n\r\ndata: {") == 2
    assert raw.replace(b": keep-alive\r\n\r\n", b"") == (await fetch(http, STREAM, "chunks=2"))[2]
    _, _, array = await fetch(http, ARRAY, "fault=comments chunks=2")
    assert len(orjson.loads(array)) == 2


async def test_done_follows_the_last_event(http):
    _, _, raw = await fetch(http, STREAM, "fault=done_event chunks=2")
    assert raw == (await fetch(http, STREAM, "chunks=2"))[2] + b"data: [DONE]\r\n\r\n"


async def test_a_unary_stall_sends_nothing(emulator):
    connection = await RawConnection.open(emulator)
    await connection.post(UNARY, "fault=stall")
    reading = asyncio.create_task(connection.read_to_end())
    await emulator.wait_for(lambda seen: seen.active == 1 and seen.requests[0].body is not None)
    assert not reading.done()
    await emulator.stop()
    assert await reading == b""
    await connection.close()


@pytest.mark.parametrize("after", [0, 2])
async def test_a_stream_stalls_after_its_head_and_some_chunks(emulator, after):
    connection = await RawConnection.open(emulator)
    await connection.post(STREAM, f"fault=stall after={after} chunks=5")
    assert b"200 OK" in await connection.read_until(b"\r\n\r\n")
    reading = asyncio.create_task(connection.read_to_end())
    await emulator.wait_for(lambda seen: seen.active == 1)
    assert not reading.done()
    await emulator.stop()
    assert (await reading).count(b"data: {") == after
    await connection.close()


async def test_a_unary_body_is_cut_half_way(http, emulator):
    _, _, good = await fetch(http, UNARY)
    with pytest.raises(aiohttp.ClientPayloadError):
        await fetch(http, UNARY, "fault=cut")
    connection = await RawConnection.open(emulator)
    await connection.post(UNARY, "fault=cut")
    head, _, body = (await connection.read_to_end()).partition(b"\r\n\r\n")
    assert f"content-length: {len(good)}".encode() in head.lower()
    assert body == good[: len(good) // 2]
    await connection.close()
    assert emulator.observed.cut == 2


@pytest.mark.parametrize("after", [0, 2])
async def test_a_stream_is_cut_in_the_middle_of_a_chunk(http, emulator, after):
    received = bytearray()
    with pytest.raises(aiohttp.ClientPayloadError):
        await _receive(http, f"fault=cut after={after} chunks=5", received)
    *whole, half = bytes(received).split(b"\r\n\r\n")
    assert len(whole) == after
    assert half.startswith(b"data: {")
    assert emulator.observed.cut == 1


async def _receive(http: aiohttp.ClientSession, script: str, received: bytearray) -> None:
    async with http.post(STREAM, json=PROMPT, headers=scripted(script)) as reply:
        async for piece in reply.content.iter_any():
            received += piece


async def test_the_connection_closes_before_any_byte(http, emulator):
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await fetch(http, UNARY, "fault=close")
    assert emulator.observed.requests[0].ending is Ending.CUT


async def test_the_connection_is_reset_before_any_byte(emulator):
    connection = await RawConnection.open(emulator)
    await connection.post(UNARY, "fault=reset")
    with pytest.raises(ConnectionResetError):
        await connection.read_to_end()
    await connection.close()
    assert emulator.observed.cut == 1


async def test_a_stale_connection_answers_once_more_and_then_closes(emulator):
    connection = await RawConnection.open(emulator)
    await connection.post(UNARY, "fault=stale")
    reply = await connection.read_reply()
    assert reply.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" not in reply.lower()
    await connection.post(UNARY)
    assert await connection.read_to_end() == b""
    await connection.close()
    assert emulator.observed.counts() == {
        "received": 2, "active": 0, "finished": 1, "disconnected": 0, "cut": 1,
    }  # fmt: skip


async def test_a_stale_connection_leaves_others_alone(http, emulator):
    connection = await RawConnection.open(emulator)
    await connection.post(UNARY, "fault=stale")
    await connection.read_reply()
    assert (await fetch(http, UNARY))[0] == 200
    await connection.close()


async def test_a_fault_comes_through_the_prompt_too(http):
    body = {"contents": [{"parts": [{"text": "Hello [[emulate: fault=quota_rpm retry_after=2s]]"}]}]}
    status, _, raw = await fetch_without_header(http, body)
    assert status == 429
    assert b'"retryDelay": "2s"' in raw


async def fetch_without_header(http: aiohttp.ClientSession, body: Any) -> tuple[int, str, bytes]:
    async with http.post(UNARY, json=body) as reply:
        return reply.status, reply.headers["Content-Type"], await reply.read()


@pytest.mark.parametrize("name", ["unavailable", "close", "invalid_json", "quota_rpm"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/v1/models/{MODEL}:countTokens", PROMPT),
        ("/v1/models/gemini-embedding-001:embedContent", {"content": {"parts": [{"text": "one"}]}}),
    ],
    ids=["countTokens", "embedContent"],
)
async def test_faults_befall_the_other_calls_too(http, name, path, body):
    if name == "close":
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await fetch(http, path, f"fault={name}", body)
        return
    status, _, raw = await fetch(http, path, f"fault={name}", body)
    assert status == {"unavailable": 503, "invalid_json": 200, "quota_rpm": 429}[name]
    assert raw


async def test_a_listing_takes_its_script_from_the_page_token(http):
    async with http.get("/v1/models", params={"pageToken": "[[emulate: fault=unavailable]]"}) as reply:
        assert reply.status == 503


async def test_a_fault_that_strikes_twice_lets_the_third_attempt_through(http):
    headers = {"x-emulate": "fault=unavailable times=2", "x-request-id": "r-1"}
    statuses = []
    for _ in range(3):
        async with http.post(UNARY, json=PROMPT, headers=headers) as reply:
            statuses.append(reply.status)
    assert statuses == [503, 503, 200]
