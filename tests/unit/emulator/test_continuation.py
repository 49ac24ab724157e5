"""Replies that are too long for one call, hop by hop."""

import pytest

from sidecar.emulator.caches import Caches
from sidecar.emulator.clock import SystemClock
from sidecar.emulator.errors import ApiError
from sidecar.emulator.files import Files
from sidecar.emulator.prepare import prepare
from sidecar.emulator.storage import Storage
from tests.unit.emulator.builders import call, generation, prompt, said

_FOURTH = "gemini-4-argon"


def _hops(script, request=None):
    """The replies of all hops."""
    request = request or prompt()
    replies = [generation(request, script, model=_FOURTH).whole_reply()]
    while token := replies[-1]["candidates"][0].get("continuationToken"):
        assert len(replies) < 50
        replies.append(
            generation(request | {"continuationToken": token}, script, model=_FOURTH).whole_reply()
        )
    return replies


def test_hops_together_say_what_one_reply_would():
    whole = generation(prompt(), "words=400", model=_FOURTH).whole_reply()
    hops = _hops("words=400 hop=100")
    assert len(hops) > 3
    assert "".join(map(said, hops)) == said(whole)
    finishes = [hop["candidates"][0]["finishReason"] for hop in hops]
    assert finishes == ["CONTINUATION"] * (len(hops) - 1) + ["STOP"]
    assert len({hop["responseId"] for hop in hops}) == len(hops)


def test_no_hop_has_more_tokens_than_its_limit_thoughts_included():
    for number, hop in enumerate(_hops("words=400 hop=100")):
        usage = hop["usageMetadata"]
        assert usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0) <= 100
        assert ("thoughtsTokenCount" in usage) == (number == 0)


def test_the_limit_of_a_reply_holds_over_all_its_hops():
    hops = _hops("words=400 hop=100", prompt(generationConfig={"maxOutputTokens": 250}))
    assert [hop["candidates"][0]["finishReason"] for hop in hops][-1] == "MAX_TOKENS"
    usages = [hop["usageMetadata"] for hop in hops]
    total = sum(usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0) for usage in usages)
    # Each hop rounds its tokens up.
    assert 245 <= total <= 250 + len(hops)


@pytest.mark.parametrize(
    ("method", "tokens"), [("generateContent", 32_768), ("streamGenerateContent", 65_536)]
)
def test_a_hop_ends_after_so_many_tokens_by_itself(method, tokens):
    storage = Storage(Caches(SystemClock()), Files(SystemClock()))
    made = prepare(call(method=method, model=_FOURTH, x_emulate="words=100000 chunks=1"), "p", storage)
    *_, last = made.scene.chunks()
    usage = last["usageMetadata"]
    assert tokens - 5 <= usage["candidatesTokenCount"] + usage["thoughtsTokenCount"] <= tokens
    assert last["candidates"][0]["finishReason"] == "CONTINUATION"


def test_earlier_generations_end_with_max_tokens():
    reply = generation(prompt(), "words=100000 hop=100").whole_reply()
    assert reply["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert "continuationToken" not in reply["candidates"][0]


@pytest.mark.parametrize("token", ["AAAA", "", "aG9wOg=="])
def test_a_token_that_was_not_given_out_is_refused(token):
    with pytest.raises(ApiError, match="Continuation token is invalid"):
        generation(prompt(continuationToken=token), model=_FOURTH)


def test_a_token_is_good_for_its_own_request_only():
    first = generation(prompt("One?"), "words=400 hop=100", model=_FOURTH).whole_reply()
    token = first["candidates"][0]["continuationToken"]
    with pytest.raises(ApiError, match="very request"):
        generation(prompt("Two?", continuationToken=token), "words=400 hop=100", model=_FOURTH)
