"""Upper estimates that learn from answers."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.call import Call, Method
from sidecar.core.cost import ModelPrice, Price, Rate, Rates
from sidecar.core.outcome import Usage
from sidecar.core.quantile import ENOUGH
from sidecar.core.quota import Charge, Unit
from sidecar.limits.estimate import (
    MODELS_MAX,
    OUTPUT_MAX_TOKENS,
    UNKNOWN_CACHE_TOKENS,
    UNKNOWN_OUTPUT_TOKENS,
    Estimate,
    Estimator,
    Key,
)
from tests.support import facts

RATES = Rates(Rate(1_000_000, {"IMAGE": 2_000_000}), Rate(100_000), Rate(10_000_000, {"IMAGE": 30_000_000}))
PRICE = Price(ModelPrice(date.min, RATES))
KEY = Key("spiffe://corp/web", "gemini-3.8-flash")
WORDS = "Good morning to you. " * 50
MEASURED = 354
FILM = {"fileData": {"mimeType": "video/mp4", "fileUri": "files/x"}}
GUESSED = 61_200


def asking(method: Method = Method.GENERATE, *, parts: Any = ({"text": WORDS},), **body: Any) -> Call:
    return facts.call(method, {"contents": [{"parts": list(parts), "role": "user"}], **body})


def wanting(**config: Any) -> Call:
    return asking(generationConfig=config)


def charge(estimator: Estimator, call: Call, key: Key = KEY) -> Estimate:
    return estimator.charge(call, key, PRICE)


def teach(
    estimator: Estimator, usage: Usage, call: Call | None = None, key: Key = KEY, times: int = ENOUGH
) -> None:
    """Let calls be answered with this usage."""
    for _ in range(times):
        estimator.observe(charge(estimator, call or asking(), key), usage)


def test_a_first_call_is_charged_its_measure_and_a_plain_guess_at_its_output() -> None:
    found = charge(Estimator(), asking())
    total = MEASURED + UNKNOWN_OUTPUT_TOKENS
    money = MEASURED + 30 * UNKNOWN_OUTPUT_TOKENS  # the answer may be of pictures
    assert found.charge == Charge(1, MEASURED, total, money, 1)
    assert found.least == Charge(1, MEASURED, MEASURED, MEASURED, 1)
    assert (found.least.input_tokens, found.output) == (MEASURED, UNKNOWN_OUTPUT_TOKENS)


def test_nothing_is_ever_free_of_input() -> None:
    """A rival never enforced limits on increments of zero."""
    assert charge(Estimator(), asking(parts=({"text": ""},))).least.input_tokens > 0


def test_a_max_tokens_of_one_does_not_lower_the_reservation() -> None:
    """A rival let 738 tokens through a limit of 60 on the word of the caller."""
    honest, lying = (charge(Estimator(), call) for call in (asking(), wanting(maxOutputTokens=1)))
    assert lying.least.input_tokens == honest.least.input_tokens == MEASURED
    assert lying.charge.tokens == MEASURED + 1


def test_no_max_tokens_does_not_refuse_the_first_call_on_a_small_limit() -> None:
    """A rival reserved 1,024 tokens for an answer that nobody had limited, on a limit below that."""
    small = 1_000
    found = charge(Estimator(), asking())
    assert found.charge.of(Unit.TOKENS) > small >= found.least.of(Unit.TOKENS)


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ({}, UNKNOWN_OUTPUT_TOKENS),
        ({"maxOutputTokens": 100}, 100),
        ({"maxOutputTokens": 100, "candidateCount": 4}, 400),
        ({"maxOutputTokens": 60_000}, UNKNOWN_OUTPUT_TOKENS),
        ({"maxOutputTokens": 0}, 0),
        ({"maxOutputTokens": -7}, 0),
        ({"maxOutputTokens": 100, "candidateCount": 0}, 100),
    ],
)
def test_an_output_is_never_more_than_was_asked_for(config: dict[str, int], output: int) -> None:
    assert charge(Estimator(), wanting(**config)).output == output


def test_an_output_is_learned_from_answers_and_the_thoughts_before_them() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=300, candidates=100, thoughts=400))
    assert 500 <= charge(estimator, asking()).output <= 550
    assert charge(estimator, wanting(maxOutputTokens=200)).output == 200


def test_an_output_is_the_caller_s_own() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=300, candidates=100))
    for other in (Key("another", KEY.model), Key(KEY.caller, "gemini-2.5-pro")):
        assert charge(estimator, asking(), other).output == UNKNOWN_OUTPUT_TOKENS


def test_an_output_is_never_more_than_a_model_can_give() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=300, candidates=10**6))
    assert charge(estimator, asking()).output == OUTPUT_MAX_TOKENS


def test_an_input_is_corrected_by_what_prompts_turned_out_to_be() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=250), times=ENOUGH - 1)
    assert charge(estimator, asking()).least.input_tokens == MEASURED
    teach(estimator, Usage(prompt=250), times=1)
    assert 250 <= charge(estimator, asking()).least.input_tokens <= 250 * 1.03 + 1


def test_an_input_is_corrected_upwards_for_all_but_one_in_a_hundred() -> None:
    estimator = Estimator()
    for index in range(200):
        teach(estimator, Usage(prompt=400 if index % 20 == 0 else 250), times=1)
    assert charge(estimator, asking()).least.input_tokens >= 400


def test_a_new_caller_profits_from_what_the_model_taught() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=250))
    newcomer = Key("another", KEY.model)
    assert 250 <= charge(estimator, asking(), newcomer).least.input_tokens <= 260
    assert charge(estimator, asking(), Key(KEY.caller, "gemini-2.5-pro")).least.input_tokens == MEASURED


def test_a_caller_is_not_measured_by_others_once_it_is_known() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=250))
    teach(estimator, Usage(prompt=700), key=Key("dense", KEY.model))
    assert charge(estimator, asking()).least.input_tokens <= 260
    assert charge(estimator, asking(), Key("dense", KEY.model)).least.input_tokens >= 700


@pytest.mark.parametrize(("actual", "least", "most"), [(1, 44, 46), (10**6, 2_832, 2_833)])
def test_a_correction_has_bounds(actual: int, least: int, most: int) -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=actual))
    assert least <= charge(estimator, asking()).least.input_tokens <= most


def test_a_file_of_unknown_size_is_a_guess_that_refuses_nothing() -> None:
    found = charge(Estimator(), asking(parts=({"text": WORDS}, FILM)))
    assert found.charge.input_tokens == MEASURED + GUESSED
    assert found.least == Charge(1, MEASURED, MEASURED, MEASURED, 1)


def test_files_are_learned_apart_from_what_was_measured() -> None:
    estimator = Estimator()
    call = asking(parts=({"text": WORDS}, FILM))
    teach(estimator, Usage(prompt=MEASURED + GUESSED // 2), call)
    learned = charge(estimator, call)
    assert learned.least.input_tokens == MEASURED
    assert GUESSED // 2 <= learned.charge.input_tokens - MEASURED <= GUESSED * 0.56


def test_a_cache_is_a_guess_until_an_answer_told_its_size() -> None:
    estimator = Estimator()
    call = asking(cachedContent="cachedContents/x")
    first = charge(estimator, call)
    assert first.charge.input_tokens == MEASURED + UNKNOWN_CACHE_TOKENS
    assert first.least.input_tokens == MEASURED
    estimator.observe(first, Usage(prompt=MEASURED + 50_000, cached=50_000))
    assert charge(estimator, call).least.input_tokens == MEASURED + 50_000
    assert charge(estimator, asking(cachedContent="cachedContents/y")).least.input_tokens == MEASURED


def test_a_cache_does_not_spoil_what_is_learned_of_prompts() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=50_250, cached=50_000), asking(cachedContent="cachedContents/x"))
    assert 250 <= charge(estimator, asking()).least.input_tokens <= 260


def test_tokens_that_were_cached_of_themselves_are_part_of_the_prompt() -> None:
    estimator = Estimator()
    teach(estimator, Usage(prompt=340, cached=300))
    assert charge(estimator, asking()).least.input_tokens >= 340


def test_money_is_by_modality() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    found = charge(Estimator(), asking(parts=(picture,), generationConfig={"maxOutputTokens": 0}))
    assert found.charge.money == 2 * found.charge.input_tokens == 2 * 1124


def test_a_model_without_a_price_costs_tokens_alone() -> None:
    found = Estimator().charge(asking(), KEY, Price(None))
    assert (found.charge.money, found.charge.input_tokens) == (0, MEASURED)


@pytest.mark.parametrize("method", [Method.COUNT_TOKENS, Method.LIST_MODELS, Method.GET_MODEL])
def test_what_asks_no_model_costs_nothing(method: Method) -> None:
    found = charge(Estimator(), facts.call(method))
    assert found.charge == found.least == Charge(requests=0, calls=1)


def test_a_stream_costs_what_a_whole_answer_costs() -> None:
    streamed, whole = (
        charge(Estimator(), asking(method)) for method in (Method.STREAM_GENERATE, Method.GENERATE)
    )
    assert (streamed.charge, streamed.least) == (whole.charge, whole.least)


def test_embeddings_cost_their_input_and_a_request_for_each_content() -> None:
    contents = [{"parts": [{"text": "hi"}]}] * 3
    found = charge(Estimator(), facts.call(Method.EMBED_CONTENT, {"contents": contents}))
    assert found.charge == found.least == Charge(requests=3, input_tokens=15, tokens=15, money=15)


def test_errors_are_told_for_each_model_and_part() -> None:
    estimator = Estimator()
    assert estimator.errors() == ()
    teach(estimator, Usage(prompt=MEASURED // 2, candidates=UNKNOWN_OUTPUT_TOKENS * 2), times=ENOUGH - 1)
    (of_input, of_output) = estimator.errors()
    assert (of_input.model, of_input.part, of_output.part) == (KEY.model, "input", "output")
    assert of_input.mean == pytest.approx(2)
    assert of_output.mean == pytest.approx(0.5)
    assert [of_input.low, of_input.median, of_input.high] == pytest.approx([2, 2, 2], rel=0.05)


def test_an_answer_that_tells_nothing_teaches_nothing() -> None:
    estimator = Estimator()
    teach(estimator, Usage(), times=100)
    assert charge(estimator, asking()) == charge(Estimator(), asking())
    assert estimator.errors() == ()


def test_callers_and_models_are_remembered_in_bounded_number() -> None:
    estimator = Estimator(callers_max=3)
    for index in range(2 * MODELS_MAX):
        teach(
            estimator, Usage(prompt=250, candidates=9), key=Key(f"caller {index}", f"model {index}"), times=1
        )
    assert repr(estimator) == f"<Estimator knows 3 callers, {MODELS_MAX} models>"
    assert len(estimator.errors()) == 2 * MODELS_MAX


def test_the_caller_not_heard_of_for_longest_is_forgotten() -> None:
    estimator = Estimator(callers_max=2)
    for caller in ("a", "b", "c"):
        teach(estimator, Usage(prompt=300, candidates=100), key=Key(caller, KEY.model))
    outputs = [charge(estimator, asking(), Key(caller, KEY.model)).output for caller in ("a", "b", "c")]
    assert outputs[0] == UNKNOWN_OUTPUT_TOKENS
    assert max(outputs[1:]) < 200


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**6)), max_size=60),
    st.integers(-5, 10**6),
    st.sampled_from([(), (FILM,)]),
)
def test_the_least_is_never_more_than_the_charge_in_any_unit(
    answers: list[tuple[int, int]], asked: int, files: tuple[Any, ...]
) -> None:
    estimator = Estimator()
    call = asking(parts=({"text": WORDS}, *files), generationConfig={"maxOutputTokens": asked})
    for prompt, candidates in answers:
        teach(estimator, Usage(prompt=prompt, candidates=candidates), call, times=1)
    found = charge(estimator, call)
    assert all(found.least.of(unit) <= found.charge.of(unit) for unit in Unit)
    assert found.least.input_tokens > 0


def test_an_estimate_does_not_show_what_was_asked() -> None:
    assert "Good morning" not in repr(charge(Estimator(), asking()))
