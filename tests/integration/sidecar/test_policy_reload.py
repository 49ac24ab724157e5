"""A Policy that changes while calls run: who sees the new one, and what becomes of a bad one."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from sidecar.app import Sidecar, running
from sidecar.config.load import Flags, load
from sidecar.emulator import Emulator
from sidecar.v1 import generate_pb2
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from tests.support import facts, google_account, upstream
from tests.support.figures import scrape
from tests.support.rpc import ask
from tests.support.told import Told, listening
from tests.support.upstream import LAST_CHUNK, STREAM_HEAD, answers, chunk, event, plays, said

ACCEPTED = "another Policy is in force"
REFUSED = "the changed Policy is refused; the one before stays in force"


@dataclass(frozen=True)
class World:
    """A sidecar that runs by files, as an operator would have it."""

    folder: Path
    sidecar: Sidecar
    gemini: GeminiServiceStub
    told: Told

    def write(self, **policy):
        put(self.folder / "policy.yaml", json.dumps(policy))

    async def asks(self, prompt="hi"):
        """Which project answers now."""
        reply = await self.gemini.Generate(generate_pb2.GenerateRequest(model=facts.MODEL, prompt=prompt))
        return reply.call.served.project

    async def figures(self):
        return await scrape((await self.told.line("telemetry"))["address"])


def put(path, text):
    """Replace a file at once, as a mounted volume does."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def project(folder, name, base_url, key="key-1"):
    key_file = folder / f"{name}.key"
    put(key_file, key)
    return {"name": name, "api": "gemini", "key": {"file": str(key_file)}, "base_url": base_url}


@asynccontextmanager
async def world_with(folder, policy, **more):
    put(folder / "policy.yaml", json.dumps(policy))
    settings = {
        "listen": {"address": "127.0.0.1:0"},
        "telemetry": {"address": "127.0.0.1:0"},
        "limits": {"scope": "process"},
        "policy": {"file": str(folder / "policy.yaml"), "poll": "5ms"},
    }
    (folder / "settings.yaml").write_text(json.dumps(settings | more))
    configuration = load(Flags(config=folder / "settings.yaml"), {})
    with listening() as told:
        async with (
            running(configuration) as sidecar,
            grpc.aio.insecure_channel(sidecar.addresses[0]) as channel,
        ):
            yield World(folder, sidecar, GeminiServiceStub(channel), told)


async def test_the_next_call_goes_by_the_changed_policy(emulator, tmp_path):
    one = project(tmp_path, "one", emulator.base_url)
    async with world_with(tmp_path, {"projects": [one]}) as world:
        assert await world.asks() == "one"
        world.write(projects=[project(tmp_path, "two", emulator.base_url)])
        await world.told.line(ACCEPTED)
        assert await world.asks() == "two"

        world.write(projects=[one], models={"gemini-4-neon": {}}, unlisted_models="deny")
        await world.told.line(ACCEPTED, 2)
        ended = await ask(
            world.gemini, "Generate", generate_pb2.GenerateRequest(model=facts.MODEL, prompt="hi")
        )
        assert ended.reason == "PERMISSION_DENIED"


async def test_a_running_stream_keeps_the_policy_that_it_began_with(emulator, tmp_path):
    go_on = asyncio.Event()
    begin, end = chunk(event(said("first"))), chunk(event(said("last", "STOP"))) + LAST_CHUNK
    async with upstream.serving(plays(STREAM_HEAD, begin, go_on, end)) as slow:
        policy = {"projects": [project(tmp_path, "slow", slow.base_url)]}
        async with world_with(tmp_path, policy) as world:
            call = world.gemini.StreamGenerate(generate_pb2.StreamGenerateRequest(model="m", prompt="hi"))
            first = await call.read()
            world.write(projects=[project(tmp_path, "other", emulator.base_url)])
            await world.told.line(ACCEPTED)
            assert await world.asks() == "other"
            go_on.set()
            last = await call.read()
            assert await call.read() is grpc.aio.EOF
            assert await call.code() is grpc.StatusCode.OK

    assert first.call.served.project == "slow"
    assert last.candidates[0].content.parts[0].text == "last"


