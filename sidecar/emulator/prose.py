"""What the emulated models say: a short, friendly text that quotes the prompt and depends on nothing but its
input.

Decides the words of replies and of thoughts. How long they may be and how they are split is decided by
`reply`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import orjson

from sidecar.emulator.errors import Json
from sidecar.emulator.script import without_directives

_QUOTE_CHARS = 60
_CLOSING_SENTENCES = 2
_STORY = (
    "The harbour wakes before the town does.",
    "A bell rings twice, and the gulls take it for an answer.",
    "Somebody has left a green bicycle against the customs house.",
    "The baker opens one shutter, thinks better of it, and opens both.",
    "Out past the breakwater a small boat is doing nothing at all, and doing it well.",
    "The lighthouse keeper counts the ships and gets a different number each time.",
    "By nine the fog has forgotten why it came.",
    "Two children are building a wall of sand against a sea that has all day.",
    "The ferry leaves on time, which surprises everyone but the ferry.",
    "A dog walks the length of the pier to see whether it is still there.",
    "It is still there.",
    "In the square a man tunes a piano that nobody has ordered.",
    "The clock on the town hall is five minutes slow and very sure of itself.",
    "At noon the market smells of oranges, rope and rain.",
    "An old map in the shop window shows an island that the charts have lost.",
    "The girl who sells the map says the island is only resting.",
    "Clouds drift over the bay like unhurried letters.",
    "The tide turns without telling anyone.",
    "Towards evening the windows light up one after another, as if passing on a secret.",
    "The green bicycle is gone, and in its place stands a red one.",
    "The keeper climbs his stairs and lights the lamp with great ceremony.",
    "Far out, the small boat answers with a lantern.",
    "Nobody in the town knows what they say to each other.",
    "The sea knows, and keeps it to itself.",
)
_THOUGHTS = (
    "Let me see what is being asked.",
    "The request is clear enough, so the answer can be short.",
    "I should quote the question first, so that it can be recognised.",
    "Nothing here needs a tool or a second look.",
    "A calm tone will do, with plain words and no numbers that could be mistaken for facts.",
    "The same question must always get the same answer, so I leave chance out of it.",
    "I check the length that was asked for and plan to stop in time.",
    "There is one more point to weigh: whether the reader expects a list; a paragraph reads better.",
    "That settles the order: the quotation, who is speaking, then a little story.",
    "Now I can write it down.",
)


def compose(model: str, request: Json, *, seed: int, words: int | None) -> str:
    """Return the reply of `model` to a canonical `request`: exactly `words` words if given, else about
    forty."""
    opening = f"{_address(request)} This is the Gemini emulator, answering in place of {model}."
    story = _rotated(_STORY, seed)
    if words is None:
        return " ".join((opening, *islice(story, _CLOSING_SENTENCES)))
    return " ".join(islice(_words(opening, story), words))


def ponder(seed: int, words: int) -> str:
    """Return a train of thought of exactly `words` words."""
    return " ".join(islice(_words("", _rotated(_THOUGHTS, seed)), words))


def _words(opening: str, story: Iterator[str]) -> Iterator[str]:
    yield from opening.split()
    for sentence in story:
        yield from sentence.split()


def _rotated(sentences: tuple[str, ...], seed: int) -> Iterator[str]:
    return islice(cycle(sentences), seed % len(sentences), None)


def _address(request: Json) -> str:
    """Return the first sentence: a piece of the last turn, or what else it brought."""
    last_turn = request["contents"][-1]
    parts: list[Json] = last_turn.get("parts", [])
    for part in parts:
        if answer := part.get("functionResponse"):
            shown = orjson.dumps(answer.get("response", {})).decode()
            return f"The function {answer.get('name', '')} answered {_shortened(shown)}"
    text = " ".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    quote = " ".join(without_directives(text).split())
    if quote:
        return f'You asked: "{_shortened(quote)}"'
    media = sum("inlineData" in part or "fileData" in part for part in parts)
    if media:
        return f"You sent {media} {'file' if media == 1 else 'files'} and no words."
    return "You said nothing, and very politely."


def _shortened(text: str) -> str:
    if len(text) <= _QUOTE_CHARS:
        return text
    beginning, _, _ = text[:_QUOTE_CHARS].rpartition(" ")
    return (beginning or text[:_QUOTE_CHARS]) + " ..."
