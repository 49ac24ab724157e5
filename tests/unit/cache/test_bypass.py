from sidecar.cache.bypass import NoCache
from sidecar.core.cached import Bypass
from tests.support import facts


async def test_every_call_goes_upstream() -> None:
    assert await NoCache().look_up(facts.call(), facts.permit()) == Bypass("no cache is configured")
