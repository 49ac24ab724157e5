"""What an operator sees of calls: one line in the log, figures that add up, readiness. And what nobody may
see: prompts, answers, keys, tokens.
"""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
import pytest

from sidecar.core.policy import ModelRoute
from sidecar.core.secret import Secret
from sidecar.v1 import generate_pb2
from tests.support import facts, google_account, upstream
from tests.support.figures import get, scrape
from tests.support.rpc import REQUESTS, ask
from tests.support.sidecar import Served, serving
from tests.support.told import Told, listening
from tests.support.upstream import LAST_CHUNK, STREAM_HEAD, answers, chunk, event, plays, refusal, said

KEY = "AIzaSyD-0123456789-never-to-be-seen"
TOKEN = "ya29.never-to-be-seen-either"
PROMPT = "Plutonium, and where to hide it"
ANSWER = "In the garden, under the roses"
SECRETS = {"key": "AIzaSyD", "token": "ya29", "prompt": "Plutonium", "answer": "garden", "caller": "sesame"}
MODEL = facts.MODEL

INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
ECHO = f"Permission denied: Consumer 'api_key:{KEY}' has been suspended."
FAILING = {
    "invalid": answers(refusal(400, "INVALID_ARGUMENT", "API key not valid.", INVALID), 400),
    "suspended": answers(refusal(403, "PERMISSION_DENIED", ECHO), 403),
    "exhausted": answers(refusal(429, "RESOURCE_EXHAUSTED", f"Quota of {KEY} is exhausted."), 429),
    "stranger": answers(refusal(401, "UNAUTHENTICATED", f"Bearer {TOKEN} is unknown."), 401),
    "nonsense": answers(KEY.encode()),
    "broken": answers({"candidates": [{"content": {"parts": [{"text": ANSWER, "inlineData": 1}]}}]}),
}
"""Answers that quote what must not be quoted, by the name of model and project."""

pytestmark = pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")


@dataclass(frozen=True)
class World:
    served: Served
    told: Told

    async def ask(self, rpc, model=MODEL, prompt=PROMPT, **options):
        message = REQUESTS[rpc]
        fields = {"model": model, "prompt": prompt}
        known = fields.keys() & message.DESCRIPTOR.fields_by_name.keys()
        return await ask(self.served.gemini, rpc, message(**{key: fields[key] for key in known}), **options)

    async def address(self):
        return (await self.told.line("telemetry"))["address"]

    async def figures(self):
        return await scrape(await self.address())


@asynccontextmanager
async def world_of(*endpoints, **policy):
    telemetry = {"address": "127.0.0.1:0", "log_level": "debug", "log_format": "json"}
    with listening() as told:
        async with serving(facts.policy(*endpoints, **policy), telemetry=telemetry) as served:
            yield World(served, told)


@pytest.fixture
async def world(emulator):
    async with world_of(facts.gemini(emulator.base_url)) as world:
        yield world


def lines_of(capture):
    """What was logged, once the sidecar has closed its log."""
    return [json.loads(line) for line in capture.readouterr().err.splitlines() if line.startswith("{")]


CALLS = {
    "line.0": ("Generate", "", "OK"),
    "line.1": ("StreamGenerate", "", "OK"),
    "line.2": ("CountTokens", "", "OK"),
    "line.3": ("EmbedContent", "", "UPSTREAM_NOT_FOUND"),
    "line.4": ("ListModels", "", "OK"),
    "line.5": ("GetModel", "", "OK"),
    "line.6": ("Generate", "[[emulate: blocked=SAFETY]]", "OK"),
    "line.7": ("Generate", "[[emulate: fault=unavailable]]", "UPSTREAM_UNAVAILABLE"),
    "line.8": ("StreamGenerate", "[[emulate: fault=error_event after=1]]", "STREAM_INTERRUPTED"),
    "line.9": ("Generate", "[[emulate: fault=quota_rpm]]", "UPSTREAM_QUOTA"),
    "line.10": ("Generate", None, "INVALID_REQUEST"),
}
"""By request id: the RPC, what the prompt asks of the emulator, how the call ends."""


async def test_every_call_is_one_line_with_its_request_id(emulator, capfd):
    async with world_of(facts.gemini(emulator.base_url)) as world:
        for request_id, (rpc, directive, _) in CALLS.items():
            model = "" if directive is None else MODEL
            metadata = [("x-request-id", request_id)]
            await world.ask(rpc, model, f"{PROMPT} {directive}", metadata=metadata)

    ended = [line for line in lines_of(capfd) if line["message"] == "call ended"]
    assert {line["request_id"]: (line["method"], line["ended"]) for line in ended} == {
        request_id: (rpc, end) for request_id, (rpc, _, end) in CALLS.items()
    }
    assert len(ended) == len(CALLS)
    assert {line["severity"] for line in ended} == {"INFO"}
    by_id = {line["request_id"]: line for line in ended}
    assert by_id["line.0"]["tokens"]["total"] > 0
    assert by_id["line.0"]["attempts"][0]["project"] == "main"
    assert by_id["line.8"]["chunks"] == 1
    assert "overloaded" in by_id["line.7"]["error"]
    assert by_id["line.10"]["attempts"] == []


