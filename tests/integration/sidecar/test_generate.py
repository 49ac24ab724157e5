"""Generate and StreamGenerate through the Developer API: what the caller gets, and what is said upstream."""

import base64
import json

import grpc
import pytest

from sidecar.v1 import candidate_pb2, generate_pb2, usage_pb2
from tests.support import facts
from tests.support.rpc import ask, end_of
from tests.support.sidecar import serving
from tests.support.told import no_tracebacks
from tests.support.upstream import STREAM_HEAD, answers, chunk, event, plays, said
from tests.support.upstream import serving as upstream_serving

MODEL = facts.MODEL
PIXEL = bytes.fromhex("89504e470d0a1a0a") + bytes(range(256))

WEATHER = {
    "name": "weather",
    "description": "Weather of a place",
    "parameters": {
        "type": "SCHEMA_TYPE_OBJECT",
        "properties": {
            "place": {"type": "SCHEMA_TYPE_STRING", "min_length": 1},
            "days": {"type": "SCHEMA_TYPE_INTEGER", "maximum": 7.0, "nullable": True},
        },
        "required": ["place"],
    },
    "behavior": "BEHAVIOR_BLOCKING",
}
WEATHER_SAID = {
    "name": "weather",
    "description": "Weather of a place",
    "parameters": {
        "type": "OBJECT",
        "properties": {
            "place": {"type": "STRING", "minLength": "1"},
            "days": {"type": "INTEGER", "maximum": 7, "nullable": True},
        },
        "required": ["place"],
    },
    "behavior": "BLOCKING",
}


def base64_of(value):
    return base64.b64encode(value).decode()


def seen_by(emulator):
    """The last request that the emulator has had."""
    return emulator.observed.requests[-1]


