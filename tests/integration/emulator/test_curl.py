"""curl as a client: the examples of the documentation, with nothing but a shell tool."""

import asyncio
import json
import shutil

import pytest

from sidecar.emulator import Emulator
from tests.integration.emulator.wire import MODEL, PROMPT

pytestmark = [
    pytest.mark.optional,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

_KEY = ("-H", "x-goog-api-key: any")


@pytest.fixture
def curl(emulator: Emulator):
    """Run curl on a path of the emulator; returns its output."""

    async def run(path: str, *arguments: str) -> str:
        command = ["curl", "-sS", "--noproxy", "*", *arguments, emulator.base_url + path]
        program = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await program.communicate()
        assert program.returncode == 0
        return output.decode()

    return run


async def test_a_prompt_is_answered(curl):
    reply = json.loads(await curl(f"/v1/models/{MODEL}:generateContent", *_KEY, "-d", json.dumps(PROMPT)))
    assert reply["candidates"][0]["finishReason"] == "STOP"


async def test_a_stream_is_nothing_but_data_lines(curl):
    path = f"/v1/models/{MODEL}:streamGenerateContent?alt=sse"
    output = await curl(path, *_KEY, "-N", "-d", json.dumps(PROMPT), "-H", "x-emulate: chunks=4")
    assert output.count("data: {") == 4
    assert output.replace("\r\n", "").count("\n") == 0


async def test_tools_a_schema_counting_and_embeddings(curl):
    tools = [{"functionDeclarations": [{"name": "weather"}]}]
    mode = {"functionCallingConfig": {"mode": "ANY"}}
    path = f"/v1/models/{MODEL}:generateContent"
    body = json.dumps(PROMPT | {"tools": tools, "toolConfig": mode})
    part = json.loads(await curl(path, *_KEY, "-d", body))["candidates"][0]["content"]["parts"][0]
    assert part["functionCall"]["name"] == "weather"
    schema = {"responseMimeType": "application/json", "responseSchema": {"type": "ARRAY"}}
    body = json.dumps(PROMPT | {"generationConfig": schema})
    reply = json.loads(await curl(path, *_KEY, "-d", body))
    assert isinstance(json.loads(reply["candidates"][0]["content"]["parts"][0]["text"]), list)
    counted = json.loads(await curl(f"/v1/models/{MODEL}:countTokens", *_KEY, "-d", json.dumps(PROMPT)))
    assert counted["totalTokens"] == reply["usageMetadata"]["promptTokenCount"]
    body = json.dumps({"content": {"parts": [{"text": "one"}]}, "outputDimensionality": 4})
    embedded = json.loads(await curl("/v1/models/gemini-embedding-001:embedContent", *_KEY, "-d", body))
    assert len(embedded["embedding"]["values"]) == 4


async def test_a_file_is_uploaded_in_two_commands(curl, emulator, tmp_path):
    file = tmp_path / "waves.mp3"
    file.write_bytes(bytes(32_000))
    head = await curl(
        "/upload/v1beta/files", *_KEY, "-D", "-", "-o", str(tmp_path / "body"),
        "-H", "X-Goog-Upload-Protocol: resumable", "-H", "X-Goog-Upload-Command: start",
        "-H", "X-Goog-Upload-Header-Content-Length: 32000",
        "-H", "X-Goog-Upload-Header-Content-Type: audio/mpeg", "-d", '{"file": {"display_name": "Waves"}}',
    )  # fmt: skip
    [url] = [
        line.split(": ")[1].strip() for line in head.splitlines() if line.startswith("X-Goog-Upload-URL")
    ]
    uploaded = json.loads(
        await curl(
            url.removeprefix(emulator.base_url), "-H", "X-Goog-Upload-Offset: 0",
            "-H", "X-Goog-Upload-Command: upload, finalize", "--data-binary", f"@{file}",
        )
    )["file"]  # fmt: skip
    assert (uploaded["sizeBytes"], uploaded["state"]) == ("32000", "ACTIVE")
    listed = json.loads(await curl("/v1beta/files", *_KEY))
    assert listed["files"] == [uploaded]


async def test_a_cache_is_made_and_deleted(curl):
    body = {"model": f"models/{MODEL}", "contents": [{"parts": [{"text": "about harbours " * 2000}]}]}
    made = json.loads(await curl("/v1beta/cachedContents", *_KEY, "-d", json.dumps(body | {"ttl": "60s"})))
    assert json.loads(await curl(f"/v1beta/{made['name']}", *_KEY)) == made
    assert await curl(f"/v1beta/{made['name']}", *_KEY, "-X", "DELETE") == "{}"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [((), "403"), ((*_KEY, "-d", "{"), "400"), ((*_KEY, "-H", "x-emulate: fault=bad_gateway"), "502")],
    ids=["no-key", "bad-json", "fault"],
)
async def test_errors_have_their_status(curl, tmp_path, arguments, status):
    path = f"/v1/models/{MODEL}:generateContent"
    body = () if "-d" in arguments else ("-d", json.dumps(PROMPT))
    output = await curl(path, *arguments, *body, "-o", str(tmp_path / "body"), "-w", "%{http_code}")
    assert output == status
