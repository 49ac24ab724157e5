"""Files: the resumable upload step by step, and files in prompts."""

import hashlib
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from sidecar.emulator import ManualClock
from tests.integration.emulator.wire import MODEL, UNARY

_UPLOAD = "/upload/v1beta/files"
_CHUNK = bytes(256 << 10)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


async def start(http: aiohttp.ClientSession, body: Any = None, **headers: str) -> aiohttp.ClientResponse:
    fields = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    fields |= {"X-Goog-Upload-Header-" + name.replace("_", "-"): value for name, value in headers.items()}
    return await http.post(_UPLOAD, json=body or {}, headers=fields)


async def step(
    url: str, command: str, data: bytes = b"", offset: int = 0, method: str = "POST"
) -> aiohttp.ClientResponse:
    """One request to an upload's own address, by somebody who has nothing else."""
    fields = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
    async with (
        aiohttp.ClientSession() as anybody,
        anybody.request(method, url, data=data, headers=fields) as reply,
    ):
        await reply.read()
        return reply


async def upload(http: aiohttp.ClientSession, data: bytes, **file: str) -> dict[str, Any]:
    begun = await start(http, {"file": file})
    reply = await step(begun.headers["X-Goog-Upload-URL"], "upload, finalize", data)
    assert reply.status == 200
    return (await reply.json())["file"]


async def get(http: aiohttp.ClientSession, path: str, **headers: str) -> tuple[int, Any]:
    async with http.get(path, headers=headers) as reply:
        return reply.status, await reply.json()


async def ask_about(http: aiohttp.ClientSession, uri: str, **headers: str) -> tuple[int, Any]:
    body = {"contents": [{"parts": [{"fileData": {"fileUri": uri}}, {"text": "What is it?"}]}]}
    async with http.post(UNARY, json=body, headers=headers) as reply:
        return reply.status, await reply.json()


async def test_a_file_is_uploaded_in_chunks(http):
    begun = await start(
        http,
        {"file": {"display_name": "Waves", "mime_type": "audio/mpeg"}},
        Content_Length=str(len(_CHUNK) + 5),
        Content_Type="audio/mpeg",
    )
    assert begun.headers["X-Goog-Upload-Status"] == "active"
    url = begun.headers["X-Goog-Upload-URL"]
    first = await step(url, "upload", _CHUNK)
    assert first.headers["X-Goog-Upload-Status"] == "active"
    asked = await step(url, "query")
    assert asked.headers["X-Goog-Upload-Size-Received"] == str(len(_CHUNK))
    last = await step(url, "upload, finalize", b"waves", offset=len(_CHUNK), method="PUT")
    assert last.headers["X-Goog-Upload-Status"] == "final"
    file = (await last.json())["file"]
    digest = hashlib.sha256(_CHUNK + b"waves").hexdigest()
    assert file == {
        "name": file["name"],
        "displayName": "Waves",
        "mimeType": "audio/mpeg",
        "sizeBytes": str(len(_CHUNK) + 5),
        "createTime": "2026-11-22T12:00:00.000000Z",
        "updateTime": "2026-11-22T12:00:00.000000Z",
        "expirationTime": "2026-11-24T12:00:00.000000Z",
        "sha256Hash": b64encode(digest.encode()).decode(),
        "uri": file["uri"],
        "state": "ACTIVE",
        "source": "UPLOADED",
    }
    assert file["uri"].endswith(f"/v1beta/{file['name']}")
    assert await get(http, "/v1beta/" + file["name"]) == (200, file)


async def test_files_are_listed_the_newest_first_and_deleted(http):
    first = await upload(http, b"1", name="files/first-1")
    second = await upload(http, b"2")
    assert first["name"] == "files/first-1"
    assert await get(http, "/v1beta/files") == (200, {"files": [second, first]})
    _, page = await get(http, "/v1beta/files?pageSize=1")
    assert (await get(http, f"/v1beta/files?pageToken={page['nextPageToken']}"))[1]["files"] == [first]
    async with http.delete(f"/v1beta/{first['name']}") as reply:
        assert (reply.status, await reply.json()) == (200, {})
    status, refusal = await get(http, f"/v1beta/{first['name']}")
    assert (status, refusal["error"]["status"]) == (403, "PERMISSION_DENIED")


async def test_a_file_counts_by_its_kind_and_size(http):
    file = await upload(http, bytes(32_000), mime_type="audio/mpeg")
    _, reply = await ask_about(http, file["uri"])
    details = {item["modality"]: item["tokenCount"] for item in reply["usageMetadata"]["promptTokensDetails"]}
    assert details["AUDIO"] == 64


