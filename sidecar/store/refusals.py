"""What an error of the client library means: a table, asked at the seam and nowhere else."""

import ssl

from redis import exceptions

from sidecar.store.errors import Outage, StoreUnavailable

FAILURES = (exceptions.RedisError, OSError, TimeoutError)
"""All that speaking to Redis may raise beside cancellation."""

WAYS_ON = (exceptions.AskError, exceptions.TryAgainError, exceptions.NoScriptError)
"""Answers that say how to get another one; the first of them is also MOVED."""

# The first that fits: subclasses stand before their bases.
_BY_CLASS: tuple[tuple[type[BaseException], Outage], ...] = (
    (exceptions.AuthenticationError, Outage.DENIED),
    (exceptions.AuthorizationError, Outage.DENIED),
    (exceptions.AuthenticationWrongNumberOfArgsError, Outage.DENIED),
    (exceptions.NoPermissionError, Outage.DENIED),
    (exceptions.OutOfMemoryError, Outage.FULL),
    (exceptions.ReadOnlyError, Outage.READ_ONLY),
    (exceptions.BusyLoadingError, Outage.LOADING),
    (exceptions.ClusterDownError, Outage.CLUSTER_DOWN),
    (exceptions.TryAgainError, Outage.CLUSTER_DOWN),
    (exceptions.AskError, Outage.CLUSTER_DOWN),
    (exceptions.TimeoutError, Outage.TIMEOUT),
    (TimeoutError, Outage.TIMEOUT),
    (exceptions.ConnectionError, Outage.UNREACHABLE),
    (ssl.SSLError, Outage.UNTRUSTED),
    (OSError, Outage.UNREACHABLE),
)
_BY_CODE = {
    "MISCONF": Outage.MISCONFIGURED,
    "NOREPLICAS": Outage.MISCONFIGURED,
    "BUSY": Outage.BUSY,
}


def outage_of(error: BaseException) -> Outage:
    """The word for an error of `FAILURES`."""
    if isinstance(error, exceptions.ConnectionError) and isinstance(error.__context__, ssl.SSLError):
        return Outage.UNTRUSTED
    for kind, outage in _BY_CLASS:
        if isinstance(error, kind):
            return outage
    return _BY_CODE.get(str(error).partition(" ")[0], Outage.FAULT)


def unavailable(outage: Outage, cause: BaseException | None) -> StoreUnavailable:
    """The error of an outage, which may have a cause of `FAILURES`."""
    refusal = StoreUnavailable(outage)
    refusal.__cause__ = cause
    return refusal
