"""Whether a failed attempt may be followed by another, and after how long. Pure: decides, never waits.

What is repeated, and where, by what ended the attempt:

    never sent (no connection, no TLS, no token)       elsewhere at once, or here after a backoff
    sent, and the connection broke without an answer   the same: see below
    5xx, 408, 499; silence; what is no Gemini answer   the same
    429                                                elsewhere at once, or here when the upstream says
    429 of a limit that is zero                        elsewhere, never here
    credentials refused                                elsewhere, here only while there is another key
    400, 404, a precondition, a reply too large        nowhere: another would say the same
    our own limits, a deadline, whatever is not ours   nowhere
    anything after the first chunk (StreamInterrupted) nowhere

Asking a model changes nothing in the world, so an attempt whose fate is unknown may be made again. The first
may have been billed all the same; what it reserved stays booked (`limits/settlement`), and the retry budget
bounds how often that can be.

Where the upstream names a delay, by RetryInfo or by Retry-After, it is kept. Where it does not, an endpoint
that has failed this call is left alone for a random time up to `backoff_s`, twice that after its second
failure and so on ("full jitter": Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from sidecar.core.errors import (
    SidecarError,
    StreamInterrupted,
    UpstreamCredentials,
    UpstreamQuota,
    UpstreamUnavailable,
)
from sidecar.core.pooling import RetryRules


def may_follow(error: SidecarError) -> bool:
    """Whether an attempt that ended so may be followed by another anywhere at all."""
    return not isinstance(error, StreamInterrupted) and isinstance(
        error, UpstreamUnavailable | UpstreamQuota | UpstreamCredentials
    )


def may_return(error: SidecarError) -> bool:
    """Whether the candidate that answered so may be asked again by the same call."""
    if isinstance(error, UpstreamCredentials):
        return error.has_other_key
    return not (isinstance(error, UpstreamQuota) and error.retry_after_s is None)


def backoff_s(rules: RetryRules, failures: int, draw: float) -> float:
    """Seconds until a call may ask again where it failed so often; `draw` is random, from 0 to 1."""
    if not failures:
        return 0.0
    return draw * min(rules.backoff_s * 2.0 ** min(failures - 1, 30), rules.backoff_max_s)


def return_s(rules: RetryRules, error: SidecarError, failures: int, draw: float) -> float:
    """Seconds until a call may ask again where it has just failed by `error`, for the time `failures`."""
    if isinstance(error, UpstreamCredentials):  # it is another key that asks
        return 0.0
    asked_for_s = error.retry_after_s if isinstance(error, UpstreamQuota) else _pushback_s(error)
    return (asked_for_s or 0.0) + backoff_s(rules, failures, draw)


def _pushback_s(error: SidecarError) -> float | None:
    return error.pushback_s if isinstance(error, UpstreamUnavailable) else None
