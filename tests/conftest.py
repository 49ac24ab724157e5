"""What all tests share: how hypothesis draws, and real Redis servers.

`tools/setup` sees to it that redis-server and Envoy are there, so a fixture that needs one simply starts it:
a missing program is a failure, never a skip.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, settings

from tests.support.redis.cluster import RedisCluster, cluster
from tests.support.redis.kept import Kept
from tests.support.redis.sentinel import RedisSentinel, sentinel
from tests.support.redis.server import RedisServer, standalone

# The same examples on every machine and every run, so a red build is red for everybody. To look for new ones:
# pytest --hypothesis-profile=default
settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=100,
    deadline=None,  # the machine is shared: pytest-timeout judges hangs, hypothesis must not judge speed
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def kept_server() -> Iterator[Kept[RedisServer]]:
    with closing(Kept(standalone)) as kept:
        yield kept


@pytest.fixture(scope="session")
def kept_sentinel() -> Iterator[Kept[RedisSentinel]]:
    with closing(Kept(sentinel)) as kept:
        yield kept


@pytest.fixture(scope="session")
def kept_cluster() -> Iterator[Kept[RedisCluster]]:
    with closing(Kept(cluster)) as kept:
        yield kept


@pytest.fixture
def redis_server(kept_server: Kept[RedisServer]) -> Iterator[RedisServer]:
    """An empty Redis server. Kill it or pause it: the next test gets another."""
    with kept_server.lent() as server:
        yield server


@pytest.fixture
def redis_sentinel(kept_sentinel: Kept[RedisSentinel]) -> Iterator[RedisSentinel]:
    """A master without keys, two replicas, three Sentinels. Harm them: the next test gets others."""
    with kept_sentinel.lent() as servers:
        yield servers


@pytest.fixture
def redis_cluster(kept_cluster: Kept[RedisCluster]) -> Iterator[RedisCluster]:
    """Three masters without keys. Harm them: the next test gets others."""
    with kept_cluster.lent() as nodes:
        yield nodes