async def test_a_call_that_its_caller_gives_up_is_one_line_too(emulator, capfd):
    async with world_of(facts.gemini(emulator.base_url)) as world:
        prompt = "hello [[emulate: fault=stall]]"
        request = generate_pb2.GenerateRequest(model=MODEL, prompt=prompt)
        call = world.served.gemini.Generate(request, metadata=[("x-request-id", "given-up")])
        await emulator.wait_for(lambda seen: seen.received == 1)
        call.cancel()
        await emulator.wait_for(lambda seen: seen.disconnected == 1)
        assert (await world.told.line("call ended"))["ended"] == "CANCELLED"
        assert (await world.figures()).of("sidecar_attempts_total", ended="CANCELLED") == 1

    (line,) = [line for line in lines_of(capfd) if line["message"] == "call ended"]
    assert (line["request_id"], line["ended"]) == ("given-up", "CANCELLED")


async def test_no_prompt_answer_or_credential_is_ever_shown(emulator, tmp_path, capfd):
    """In no log line of any level, in no figure and no error: not even where the upstream quotes it."""
    shown = []
    async with failing_world(emulator, tmp_path) as world:
        hidden = [("x-goog-api-key", "sesame")]
        for rpc in ("Generate", "StreamGenerate", "CountTokens", "EmbedContent", "GetModel"):
            for model in (MODEL, "account", *FAILING):
                ended = await world.ask(rpc, model, metadata=hidden)
                shown.append(f"{ended.message} {ended.details} {ended.trailers}")
        for metadata in (hidden, [("authorization", "Bearer sesame")], [("authorization", "sesame")]):
            ended = await world.ask(
                "Generate", prompt=f"{PROMPT} [[emulate: fault=error_event]]", metadata=metadata
            )
            shown.append(f"{ended.message} {ended.details} {ended.trailers}")
        shown += [ended.message, repr(world.served.sidecar), (await world.figures()).text]
        ends = {fields["ended"] for message, fields in world.told.lines if message == "call ended"}
    shown += [capfd.readouterr().err, str(world.told.lines)]

    assert ends >= {"OK", "UPSTREAM_CREDENTIALS", "UPSTREAM_QUOTA", "UPSTREAM_MALFORMED", "UNAUTHENTICATED"}
    assert "has been suspended" in shown[-2]
    for what, secret in SECRETS.items():
        assert [text for text in shown if secret in text] == [], f"the {what} is shown"
    assert [text for text in shown if "PRIVATE KEY" in text] == []


@asynccontextmanager
async def failing_world(emulator, folder):
    """One project for every way to fail, each reached by a model of its name."""
    async with upstream.serving(google_account.refuses()) as tokens, every_failure() as servers:
        account = google_account.credentials_file(folder, tokens.base_url)
        endpoints = [
            facts.gemini(emulator.base_url, project="good", keys=(Secret(KEY),)),
            facts.vertex(emulator.base_url, project="account", credentials_file=account),
            *(facts.gemini(url, project=name, keys=(Secret(KEY),)) for name, url in servers.items()),
        ]
        routes = {MODEL: ModelRoute(MODEL, ("good",)), "account": ModelRoute(MODEL, ("account",))}
        routes |= {name: ModelRoute(name, (name,)) for name in FAILING}
        async with world_of(*endpoints, routes=routes) as world:
            yield world


@asynccontextmanager
async def every_failure():
    async with AsyncExitStack() as stack:
        yield {
            name: (await stack.enter_async_context(upstream.serving(script))).base_url
            for name, script in FAILING.items()
        }


async def test_the_operator_reads_which_key_was_refused_and_why(emulator, tmp_path):
    async with failing_world(emulator, tmp_path) as world:
        await world.ask("Generate", "suspended")
        line = await world.told.line("call ended")
    assert line["attempts"][0]["project"] == "suspended"
    assert "Consumer 'api_key:****' has been suspended" in line["error"]


