"""Who calls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A proven caller: its identity (a SPIFFE id where there is one) and the tenant that the Policy gives it.

    Only an Identity port makes one, so holding a Principal is the proof that identity ran.
    """

    id: str
    tenant: str = ""
