"""What one generation of models refuses and another takes."""

import pytest

from sidecar.emulator.decode import decode
from sidecar.emulator.errors import ApiError
from sidecar.emulator.models import MODELS
from sidecar.emulator.rules import check_generate
from tests.unit.emulator.builders import MODEL, prompt

_FOURTH = "gemini-4-argon"


def _check(model, **fields):
    check_generate(MODELS[model], prompt(**fields))


def _thinking(**thinking):
    return {"generationConfig": {"thinkingConfig": thinking}}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"thinkingConfig": {"thinkingBudget": 100}}, "thinking_config.thinking_budget"),
        ({"thinkingConfig": {"thinkingBudget": -1}}, "thinking_config.thinking_budget"),
        ({"thinkingConfig": {"thinkingLevel": "MINIMAL"}}, "thinking_config.thinking_level"),
        ({"presencePenalty": 0.0}, "presence_penalty"),
        ({"frequencyPenalty": 0.5}, "frequency_penalty"),
        ({"candidateCount": 2}, "candidate_count"),
    ],
)
def test_the_fourth_generation_refuses_what_the_third_takes(config, field):
    with pytest.raises(ApiError) as refusal:
        _check(_FOURTH, generationConfig=config)
    [violation] = refusal.value.details[0]["fieldViolations"]
    assert (refusal.value.code, violation["field"]) == (400, f"generation_config.{field}")
    _check("gemini-3.6-flash", generationConfig=config)


@pytest.mark.parametrize(
    ("model", "levels"),
    [
        ("gemini-4-neon", "LOW MEDIUM HIGH XHIGH"),
        ("gemini-3.8-flash", "LOW MEDIUM HIGH"),
        ("gemini-3.6-flash", "MINIMAL LOW MEDIUM HIGH"),
        ("gemini-3.1-pro-preview", "LOW MEDIUM HIGH"),
        ("gemini-2.5-flash", ""),
    ],
)
def test_each_model_has_its_thinking_levels(model, levels):
    known = levels.split()
    for level in known:
        _check(model, **_thinking(thinkingLevel=level))
    for level in {"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"} - set(known):
        with pytest.raises(ApiError, match=r"Thinking level .* supported are: "):
            _check(model, **_thinking(thinkingLevel=level))
    _check(model, **_thinking(thinkingLevel="THINKING_LEVEL_UNSPECIFIED"))


@pytest.mark.parametrize(
    ("model", "good", "bad"),
    [
        ("gemini-2.5-pro", [-1, 128, 32_768], [-2, 0, 127, 32_769]),
        ("gemini-2.5-flash", [-1, 0, 24_576], [24_577]),
        ("gemini-2.5-flash-lite", [-1, 0, 512, 24_576], [1, 511]),
        ("gemini-3.8-flash", [-1, 0, 99_999], []),
    ],
)
def test_a_thinking_budget_has_its_range(model, good, bad):
    for budget in good:
        _check(model, **_thinking(thinkingBudget=budget))
    for budget in bad:
        with pytest.raises(ApiError, match="thinking budget"):
            _check(model, **_thinking(thinkingBudget=budget))


@pytest.mark.parametrize("model", [MODEL, _FOURTH])
def test_a_budget_and_a_level_exclude_each_other(model):
    with pytest.raises(ApiError, match="only one of thinking budget and thinking level"):
        _check(model, **_thinking(thinkingBudget=500, thinkingLevel="LOW"))


def test_the_fourth_generation_has_its_answers_not_prefilled():
    turns = [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "Sure:"}]}]
    check_generate(MODELS[MODEL], {"contents": turns})
    with pytest.raises(ApiError, match="end with a turn of the user"):
        check_generate(MODELS[_FOURTH], {"contents": turns})


def test_only_the_fourth_generation_goes_on():
    with pytest.raises(ApiError, match="Continuation is not supported"):
        _check(MODEL, continuationToken="AAAA")


def test_a_reply_of_the_fourth_generation_may_be_longer_than_a_hop():
    _check(_FOURTH, generationConfig={"maxOutputTokens": 200_000})
    with pytest.raises(ApiError, match="maxOutputTokens"):
        _check(MODEL, generationConfig={"maxOutputTokens": 200_000})


@pytest.mark.parametrize("tier", ["flex", "STANDARD", "Priority", "unspecified"])
def test_known_service_tiers_are_taken_in_any_case(tier):
    _check(MODEL, serviceTier=tier)


def test_an_unknown_service_tier_is_refused():
    with pytest.raises(ApiError, match="Invalid service_tier 'gold'"):
        _check(MODEL, serviceTier="gold")


@pytest.mark.parametrize(
    ("part", "second"),
    [
        ({"text": "a", "inlineData": {"mimeType": "image/png", "data": ""}}, "inlineData"),
        ({"inline_data": {"mime_type": "image/png", "data": ""}, "text": "a"}, "text"),
        ({"function_call": {"name": "f"}, "functionResponse": {"name": "f"}}, "functionResponse"),
    ],
)
def test_a_part_has_one_kind_of_data(part, second):
    with pytest.raises(ApiError) as refusal:
        decode("GenerateContentRequest", {"contents": [{"parts": [{"text": "ok"}, part]}]})
    [violation] = refusal.value.details[0]["fieldViolations"]
    assert violation["field"] == "contents[0].parts[1]"
    assert violation["description"] == (
        "Invalid value at 'contents[0].parts[1]' (oneof), "
        f"oneof field 'data' is already set. Cannot set '{second}'"
    )


def test_a_part_may_have_data_and_what_describes_it():
    part = {"text": "a", "thought": True, "thoughtSignature": "AAAA"}
    assert decode("GenerateContentRequest", {"contents": [{"parts": [part]}]})["contents"][0]["parts"] == [
        part
    ]


_CALL = {"functionCall": {"name": "f"}}
_SIGNED = _CALL | {"thoughtSignature": "AAAA"}
_ASKED = {"role": "user", "parts": [{"text": "hi"}]}
_ANSWERED = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}


def _called(*parts):
    return {"role": "model", "parts": list(parts)}


@pytest.mark.parametrize(
    "contents",
    [
        [_ASKED, _called(_SIGNED), _ANSWERED],
        [_ASKED, _called({"text": "Let me see."}, _SIGNED, _CALL), _ANSWERED],
        [_ASKED, _called(_CALL), _ANSWERED, _called({"text": "So."}), _ASKED],
        [_ASKED],
    ],
    ids=["signed", "first-of-two", "earlier-turn", "no-call"],
)
def test_a_signed_call_may_come_back(contents):
    check_generate(MODELS[MODEL], {"contents": contents})


@pytest.mark.parametrize(
    "contents",
    [
        [_ASKED, _called(_CALL), _ANSWERED],
        [_ASKED, _called(_CALL, _SIGNED), _ANSWERED],
        [_ASKED, _called(_CALL), _ANSWERED, _called(_SIGNED), _ANSWERED],
    ],
    ids=["unsigned", "second-of-two", "first-step"],
)
def test_a_call_that_lost_its_signature_is_refused_but_by_early_models(contents):
    with pytest.raises(ApiError, match="missing a thought_signature"):
        check_generate(MODELS[MODEL], {"contents": contents})
    check_generate(MODELS["gemini-2.5-flash"], {"contents": contents})
