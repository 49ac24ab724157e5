"""What the Policy allows a caller to do."""

from dataclasses import dataclass
from typing import NamedTuple

from sidecar.core.call import Json
from sidecar.core.policy import STANDARD_TIER, Endpoint
from sidecar.core.principal import Principal

_STRIPPED = "thought_signatures=stripped"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to serve a call: an endpoint, and what to ask of it."""

    endpoint: Endpoint
    model: str
    """The model's id there."""
    tier: str = ""
    """The service tier to ask for (`flex`), in place of the body's; empty: as the body says."""
    step: int = 0
    """How many better alternatives of model and tier the Permit has: those of a later step are for when all
    of the earlier ones are out.
    """
    strips_signatures: bool = False
    """Whether thought signatures are left out, because they are of another issuer."""

    @property
    def rewrites(self) -> tuple[str, ...]:
        """What of a body is changed for it, as replies tell it."""
        if not (self.tier or self.strips_signatures):
            return ()
        changes = (f"service_tier={self.tier}" if self.tier else "", _STRIPPED * self.strips_signatures)
        return tuple(filter(None, changes))

    def tier_of(self, body: Json) -> str:
        """The service tier that is asked for with a body, and so counted and billed: `standard`, `priority`,
        `flex`.
        """
        return self.tier or tier_named(body)


class Permit(NamedTuple):
    """Proof that the Policy was asked and said yes; `candidates` are the only places that may be asked, best
    first: by step, then by the level of their endpoints.
    """

    principal: Principal
    candidates: tuple[Candidate, ...]
    home: tuple[str, ...] = ()
    """The projects that alone have what the call refers to, so that no other may be asked; empty: whoever
    serves it may.
    """


def tier_named(body: Json) -> str:
    """The service tier that a body asks for: `standard` where it names none."""
    tier: str | None = body.get("serviceTier")
    return tier.lower() if tier else STANDARD_TIER