async def test_figures_add_up_to_what_was_called(world):
    whole = [await world.ask("Generate") for _ in range(3)]
    streamed = await world.ask("StreamGenerate", prompt="hello [[emulate: chunks=4]]")
    await world.ask("CountTokens")
    await world.ask("Generate", "")
    await world.ask("Generate", prompt="hello [[emulate: fault=unavailable]]")
    await world.ask("StreamGenerate", prompt="hello [[emulate: fault=error_event after=2 chunks=3]]")

    figures = await world.figures()

    def calls(method, **labels):
        name = "rpc_server_call_duration_seconds_count"
        return figures.of(name, rpc_method=f"sidecar.v1.GeminiService/{method}", **labels)

    assert calls("Generate") == 5
    assert calls("Generate", rpc_response_status_code="OK") == 3
    assert calls("Generate", rpc_response_status_code="INVALID_ARGUMENT", error_type="INVALID_REQUEST") == 1
    assert calls("Generate", rpc_response_status_code="UNAVAILABLE", error_type="UPSTREAM_UNAVAILABLE") == 1
    assert calls("StreamGenerate", rpc_response_status_code="OK") == 1
    assert calls("StreamGenerate", rpc_response_status_code="ABORTED") == 1
    assert calls("CountTokens", rpc_response_status_code="OK") == 1
    assert figures.of("sidecar_calls_in_flight") == 0
    assert figures.of("sidecar_stream_chunks_total") == 4 + 2
    assert figures.of("sidecar_attempts_total", project="main", model=MODEL) == 7 + 2
    assert figures.of("sidecar_retries_total", project="main", reason="UPSTREAM_UNAVAILABLE") == 2
    assert figures.of("sidecar_attempts_total", ended="OK") == 5

    answered = [reply.usage_metadata for ended in whole for reply in ended.replies]
    answered.append(streamed.replies[-1].usage_metadata)
    tokens = {"gen_ai_token_type": "output", "gen_ai_operation_name": "generate_content"}
    interrupted = figures.of("gen_ai_client_token_usage_count", **tokens) - len(answered)
    assert interrupted == 1
    assert figures.of("gen_ai_server_time_to_first_token_seconds_count") == 2


async def test_tokens_are_booked_as_upstream_counted_them(world):
    ended = await world.ask("Generate")
    usage = ended.replies[0].usage_metadata
    figures = await world.figures()
    said_tokens = usage.candidates_token_count + usage.thoughts_token_count
    assert figures.of("gen_ai_client_token_usage_sum", gen_ai_token_type="input") == usage.prompt_token_count
    assert figures.of("gen_ai_client_token_usage_sum", gen_ai_token_type="output") == said_tokens


async def test_calls_in_flight_and_shed_ones_are_seen_while_they_last(emulator):
    held = generate_pb2.GenerateRequest(model=MODEL, prompt="hello [[emulate: fault=stall]]")
    telemetry = {"address": "127.0.0.1:0", "log_level": "info"}
    policy = facts.policy(facts.gemini(emulator.base_url))
    with listening() as told:
        async with serving(policy, telemetry=telemetry, listen={"max_in_flight": 1}) as served:
            world = World(served, told)
            call = served.gemini.Generate(held)
            await emulator.wait_for(lambda seen: seen.received == 1)
            assert (await world.ask("Generate")).reason == "OVERLOADED"
            figures = await world.figures()
            call.cancel()

    assert figures.of("sidecar_calls_in_flight", rpc_method="sidecar.v1.GeminiService/Generate") == 1
    assert figures.of("sidecar_calls_shed_total", reason="OVERLOADED") == 1
    assert figures.of("sidecar_attempts_total") == 0


async def test_readiness_flips_when_draining_begins_and_figures_stay():
    finish = asyncio.Event()
    begin, end = chunk(event(said("first"))), chunk(event(said("last", "STOP"))) + LAST_CHUNK
    async with (
        upstream.serving(plays(STREAM_HEAD, begin, finish, end)) as slow,
        world_of(facts.gemini(slow.base_url)) as world,
    ):
        address = await world.address()
        assert await get(address, "/readyz") == (200, "ready\nlimits: unused\n")
        request = generate_pb2.StreamGenerateRequest(model="m", prompt="hi")
        call = world.served.gemini.StreamGenerate(request)
        await call.read()

        drain = asyncio.create_task(world.served.sidecar.drain())
        await asyncio.sleep(0)  # it says no before its first wait
        assert await get(address, "/readyz") == (503, "draining\nlimits: unused\n")
        assert await get(address, "/healthz") == (200, "ok\n")
        assert (await world.figures()).of("sidecar_calls_in_flight") == 1
        assert not drain.done()

        finish.set()
        assert (await call.read()).candidates[0].finish_reason
        assert await call.code() is grpc.StatusCode.OK
        await drain
        assert await get(address, "/readyz") == (503, "draining\nlimits: unused\n")