async def test_generate_says_upstream_all_that_the_request_has(emulator, served):
    request = generate_pb2.GenerateRequest(
        model=MODEL,
        contents=[
            {
                "role": "user",
                "parts": [
                    {"text": "What is this? [[emulate: words=5]]"},
                    {
                        "inline_data": {"mime_type": "image/png", "data": PIXEL},
                        "media_resolution": {"level": "MEDIA_RESOLUTION_HIGH"},
                    },
                    {"file_data": {"mime_type": "video/mp4", "file_uri": "https://files.test/v1"}},
                ],
            }
        ],
        system_instruction={"parts": [{"text": "Be brief."}]},
        generation_config={
            "temperature": 0.7,
            "top_p": 0.95,
            "top_k": 40,
            "candidate_count": 2,
            "max_output_tokens": 4096,
            "stop_sequences": ["STOP!"],
            "presence_penalty": 0.0,
            "seed": -7,
            "response_mime_type": "application/json",
            "response_schema": {"type": "SCHEMA_TYPE_ARRAY", "items": {"type": "SCHEMA_TYPE_STRING"}},
            "thinking_config": {"include_thoughts": True, "thinking_level": "THINKING_LEVEL_LOW"},
        },
        safety_settings=[
            {
                "category": "HARM_CATEGORY_HARASSMENT",
                "threshold": "HARM_BLOCK_THRESHOLD_BLOCK_ONLY_HIGH",
            },
            {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "HARM_BLOCK_THRESHOLD_OFF"},
        ],
        tools=[{"function_declarations": [WEATHER]}, {"google_search": {}}],
        tool_config={"function_calling_config": {"mode": "FUNCTION_CALLING_MODE_AUTO"}},
        cached_content="cachedContents/abc",
        labels={"team": "search", "env": "test"},
        service_tier="SERVICE_TIER_PRIORITY",
    )

    reply = await served.gemini.Generate(request, timeout=20, metadata=[("x-request-id", "rich-1")])

    said = seen_by(emulator)
    assert (said.method, said.path) == ("POST", f"/v1beta/models/{MODEL}:generateContent")
    assert said.headers["x-request-id"] == "rich-1"
    assert said.headers["x-server-timeout"] == "20"
    assert said.headers["content-type"] == "application/json"
    assert said.body == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "What is this? [[emulate: words=5]]"},
                    {
                        "inlineData": {"mimeType": "image/png", "data": base64_of(PIXEL)},
                        "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"},
                    },
                    {"fileData": {"mimeType": "video/mp4", "fileUri": "https://files.test/v1"}},
                ],
            }
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "temperature": 0.7,
            "topP": 0.95,
            "topK": 40,
            "candidateCount": 2,
            "maxOutputTokens": 4096,
            "stopSequences": ["STOP!"],
            "presencePenalty": 0,
            "seed": -7,
            "responseMimeType": "application/json",
            "responseSchema": {"type": "ARRAY", "items": {"type": "STRING"}},
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
        },
        "safetySettings": [
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"},
            {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"},
        ],
        "tools": [{"functionDeclarations": [WEATHER_SAID]}, {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "cachedContent": "cachedContents/abc",
        "labels": {"team": "search", "env": "test"},
        "serviceTier": "priority",
    }
    assert [candidate.index for candidate in reply.candidates] == [0, 1]
    for candidate in reply.candidates:
        thought, answer = candidate.content.parts
        assert thought.thought
        assert thought.thought_signature
        assert isinstance(json.loads(answer.text), list)
        assert candidate.finish_reason == candidate_pb2.FINISH_REASON_STOP
    usage = reply.usage_metadata
    assert usage.total_token_count == (
        usage.prompt_token_count + usage.candidates_token_count + usage.thoughts_token_count
    )
    assert usage.service_tier == usage_pb2.SERVICE_TIER_PRIORITY
    assert reply.model_version == MODEL
    assert reply.response_id


async def test_the_report_tells_who_served_and_how(served):
    ended = await ask(
        served.gemini,
        "Generate",
        generate_pb2.GenerateRequest(model=MODEL, prompt="hello"),
        metadata=[("x-request-id", "report-1")],
    )

    (reply,) = ended.replies
    report = reply.call
    assert report.request_id == ended.trailers["x-request-id"] == "report-1"
    assert (report.served.project, report.served.model) == ("main", MODEL)
    assert report.served.service_tier == usage_pb2.SERVICE_TIER_STANDARD
    (attempt,) = report.attempts
    assert (attempt.number, attempt.project, attempt.status) == (1, "main", "OK")
    assert 0 < attempt.latency.ToMicroseconds() < 20_000_000


async def test_a_project_that_cannot_be_reached_is_passed_over_and_reported(emulator):
    gone = facts.gemini("http://127.0.0.1:1", project="gone")
    policy = facts.policy(gone, facts.gemini(emulator.base_url, level=1))
    async with serving(policy) as served:
        reply = await served.gemini.Generate(generate_pb2.GenerateRequest(model=MODEL, prompt="hello"))

    tried = [(attempt.number, attempt.project, attempt.status) for attempt in reply.call.attempts]
    assert tried == [(1, "gone", "UNAVAILABLE"), (2, "main", "OK")]
    assert reply.call.served.project == "main"
    assert emulator.observed.received == 1


@pytest.mark.parametrize(
    ("timeout_s", "told"), [(12.0, "12"), (9.0, None), (None, "600")], ids=["long", "short", "none"]
)
async def test_upstream_is_told_the_time_that_is_left_when_it_would_accept_it(
    emulator, served, timeout_s, told
):
    request = generate_pb2.GenerateRequest(model=MODEL, prompt="hello")
    await served.gemini.Generate(request, timeout=timeout_s)
    assert seen_by(emulator).headers.get("x-server-timeout") == told


@pytest.mark.parametrize("bad_id", ["", "a b", "a;b", "x" * 129], ids=["empty", "space", "mark", "long"])
async def test_an_unusable_request_id_is_replaced_by_one_of_ours(emulator, served, bad_id):
    request = generate_pb2.GenerateRequest(model=MODEL, prompt="hello")
    ended = await ask(served.gemini, "Generate", request, metadata=[("x-request-id", bad_id)])

    minted = ended.trailers["x-request-id"]
    assert len(minted) == 32
    assert int(minted, 16)
    assert seen_by(emulator).headers["x-request-id"] == minted
    assert ended.replies[0].call.request_id == minted


async def test_a_function_call_comes_back_with_its_signature_byte_for_byte(emulator, served):
    tools = [{"function_declarations": [WEATHER]}]
    question = {"role": "user", "parts": [{"text": "Rain in Paris? [[emulate: call=weather]]"}]}
    first = await served.gemini.Generate(
        generate_pb2.GenerateRequest(model=MODEL, contents=[question], tools=tools)
    )
    (part,) = first.candidates[0].content.parts
    assert part.function_call.name == "weather"
    assert "place" in json.loads(part.function_call.args_json)
    assert len(part.thought_signature) == 48

    answer = {
        "id": part.function_call.id,
        "name": "weather",
        "response_json": '{"rain": true, "mm": 12345678901234567}',
    }
    second = generate_pb2.GenerateRequest(
        model=MODEL,
        contents=[
            {"role": "user", "parts": [{"text": "Rain in Paris?"}]},
            first.candidates[0].content,
            {"role": "user", "parts": [{"function_response": answer}]},
        ],
        tools=tools,
    )
    reply = await served.gemini.Generate(second)

    assert reply.candidates[0].content.parts[0].text
    _, called, answered = seen_by(emulator).body["contents"]
    assert called["parts"] == [
        {
            "functionCall": {
                "id": part.function_call.id,
                "name": "weather",
                "args": json.loads(part.function_call.args_json),
            },
            "thoughtSignature": base64_of(part.thought_signature),
        }
    ]
    assert answered["parts"][0]["functionResponse"]["response"] == {"rain": True, "mm": 12345678901234567}


async def test_a_blocked_prompt_is_an_answer(served):
    request = generate_pb2.GenerateRequest(model=MODEL, prompt="bad [[emulate: blocked=SAFETY]]")
    reply = await served.gemini.Generate(request)
    assert not reply.candidates
    assert reply.prompt_feedback.block_reason == 1
    assert reply.prompt_feedback.safety_ratings[0].blocked


async def test_a_stream_gives_running_usage_and_reports_on_its_first_chunk_and_the_cost_on_its_last(
    emulator, served
):
    request = generate_pb2.StreamGenerateRequest(model=MODEL, prompt="hello [[emulate: chunks=5 words=40]]")
    ended = await ask(served.gemini, "StreamGenerate", request, metadata=[("x-request-id", "stream-1")])

    chunks = ended.replies
    assert (ended.code, len(chunks)) == (grpc.StatusCode.OK, 5)
    totals = [chunk.usage_metadata.total_token_count for chunk in chunks]
    assert totals == sorted(set(totals))
    assert [chunk.HasField("call") for chunk in chunks] == [True, False, False, False, True]
    assert [field.name for field, _ in chunks[-1].call.ListFields()] == ["cost"]
    assert chunks[0].call.request_id == "stream-1"
    assert [(attempt.number, attempt.status) for attempt in chunks[0].call.attempts] == [(1, "OK")]
    finishes = [chunk.candidates[0].finish_reason for chunk in chunks]
    assert finishes == [0, 0, 0, 0, candidate_pb2.FINISH_REASON_STOP]
    said = seen_by(emulator)
    assert said.path == f"/v1beta/models/{MODEL}:streamGenerateContent"
    assert said.body == {"contents": [{"role": "user", "parts": [{"text": request.prompt}]}]}

    whole = await served.gemini.Generate(generate_pb2.GenerateRequest(model=MODEL, prompt=request.prompt))
    text = "".join(part.text for chunk in chunks for part in chunk.candidates[0].content.parts)
    assert text == whole.candidates[0].content.parts[0].text
    assert totals[-1] == whole.usage_metadata.total_token_count


async def test_a_stream_survives_comments_that_keep_it_alive(served):
    prompt = "hello [[emulate: fault=comments chunks=3]]"
    request = generate_pb2.StreamGenerateRequest(model=MODEL, prompt=prompt)
    ended = await ask(served.gemini, "StreamGenerate", request)
    assert (ended.code, len(ended.replies)) == (grpc.StatusCode.OK, 3)


async def test_a_caller_who_does_not_read_still_gets_what_was_written_and_the_status():
    """A write that waits for the caller is not in the way of the status when the deadline comes."""
    request = generate_pb2.StreamGenerateRequest(model="m", prompt="hi")
    part = chunk(event(said("x" * 1_000_000)))
    async with upstream_serving(plays(STREAM_HEAD, part, part, part)) as upstream:
        policy = facts.policy(facts.gemini(upstream.base_url))
        async with serving(policy, deadline={"default": 0.3, "margin": 0.05}) as served:
            with no_tracebacks():
                call = served.gemini.StreamGenerate(request)
                await upstream.disconnected()
                ended = await end_of(call, is_stream=True)
            assert served.sidecar.limits.open == 0

    assert (ended.code, ended.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert ended.replies
    assert all(len(reply.candidates[0].content.parts[0].text) == 1_000_000 for reply in ended.replies)


async def test_a_stale_connection_costs_one_attempt_that_is_told(emulator, served):
    stale = generate_pb2.GenerateRequest(model=MODEL, prompt="hello [[emulate: fault=stale]]")
    await served.gemini.Generate(stale)
    reply = await served.gemini.Generate(generate_pb2.GenerateRequest(model=MODEL, prompt="hello"))
    assert [attempt.status for attempt in reply.call.attempts] == ["UNAVAILABLE", "OK"]
    assert emulator.observed.received == 3


async def test_extra_json_goes_both_ways_when_the_policy_allows_it():
    answer = {
        "candidates": [
            {
                "content": {"parts": [{"text": "ok", "newPart": [1]}], "role": "model"},
                "finishReason": "NEWER_REASON",
                "newScore": 0.5,
            }
        ],
        "newTop": {"deep": 12345678901234567},
    }
    async with upstream_serving(answers(answer)) as upstream:
        policy = facts.policy(facts.gemini(upstream.base_url), unknown_fields=True)
        async with serving(policy) as served:
            reply = await served.gemini.Generate(
                generate_pb2.GenerateRequest(
                    model=MODEL,
                    prompt="hi",
                    generation_config={"temperature": 1.0, "extra_json": '{"newKnob": {"on": true}}'},
                    extra_json='{"newField": 12345678901234567}',
                )
            )
        (request,) = upstream.requests

    assert request.json == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"temperature": 1, "newKnob": {"on": True}},
        "newField": 12345678901234567,
    }
    assert json.loads(reply.extra_json) == {"newTop": {"deep": 12345678901234567}}
    (candidate,) = reply.candidates
    assert json.loads(candidate.extra_json) == {"finishReason": "NEWER_REASON", "newScore": 0.5}
    assert json.loads(candidate.content.parts[0].extra_json) == {"newPart": [1]}
