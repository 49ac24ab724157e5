"""One row of the error table: a way to fail, and all that the caller may rely on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc

from sidecar.core.calendar import seconds_to_pacific_midnight
from sidecar.core.errors import Reason
from tests.support.provoke import Provocation

BOTH = ("Generate", "StreamGenerate")
UNARY = ("Generate",)
STREAM = ("StreamGenerate",)


@dataclass(frozen=True, slots=True)
class Row:
    """What is not said must be absent."""

    name: str
    by: Provocation
    says: str
    """Words of the message."""
    code: grpc.StatusCode
    reason: Reason
    rpcs: Sequence[str] = BOTH
    retry: object = None
    """RetryInfo, in seconds."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """ErrorInfo.metadata beside the request id."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """BadRequest: descriptions by field path."""
    quotas: Sequence[Mapping[str, object]] = ()
    """QuotaFailure."""
    is_safe: bool = False
    """Whether `x-safe-retry` tells that nothing was sent."""
    chunks: int = 0
    """Messages of a stream before the failure."""


class Words(str):
    """Equal to every text that these words stand in."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in str(other)

    def __hash__(self) -> int:
        raise TypeError("words match, they do not identify")


class _Figure(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.isdecimal() and int(other) > 0

    def __hash__(self) -> int:
        raise TypeError("a figure that is left open does not identify")


FIGURE = _Figure("some figure above zero")
"""Equal to every whole number above zero in a text."""


class _Midnight:
    def __repr__(self) -> str:
        return "seconds until midnight, Pacific time"

    def __eq__(self, other: object) -> bool:
        left_s = seconds_to_pacific_midnight(datetime.now(UTC))
        passed_s = (other - left_s) % 86_400 if isinstance(other, float) else 86_400
        return passed_s < 60  # since the answer was made, be it on the day before

    def __hash__(self) -> int:
        raise TypeError("midnight comes nearer: it does not identify")


MIDNIGHT = _Midnight()
"""Equal to the seconds that were left until midnight, Pacific time, within the last minute."""


def http(status: int, canonical: str = "") -> dict[str, str]:
    """The facts of a refusal by HTTP status, and of Google's own status if it gave one."""
    return {"http_status": str(status)} | ({"upstream_status": canonical} if canonical else {})
