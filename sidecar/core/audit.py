"""What is written down for whoever must account for a sidecar: who was refused, who administered it, which
Policy was in force. Facts alone: neither prompts nor tokens come into a record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sidecar.core.call import Arrival
from sidecar.core.errors import SidecarError
from sidecar.core.principal import Principal

_TOLD = ("cause", "rule", "scope")
"""Of the metadata of a refusal."""


class AuditKind(StrEnum):
    """What a record is about."""

    STARTED = "started"
    """The sidecar begins; numbers begin anew."""
    STOPPED = "stopped"
    """It ends in order. A start that follows no stop followed a crash."""
    DENIED = "denied"
    """A caller was refused: not known, or not allowed."""
    ADMINISTERED = "administered"
    """Somebody who may did something to the sidecar."""
    POLICY = "policy"
    """A Policy is in force from now on, or a changed one was refused."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One event, by names of one word and their values."""

    kind: AuditKind
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Occasion:
    """The call that an event is about."""

    listener: str
    method: str
    """As on the wire; of another service than GeminiService with that before it."""
    request_id: str
    model: str = ""

    @classmethod
    def of(cls, arrival: Arrival, model: str) -> "Occasion":
        """The occasion of a call of GeminiService."""
        return cls(arrival.listener, arrival.method, arrival.request_id, model)


def denied(occasion: Occasion, principal: Principal | None, refusal: SidecarError) -> AuditRecord:
    """A caller was refused; `principal` is None when it was not known."""
    facts = {**_who(principal), **_where(occasion), "reason": str(refusal.reason)}
    facts.update((key, refusal.metadata[key]) for key in _TOLD if key in refusal.metadata)
    return AuditRecord(AuditKind.DENIED, {**facts, "message": refusal.message})


def administered(occasion: Occasion, principal: Principal) -> AuditRecord:
    """Somebody did something to the sidecar."""
    return AuditRecord(AuditKind.ADMINISTERED, {**_who(principal), **_where(occasion)})


def policy_taken(digest: str) -> AuditRecord:
    """A Policy is in force from now on."""
    return AuditRecord(AuditKind.POLICY, {"digest": digest})


def policy_refused(digest: str, faults: Iterable[str]) -> AuditRecord:
    """A changed Policy was refused; the one of this digest stays in force."""
    return AuditRecord(AuditKind.POLICY, {"digest": digest, "refused": "; ".join(faults)})


def _who(principal: Principal | None) -> dict[str, str]:
    if principal is None:
        return {"principal": ""}
    told = {"principal": principal.id, "tenant": principal.tenant, "subject": principal.subject}
    return {key: value for key, value in told.items() if value}


def _where(occasion: Occasion) -> dict[str, str]:
    told = {
        "listener": occasion.listener,
        "method": occasion.method,
        "model": occasion.model,
        "request_id": occasion.request_id,
    }
    return {key: value for key, value in told.items() if value}
