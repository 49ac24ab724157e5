"""A simulated fleet lives off the script in a real Redis: what arrives upstream is judged by the upstream."""

import math
from random import Random

import pytest

from sidecar.core.quota import Charge, Limit, LimitGroup, Rolling, Share, Unit
from sidecar.limits.simulate import Caller, Fleet, fair_shares, worst_window
from tests.support.fairness import jain
from tests.support.redis.server import RedisServer
from tests.support.scripted import ScriptedLedgers

WINDOW_S = 60
LIMIT = 6_000
WEIGHTS = {"one": 1.0, "two": 2.0, "four": 4.0}
OVERLOAD = 2.0
"""So many times the limit is asked for, by each class the same."""
WARM_S, END_S = 60, 180
GROUP = LimitGroup("quota/fleet", (Limit("requests_per_minute", Unit.REQUESTS, LIMIT, Rolling(WINDOW_S)),))


def draw(random: Random) -> tuple[Charge, Charge]:
    tokens = max(1, int(random.lognormvariate(math.log(1_000), 0.8)))
    charge = Charge(1, tokens, tokens, 0, 1)
    return charge, charge


@pytest.mark.timeout(180)
@pytest.mark.parametrize("sidecars", [1, 8, 64])
def test_a_saturated_fleet_uses_all_of_a_limit_and_never_more_and_shares_it_by_weight(
    redis_server: RedisServer, sidecars: int
) -> None:
    per_s = OVERLOAD * LIMIT / WINDOW_S / len(WEIGHTS)
    callers = [Caller(Share(name, weight), per_s, draw) for name, weight in WEIGHTS.items()]
    fleet = Fleet([GROUP], ScriptedLedgers(redis_server.admin), sidecars, callers)
    arrivals = fleet.run(END_S * 1000).arrivals
    steady = [arrival for arrival in arrivals if arrival.at >= WARM_S * 1000]
    served = {name: sum(arrival.share == name for arrival in steady) for name in WEIGHTS}
    offered = dict.fromkeys(WEIGHTS, per_s * (END_S - WARM_S))
    fair = fair_shares(offered, WEIGHTS, len(steady))
    got = {name: served[name] / fair[name] for name in WEIGHTS}
    assert worst_window([(arrival.at, 1) for arrival in arrivals], WINDOW_S * 1000) <= LIMIT
    assert len(steady) >= 0.99 * LIMIT * (END_S - WARM_S) / WINDOW_S
    assert jain(list(got.values())) >= 0.99
    assert all(0.97 <= part <= 1.03 for part in got.values()), got
