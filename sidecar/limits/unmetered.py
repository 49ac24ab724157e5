"""Limits of a Policy that names none: every hold and grant is given at once, and still accounted for to its
end.
"""

from collections.abc import Sequence

from sidecar.core.call import Call
from sidecar.core.errors import NoEndpoint
from sidecar.core.outcome import Usage
from sidecar.core.permit import Candidate, Permit


class Unmetered:
    """The Limits port without limits. `open` counts what is reserved and not yet settled: zero when no call
    is running.
    """

    def __init__(self) -> None:
        self.open = 0

    def __repr__(self) -> str:
        return f"<Unmetered {self.open} open>"

    async def hold(self, call: Call, permit: Permit) -> "_Reservation":
        """A hold on no budget; see `core.ports.Limits`."""
        return _Reservation(self)

    async def reserve(self, call: Call, candidates: Sequence[Candidate]) -> "_Grant":
        """A grant for the best candidate; see `core.ports.Limits`."""
        if not candidates:
            raise NoEndpoint(f"no project of the Policy serves model {call.model!r}")
        return _Grant(self, candidates[0])


class _Reservation:
    """Open until settled once."""

    def __init__(self, limits: Unmetered) -> None:
        self._limits = limits
        self._is_settled = False
        limits.open += 1

    def settle(self, usage: Usage | None) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._limits.open -= 1


class _Grant:
    """A reservation for one attempt at `candidate`."""

    def __init__(self, limits: Unmetered, candidate: Candidate) -> None:
        self._reservation = _Reservation(limits)
        self.candidate = candidate
        self.is_sent = False

    def __repr__(self) -> str:
        return f"<Grant at {self.candidate.endpoint.project}, {'sent' if self.is_sent else 'reserved'}>"

    def sent(self) -> None:
        self.is_sent = True

    def settle(self, ended: str, usage: Usage | None) -> None:
        self._reservation.settle(usage)