async def test_a_call_falls_over_to_the_projects_of_its_own_policy(emulator, tmp_path):
    """Its first project takes the connection and is silent; the Policy changes; the connection is lost, and
    the call goes to the second of its projects, though the new Policy has it no more.
    """
    taken, lose_it = asyncio.Event(), asyncio.Event()

    async def be_silent(_, writer):
        taken.set()
        await lose_it.wait()
        writer.transport.abort()

    server = await asyncio.start_server(be_silent, "127.0.0.1", 0)
    first = project(tmp_path, "first", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    second = {**project(tmp_path, "second", emulator.base_url), "level": 1}
    policy = {"projects": [first, second]}
    async with server, Emulator() as other, world_with(tmp_path, policy) as world:
        call = asyncio.ensure_future(world.asks())
        await taken.wait()
        world.write(projects=[project(tmp_path, "third", other.base_url)])
        await world.told.line(ACCEPTED)
        assert await world.asks() == "third"
        assert not call.done()
        lose_it.set()
        assert await call == "second"


async def test_a_bad_policy_changes_nothing_and_is_counted(emulator, tmp_path):
    good = {"projects": [project(tmp_path, "one", emulator.base_url)]}
    async with world_with(tmp_path, good) as world:
        digest = (await world.figures()).labels_of("sidecar_policy_info")
        put(tmp_path / "policy.yaml", "projects: [{name: one, api: nothing}]")
        refusal = await world.told.line(REFUSED)
        assert "projects[0]" in refusal["faults"][0]
        assert await world.asks() == "one"

        put(tmp_path / "policy.yaml", "{")
        await world.told.line(REFUSED, 2)
        assert await world.asks() == "one"
        figures = await world.figures()
        assert figures.of("sidecar_policy_reloads_total", result="rejected") == 2
        assert figures.labels_of("sidecar_policy_info") == digest

        world.write(projects=[project(tmp_path, "two", emulator.base_url)])
        await world.told.line(ACCEPTED)
        assert await world.asks() == "two"
        figures = await world.figures()
        assert figures.of("sidecar_policy_reloads_total") == 3
        assert figures.labels_of("sidecar_policy_info") != digest


async def test_a_rotated_key_is_used_by_the_next_call(tmp_path):
    async with upstream.serving(answers(said("ok", "STOP"))) as google:
        policy = {"projects": [project(tmp_path, "one", google.base_url, key="key-1")]}
        async with world_with(tmp_path, policy) as world:
            await world.asks()
            put(tmp_path / "one.key", "key-2\n")
            await world.told.line(ACCEPTED)
            await world.asks()

    assert [request.headers["x-goog-api-key"] for request in google.requests] == ["key-1", "key-2"]


async def test_keys_that_change_under_running_streams_cut_none_of_them(tmp_path):
    """One key of two is rotated while a stream of each runs: both end well, and it is shown no more."""
    go_on = asyncio.Event()
    begin, end = chunk(event(said("first"))), chunk(event(said("last", "STOP"))) + LAST_CHUNK
    slow = plays(STREAM_HEAD, begin, go_on, end)
    async with upstream.serving(slow, slow, answers(said("ok", "STOP"))) as google:
        one = project(tmp_path, "one", google.base_url, key="key-1")
        put(tmp_path / "second.key", "key-2")
        one["keys"] = [one.pop("key"), {"file": str(tmp_path / "second.key")}]
        async with world_with(tmp_path, {"projects": [one]}) as world:
            request = generate_pb2.StreamGenerateRequest(model="m", prompt="hi")
            calls = [world.gemini.StreamGenerate(request) for _ in range(2)]
            for call in calls:
                await call.read()
            put(tmp_path / "one.key", "key-3")
            await world.told.line(ACCEPTED)
            for _ in range(4):
                await world.asks()
            go_on.set()
            for call in calls:
                assert (await call.read()).candidates[0].finish_reason
                assert await call.read() is grpc.aio.EOF
                assert await call.code() is grpc.StatusCode.OK

    shown = [request.headers["x-goog-api-key"] for request in google.requests]
    assert (shown[:2], shown[2:]) == (["key-1", "key-2"], ["key-3", "key-2"] * 2)


async def test_a_refused_key_is_counted_and_told(tmp_path):
    refused = answers(upstream.refusal(401, "UNAUTHENTICATED", "no"), 401)
    async with upstream.serving(refused) as google:
        policy = {"projects": [project(tmp_path, "one", google.base_url)]}
        async with world_with(tmp_path, policy) as world:
            assert (await world.figures()).of("sidecar_key_refusals_total", project="one") == 0
            request = generate_pb2.GenerateRequest(model=facts.MODEL, prompt="hi")
            ended = await ask(world.gemini, "Generate", request)
            assert ended.reason == "UPSTREAM_CREDENTIALS"
            assert (await world.figures()).of("sidecar_key_refusals_total", project="one") == 1
            told = await world.told.line("the upstream refused a key; it is left out for a while")
            assert (told["project"], told["key"], told["of"]) == ("one", 1, 1)


@pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")
async def test_a_rotated_account_gets_a_token_of_its_own(tmp_path):
    async with (
        upstream.serving(google_account.grants("token-1")) as old,
        upstream.serving(google_account.grants("token-2")) as new,
        upstream.serving(answers(said("ok", "STOP"))) as google,
    ):
        account = google_account.credentials_file(tmp_path, old.base_url)
        vertex = {
            "name": "cloud",
            "api": "vertex",
            "project": "acme",
            "credentials": {"file": str(account)},
            "base_url": google.base_url,
        }
        async with world_with(tmp_path, {"projects": [vertex]}) as world:
            await world.asks()
            google_account.credentials_file(tmp_path, new.base_url)
            await world.told.line(ACCEPTED)
            await world.asks()

    tokens = [request.headers["authorization"] for request in google.requests]
    assert tokens == ["Bearer token-1", "Bearer token-2"]
