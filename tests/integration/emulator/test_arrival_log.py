"""The arrival log: what a judge of a client can read from it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from sidecar.emulator import Emulator, ManualClock, parse_plan
from tests.integration.emulator.wire import MODEL, PROMPT, STREAM, UNARY, scripted


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "arrivals.jsonl"


async def test_each_request_has_a_line_when_it_is_decided_and_one_when_it_ended(log):
    clock = ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    plan = parse_plan({"models": {"*": {"rpm": 1}}, "projects": {"alpha": {"keys": ["any"]}}})
    async with (
        Emulator(quotas=plan, clock=clock, log=log) as emulator,
        aiohttp.ClientSession(emulator.base_url, headers={"x-goog-api-key": "any"}) as http,
    ):
        clock.advance(1.5)
        async with http.post(UNARY, json=PROMPT, headers={"x-request-id": "r-1"}) as reply:
            tokens = (await reply.json())["usageMetadata"]["promptTokenCount"]
        async with http.post(STREAM, json=PROMPT) as reply:
            assert reply.status == 429
        await emulator.wait_for(lambda seen: seen.finished == 2)
        assert lines(log)[:2] == [
            {
                "event": "arrived", "number": 1, "mono_us": 1_500_000, "wall": "2026-11-22T12:00:01.500000Z",
                "request_id": "r-1", "model": MODEL, "method": "generateContent", "project": "alpha",
                "requests": 1, "input_tokens": tokens, "verdict": "admitted", "exceeded": [], "fault": "",
            },
            {
                "event": "ended", "number": 1, "mono_us": 1_500_000, "wall": "2026-11-22T12:00:01.500000Z",
                "ending": "finished", "status": 200,
            },
        ]  # fmt: skip
        refused = lines(log)[2]
        assert (refused["verdict"], refused["input_tokens"], refused["exceeded"]) == (
            "over_quota", tokens, ["GenerateRequestsPerMinutePerProjectPerModel"],
        )  # fmt: skip


async def test_every_kind_of_verdict_and_ending_is_told_without_secrets(log):
    async with (
        Emulator(log=log) as emulator,
        aiohttp.ClientSession(emulator.base_url, headers={"x-goog-api-key": "secret"}) as http,
    ):
        for path, body, headers in [
            (f"/v1/models/{MODEL}:countTokens", PROMPT, {}),
            (UNARY, {"contents": []}, {}),
            (UNARY, PROMPT, {"x-goog-api-key": "invalid"}),
            ("/v9/nothing", PROMPT, {}),
            (UNARY, PROMPT, scripted("fault=unavailable")),
        ]:
            async with http.post(path, json=body, headers=headers) as reply:
                await reply.read()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.post(UNARY, json=PROMPT, headers=scripted("fault=close"))
        await emulator.wait_for(lambda seen: seen.cut == 1)
    written = lines(log)
    arrived = [line for line in written if line["event"] == "arrived"]
    assert [(line["verdict"], line["fault"]) for line in arrived] == [
        ("unmetered", ""),
        ("refused", ""),
        ("refused", ""),
        ("refused", ""),
        ("admitted", "unavailable"),
        ("admitted", "close"),
    ]
    assert [line["project"] != "" for line in arrived] == [True, True, False, False, True, True]
    assert [line["status"] for line in written if line["event"] == "ended"] == [200, 400, 400, 404, 503, 200]
    assert written[-1]["ending"] == "cut"
    text = log.read_text()
    assert "secret" not in text
    assert "sky" not in text


async def test_a_log_is_appended_to(log):
    log.write_text('{"event": "earlier"}\n')
    async with Emulator(log=log) as emulator, aiohttp.ClientSession(emulator.base_url) as http:
        async with http.post(UNARY, json=PROMPT) as reply:
            assert reply.status == 403
        await emulator.wait_for(lambda seen: seen.finished == 1)
    assert [line["event"] for line in lines(log)] == ["earlier", "arrived", "ended"]


async def test_a_log_that_cannot_be_written_keeps_the_emulator_from_starting(tmp_path):
    emulator = Emulator(log=tmp_path / "missing" / "arrivals.jsonl")
    with pytest.raises(FileNotFoundError):
        await emulator.start()
    assert "not running" in repr(emulator)
