"""The author of a reply: what each candidate thinks, says or calls, and why it ends.

Decides the content of candidates within the limits of the request; `reply` shows them whole or in chunks. The
words come from `prose` and `samples`, the counts from `tokens`.

Invariants: pure; thoughts and text of a candidate together stay within `maxOutputTokens`, thoughts within
half of it; text ends before the first stop sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import orjson

from sidecar.emulator.continuation import STREAM_HOP_TOKENS, continuation_token
from sidecar.emulator.errors import Json, bad_request
from sidecar.emulator.grounding import closing_fields
from sidecar.emulator.models import Model
from sidecar.emulator.prose import compose, ponder
from sidecar.emulator.samples import sample
from sidecar.emulator.script import HEADER, Script
from sidecar.emulator.tokens import Tokenizer

_WORDS_PER_CHUNK = 8
_THOUGHT_WORDS: Mapping[str, int] = MappingProxyType(
    {"MINIMAL": 0, "LOW": 12, "MEDIUM": 30, "HIGH": 60, "XHIGH": 90}
)
_OPEN_FINISHES = ("STOP", "MAX_TOKENS", "CONTINUATION", "OTHER")
"""Finish reasons that leave the content in place; every other one withholds it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer: its thoughts, its text in pieces (or a function call), and why it ends."""

    index: int
    thoughts: str
    pieces: tuple[str, ...]
    call: Json | None
    finish: str
    closing: Json = field(default_factory=dict)
    """Further fields that come with the finish reason."""

    @property
    def is_withheld(self) -> bool:
        """Whether the finish reason keeps the content back."""
        return self.finish not in _OPEN_FINISHES

    def weigh(self, tokenizer: Tokenizer, text: str) -> int:
        """Return the weight of `text`, a piece of this candidate, or of its function call."""
        return tokenizer.weigh(orjson.dumps(self.call).decode() if self.call else text)


@dataclass(frozen=True, slots=True)
class Author:
    """Writes the candidates of one canonical request: what they say from `position` on.

    `digest` is that of the request without its continuation token; it makes requests differ.
    """

    model: Model
    tokenizer: Tokenizer
    request: Json
    script: Script
    digest: bytes
    position: int = 0

    def candidate(self, index: int) -> Candidate:
        """Return candidate number `index`, from 0.

        Raises:
            ApiError: 400 when a schema cannot be satisfied or the script names an undeclared function.
        """
        config = self.request.get("generationConfig", {})
        limit = config.get("maxOutputTokens", self.model.reply_limit)
        seed = int.from_bytes(self.digest[:4], "big") + index
        thoughts = self._thoughts(config.get("thinkingConfig", {}), seed, limit // 2)
        if call := self._call(seed):
            return Candidate(index, thoughts, ("",), call, self.script.finish or "STOP")
        text = _before_stop(self._text(config, seed), config.get("stopSequences", ()))
        full = self.tokenizer.cut(text, limit - self.tokenizer.count(thoughts))
        if self.position:
            thoughts = ""  # they came with the first hop
        rest = full[self.position :]
        shown = self._hop(rest, self.tokenizer.count(thoughts))
        closing = closing_fields(self.request, shown)
        finish = "STOP" if full == text else "MAX_TOKENS"
        if shown != rest:
            finish = "CONTINUATION"
            closing["continuationToken"] = continuation_token(self.digest, self.position + len(shown))
        pieces = _split(shown, self._chunk_count(shown))
        return Candidate(index, thoughts, pieces, None, self.script.finish or finish, closing)

    def _hop(self, rest: str, thought_tokens: int) -> str:
        """Return as much of the rest of the reply as fits into one call."""
        if not self.model.is_continued:
            return rest
        limit = self.script.hop or STREAM_HOP_TOKENS
        return self.tokenizer.cut(rest, max(1, limit - thought_tokens)) or rest[:1]

    def _thoughts(self, thinking: Json, seed: int, limit: int) -> str:
        if not self.model.default_level:
            return ""
        level = thinking.get("thinkingLevel", self.model.default_level)
        budget = thinking.get("thinkingBudget", -1)
        if budget >= 0:
            limit = min(limit, budget)
        return self.tokenizer.cut(ponder(seed, _THOUGHT_WORDS.get(level, 0)), limit)

    def _text(self, config: Json, seed: int) -> str:
        field = "responseSchema" if "responseSchema" in config else "responseJsonSchema"
        schema = config.get(field)
        kind = config.get("responseMimeType", "text/plain" if schema is None else "application/json")
        if schema is not None and kind == "text/x.enum":
            return str(_sampled(schema, seed, field))
        if schema is not None and kind == "application/json":
            return orjson.dumps(_sampled(schema, seed, field)).decode()
        prose = self._prose(seed)
        return orjson.dumps({"answer": prose}).decode() if kind == "application/json" else prose

    def _prose(self, seed: int) -> str:
        words, chunks = self.script.words, self.script.chunks
        text = compose(self.model.name, self.request, seed=seed, words=words)
        if words is None and chunks and chunks > text.count(" ") + 1:
            # A stream of many chunks needs at least a word for each.
            text = compose(self.model.name, self.request, seed=seed, words=chunks)
        return text

    def _chunk_count(self, text: str) -> int:
        return self.script.chunks or -(-(text.count(" ") + 1) // _WORDS_PER_CHUNK)

    def _call(self, seed: int) -> Json | None:
        """Return the function call to answer with, if the script or calling mode ANY asks for one."""
        declared = _declared_functions(self.request)
        name = self.script.call
        if name is None:
            calling = self.request.get("toolConfig", {}).get("functionCallingConfig", {})
            allowed = [name for name in calling.get("allowedFunctionNames", declared) if name in declared]
            if calling.get("mode") != "ANY" or not allowed:
                return None
            name = allowed[seed % len(allowed)]
        if name not in declared:
            known = ", ".join(declared) or "none"
            text = f"Emulator key 'call' names '{name}', which the request does not declare ({known})."
            raise bad_request([(HEADER, text)])
        function = declared[name]
        schema = function.get("parameters") or function.get("parametersJsonSchema") or {}
        arguments = _sampled({"type": "object"} | schema, seed, f"parameters of function {name}")
        return {"id": f"call-{seed:08x}", "name": name, "args": arguments}


def _declared_functions(request: Json) -> Json:
    return {
        function.get("name", ""): function
        for tool in request.get("tools", ())
        for function in tool.get("functionDeclarations", ())
    }


def _sampled(schema: Any, seed: int, field: str) -> Any:
    try:
        return sample(schema, seed)
    except ValueError as fault:
        raise bad_request([(field, f"The schema in {field} cannot be satisfied: {fault}.")]) from None


def _before_stop(text: str, stops: list[str]) -> str:
    found = [position for stop in stops if (position := text.find(stop)) >= 0]
    return text[: min(found)] if found else text


def _split(text: str, count: int) -> tuple[str, ...]:
    """Return `text` in `count` nearly equal pieces, between words if there are enough of them."""
    words = text.split(" ")
    if len(words) < count:
        count = max(1, min(count, len(text)))
        return tuple(text[len(text) * n // count : len(text) * (n + 1) // count] for n in range(count))
    ends = [len(words) * n // count for n in range(count + 1)]
    first, *others = (" ".join(words[start:end]) for start, end in pairwise(ends))
    return (first, *(" " + piece for piece in others))
