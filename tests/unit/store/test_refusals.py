"""What each error of the client library is called."""

import ssl

import pytest
from redis import exceptions

from sidecar.store.errors import Outage, StoreUnavailable
from sidecar.store.refusals import outage_of, unavailable

WORDS = [
    (exceptions.ConnectionError("refused"), Outage.UNREACHABLE),
    (ConnectionResetError(), Outage.UNREACHABLE),
    (OSError("no route"), Outage.UNREACHABLE),
    (ssl.SSLCertVerificationError("expired"), Outage.UNTRUSTED),
    (exceptions.TimeoutError("slow"), Outage.TIMEOUT),
    (TimeoutError(), Outage.TIMEOUT),
    (exceptions.AuthenticationError("WRONGPASS"), Outage.DENIED),
    (exceptions.NoPermissionError("no permissions"), Outage.DENIED),
    (exceptions.OutOfMemoryError("maxmemory"), Outage.FULL),
    (exceptions.ResponseError("MISCONF Errors writing to the AOF file"), Outage.MISCONFIGURED),
    (exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), Outage.MISCONFIGURED),
    (exceptions.ReadOnlyError("replica"), Outage.READ_ONLY),
    (exceptions.BusyLoadingError("loading"), Outage.LOADING),
    (exceptions.ClusterDownError("CLUSTERDOWN Hash slot not served"), Outage.CLUSTER_DOWN),
    (exceptions.MasterDownError("MASTERDOWN Link is down"), Outage.CLUSTER_DOWN),
    (exceptions.TryAgainError("rehashing"), Outage.CLUSTER_DOWN),
    (exceptions.MovedError("1 127.0.0.1:1"), Outage.CLUSTER_DOWN),
    (exceptions.ResponseError("BUSY Redis is busy running a script."), Outage.BUSY),
    (exceptions.ResponseError("ERR wrong number of arguments"), Outage.FAULT),
    (exceptions.InvalidResponse("no RESP"), Outage.FAULT),
]


@pytest.mark.parametrize(
    ("error", "outage"), WORDS, ids=[f"{type(error).__name__}-{error}"[:40] for error, _ in WORDS]
)
def test_an_error_has_one_word(error: Exception, outage: Outage) -> None:
    assert outage_of(error) is outage


def test_a_connection_that_tls_refused_is_untrusted() -> None:
    error = exceptions.ConnectionError("Error 1 connecting to redis:6379")
    error.__context__ = ssl.SSLCertVerificationError("expired")
    assert outage_of(error) is Outage.UNTRUSTED


@pytest.mark.parametrize("outage", Outage)
def test_every_outage_says_what_it_is_and_keeps_its_cause_to_itself(outage: Outage) -> None:
    error = unavailable(outage, exceptions.ConnectionError("Error 111 connecting to 10.0.0.1:6379"))
    assert isinstance(error, StoreUnavailable)
    assert str(error)
    assert repr(error) == f"<StoreUnavailable {outage}>"
    assert "10.0.0.1" not in str(error)
