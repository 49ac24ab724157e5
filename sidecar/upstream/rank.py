"""Which candidate to ask next. Pure: reads facts, reserves nothing.

The Policy's order of projects is the order of preference. A candidate that already failed this call moves
behind those that have not been asked.
"""

from collections.abc import Sequence

from sidecar.core.outcome import AttemptRecord
from sidecar.core.permit import Candidate, Permit


def rank(permit: Permit, tried: Sequence[AttemptRecord]) -> tuple[Candidate, ...]:
    """The permitted candidates, best first."""
    if not tried:
        return permit.candidates
    asked = [record.candidate for record in tried]
    return tuple(sorted(permit.candidates, key=asked.count))
