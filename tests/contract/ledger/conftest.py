"""The ledger twice: the model in Python and the script in a real Redis."""

import pytest

from tests.support.redis.server import RedisServer
from tests.support.scripted import ScriptedLedger


@pytest.fixture
def script(redis_server: RedisServer) -> ScriptedLedger:
    """The script, which knows nothing yet."""
    return ScriptedLedger(redis_server.admin)
