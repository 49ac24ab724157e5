"""Verdicts against an independent exact model, over days on which clocks change."""

from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from sidecar.emulator.clock import Instant, wall_us
from sidecar.emulator.quota_plan import Allowance, Limits, QuotaPlan
from sidecar.emulator.quotas import Dimension, Quotas
from tests.unit.emulator.quota_model import ExactModel

_PACIFIC = ZoneInfo("America/Los_Angeles")
_MODEL = "gemini-3.8-flash"
_SPANS_US = {"RPM": 60_000_000, "TPM": 60_000_000, "SPEND": 600_000_000}
_MONO_OFFSET_US = 987_654_321
ARRIVALS = 25_000


def _plan(rpm: int | None, tpm: int | None, rpd: int | None, spend: int | None = None) -> QuotaPlan:
    return QuotaPlan(Allowance(models={"*": Limits(rpm, tpm, rpd)}, spend_pico_usd=spend))


def _next_wall(random: Random, wall: int, edge: int) -> int:
    """The time of the next arrival: bursts, lulls, and often just at an edge of a window or a day."""
    kind = random.random()
    if kind < 0.3:
        return wall + random.choice((0, 0, 1, random.randrange(1000)))
    if kind < 0.5:
        return max(wall, edge + random.randrange(-1, 2))
    if kind < 0.504:
        tomorrow = datetime.fromtimestamp(wall // 10**6 + 86_400, _PACIFIC)
        midnight = wall_us(datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=_PACIFIC))
        return max(wall, midnight + random.randrange(-2, 2))
    return wall + int(random.expovariate(1 / 4_000_000))


@pytest.mark.parametrize(
    ("seed", "begin"),
    [
        (1, datetime(2026, 3, 7, 20, tzinfo=_PACIFIC)),
        (2, datetime(2026, 10, 31, 20, tzinfo=_PACIFIC)),
        (3, datetime(2026, 11, 22, 23, 59, tzinfo=_PACIFIC)),
        (4, datetime(2026, 12, 30, tzinfo=_PACIFIC)),
    ],
    ids=["spring-forward", "fall-back", "midnight", "new-year"],
)
def test_no_verdict_is_wrong(seed, begin):
    """Four runs of 25,000 arrivals; each verdict, and for each refusal the moment at which it would end."""
    random = Random(seed)  # noqa: S311 - reproducible arrivals, no secret
    model = ExactModel(rpm=9, tpm=60_000, rpd=250, spend=12_000)
    quotas = Quotas(_plan(9, 60_000, 250, 12_000))
    wall, edge, tokens = wall_us(begin), 0, 0
    outcomes = dict.fromkeys(("admitted", "RPM", "TPM", "RPD", "SPEND"), 0)
    for _ in range(ARRIVALS):
        wall = _next_wall(random, wall, edge)
        now = Instant(wall - _MONO_OFFSET_US, wall)
        if wall != edge:  # else the call that was refused is made again when it was told to
            tokens = random.choice((0, 1, 2, random.randrange(12_000), random.randrange(58_000, 60_002)))
        found = quotas.admit("p", _MODEL, (1, tokens), now)
        expected = model.exceeded(now.mono_us, wall, tokens)
        assert {one.dimension.name for one in found} == expected
        for name in expected or {"admitted"}:
            outcomes[name] += 1
        if not expected:
            cost = random.randrange(600)
            quotas.charge("p", cost, now)
            model.admit(now.mono_us, wall, tokens, cost)
        for one in found:
            edge = wall + one.wait_us
            if one.dimension is not Dimension.RPD:
                _check_wait(model, one.dimension.name, now.mono_us, one.wait_us, tokens)
    assert min(outcomes.values()) > 200, outcomes


def _check_wait(model: ExactModel, name: str, mono_us: int, wait_us: int, tokens: int) -> None:
    history = {"RPM": model.requests, "TPM": model.tokens, "SPEND": model.spend}[name]
    amount = tokens if name == "TPM" else 1
    limit, span = model.limits[name], _SPANS_US[name]
    if amount > limit:
        assert wait_us == span
        return
    # The history holds nothing later than now, so the window of a later moment tells what is left by then.
    assert history.within(mono_us + wait_us, span) + amount <= limit
    assert history.within(mono_us + wait_us - 1, span) + amount > limit


def test_a_refused_call_counts_nowhere():
    quotas = Quotas(_plan(rpm=2, tpm=100, rpd=None))
    now = Instant(0, 0)
    assert [one.dimension for one in quotas.admit("p", _MODEL, (1, 101), now)] == [Dimension.TPM]
    assert not quotas.admit("p", _MODEL, (1, 100), now)
    assert [one.dimension for one in quotas.admit("p", _MODEL, (1, 1), now)] == [Dimension.TPM]
    assert not quotas.admit("p", _MODEL, (1, 0), now)


def test_projects_and_models_do_not_share():
    quotas = Quotas(_plan(rpm=1, tpm=None, rpd=None))
    now = Instant(0, 0)
    for project, model in [("p", "a"), ("p", "b"), ("q", "a")]:
        assert not quotas.admit(project, model, (1, 0), now)
        assert quotas.admit(project, model, (1, 0), now)


def test_spend_is_shared_by_the_models_of_a_project():
    quotas = Quotas(_plan(None, None, None, spend=100))
    assert not quotas.admit("p", "a", (1, 0), Instant(0, 0))
    quotas.charge("p", 150, Instant(0, 0))
    [exceeded] = quotas.admit("p", "b", (1, 0), Instant(1, 1))
    assert (exceeded.dimension, exceeded.limit, exceeded.wait_us) == (Dimension.SPEND, 100, 599_999_999)
    assert not quotas.admit("p", "b", (1, 0), Instant(600_000_000, 600_000_000))


def test_the_projects_idle_for_longest_are_forgotten_beyond_ten_thousand():
    quotas = Quotas(_plan(rpm=1, tpm=None, rpd=None))
    now = Instant(0, 0)
    assert not quotas.admit("first", _MODEL, (1, 0), now)
    for number in range(10_000):
        quotas.admit(f"p{number}", _MODEL, (1, 0), now)
    assert repr(quotas) == "<Quotas of 10000 projects>"
    assert quotas.admit("p9999", _MODEL, (1, 0), now)
    assert not quotas.admit("first", _MODEL, (1, 0), now)
