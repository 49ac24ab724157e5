"""Who gave out what, as far as it is remembered."""

from typing import Any

from sidecar.policy.signatures import Signatures


def reply(*signatures: str, token: str = "") -> dict[str, Any]:
    parts = [{"text": "hm"}, *({"text": "so", "thoughtSignature": signature} for signature in signatures)]
    candidate: dict[str, Any] = {"content": {"parts": parts}}
    return {"candidates": [{**candidate, "continuationToken": token} if token else candidate]}


def test_a_signature_is_of_whoever_gave_it_out() -> None:
    known = Signatures()
    known.note(reply("one", "two"), "a")
    known.note(reply("three", token="on"), "b")
    assert known.issuers(("two",)) == ("a",)
    assert known.issuers(("on",)) == ("b",)


def test_each_issuer_is_told_once_and_that_of_the_last_first() -> None:
    known = Signatures()
    known.note(reply("one", "two"), "a")
    known.note(reply("three"), "b")
    assert known.issuers(("one", "three", "two")) == ("a", "b")
    assert known.issuers(("one", "two", "three", "never seen")) == ("b", "a")


def test_what_was_never_seen_is_of_nobody() -> None:
    assert Signatures().issuers(("one",)) == ()


def test_the_oldest_is_forgotten_first() -> None:
    known = Signatures(most=2)
    known.note(reply("one", "two"), "a")
    known.note(reply("one"), "a")
    known.note(reply("three"), "a")
    assert [known.issuers((each,)) for each in ("one", "two", "three")] == [("a",), (), ("a",)]


def test_replies_that_say_nothing_are_passed_over() -> None:
    known = Signatures()
    for empty in ({}, {"candidates": [{}]}, {"candidates": [{"content": {}}]}, {"usageMetadata": {}}):
        known.note(empty, "a")
    assert repr(known) == "<Signatures 0 known>"


def test_no_signature_is_kept() -> None:
    known = Signatures()
    known.note(reply("a-signature-to-hide"), "a")
    assert "to-hide" not in repr(vars(known))
