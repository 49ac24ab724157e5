"""Callers of the local listeners: whoever shares the pod's loopback or may open its socket is the pod."""

from sidecar.core.call import Arrival
from sidecar.core.policy import Policy
from sidecar.core.principal import Principal


class LocalIdentity:
    """Gives every caller the pod's own principal, with the tenant that the Policy names for it."""

    def __init__(self, principal: str) -> None:
        self._principal = principal

    def __repr__(self) -> str:
        return f"<LocalIdentity {self._principal}>"

    async def identify(self, arrival: Arrival, policy: Policy) -> Principal:
        """The pod's principal; see `core.ports.Identity`."""
        return Principal(self._principal, policy.tenant_of(self._principal))
