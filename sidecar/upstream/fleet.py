"""The Pool port: how the endpoints are, as this process has found them."""

from collections.abc import Sequence

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call
from sidecar.core.errors import SidecarError
from sidecar.core.outcome import AttemptRecord
from sidecar.core.permit import Candidate, Permit
from sidecar.upstream.rank import rank
from sidecar.upstream.retry import may_repeat


class Fleet:
    """All endpoints that were asked; see `core.ports.Pool`."""

    def __init__(self) -> None:
        self.in_flight = 0
        """Attempts that have begun and not ended."""

    def __repr__(self) -> str:
        return f"<Fleet of endpoints, {self.in_flight} attempts in flight>"

    def rank(self, call: Call, permit: Permit, tried: Sequence[AttemptRecord] = ()) -> tuple[Candidate, ...]:
        """The candidates, best first; see `core.ports.Pool`."""
        return rank(permit, tried)

    def began(self, attempt: Attempt) -> "Course":
        """Count an attempt; see `core.ports.Pool`."""
        return Course(self)

    def retry(
        self, error: SidecarError, call: Call, permit: Permit, tried: Sequence[AttemptRecord]
    ) -> float | None:
        """When another attempt may follow; see `core.ports.Pool`."""
        return 0.0 if may_repeat(error, tried, permit) else None

    def hedge_after(self, attempt: Attempt) -> float | None:
        """No attempt is hedged; see `core.ports.Pool`."""
        return None

    def take_hedge(self, attempt: Attempt) -> bool:
        """No attempt is hedged; see `core.ports.Pool`."""
        return False


class Course:
    """The Trip of one attempt; see `core.ports.Trip`."""

    __slots__ = ("_fleet", "_is_over")

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._is_over = False
        fleet.in_flight += 1

    def __repr__(self) -> str:
        return f"<Course {'over' if self._is_over else 'under way'}>"

    def first_content(self) -> None:
        """Content has come; see `core.ports.Trip`."""

    def ended(self, failure: BaseException | None) -> None:
        """The attempt is over; see `core.ports.Trip`."""
        if not self._is_over:
            self._is_over = True
            self._fleet.in_flight -= 1
