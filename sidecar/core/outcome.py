"""What became of a call: its usage, its attempts, its end."""

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sidecar.core.call import Arrival, Json
from sidecar.core.cost import Cost
from sidecar.core.permit import Candidate

OK = "OK"
CANCELLED = "CANCELLED"
QUEUED_LEAST_S = 0.001
"""Less spent on reserving is no time in line: it takes microseconds by itself."""

Modalities: TypeAlias = tuple[tuple[str, int], ...]
"""Tokens by modality in Gemini's words: `(("TEXT", 193), ("IMAGE", 1120))`. Empty when nobody told them
apart; need not add up to the count that they belong to.
"""


class Usage(NamedTuple):
    """Tokens of one answer so far, by Gemini's counting.

    `prompt` includes `cached`; `total` = prompt + candidates + thoughts + tool_use. On a stream each report
    is a running total: the last one counts, sums never do.
    """

    prompt: int = 0
    cached: int = 0
    candidates: int = 0
    thoughts: int = 0
    tool_use: int = 0
    total: int = 0
    prompt_details: Modalities = ()
    cached_details: Modalities = ()
    candidates_details: Modalities = ()


class Reply(NamedTuple):
    """A whole answer, or one chunk of a streamed one, as canonical JSON."""

    json: Json
    usage: Usage | None
    service_tier: str = ""
    """The tier that served, as the upstream reports it; empty when it does not say."""
    is_large: bool = False
    """Whether typing it is work for a thread."""

    def __repr__(self) -> str:
        """Without what is said."""
        return f"<Reply of {len(self.json)} fields, {self.usage}>"


class AttemptKind(StrEnum):
    """Why an attempt was made."""

    FIRST = "first"
    RETRY = "retry"
    """An attempt before it failed."""
    FALLBACK = "fallback"
    """Of another model or service tier than the call would best be served with: that was out."""
    HEDGE = "hedge"
    """An attempt before it was silent for too long; whichever speaks first gives the answer."""


class AttemptRecord(NamedTuple):
    """One request to one endpoint, ended or as it stands."""

    number: int
    """Position within the call, from 1."""
    candidate: Candidate
    ended: str
    """`OK`, `CANCELLED` or the Reason of the failure. Cancelled is also whom another attempt outran."""
    latency_s: float
    """From the decision to ask until the end of the attempt."""
    sent: bool
    """Whether the request's headers left on an open connection: from then on it may have been billed."""
    kind: AttemptKind = AttemptKind.FIRST


class Outcome(NamedTuple):
    """The end of a call, told to the Observer exactly once. Carries no prompt text and no secret."""

    arrival: Arrival
    model: str
    principal: str
    ended: str
    """`OK`, `CANCELLED` or the Reason of the failure."""
    message: str
    """The developer's text of the failure, empty when there is none."""
    attempts: tuple[AttemptRecord, ...]
    """In the order in which they began."""
    answered: AttemptRecord | None
    """The one that gave the answer, else the last."""
    usage: Usage | None
    """Its usage."""
    chunks: int
    """Messages sent to the caller on a stream."""
    first_chunk_s: float | None
    """From arrival to the first message sent on a stream."""
    duration_s: float
    queued_s: float
    """Of it, spent on reserving; from QUEUED_LEAST_S on it was spent in line."""
    cost: Cost | None
    """Of `usage`. None: no usage that costs is known."""
