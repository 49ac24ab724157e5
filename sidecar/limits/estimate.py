"""What a call may cost before it is made: an upper estimate that learns from answers.

Theory of operation. The input is measured (`measure`) and multiplied by the 99th percentile of
actual/measured of the same caller at the same model; a caller not known yet takes that of the model, a model
not known yet 1. Files and caches that a request only names are guessed, and learned apart: files by the same
kind of ratio, an explicit cache exactly, since its own size comes back as the cached tokens of its first
answer. The output is the 90th percentile of what the caller got from the model, 8,192 tokens at first, and
never more than it asked for or the model can give.

What is certain and what is guessed stay apart. Whoever reserves may lower a charge down to `least` so that it
fits a small limit: an output that nobody asked for, or a file of unknown size, must not refuse a call for
ever. The measured input cannot be lowered: no word of the caller's, such as a maxOutputTokens of 1, moves it.
An estimate that was too low is settled to the truth, and learned from.

Methods: Generate and StreamGenerate count in every unit. EmbedContent counts its input, and a request for
each content, because the Developer API's batches are counted so (100 contents were seen to use up a limit of
100 requests a minute). CountTokens, ListModels and GetModel cost nothing: counting is "free to use and does
not consume your generation TPM/RPD quotas" (Google, on discuss.ai.google.dev, 2026), and the other two ask no
model.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sidecar.core.call import FREE, Call, Json, Method
from sidecar.core.cost import Price
from sidecar.core.levels import EstimateError
from sidecar.core.outcome import Usage
from sidecar.core.quantile import Learned, Sketch
from sidecar.core.quota import Charge
from sidecar.core.recent import Recent
from sidecar.limits.measure import Measured, measure
from sidecar.limits.media import TEXT

OUTPUT_MAX_TOKENS = 65_536
"""What a model gives in one candidate, thoughts included."""
UNKNOWN_OUTPUT_TOKENS = 8_192
UNKNOWN_CACHE_TOKENS = 32_768
CALLERS_MAX, MODELS_MAX, CACHES_MAX = 1024, 64, 1024
_RATIO_MIN, _RATIO_MAX = 1 / 8, 8.0
_INPUT_SHARE, _OUTPUT_SHARE = 0.99, 0.9
_ALL_OF_ANSWERS, _ONE_OF_ANSWERS = 256, 32
"""Learning takes some microseconds of every call, and a caller does not change that fast."""


class Key(NamedTuple):
    """Who asks what: calls with equal keys are taken to be alike."""

    caller: str
    model: str
    """The id upstream."""


class _Ratios:
    """Of actual to estimated input tokens."""

    def __init__(self) -> None:
        self.measured = Learned(_RATIO_MIN, _RATIO_MAX, 1.03, _INPUT_SHARE)
        self.guessed = Learned(_RATIO_MIN, _RATIO_MAX, 1.1, _INPUT_SHARE)

    def observe(self, found: Measured, actual: int) -> None:
        measured, guessed = (sum(tokens.values()) for tokens in (found.certain, found.guessed))
        if guessed:
            self.guessed.add((actual - measured) / guessed)
        elif measured:
            self.measured.add(actual / measured)


class _Caller(_Ratios):
    """What one caller's calls to one model turned out to be."""

    def __init__(self) -> None:
        super().__init__()
        self.output = Learned(1, OUTPUT_MAX_TOKENS * 8, 1.1, _OUTPUT_SHARE)
        self.answers = 0


@dataclass(slots=True)
class Estimate:
    """What a call may cost. Not frozen, like the other records that are made for every call: to make one
    would take three times as long.
    """

    call: Call = field(repr=False)  # has the prompt
    key: Key
    price: Price
    charge: Charge
    """The upper estimate, in every unit: to be reserved where there is room for it."""
    certain: Mapping[str, int]
    """Of it, the input tokens that the request carries, by modality."""
    found: Measured = field(repr=False)
    """What was measured, before learning."""
    known: _Caller | None = field(repr=False)
    """What its caller's calls turned out to be, for `Estimator.observe`; None: that is not known yet."""

    @property
    def least(self) -> Charge:
        """The charge without guesses: no reservation may be lower. Seldom asked for, so made then."""
        return _charge(self.charge.requests, self.certain, 0, self.price)

    @property
    def output(self) -> int:
        """Output tokens in `charge`."""
        return self.charge.tokens - self.charge.input_tokens


class _Model(_Ratios):
    """What all calls to one model turned out to be, and how well they were estimated."""

    def __init__(self) -> None:
        super().__init__()
        self.errors = {part: Sketch(1 / 64, 1024, 1.05) for part in ("input", "output")}


