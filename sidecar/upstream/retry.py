"""Whether a failed attempt may be followed by another. Pure: decides, never waits.

One rule so far, the one that can cost nobody anything: an attempt whose request never left (connection
refused, TLS or DNS failure, no token) may be made once at every other candidate. What was sent may have been
billed and is not repeated.
"""

from collections.abc import Sequence

from sidecar.core.errors import SidecarError, UpstreamCredentials, UpstreamUnavailable
from sidecar.core.outcome import AttemptRecord
from sidecar.core.permit import Permit


def may_repeat(error: SidecarError, tried: Sequence[AttemptRecord], permit: Permit) -> bool:
    """Whether another attempt may follow `error`, which ended the last of `tried`."""
    if tried[-1].sent or not isinstance(error, UpstreamUnavailable | UpstreamCredentials):
        return False
    return {record.candidate for record in tried} != set(permit.candidates)