async def test_a_file_is_gone_after_48_hours_and_never_was_for_other_projects(http, clock):
    file = await upload(http, b"x", mime_type="image/png")
    other = {"x-goog-api-key": "other"}
    assert (await get(http, f"/v1beta/{file['name']}", **other))[0] == 403
    assert (await ask_about(http, file["uri"], **other))[0] == 403
    clock.advance(48 * 3600 - 1)
    assert (await ask_about(http, file["uri"]))[0] == 200
    clock.advance(1)
    status, refusal = await ask_about(http, file["uri"])
    assert status == 403
    assert "or it may not exist" in refusal["error"]["message"]
    assert await get(http, "/v1beta/files") == (200, {})


async def test_a_file_elsewhere_is_taken_unseen(http):
    assert (await ask_about(http, "gs://bucket/harbour.mp4"))[0] == 200


@pytest.mark.parametrize(
    ("body", "headers", "code", "complaint"),
    [
        ({}, {"X-Goog-Upload-Protocol": "multipart"}, 400, "resumable only"),
        ({"file": {"name": "files/UPPER"}}, {}, 400, "lower-case letters"),
        ({"file": {"colour": "red"}}, {}, 400, "Unknown name \"colour\" at 'file'"),
        ({}, {"X-Goog-Upload-Header-Content-Length": "many"}, 400, "must be a number of bytes"),
        ({}, {"X-Goog-Upload-Command": "sing"}, 404, "no such upload"),
        ({}, {"x-goog-api-key": ""}, 403, "unregistered callers"),
    ],
)
async def test_a_bad_beginning_is_refused(http, body, headers, code, complaint):
    fields = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"} | headers
    async with http.post(_UPLOAD, json=body, headers=fields) as reply:
        assert reply.status == code
        assert complaint in (await reply.json())["error"]["message"]


@pytest.mark.parametrize(
    ("command", "data", "offset", "complaint"),
    [
        ("upload", _CHUNK, 7, "X-Goog-Upload-Offset must be 0"),
        ("upload", b"odd", 0, "multiples of 262144"),
        ("upload, finalize", b"", 0, "0 bytes, but 9 were announced"),
        ("upload, finalize", b"0123456789", 0, "more bytes than were announced"),
        ("sing", b"", 0, "X-Goog-Upload-Command must be"),
    ],
)
async def test_a_bad_step_is_refused_and_the_upload_goes_on(http, command, data, offset, complaint):
    url = (await start(http, Content_Length="9")).headers["X-Goog-Upload-URL"]
    refused = await step(url, command, data, offset)
    assert refused.status == 400
    assert complaint in await refused.text()
    good = await step(url, "upload, finalize", b"123456789")
    assert good.status == 200


async def test_an_upload_can_be_cancelled(http):
    url = (await start(http)).headers["X-Goog-Upload-URL"]
    assert (await step(url, "cancel")).headers["X-Goog-Upload-Status"] == "cancelled"
    assert (await step(url, "upload, finalize", b"x")).status == 404


async def test_a_name_can_be_taken_once(http):
    await upload(http, b"1", name="files/one")
    again = await start(http, {"file": {"name": "files/one"}})
    assert again.status == 409
    assert (await again.json())["error"]["status"] == "ALREADY_EXISTS"


async def test_memory_is_bounded(http, monkeypatch):
    monkeypatch.setattr("sidecar.emulator.files._MAX_FILES", 1)
    await upload(http, b"1")
    url = (await start(http)).headers["X-Goog-Upload-URL"]
    assert (await step(url, "upload, finalize", b"2")).status == 429
    monkeypatch.setattr("sidecar.emulator.files._MAX_UPLOADS", 1)
    later = (await start(http)).headers["X-Goog-Upload-URL"]
    assert (await step(url, "query")).status == 404
    assert (await step(later, "query")).status == 200


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"/v1beta/models/{MODEL}:batchGenerateContent", "no batches (batchGenerateContent)"),
        ("/v1beta/models/gemini-embedding-2:asyncBatchEmbedContent", "no batches (asyncBatchEmbedContent)"),
        ("/v1beta/batches/1", "no batches (batches)"),
        ("/v1beta1/projects/p/locations/l/batchPredictionJobs", "no batches (batchPredictionJobs)"),
        ("/v1beta/files:register", "does not play register"),
        ("/v1beta/interactions", "does not play interactions"),
        ("/v1beta/openai/chat/completions", "does not play openai"),
    ],
)
async def test_what_is_not_played_is_refused_knowingly(http, path, said):
    async with http.post(path, json={}) as reply:
        assert reply.status == 501
        assert said in (await reply.json())["error"]["message"]
