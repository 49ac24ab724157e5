"""The directive language: what it says, what it refuses, where it is found."""

from decimal import Decimal

import orjson
import pytest

from sidecar.emulator.errors import ApiError
from sidecar.emulator.script import KEYS, PLAIN, find_script, parse_script, without_directives


def _find(body: object, header: str | None = None):
    return find_script(header, body, orjson.dumps(body))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("latency=250ms", "latency", Decimal("0.250")),
        ("latency=1.5s", "latency", Decimal("1.5")),
        ("latency=2m", "latency", Decimal(120)),
        ("gap=20ms", "gap", Decimal("0.020")),
        ("chunks=5", "chunks", 5),
        ("words=200", "words", 200),
        ("finish=max_tokens", "finish", "MAX_TOKENS"),
        ("blocked=SAFETY", "blocked", "SAFETY"),
        ("call=get_weather", "call", "get_weather"),
        ("fault=unavailable", "fault", "unavailable"),
        ("after=0", "after", 0),
        ("code=418", "code", 418),
        ("retry_after=45.837906927s", "retry_after", Decimal("45.837906927")),
        ("size=64KiB", "size", 65536),
        ("size=7B", "size", 7),
        ("times=2", "times", 2),
        ("scene=third-try", "scene", "third-try"),
    ],
)
def test_each_key_is_read_with_its_unit(text, name, value):
    assert getattr(parse_script(text), name) == value


def test_every_key_says_what_it_means():
    assert all(key.meaning for key in KEYS.values())


@pytest.mark.parametrize("text", ["words=5 chunks=2", "words=5,chunks=2", " words=5 ,\n chunks=2, "])
def test_pairs_are_separated_by_spaces_or_commas(text):
    assert parse_script(text) == parse_script("words=5 chunks=2")


def test_an_empty_script_asks_for_nothing():
    assert parse_script("  ") == PLAIN


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fualt=unavailable", "Unknown emulator key 'fualt'"),
        ("latency", "needs a value"),
        ("latency=", "needs a value"),
        ("latency=250", "must be a duration such as 250ms"),
        ("latency=2h", "must be a duration"),
        ("latency=61m", "at most 3600s"),
        ("chunks=0", "whole number from 1 to 10000"),
        ("chunks=two", "whole number"),
        ("finish=DONE", "must be one of STOP, MAX_TOKENS"),
        ("blocked=STOP", "must be one of SAFETY"),
        ("code=200", "whole number from 400 to 599"),
        ("size=5MB", "a size such as"),
        ("size=0B", "a size such as"),
        ("size=257MiB", "at most 256MiB"),
        ("words=5 words=6", "given twice"),
    ],
)
def test_a_bad_pair_is_refused_with_the_key_and_what_is_admissible(text, complaint):
    with pytest.raises(ApiError) as refusal:
        parse_script(text)
    assert refusal.value.code == 400
    assert complaint in refusal.value.message


def test_all_bad_pairs_are_told_at_once_and_unknown_keys_name_the_known_ones():
    with pytest.raises(ApiError) as refusal:
        parse_script("colour=red latency=3")
    violations = refusal.value.payload()["error"]["details"][0]["fieldViolations"]
    assert [violation["field"] for violation in violations] == ["x-emulate", "x-emulate"]
    assert all(key in violations[0]["description"] for key in KEYS)


def test_the_directive_is_found_in_any_text_of_the_body():
    assert _find({"systemInstruction": {"parts": [{"text": "Be brief. [[emulate: words=3]]"}]}}).words == 3
    assert _find({"requests": [{"content": {"parts": [{"text": "[[emulate:words=4]]"}]}}]}).words == 4


def test_the_last_directive_of_a_conversation_counts_whole():
    body = {
        "contents": [
            {"parts": [{"text": "[[emulate: fault=unavailable words=9]]"}]},
            {"parts": [{"text": "[[emulate: chunks=2]]"}]},
        ]
    }
    assert _find(body) == parse_script("chunks=2")


def test_the_header_wins_over_the_body():
    body = {"contents": [{"parts": [{"text": "[[emulate: fault=unavailable]]"}]}]}
    assert _find(body, header="words=5") == parse_script("words=5")
    assert _find(body, header="") == PLAIN


def test_an_open_directive_is_ordinary_text():
    assert _find({"text": "[[emulate: fault=unavailable"}) == PLAIN


def test_a_body_nested_to_the_limit_of_the_parser_is_searched_without_recursion():
    body = orjson.loads("[" * 1000 + '"[[emulate: words=6]]"' + "]" * 1000)
    assert find_script(None, body, b"emulate:").words == 6


def test_directives_are_removed_from_quotations():
    assert without_directives("Say [[emulate: words=3]]hello") == "Say hello"
