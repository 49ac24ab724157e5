"""What search and URL tools, tiers and caches add to a reply."""

import pytest

from tests.unit.emulator.builders import generation, prompt, said

_SEARCH = [{"googleSearch": {}}]


def test_an_answer_of_a_search_names_sources_for_its_sentences():
    reply = generation(prompt("Where is the ferry?", tools=_SEARCH)).whole_reply()
    grounding = reply["candidates"][0]["groundingMetadata"]
    assert grounding["webSearchQueries"] == ["Where is the ferry?"]
    assert grounding["searchEntryPoint"]["renderedContent"]
    text = said(reply).encode()
    assert len(grounding["groundingSupports"]) == 3
    for support in grounding["groundingSupports"]:
        segment = support["segment"]
        assert text[segment["startIndex"] : segment["endIndex"]].decode() == segment["text"]
        assert all(index < len(grounding["groundingChunks"]) for index in support["groundingChunkIndices"])


def test_a_stream_names_its_sources_at_the_end():
    chunks = list(generation(prompt(tools=_SEARCH), "chunks=4").chunks())
    assert ["groundingMetadata" in chunk["candidates"][0] for chunk in chunks] == [False, False, False, True]


@pytest.mark.parametrize("script", ["finish=SAFETY", "blocked=SAFETY"])
def test_what_is_withheld_has_no_sources(script):
    reply = generation(prompt(tools=_SEARCH), script).whole_reply()
    assert all("groundingMetadata" not in candidate for candidate in reply.get("candidates", ()))


def test_without_the_tool_there_are_no_sources():
    candidate = generation(prompt("See https://example.com/a.")).whole_reply()["candidates"][0]
    assert not {"groundingMetadata", "urlContextMetadata"} & set(candidate)


def test_pages_of_the_prompt_are_named_and_counted():
    text = "Compare https://example.com/a, https://example.com/b and (https://example.com/a)."
    reply = generation(prompt(text, tools=[{"urlContext": {}}])).whole_reply()
    pages = reply["candidates"][0]["urlContextMetadata"]["urlMetadata"]
    assert [page["retrievedUrl"] for page in pages] == ["https://example.com/a", "https://example.com/b"]
    usage = reply["usageMetadata"]
    assert usage["toolUsePromptTokenCount"] == 1500
    assert usage["toolUsePromptTokensDetails"] == [{"modality": "TEXT", "tokenCount": 1500}]
    names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    assert usage["totalTokenCount"] == sum(usage[name] for name in names)


def test_a_script_can_play_a_downgrade():
    reply = generation(prompt(serviceTier="priority"), "tier=standard").whole_reply()
    assert reply["usageMetadata"]["serviceTier"] == "standard"


def test_a_script_can_play_an_implicit_cache():
    some = generation(prompt(), "cached=3").whole_reply()["usageMetadata"]
    assert (some["cachedContentTokenCount"], some["cacheTokensDetails"]) == (
        3,
        [{"modality": "TEXT", "tokenCount": 3}],
    )
    most = generation(prompt(), "cached=1000000").whole_reply()["usageMetadata"]
    assert most["cachedContentTokenCount"] == most["promptTokenCount"]
