"""The service: which model answers, when a fault strikes, what is told first."""

import orjson
import pytest

from sidecar.emulator.answer import Answer
from sidecar.emulator.call import Call
from sidecar.emulator.errors import ApiError
from sidecar.emulator.faults import FAULTS, Scope, find_fault
from sidecar.emulator.service import Service
from sidecar.emulator.tokens import tokenizer_for
from tests.unit.emulator.builders import call, prompt


def _body(answer: Answer) -> dict[str, object]:
    return orjson.loads(b"".join(step for step in answer.steps if isinstance(step, bytes)))


def _refusal(made: Call) -> ApiError:
    with pytest.raises(ApiError) as refusal:
        Service().answer(made)
    return refusal.value


def test_an_unknown_model_is_told_with_the_api_version_and_the_method():
    refusal = _refusal(call(model="gemini-9"))
    assert refusal.code == 404
    assert refusal.message.startswith(
        "models/gemini-9 is not found for API version v1, or is not supported for generateContent."
    )


def test_a_model_without_the_method_is_told_the_same_way():
    assert "not supported for generateContent" in _refusal(call(model="gemini-embedding-001")).message


def test_a_retired_model_names_its_successor():
    assert "no longer available to new users" in _refusal(call(model="gemini-2.0-flash")).message


def test_count_tokens_takes_contents_or_a_whole_request_but_not_both():
    count = tokenizer_for("gemini-3.8-flash").count
    made = call(prompt(), method="countTokens")
    assert _body(Service().answer(made))["totalTokens"] == count("Why is the sky blue?")
    whole = prompt(systemInstruction={"parts": [{"text": "Be brief."}]})
    inner = call({"generateContentRequest": whole}, method="countTokens")
    assert _body(Service().answer(inner))["totalTokens"] == count("Be brief.Why is the sky blue?")
    both = call(prompt(generateContentRequest=whole), method="countTokens")
    assert "mutually exclusive" in _refusal(both).message


def test_what_is_wrong_with_a_request_is_told_before_any_fault():
    assert _refusal(call({"contents": []}, x_emulate="fault=unavailable")).code == 400
    assert _refusal(call(model="gemini-9", x_emulate="fault=unavailable")).code == 404


def test_a_fault_with_times_strikes_so_often_and_then_lets_the_call_through():
    service = Service()
    made = call(x_emulate="fault=unavailable times=2", x_request_id="r-1")
    assert [service.answer(made).status for _ in range(4)] == [503, 503, 200, 200]


def test_calls_with_another_id_or_scene_are_counted_apart():
    service = Service()
    calls = [
        call(x_emulate="fault=unavailable times=1", x_request_id="r-1"),
        call(x_emulate="fault=unavailable times=1", x_request_id="r-2"),
        call(x_emulate="fault=unavailable times=1 scene=b", x_request_id="r-1"),
    ]
    assert [service.answer(made).status for made in calls] == [503, 503, 503]
    assert [service.answer(made).status for made in calls] == [200, 200, 200]


def test_the_memory_of_recurring_faults_is_bounded():
    service = Service()
    for number in range(5000):
        service.answer(call(x_emulate="fault=unavailable times=1", x_request_id=str(number)))
    assert repr(service) == "<Service remembering 4096 recurring faults>"


def test_an_unknown_fault_names_the_known_ones():
    message = _refusal(call(x_emulate="fault=unavailble")).message
    assert "Unknown emulator fault 'unavailble'" in message
    assert all(name in message for name in FAULTS)


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.scope is Scope.STREAM])
def test_a_fault_of_streams_is_refused_for_a_unary_call(name):
    with pytest.raises(ApiError, match="fits streamGenerateContent only"):
        find_fault(name, Scope.GENERATE)


def test_a_fault_of_generations_is_refused_for_other_calls():
    with pytest.raises(ApiError, match="fits generateContent and streamGenerateContent only"):
        find_fault("no_finish", Scope.ANY)


def test_every_fault_has_a_meaning_of_one_line():
    assert all(fault.meaning and "\n" not in fault.meaning for fault in FAULTS.values())
