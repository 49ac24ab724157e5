"""One request to one endpoint, on the strength of one Grant."""

from typing import NamedTuple

from sidecar.core.call import Call
from sidecar.core.outcome import AttemptKind
from sidecar.core.permit import Candidate
from sidecar.core.ports import Grant


class Attempt(NamedTuple):
    """What a transport needs to ask once: the call, the place granted, and until when it may take."""

    call: Call
    grant: Grant
    kind: AttemptKind = AttemptKind.FIRST

    @property
    def candidate(self) -> Candidate:
        """The endpoint and model that the grant was given for."""
        return self.grant.candidate
