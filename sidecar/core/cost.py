"""What tokens cost, in micro-dollars: prices by model, day and tier, and the arithmetic on a Usage.

Decides the money of a call from its token counts. Where prices come from is `config/prices`; what a call that
failed is charged, `limits/settlement`.

Google's rules (ai.google.dev "Pricing" and "Optimization", state of November 2026):

- the prompt count includes the cached tokens, so these are taken out before the rest is priced;
- thoughts cost what the answer costs; what a tool put into the prompt costs what the prompt costs;
- on some models a prompt of more than 200,000 tokens moves the whole request to higher rates;
- flex and batch cost half, priority 1.8 times the standard rate.

Where a count was not told apart by modality, a prompt is priced as text, because most are, and an answer at
the dearest rate of its model, because what an image model answers is images.

Not in a Usage, so not in a cost: queries of grounding with Google Search ($14 for 1,000, after a monthly free
share) and the hours that an explicit cache is stored.

All arithmetic is on integers: a rate in pico-dollars a token is the price of a million tokens in
micro-dollars. One division at the end rounds up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # an Outcome leads to the Policy, which holds the prices
    from sidecar.core.outcome import Modalities, Usage

LONG_PROMPT_TOKENS = 200_000
"""A longer prompt is billed at the long rates of its model, if it has any."""
STANDARD_PERCENT = 100
_PICO_IN_MICRO = 10**6
_REVISION = re.compile(r"-\d{3}$")
_FOUND_MAX = 1024


class Cost(NamedTuple):
    """The money of one call."""

    micro_dollars: int
    """Rounded up."""
    is_priced: bool
    """False when no price is known for the model: the money is 0, and a metric can say so."""


NO_PRICE = Cost(0, is_priced=False)
"""Of a model whose price is not known."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a token in pico-dollars: of a million tokens in micro-dollars."""

    text: int
    """For text and every modality without a rate of its own."""
    others: Mapping[str, int] = field(default_factory=dict)
    """By modality, in Gemini's words, where it differs."""

    def of(self, modality: str) -> int:
        """The rate of one modality."""
        return self.others.get(modality, self.text)

    @property
    def dearest(self) -> int:
        """The highest rate of any modality."""
        return max((self.text, *self.others.values()))

    def pico(self, tokens: int, details: "Modalities") -> int:
        """The price of `tokens`. Details that exceed them are cut, the cheap ones first; what they leave
        open is text."""
        if not self.others:
            return tokens * self.text
        total = 0
        for rate, count in sorted(((self.of(modality), count) for modality, count in details), reverse=True):
            counted = min(count, tokens)
            total += counted * rate
            tokens -= counted
        return total + tokens * self.text


@dataclass(frozen=True, slots=True)
class Rates:
    """What the tokens of a request cost, by their role."""

    input: Rate
    cached: Rate
    output: Rate

    def pico(self, usage: "Usage") -> int:
        """The price of a usage in pico-dollars, at the standard tier."""
        return self._prompt(usage) + usage.tool_use * self.input.text + self._answer(usage)

    def _prompt(self, usage: "Usage") -> int:
        cached = min(usage.cached, usage.prompt)
        if not cached:
            return self.input.pico(usage.prompt, usage.prompt_details)
        fresh = _less(usage.prompt_details, usage.cached_details)
        return self.input.pico(usage.prompt - cached, fresh) + self.cached.pico(cached, usage.cached_details)

    def _answer(self, usage: "Usage") -> int:
        thoughts = usage.thoughts * self.output.text
        if not usage.candidates_details:
            return thoughts + usage.candidates * self.output.dearest
        return thoughts + self.output.pico(usage.candidates, usage.candidates_details)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What a model costs from a day on, until its next price."""

    since: date
    """The first day, in UTC."""
    rates: Rates
    long_rates: Rates | None = None
    """For prompts of more than LONG_PROMPT_TOKENS. None: the same."""

    def rates_at(self, prompt_tokens: int) -> Rates:
        """The rates of a whole request with a prompt of this length."""
        if self.long_rates is None or prompt_tokens <= LONG_PROMPT_TOKENS:
            return self.rates
        return self.long_rates


@dataclass(frozen=True, slots=True)
class Price:
    """What the tokens of one call cost: one model, on one day, at one tier."""

    model: ModelPrice | None
    """None: no price is known."""
    percent: int = STANDARD_PERCENT
    """Of the standard rates."""

    def cost(self, usage: "Usage") -> Cost:
        """The money of a usage."""
        if self.model is None:
            return NO_PRICE
        return Cost(self._micro(self.model.rates_at(usage.prompt).pico(usage)), is_priced=True)

    def most(self, prompt: Mapping[str, int], output: int) -> int:
        """The money, in micro-dollars, that a call with these tokens, the prompt's by modality, costs if
        nothing is cached and the answer is of the dearest kind; 0 when no price is known.
        """
        if self.model is None:
            return 0
        tokens = sum(prompt.values())
        rates = self.model.rates_at(tokens)
        pico = rates.input.pico(tokens, tuple(prompt.items())) + output * rates.output.dearest
        return self._micro(pico)

    def _micro(self, pico: int) -> int:
        return -(-pico * self.percent // (STANDARD_PERCENT * _PICO_IN_MICRO))


UNPRICED = Price(None)
"""Nothing costs anything, as far as is known."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All known prices. Immutable; equal content is equal."""

    models: Mapping[str, tuple[ModelPrice, ...]] = field(default_factory=dict)
    """By model id, each in the order of their days."""
    tier_percent: Mapping[str, int] = field(default_factory=dict)
    """By service tier in lower case; any other is at the standard rates."""
    _found: dict[tuple[str, str, date], Price] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Prices that were asked for; models that callers make up are without end, so it is bounded."""

    def price(self, model: str, tier: str, on: date) -> Price:
        """The price of a model, under any name that the upstream takes, on a day in UTC.

        The id counts, or else the id without a revision such as `-001`: a stable model's revisions are that
        model to Google. Nothing else is guessed: previews have had other prices than what they became, and
        what `-latest` points to moves. An unknown tier is priced as standard.
        """
        key = (model, tier, on)
        price = self._found.get(key)
        if price is None:
            if len(self._found) >= _FOUND_MAX:
                self._found.clear()
            price = self._found[key] = self._price(*key)
        return price

    def _price(self, model: str, tier: str, on: date) -> Price:
        name = model.rpartition("models/")[2]
        dated = self.models.get(name) or self.models.get(_REVISION.sub("", name), ())
        begun = [price for price in dated if price.since <= on]
        percent = self.tier_percent.get(tier.lower().removeprefix("service_tier_"), STANDARD_PERCENT)
        return Price(begun[-1] if begun else None, percent)

    def cost(self, model: str, usage: "Usage", tier: str, on: date) -> Cost:
        """The money of a usage: see `price`."""
        return self.price(model, tier, on).cost(usage)

    def overridden(self, models: Mapping[str, tuple[ModelPrice, ...]]) -> "PriceTable":
        """A table with the prices of these models in place of its own."""
        return PriceTable(MappingProxyType({**self.models, **models}), self.tier_percent)


def _less(details: "Modalities", taken: "Modalities") -> "Modalities":
    """What is left of each modality, never less than nothing."""
    amounts = dict(taken)
    return tuple((modality, max(0, count - amounts.get(modality, 0))) for modality, count in details)
