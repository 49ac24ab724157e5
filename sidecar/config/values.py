"""What groups of settings are made of: their common base, and values with a unit.

Durations are floats in seconds, sizes ints in bytes; both are written with a unit, in files and when printed.
"""

from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from sidecar.config.checks import between, not_a_bool
from sidecar.config.units import (
    DURATION_PATTERN,
    SIZE_PATTERN,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

Seconds: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_duration),
    AfterValidator(between(0.001, 24 * 3600.0, format_duration)),
    PlainSerializer(format_duration, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"type": "number"}]}),
]
"""A duration from 1 ms to 24 h."""

MessageBytes: TypeAlias = Annotated[
    int,
    BeforeValidator(parse_size),
    AfterValidator(between(1 << 10, 256 << 20, format_size)),
    PlainSerializer(format_size, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"type": "integer"}]}),
]
"""A size from 1 KiB to 256 MiB."""

Count: TypeAlias = Annotated[int, BeforeValidator(not_a_bool), Field(ge=1, le=1_000_000)]


class Slice(BaseModel):
    """What all groups have in common: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )
