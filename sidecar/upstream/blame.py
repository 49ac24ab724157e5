"""What the end of an attempt says about the endpoint. Pure.

The endpoint is to blame for what another endpoint would have done better: connections that fail or break,
silence, 5xx, answers that are not Gemini's wire format. A 429 says that a quota is used up, which the limiter
answers alone; a 400 or 404 is about the request; and a cancellation is about the caller.
"""

from enum import Enum, auto

from sidecar.core.errors import StreamInterrupted, UpstreamCredentials, UpstreamUnavailable


class Blame(Enum):
    """How an attempt counts."""

    ANSWERED = auto()
    """It did what it should."""
    FAILED = auto()
    """It did not."""
    REFUSED = auto()
    """It accepts none of our credentials, and will not before somebody has acted."""
    NOBODY = auto()
    """Nothing is known of the endpoint that was not known before."""


def blame(failure: BaseException | None) -> Blame:
    """How an attempt counts that ended so."""
    if failure is None:
        return Blame.ANSWERED
    if isinstance(failure, StreamInterrupted):
        return blame(failure.__cause__) if failure.__cause__ is not None else Blame.NOBODY
    if isinstance(failure, UpstreamCredentials):
        return Blame.NOBODY if failure.has_other_key else Blame.REFUSED
    return Blame.FAILED if isinstance(failure, UpstreamUnavailable) else Blame.NOBODY
