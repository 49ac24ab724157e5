"""What a candidate gets in place of what the caller said."""

import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.permit import Candidate
from sidecar.upstream.rewrite import SKIP_VALIDATION, rewritten
from tests.support import facts

CALL = {"functionCall": {"name": "f", "args": {"thoughtSignature": "the caller's own"}}}
HISTORY = {
    "contents": [
        {"parts": [{"text": "hi"}], "role": "user"},
        {
            "parts": [
                {"text": "hm", "thought": True},
                {**CALL, "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "g"}},
                {"text": "so", "thoughtSignature": "c2ln"},
                {"thoughtSignature": "c2ln"},
            ],
            "role": "model",
        },
        {"parts": [{"functionResponse": {"name": "f", "response": {}}}], "role": "user"},
    ],
    "tools": [{"functionDeclarations": [{"name": "f"}]}],
}


def to(model: str = facts.MODEL, **fields: Any) -> Candidate:
    return Candidate(facts.gemini(), model, **fields)


def test_without_a_change_the_body_goes_as_it_is() -> None:
    assert rewritten(HISTORY, to()) is HISTORY


@pytest.mark.parametrize("body", [facts.HELLO, {**facts.HELLO, "serviceTier": "PRIORITY"}])
def test_the_candidate_s_tier_goes_in_place_of_the_body_s(body: dict[str, Any]) -> None:
    assert rewritten(body, to(tier="flex")) == {**facts.HELLO, "serviceTier": "FLEX"}


def test_stripped_calls_of_functions_get_the_signature_that_passes_the_validator() -> None:
    stripped = rewritten(HISTORY, to(strips_signatures=True))
    assert stripped["contents"][1]["parts"] == [
        {"text": "hm", "thought": True},
        {**CALL, "thoughtSignature": SKIP_VALIDATION},
        {"functionCall": {"name": "g"}},
        {"text": "so"},
        {"text": ""},
    ]
    assert {**stripped, "contents": []} == {**HISTORY, "contents": []}
    assert base64.b64decode(SKIP_VALIDATION) == b"skip_thought_signature_validator"


@pytest.mark.parametrize(
    ("model", "stands_in"),
    [("gemini-2.5-pro", False), ("gemini-3.1-pro-preview", True), ("gemini-4-neon", True), ("tuned/x", True)],
)
def test_models_that_do_not_validate_get_none(model: str, stands_in: bool) -> None:
    (_, part, *_) = rewritten(HISTORY, to(model, strips_signatures=True))["contents"][1]["parts"]
    assert ("thoughtSignature" in part) is stands_in


def test_what_is_changed_is_told() -> None:
    assert to().rewrites == ()
    assert to(tier="flex", strips_signatures=True).rewrites == (
        "service_tier=flex",
        "thought_signatures=stripped",
    )


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "text": st.text(max_size=3),
        "thoughtSignature": st.just("c2ln"),
        "functionCall": st.just({}),
    },
)


@given(st.lists(st.lists(PARTS, max_size=3), max_size=3))
def test_no_signature_of_another_issuer_gets_through_and_nothing_else_is_lost(
    given_parts: list[list[dict[str, Any]]],
) -> None:
    body = {"contents": [{"parts": parts, "role": "model"} for parts in given_parts]}
    before = copy.deepcopy(body)
    after = rewritten(body, to(strips_signatures=True))
    assert body == before
    assert "c2ln" not in repr(after)
    for old, new in zip(body["contents"], after["contents"], strict=True):
        for part, changed in zip(old["parts"], new["parts"], strict=True):
            kept = {key: value for key, value in part.items() if key != "thoughtSignature"}
            assert kept.items() <= changed.items()
