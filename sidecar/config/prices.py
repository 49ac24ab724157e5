"""Prices as they are written, in `prices.yaml` beside this module and under `prices` in the Policy file.

People write dollars for a million tokens; behind this module a rate is an integer in pico-dollars a token.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from sidecar.config.checks import not_a_bool
from sidecar.config.document import read_document
from sidecar.config.faults import ConfigError, Unacceptable
from sidecar.config.validation import Raw, validate
from sidecar.config.values import Slice
from sidecar.core.cost import ModelPrice, PriceTable, Rate, Rates

_MICRO_IN_DOLLAR = 10**6
_DOLLARS_MAX = 10_000
_FILE = "prices.yaml"


def _dollars(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unacceptable("is not a price", "write dollars for a million tokens, such as 0.75")
    if not 0 <= value <= _DOLLARS_MAX:
        raise Unacceptable("is out of range", f"take dollars for a million tokens, 0 to {_DOLLARS_MAX}")
    if _pico(value) % 1:
        raise Unacceptable("has more than six decimals", "round it to micro-dollars for a million tokens")
    return value


def _pico(dollars: float) -> Decimal:
    """Dollars for a million tokens as pico-dollars a token, as exactly as they were written."""
    return Decimal(repr(dollars)) * _MICRO_IN_DOLLAR


def _by_modality(value: object) -> object:
    """A single price as the mapping that it is short for."""
    return value if isinstance(value, Mapping) else {"text": _dollars(value)}


def _day(value: object) -> object:
    form = "write a day such as 2027-01-01"
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise Unacceptable("is not a day", form)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Unacceptable("is no day of the calendar", form) from None


Dollars: TypeAlias = Annotated[
    float, BeforeValidator(_dollars), WithJsonSchema({"type": "number", "minimum": 0})
]
"""Dollars for a million tokens, to six decimals."""


class ModalityRates(Slice):
    """Prices by modality, where they differ."""

    text: Dollars
    """For text and whatever is not named."""
    image: Dollars | None = None
    """For pictures."""
    audio: Dollars | None = None
    """For sound."""
    video: Dollars | None = None
    """For moving pictures."""
    document: Dollars | None = None
    """For pages of documents."""

    def rate(self) -> Rate:
        """These prices as `core.cost` counts."""
        given = self.model_dump(exclude={"text"}, exclude_none=True)
        others = {modality.upper(): int(_pico(dollars)) for modality, dollars in given.items()}
        return Rate(int(_pico(self.text)), MappingProxyType(others))


RateSchema: TypeAlias = Annotated[
    ModalityRates, BeforeValidator(_by_modality, json_schema_input_type=Dollars | ModalityRates)
]
"""One price, or a mapping of prices by modality."""


class RatesSchema(Slice):
    """What tokens cost by their role, in dollars for a million."""

    input: RateSchema
    """The prompt."""
    cached: RateSchema | None = None
    """The part of the prompt that was cached. None: as `input`."""
    output: RateSchema
    """The answer and the thoughts before it."""

    def rates(self) -> Rates:
        """These prices as `core.cost` counts."""
        return Rates(self.input.rate(), (self.cached or self.input).rate(), self.output.rate())


class PriceSchema(RatesSchema):
    """What a model costs from a day on."""

    since: Annotated[date | None, BeforeValidator(_day)] = None
    """The first day, in UTC, such as 2027-01-01. None: since ever."""
    above_200k: RatesSchema | None = None
    """Prices of whole requests whose prompt has more than 200,000 tokens. None: the same."""

    @property
    def first_day(self) -> date:
        """The day from which this price holds."""
        return self.since or date.min

    def price(self) -> ModelPrice:
        """This price as `core.cost` counts."""
        return ModelPrice(self.first_day, self.rates(), self.above_200k.rates() if self.above_200k else None)


def _in_order(prices: list[PriceSchema]) -> list[PriceSchema]:
    days = [price.first_day for price in prices]
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise Unacceptable("is not in the order of its days", "list prices by `since`, each day once")
    return prices


ModelPrices: TypeAlias = Annotated[list[PriceSchema], Field(min_length=1), AfterValidator(_in_order)]
"""The prices of one model in the order of their days."""


class _PricesFile(Slice):
    """The root of `prices.yaml`."""

    tier_percent: Mapping[str, Annotated[int, BeforeValidator(not_a_bool), Field(ge=0)]]
    models: Mapping[str, ModelPrices]


def model_prices(schema: Mapping[str, list[PriceSchema]]) -> dict[str, tuple[ModelPrice, ...]]:
    """Prices by model, as `core.cost` counts."""
    return {model: tuple(price.price() for price in prices) for model, prices in schema.items()}


@cache
def shipped_prices() -> PriceTable:
    """The prices that this release knows. Raises ConfigError when its own file is damaged."""
    document = read_document(files("sidecar.config").joinpath(_FILE).read_bytes(), _FILE)
    schema, faults = validate(_PricesFile, Raw(document.tree, document.origin, lambda _: ""))
    if schema is None or document.faults:
        raise ConfigError((*document.faults, *faults))
    models = MappingProxyType(model_prices(schema.models))
    return PriceTable(models, MappingProxyType(dict(schema.tier_percent)))


def prices_content(table: PriceTable) -> list[Any]:
    """All of a table as plain JSON types, for a digest."""
    dated = {
        model: [
            [price.since.isoformat(), _rates_content(price.rates), _rates_content(price.long_rates)]
            for price in prices
        ]
        for model, prices in table.models.items()
    }
    return [dated, dict(table.tier_percent)]


def _rates_content(rates: Rates | None) -> list[Any]:
    if rates is None:
        return []
    return [[rate.text, dict(rate.others)] for rate in (rates.input, rates.cached, rates.output)]
