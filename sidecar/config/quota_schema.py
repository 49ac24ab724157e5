"""Quotas, budgets and weights as the Policy file has them: the shape of their YAML.

Which limits there are is said here alone: a field for the file, and a row of LIMITS for what it counts and
when it is counted anew. What entries must be to each other is checked in `quota_checks` and `budget_checks`;
the groups of limits are made in `quotas`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from sidecar.config.amounts import (
    COUNT_MAX,
    COUNT_PATTERN,
    MONEY_PATTERN,
    SHARE_PATTERN,
    format_share,
    parse_count,
    parse_money,
    parse_share,
    parse_weight,
)
from sidecar.config.checks import one_line
from sidecar.config.faults import Unacceptable
from sidecar.config.names import Line, ModelId, Name, default_when_empty
from sidecar.config.values import Slice
from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.quota import Calendar, InFlight, Rolling, Unit, Window

LIMITS: Mapping[str, tuple[Unit, Window]] = MappingProxyType(
    {
        "requests_per_minute": (Unit.REQUESTS, Rolling(60)),
        "input_tokens_per_minute": (Unit.INPUT_TOKENS, Rolling(60)),
        "requests_per_day": (Unit.REQUESTS, Calendar(Period.DAY, PACIFIC)),
        "spend_per_10_minutes": (Unit.MONEY, Rolling(600)),
        "concurrent_calls": (Unit.CALLS, InFlight()),
        "tokens_per_minute": (Unit.TOKENS, Rolling(60)),
        "tokens_per_hour": (Unit.TOKENS, Calendar(Period.HOUR, PACIFIC)),
        "tokens_per_day": (Unit.TOKENS, Calendar(Period.DAY, PACIFIC)),
        "tokens_per_month": (Unit.TOKENS, Calendar(Period.MONTH, PACIFIC)),
        "spend_per_hour": (Unit.MONEY, Calendar(Period.HOUR, PACIFIC)),
        "spend_per_day": (Unit.MONEY, Calendar(Period.DAY, PACIFIC)),
        "spend_per_month": (Unit.MONEY, Calendar(Period.MONTH, PACIFIC)),
    }
)
"""What each limit of the file counts, and in which window; in the order in which a group has them."""


def _pattern(value: str) -> str:
    if "*" in one_line(value)[:-1]:
        raise Unacceptable(
            "has a * before its end", "name one principal, or write a prefix with * as its last character"
        )
    return value


_BURST = 0.05
_AMOUNT_SCHEMA = {"type": "number", "exclusiveMinimum": 0}
# Optional by default alone: a limit whose value was lost (`requests_per_minute:`) must not read as unlimited.
CountLimit: TypeAlias = Annotated[
    int | None,
    BeforeValidator(parse_count),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": COUNT_MAX},
                {"type": "string", "pattern": COUNT_PATTERN},
            ]
        }
    ),
]
MoneyLimit: TypeAlias = Annotated[
    int | None,
    BeforeValidator(parse_money),
    WithJsonSchema({"anyOf": [_AMOUNT_SCHEMA, {"type": "string", "pattern": MONEY_PATTERN}]}),
]
Burst: TypeAlias = Annotated[
    float, BeforeValidator(parse_share), WithJsonSchema({"type": "string", "pattern": SHARE_PATTERN})
]
Weight: TypeAlias = Annotated[float, BeforeValidator(parse_weight), WithJsonSchema(_AMOUNT_SCHEMA)]
PrincipalPattern: TypeAlias = Annotated[str, AfterValidator(_pattern)]
Loss: TypeAlias = Literal["share", "closed", "open"]
Tier: TypeAlias = Literal["standard", "priority", "flex"]


class LimitedSchema(Slice):
    """Limits that are counted together; at least one is set."""

    requests_per_minute: CountLimit = None
    """Requests that leave for the upstream in any 60 seconds."""
    input_tokens_per_minute: CountLimit = None
    """Prompt tokens, cached ones included, in any 60 seconds."""
    requests_per_day: CountLimit = None
    """Requests in a day of Pacific time."""
    spend_per_10_minutes: MoneyLimit = None
    """US dollars in any 10 minutes: `$50`, `$0.5` or 50."""
    concurrent_calls: CountLimit = None
    """Calls in flight at once."""
    shadow: Annotated[list[str], default_when_empty(list)] = Field(default_factory=list)
    """Limits set here that are counted and reported but refuse nothing."""
    on_redis_loss: Annotated[dict[str, Loss], default_when_empty(dict)] = Field(default_factory=dict)
    """What holds of a limit set here while Redis cannot be asked: `share`, a paced share that keeps the fleet
    below the limit; `closed`, nothing; `open`, everything. Default: closed for spend, share for the rest."""
    burst: Burst = Field(default=_BURST, json_schema_extra={"default": format_share(_BURST)})
    """How much of a limit per minute or per 10 minutes may be spent at once after a quiet time, 1% to 100%;
    the rest is paced."""


class QuotaSchema(LimitedSchema):
    """What Google grants a project for models that it counts together."""

    project: Name
    """A project of this file."""
    models: Annotated[list[ModelId], Field(min_length=1)]
    """Ids upstream that are counted together; each is in one entry per project and tier."""
    tier: Tier | None = None
    """The service tier that is counted here. None: every tier that has no entry of its own."""


class BudgetSchema(LimitedSchema):
    """What callers were given; covers the calls that match every selector that is set, without one all."""

    name: Name
    """What errors and metrics call it; unique."""
    principals: Annotated[list[PrincipalPattern], Field(min_length=1)] | None = None
    """Callers by identity, or by a prefix that ends with `*`."""
    tenants: Annotated[list[Name], Field(min_length=1)] | None = None
    """Callers by tenant."""
    labels: Annotated[dict[Line, Line], Field(min_length=1)] | None = None
    """Labels that a request must carry, all of them."""
    each: Literal["principal", "tenant", "all"] = "all"
    """Whether each principal, or each tenant, has such a budget of its own, or all share one."""
    tokens_per_minute: CountLimit = None
    """Tokens of prompt, tools, thinking and answer in any 60 seconds."""
    tokens_per_hour: CountLimit = None
    """Tokens in an hour of the clock."""
    tokens_per_day: CountLimit = None
    """Tokens in a day of Pacific time."""
    tokens_per_month: CountLimit = None
    """Tokens in a month of Pacific time."""
    spend_per_hour: MoneyLimit = None
    """US dollars in an hour of the clock."""
    spend_per_day: MoneyLimit = None
    """US dollars in a day of Pacific time."""
    spend_per_month: MoneyLimit = None
    """US dollars in a month of Pacific time."""


QUOTA_LIMITS = tuple(name for name in LIMITS if name in QuotaSchema.model_fields)
BUDGET_LIMITS = tuple(name for name in LIMITS if name in BudgetSchema.model_fields)
