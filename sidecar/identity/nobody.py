"""Callers of a listener where nothing can prove who calls."""

from typing import NoReturn

from sidecar.core.call import Arrival
from sidecar.core.errors import PermissionDenied
from sidecar.core.policy import Policy


class NobodyIdentity:
    """Refuses every caller."""

    def __repr__(self) -> str:
        return "<NobodyIdentity>"

    async def identify(self, arrival: Arrival, policy: Policy) -> NoReturn:
        """Raises PermissionDenied; see `core.ports.Identity`."""
        raise PermissionDenied(f"nobody may call by the listener {arrival.listener!r}")
