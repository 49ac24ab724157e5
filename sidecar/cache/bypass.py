"""The cache that is none: every call goes upstream."""

from sidecar.core.cached import Bypass
from sidecar.core.call import Call
from sidecar.core.permit import Permit

_NONE = Bypass("no cache is configured")


class NoCache:
    """A Cache port without a store."""

    async def look_up(self, call: Call, permit: Permit) -> Bypass:
        """Always a Bypass; see `core.ports.Cache`."""
        return _NONE
