"""Replies: deterministic, within their limits, equal whole and in chunks."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.emulator.errors import ApiError
from sidecar.emulator.routes import Face
from sidecar.emulator.tokens import tokenizer_for
from tests.unit.emulator.builders import MODEL, generation, prompt, said

_FUNCTION = {
    "name": "get_weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
_TOOLS = [{"functionDeclarations": [_FUNCTION, {"name": "get_time"}]}]


def test_the_same_request_gets_the_same_reply():
    assert generation().whole_reply() == generation().whole_reply()
    assert generation().whole_reply() != generation(prompt("And the sea?")).whole_reply()


def test_the_reply_quotes_the_prompt_and_names_the_model():
    text = said(generation().whole_reply())
    assert text.startswith('You asked: "Why is the sky blue?" This is the Gemini emulator')
    assert MODEL in text


def test_the_quotation_is_short_and_free_of_directives():
    text = said(generation(prompt("[[emulate: words=99]] " + "sea " * 100)).whole_reply())
    assert "emulate:" not in text
    assert text.split('"')[1].endswith("sea ...")
    assert len(text.split('"')[1]) <= 64


@pytest.mark.parametrize(
    ("parts", "beginning"),
    [
        ([{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}], "You sent 1 file and no words."),
        ([{"functionResponse": {"name": "f", "response": {"t": 21}}}], 'The function f answered {"t":21}'),
        ([{"text": " "}], "You said nothing"),
    ],
)
def test_the_reply_addresses_what_came_instead_of_words(parts, beginning):
    assert said(generation({"contents": [{"parts": parts}]}).whole_reply()).startswith(beginning)


@pytest.mark.parametrize("count", [1, 7, 200, 5000])
def test_the_length_obeys_the_directive(count):
    assert len(said(generation(script=f"words={count}").whole_reply()).split()) == count


@given(st.integers(1, 400), st.sampled_from(["words=300", "words=30", "words=30 chunks=7"]))
def test_thoughts_and_text_stay_within_max_output_tokens(limit, script):
    reply = generation(prompt(generationConfig={"maxOutputTokens": limit}), script).whole_reply()
    usage = reply["usageMetadata"]
    assert usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0) <= limit
    assert usage.get("thoughtsTokenCount", 0) <= limit / 2


def test_a_text_cut_short_finishes_with_max_tokens_and_a_complete_one_with_stop():
    short = generation(prompt(generationConfig={"maxOutputTokens": 20}), "words=300").whole_reply()
    assert short["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert said(generation(script="words=300").whole_reply()).startswith(said(short))
    assert generation().whole_reply()["candidates"][0]["finishReason"] == "STOP"


def test_the_text_ends_before_the_first_stop_sequence():
    reply = generation(prompt(generationConfig={"stopSequences": ["emulator", "zebra"]})).whole_reply()
    assert said(reply) == 'You asked: "Why is the sky blue?" This is the Gemini '
    assert reply["candidates"][0]["finishReason"] == "STOP"


def test_usage_adds_up_and_equals_what_count_tokens_would_say():
    reply = generation().whole_reply()
    usage, tokenizer = reply["usageMetadata"], tokenizer_for(MODEL)
    assert usage["promptTokenCount"] == tokenizer.count("Why is the sky blue?")
    assert usage["candidatesTokenCount"] == tokenizer.count(said(reply))
    total = usage["promptTokenCount"] + usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    assert usage["totalTokenCount"] == total
    assert usage["promptTokensDetails"] == [{"modality": "TEXT", "tokenCount": usage["promptTokenCount"]}]


def test_usage_names_the_tier_on_the_developer_api_and_the_traffic_on_vertex():
    assert generation().whole_reply()["usageMetadata"]["serviceTier"] == "standard"
    flex = generation(prompt(serviceTier="FLEX")).whole_reply()
    assert flex["usageMetadata"]["serviceTier"] == "flex"
    vertex = generation(face=Face.VERTEX).whole_reply()["usageMetadata"]
    assert vertex["trafficType"] == "ON_DEMAND"
    assert "serviceTier" not in vertex


@pytest.mark.parametrize("script", ["", "words=200", "words=200 chunks=5", "words=2 chunks=5", "chunks=60"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("shows_thoughts", [False, True])
def test_the_chunks_of_a_stream_make_up_the_whole_reply(script, count, shows_thoughts):
    config = {"candidateCount": count, "thinkingConfig": {"includeThoughts": shows_thoughts}}
    made = generation(prompt(generationConfig=config), script)
    reply, chunks = made.whole_reply(), list(made.chunks())

    for index in range(count):
        pieces = [
            candidate for chunk in chunks for candidate in chunk["candidates"] if candidate["index"] == index
        ]
        text = "".join(said({"candidates": [piece]}) for piece in pieces)
        assert text == said(reply, index)
        assert ["finishReason" in piece for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert chunks[-1]["usageMetadata"] == reply["usageMetadata"]
    assert {chunk["responseId"] for chunk in chunks} == {reply["responseId"]}
    assert {chunk["modelVersion"] for chunk in chunks} == {MODEL}


def test_usage_of_chunks_is_a_running_total():
    counts = [
        chunk["usageMetadata"]["candidatesTokenCount"] for chunk in generation(script="words=99").chunks()
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@pytest.mark.parametrize("count", [1, 5, 60])
def test_a_stream_has_the_number_of_chunks_that_was_asked_for(count):
    assert len(list(generation(script=f"chunks={count}").chunks())) == count


def test_thoughts_are_counted_always_and_shown_with_a_signature_on_request():
    hidden = generation().whole_reply()
    shown = generation(prompt(generationConfig={"thinkingConfig": {"includeThoughts": True}})).whole_reply()
    assert hidden["usageMetadata"]["thoughtsTokenCount"] > 0
    assert len(hidden["candidates"][0]["content"]["parts"]) == 1
    thought = shown["candidates"][0]["content"]["parts"][0]
    assert thought["thought"] is True
    assert len(base64.b64decode(thought["thoughtSignature"], validate=True)) == 48


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        ({"thinkingLevel": "MINIMAL"}, range(1)),
        ({"thinkingLevel": "LOW"}, range(5, 30)),
        ({"thinkingLevel": "XHIGH"}, range(60, 200)),
        ({"thinkingBudget": 0}, range(1)),
        ({"thinkingBudget": 9}, range(7, 10)),
        ({"thinkingBudget": -1}, range(20, 60)),
    ],
)
def test_thinking_obeys_level_and_budget(thinking, expected):
    usage = generation(prompt(generationConfig={"thinkingConfig": thinking})).whole_reply()["usageMetadata"]
    assert usage.get("thoughtsTokenCount", 0) in expected


def test_a_model_that_does_not_think_has_no_thoughts_token_count():
    assert (
        "thoughtsTokenCount" not in generation(model="gemini-2.5-flash-lite").whole_reply()["usageMetadata"]
    )


def test_a_scripted_finish_that_withholds_content_shows_none():
    made = generation(script="finish=SAFETY words=40 chunks=4")
    candidate = made.whole_reply()["candidates"][0]
    assert "content" not in candidate
    assert candidate["finishReason"] == "SAFETY"
    assert candidate["safetyRatings"][0]["blocked"] is True
    *before, last = [chunk["candidates"][0] for chunk in made.chunks()]
    assert all("content" in candidate for candidate in before)
    assert "content" not in last


def test_a_scripted_finish_that_leaves_content_keeps_it():
    reply = generation(script="finish=MAX_TOKENS words=40").whole_reply()
    assert len(said(reply).split()) == 40
    assert reply["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_a_blocked_prompt_has_feedback_and_prompt_usage_only():
    made = generation(script="blocked=PROHIBITED_CONTENT")
    reply = made.whole_reply()
    assert "candidates" not in reply
    assert reply["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert reply["usageMetadata"]["totalTokenCount"] == reply["usageMetadata"]["promptTokenCount"]
    assert list(made.chunks()) == [reply]


def test_a_json_schema_is_satisfied():
    schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    text = said(generation(prompt(generationConfig=config)).whole_reply())
    assert text.startswith('{"n":')


def test_json_without_a_schema_is_an_object():
    config = {"responseMimeType": "application/json"}
    assert said(generation(prompt(generationConfig=config)).whole_reply()).startswith('{"answer":"You asked')


def test_an_enum_reply_is_one_of_the_values():
    config = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a", "b"]}}
    assert said(generation(prompt(generationConfig=config)).whole_reply()) in ("a", "b")


def test_a_schema_that_is_none_is_refused_by_name():
    config = {"responseJsonSchema": {"type": "object", "properties": 5}}
    with pytest.raises(ApiError, match="responseJsonSchema cannot be satisfied"):
        generation(prompt(generationConfig=config))


def test_calling_mode_any_is_answered_with_a_call_of_an_allowed_function():
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}}
    made = generation(prompt(tools=_TOOLS, toolConfig=config))
    reply = made.whole_reply()
    part = reply["candidates"][0]["content"]["parts"][0]
    assert part["functionCall"]["name"] == "get_weather"
    assert list(part["functionCall"]["args"]) == ["city"]
    assert part["thoughtSignature"]
    assert reply["usageMetadata"]["candidatesTokenCount"] > 0
    assert list(made.chunks()) == [reply]


def test_tools_alone_are_answered_with_text_and_the_directive_makes_a_call():
    assert said(generation(prompt(tools=_TOOLS)).whole_reply())
    part = generation(prompt(tools=_TOOLS), "call=get_time").whole_reply()["candidates"][0]["content"][
        "parts"
    ][0]
    assert part["functionCall"]["name"] == "get_time"


def test_a_directive_that_calls_an_undeclared_function_is_refused():
    with pytest.raises(ApiError, match="does not declare"):
        generation(script="call=get_time")


def test_candidates_differ():
    reply = generation(prompt(generationConfig={"candidateCount": 3})).whole_reply()
    assert len({said(reply, index) for index in range(3)}) == 3


def test_a_prompt_beyond_the_window_is_refused_with_both_figures():
    with pytest.raises(ApiError, match=r"The input token count \(\d+\) exceeds .* \(1048576\)"):
        generation(prompt("word " * 2_000_000))
