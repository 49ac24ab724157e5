"""What the Policy allows a caller to do."""

from dataclasses import dataclass

from sidecar.core.policy import Endpoint
from sidecar.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to serve a call: an endpoint and the id of the model there."""

    endpoint: Endpoint
    model: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Proof that the Policy was asked and said yes; `candidates` are the only places that may be asked, best
    first.
    """

    principal: Principal
    candidates: tuple[Candidate, ...]
