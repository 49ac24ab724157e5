"""Who calls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A proven caller: its identity (a SPIFFE id where there is one) and the tenant that the Policy gives it.

    Only an Identity port makes one, so holding a Principal is the proof that identity ran.
    """

    id: str
    tenant: str = ""
    is_pod: bool = False
    """Whether it is the pod that this sidecar is in: a local caller, or a replica with the pod's SPIFFE
    id."""
    scopes: frozenset[str] | None = None
    """What its verified token is good for. None: it showed no token."""
    subject: str = ""
    """Whom the token was issued for, as `ISSUER/SUBJECT`; empty without one."""

    @property
    def is_unbounded_pod(self) -> bool:
        """Whether it is the pod speaking for itself, with no token that narrows what it may do."""
        return self.is_pod and self.scopes is None