class Estimator:
    """Estimates calls and learns from their answers.

    For one event loop. Remembers a bounded number of callers, models and caches: those used last.
    """

    def __init__(self, callers_max: int = CALLERS_MAX) -> None:
        self._callers: Recent[Key, _Caller] = Recent(callers_max)
        self._models: Recent[str, _Model] = Recent(MODELS_MAX)
        self._caches: Recent[str, int] = Recent(CACHES_MAX)

    def __repr__(self) -> str:
        return f"<Estimator knows {len(self._callers)} callers, {len(self._models)} models>"

    def charge(self, call: Call, key: Key, price: Price) -> Estimate:
        """Estimate a call of `key` at a price.

        Takes microseconds, and a millisecond for each MB of JSON in the arguments and answers of functions.
        """
        method, body = call.arrival.method, call.body.json
        if method in FREE:
            return Estimate(call, key, price, _FREE_CHARGE, {}, Measured({}, {}, ""), None)
        known = self._callers.get(key)
        caller = known or _UNKNOWN
        found = measure(body, key.model)
        prompt = certain = _scaled(found.certain, caller.measured.value or self._of_model(key).measured.value)
        if found.guessed or found.cache:
            certain, guessed = self._with_guesses(certain, found, caller.guessed.value, key)
            prompt = _sum(certain, guessed)
        if method is Method.EMBED_CONTENT:
            charge = _charge(len(body["contents"]), prompt, 0, price)
        else:
            charge = _charge(1, prompt, _output(body, caller.output.value), price)
        return Estimate(call, key, price, charge, certain, found, known)

    def _with_guesses(
        self, certain: Mapping[str, int], found: Measured, learned: float | None, key: Key
    ) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """What is certain and what is guessed of a prompt that names files or a cache."""
        guessed = _scaled(found.guessed, learned or self._of_model(key).guessed.value)
        if not found.cache:
            return certain, guessed
        size = self._caches.get(found.cache)
        if size is None:
            return certain, _sum(guessed, {TEXT: UNKNOWN_CACHE_TOKENS})
        return _sum(certain, {TEXT: size}), guessed

    def observe(self, estimate: Estimate, usage: Usage) -> None:
        """Learn from the usage of a whole answer to an estimated call; one that broke off teaches nothing.

        Of a caller that is well known, every thirty-second answer is looked at.
        """
        if not usage.prompt:
            return
        named = 0
        if estimate.found.cache:
            named = min(usage.cached, usage.prompt)
            self._caches.put(estimate.found.cache, named)
        caller = estimate.known or self._callers.at(estimate.key, _Caller)
        caller.answers += 1
        if caller.answers > _ALL_OF_ANSWERS and caller.answers % _ONE_OF_ANSWERS:
            return
        model = self._models.at(estimate.key.model, _Model)
        for ratios in (caller, model):
            ratios.observe(estimate.found, usage.prompt - named)
        model.errors["input"].add(estimate.charge.input_tokens / usage.prompt)
        if output := usage.candidates + usage.thoughts:
            caller.output.add(output)
            model.errors["output"].add(estimate.output / output)

    def _of_model(self, key: Key) -> _Ratios:
        return self._models.get(key.model) or _UNKNOWN

    def errors(self) -> tuple[EstimateError, ...]:
        """How good the estimates have been lately: two for each of at most `MODELS_MAX` models."""
        return tuple(
            EstimateError(name, part, sketch.mean, *map(sketch.quantile, (0.05, 0.5, 0.95)))
            for name, model in self._models
            for part, sketch in model.errors.items()
            if sketch.weight
        )


_FREE_CHARGE = Charge(requests=0)
_UNKNOWN = _Caller()
"""Of whom nothing was learned, nor will be."""


def _charge(requests: int, prompt: Mapping[str, int], output: int, price: Price) -> Charge:
    tokens = sum(prompt.values())
    return Charge(requests, tokens, tokens + output, price.most(prompt, output))


def _scaled(tokens: Mapping[str, int], ratio: float | None) -> Mapping[str, int]:
    """Tokens by modality times a ratio, 1 when none is known."""
    if ratio is None:
        return tokens
    return {modality: math.ceil(count * ratio) for modality, count in tokens.items()}


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {modality: one.get(modality, 0) + other.get(modality, 0) for modality in one.keys() | other.keys()}


def _output(body: Json, learned: float | None) -> int:
    """Answer and thoughts together, which maxOutputTokens counts too."""
    likely = UNKNOWN_OUTPUT_TOKENS if learned is None else math.ceil(learned)
    config = body.get("generationConfig") or {}
    asked: int = config.get("maxOutputTokens", OUTPUT_MAX_TOKENS)
    candidates: int = config.get("candidateCount", 1)
    return min(max(0, min(asked, OUTPUT_MAX_TOKENS)) * max(1, candidates), likely)
