"""From a model and a canonical request to the whole reply, before any of it is written.

Decides how a generation is shown: as one reply or in chunks, with thoughts, usage and response id. What the
candidates say is decided by `author`; framing, timing and faults are decided by `answer` and `faults`.

Invariants:
- a pure function of model, request, script and face: the same request gets the same bytes;
- the chunks of a stream spell the same text as the unary reply; their usage is a running total, equal to the
  unary usage on the last chunk; the finish reason is on the last chunk of a candidate only.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from sidecar.emulator.author import Author, Candidate
from sidecar.emulator.continuation import position_of
from sidecar.emulator.errors import Json
from sidecar.emulator.grounding import page_tokens
from sidecar.emulator.models import Model
from sidecar.emulator.routes import Face
from sidecar.emulator.rules import check_input_tokens
from sidecar.emulator.script import Script
from sidecar.emulator.tokens import Tokenizer, modality_details, tokenizer_for, whole

_SAFETY_REASONS = ("SAFETY", "IMAGE_SAFETY")


@dataclass(frozen=True, slots=True)
class Generation:
    """A complete answer to one request, to be shown whole or in chunks."""

    model: Model
    tokenizer: Tokenizer
    response_id: str
    prompt_tokens: Counter[str]
    candidates: tuple[Candidate, ...]
    block_reason: str | None
    shows_thoughts: bool
    usage_labels: Json
    cached_tokens: Counter[str]
    page_tokens: int

    def whole_reply(self) -> Json:
        """Return the reply of generateContent."""
        if self.block_reason:
            return self._blocked()
        shown = []
        for candidate in self.candidates:
            parts = self._thought_parts(candidate) + self._parts(candidate, "".join(candidate.pieces))
            content = {} if candidate.is_withheld else _content(parts)
            shown.append(content | _ending(candidate) | {"index": candidate.index})
        return {"candidates": shown} | self._trailer(self._weight())

    def output_tokens(self) -> int:
        """Return the tokens of the whole reply, thoughts included."""
        return whole(self._weight()) + self._thought_tokens()

    def chunks(self) -> Iterator[Json]:
        """Yield the replies of streamGenerateContent, at least one."""
        if self.block_reason:
            yield self._blocked()
            return
        if self.shows_thoughts and any(candidate.thoughts for candidate in self.candidates):
            shown = [_content(self._thought_parts(one)) | {"index": one.index} for one in self.candidates]
            yield {"candidates": shown} | self._trailer(0)
        weight = 0
        for number in range(max(len(candidate.pieces) for candidate in self.candidates)):
            going = [candidate for candidate in self.candidates if number < len(candidate.pieces)]
            weight += sum(candidate.weigh(self.tokenizer, candidate.pieces[number]) for candidate in going)
            shown = [self._chunk(candidate, number) for candidate in going]
            yield {"candidates": shown} | self._trailer(weight)

    def _chunk(self, candidate: Candidate, number: int) -> Json:
        is_last = number == len(candidate.pieces) - 1
        shown: Json = {}
        if not (is_last and candidate.is_withheld):
            shown |= _content(self._parts(candidate, candidate.pieces[number]))
        if is_last:
            shown |= _ending(candidate)
        shown["index"] = candidate.index
        return shown

    def _parts(self, candidate: Candidate, text: str) -> list[Json]:
        if candidate.call:
            return [{"functionCall": candidate.call, "thoughtSignature": self._signature(candidate)}]
        return [{"text": text}] if text else []

    def _thought_parts(self, candidate: Candidate) -> list[Json]:
        if not (self.shows_thoughts and candidate.thoughts):
            return []
        return [{"text": candidate.thoughts, "thought": True, "thoughtSignature": self._signature(candidate)}]

    def _weight(self) -> int:
        """Return the weight of all that the candidates say."""
        return sum(
            candidate.weigh(self.tokenizer, piece)
            for candidate in self.candidates
            for piece in candidate.pieces
        )

    def _thought_tokens(self) -> int:
        return sum(self.tokenizer.count(candidate.thoughts) for candidate in self.candidates)

    def _signature(self, candidate: Candidate) -> str:
        """Return opaque bytes in base64, as stable as the reply."""
        seed = f"{self.response_id}:{candidate.index}".encode()
        return b64encode(blake2b(seed, digest_size=48, person=b"signature").digest()).decode()

    def _trailer(self, weight: int) -> Json:
        """Return what follows the candidates when text of `weight` has been said."""
        prompt = self.prompt_tokens.total()
        said = whole(weight)
        thought = self._thought_tokens()
        usage: Json = {"promptTokenCount": prompt, "candidatesTokenCount": said}
        usage["totalTokenCount"] = prompt + said + thought + self.page_tokens
        usage["promptTokensDetails"] = modality_details(self.prompt_tokens)
        if self.cached_tokens:
            usage["cachedContentTokenCount"] = self.cached_tokens.total()
            usage["cacheTokensDetails"] = modality_details(self.cached_tokens)
        if self.page_tokens:
            usage["toolUsePromptTokenCount"] = self.page_tokens
            usage["toolUsePromptTokensDetails"] = modality_details(Counter(TEXT=self.page_tokens))
        if thought:
            usage["thoughtsTokenCount"] = thought
        return {
            "usageMetadata": usage | self.usage_labels,
            "modelVersion": self.model.name,
            "responseId": self.response_id,
        }

    def _blocked(self) -> Json:
        feedback: Json = {"blockReason": self.block_reason}
        if self.block_reason in _SAFETY_REASONS:
            feedback["safetyRatings"] = _blocked_ratings()
        trailer = self._trailer(0)
        del trailer["usageMetadata"]["candidatesTokenCount"]
        return {"promptFeedback": feedback} | trailer


NOTHING_CACHED: Counter[str] = Counter()


def generate(
    model: Model, request: Json, script: Script, face: Face, cached_tokens: Counter[str] = NOTHING_CACHED
) -> Generation:
    """Return what `model` answers to a canonical generateContent request that passed `rules.check_generate`.

    `cached_tokens` are those of the prompt that came from a cache, whose content the request has already.

    Raises:
        ApiError: 400 when the prompt exceeds the model's window or the script names an undeclared function.
    """
    tokenizer = tokenizer_for(model.name, early_tiles=model.early_tiles)
    prompt_tokens = tokenizer.count_request(request)
    check_input_tokens(model, prompt_tokens.total())
    config = request.get("generationConfig", {})
    token = request.get("continuationToken")
    asked = {name: value for name, value in request.items() if name != "continuationToken"}
    digest = _digest([model.name, asked])
    author = Author(model, tokenizer, asked, script, digest, position_of(token, digest))
    count = 0 if script.blocked else config.get("candidateCount", 1)
    if script.cached and not cached_tokens:
        cached_tokens = Counter(TEXT=min(script.cached, prompt_tokens.total()))
    return Generation(
        model=model,
        tokenizer=tokenizer,
        response_id=b64encode(_digest([model.name, request]), b"-_").decode().rstrip("="),
        prompt_tokens=prompt_tokens,
        candidates=tuple(map(author.candidate, range(count))),
        block_reason=script.blocked,
        shows_thoughts=config.get("thinkingConfig", {}).get("includeThoughts", False),
        usage_labels=_usage_labels(request, script, face),
        cached_tokens=cached_tokens,
        page_tokens=page_tokens(request),
    )


def _digest(asked: list[Any]) -> bytes:
    return blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _usage_labels(request: Json, script: Script, face: Face) -> Json:
    if face is Face.DEVELOPER:
        return {"serviceTier": service_tier(request, script)}
    return {"trafficType": "ON_DEMAND"}


def service_tier(request: Json, script: Script) -> str:
    """Return the tier that serves a canonical request on the Developer API: what was asked, unless the script
    plays a downgrade."""
    tier = (script.tier or request.get("serviceTier", "")).lower()
    return tier if tier in ("flex", "priority") else "standard"


def _content(parts: list[Json]) -> Json:
    return {"content": {"parts": parts, "role": "model"}}


def _ending(candidate: Candidate) -> Json:
    """Return the fields that come with the finish reason."""
    ending: Json = {"finishReason": candidate.finish}
    if not candidate.is_withheld:
        ending |= candidate.closing
    else:
        ending["finishMessage"] = f"The emulator was asked to finish with {candidate.finish}."
    if candidate.finish in _SAFETY_REASONS:
        ending["safetyRatings"] = _blocked_ratings()
    return ending


def _blocked_ratings() -> list[Json]:
    return [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]
