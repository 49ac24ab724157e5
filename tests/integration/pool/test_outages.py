"""A pool of endpoints, of which one or all answer 503: what callers see of it, and what the upstream does.

What depends on the machine's pace has room here; the simulation and the soak hold it to the figures.
"""

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from sidecar.core.policy import Policy
from sidecar.core.pooling import BreakerRules, PoolRules
from sidecar.emulator import Emulator
from tests.support import facts, outages
from tests.support.endpoints import Door, doors
from tests.support.offered import Load
from tests.support.sidecar import serving

PER_S = 60.0
DEADLINE_S = 10.0
PROBE_S = 1.0
"""From the opening of a breaker until its first probe, and between probes."""
PROBE_MOST_S = 1.2 * PROBE_S
"""A fifth more or less at random."""
NAMES = ("first", "second", "third")


def pool_at(endpoints: Sequence[Door]) -> Policy:
    """A pool as a Policy has it that says nothing but how often to probe."""
    rules = PoolRules(breaker=BreakerRules(open_s=PROBE_S, open_max_s=PROBE_S))
    projects = [
        facts.gemini(door.base_url, project=name) for name, door in zip(NAMES, endpoints, strict=True)
    ]
    return facts.policy(*projects, pools=rules)


@asynccontextmanager
async def loaded() -> AsyncIterator[tuple[Load, list[Door]]]:
    """Three endpoints, a sidecar before them, and a load that has not begun."""
    async with (
        Emulator() as emulator,
        doors(emulator.base_url, 3) as endpoints,
        serving(pool_at(endpoints)) as served,
    ):
        yield Load(served.gemini, PER_S, DEADLINE_S), endpoints


def told(found: outages.OneOut | outages.AllOut) -> None:
    """Print the figures, for who runs this with -s."""
    sys.stdout.write(json.dumps(outages.rounded(found)) + "\n")


@pytest.mark.timeout(120)
async def test_an_endpoint_that_is_out_costs_callers_nothing_and_comes_back() -> None:
    async with loaded() as (load, endpoints):
        found = await outages.one_out(load, endpoints, out_s=4.0)
    told(found)
    assert found.good / found.calls >= 0.999
    assert found.extra <= 0.10
    assert found.asked_while_out >= 5, "it was out, and asked"
    assert found.back_s <= 10 * PROBE_MOST_S
    assert found.after >= 5, "it takes part in the load again"


@pytest.mark.timeout(120)
async def test_when_all_are_out_nothing_is_made_worse_and_nobody_waits_in_vain() -> None:
    async with loaded() as (load, endpoints):
        found = await outages.all_out(load, endpoints, out_s=6.0, settle_s=2 * PROBE_MOST_S)
    told(found)
    assert found.upstream <= 1.2
    assert found.longest_s <= DEADLINE_S
    assert found.rush <= 2.7  # of 3.0, which is all of it
    assert found.bad_after == 0, "then it is as if nothing had been"
    refused = [call.ended for call in load.calls if not call.is_good]
    assert {ended.reason for ended in refused} == {"UPSTREAM_UNAVAILABLE"}
    assert all(ended.retry_after_s is not None for ended in refused)
