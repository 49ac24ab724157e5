"""QuotaService without grpc: what is asked, what is told, and when a watcher hears of it."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import grpc
import pytest

from sidecar.core.calendar import PACIFIC, Period
from sidecar.core.levels import GroupKind, GroupState, LimitLevel, LimitsMode, LimitState
from sidecar.core.quota import Calendar, InFlight, Limit, Rolling, Unit
from sidecar.edge import levels
from sidecar.edge.asked import WATCHES_MAX
from sidecar.edge.quota import QuotaService, Told
from sidecar.v1 import quota_pb2
from sidecar.v1.quota_pb2 import GetQuotaRequest, WatchQuotaRequest
from tests.unit.edge.fakes import Aborted, FakeContext, guard

RPM = Limit("requests_per_minute", Unit.REQUESTS, 2000, Rolling(60))
SPEND = Limit("spend_per_day", Unit.MONEY, 50_000_000, Calendar(Period.DAY, PACIFIC), is_shadow=True)
FLIGHT = Limit("concurrent_calls", Unit.CALLS, 200, InFlight())
LEVEL = LimitLevel(used=1200, held=5, available=195, amount=2000, factor=0.7)
STATE = GroupState(
    name="quota/main/flash",
    mode=LimitsMode.NORMAL,
    limits=(LimitState(RPM, LEVEL, denials=3), LimitState(SPEND, shadow_denials=2), LimitState(FLIGHT)),
    trouble="no answer",
    holders=4,
    waiting=7,
    blocked_ms=1500.0,
    age_ms=250.0,
)
OTHER = STATE._replace(waiting=8)


class Shown:
    """A service that shows these states, one after the other, the last again and again; it drains when all
    were shown.
    """

    def __init__(self, *states: GroupState) -> None:
        self.left = [[state] for state in states]
        self.prefixes: list[Sequence[str]] = []
        self.service = QuotaService(self.states, self.draining, guard())

    async def states(self, prefixes: Sequence[str]) -> list[GroupState]:
        self.prefixes.append(prefixes)
        return self.left.pop(0)

    async def draining(self) -> None:
        if self.left:
            raise TimeoutError  # the interval is over

    async def get(self, request: bytes, context: FakeContext) -> Any:
        return await self.service.GetQuota(request, cast(Any, context))

    async def watch(self, request: WatchQuotaRequest) -> FakeContext:
        context = FakeContext(x_request_id="req-1")
        with pytest.raises(Aborted):
            await self.service.WatchQuota(request.SerializeToString(), cast(Any, context))
        return context


async def test_a_group_is_told_with_all_that_is_known() -> None:
    context = FakeContext(x_request_id="req-1")
    (group,) = (await Shown(STATE).get(b"", context)).groups
    assert (group.name, group.kind, group.mode) == (
        "quota/main/flash",
        quota_pb2.GROUP_KIND_QUOTA,
        quota_pb2.LIMITS_MODE_NORMAL,
    )
    assert (group.trouble, group.holders, group.waiting_calls) == ("no answer", 4, 7)
    assert (group.blocked_for.ToMilliseconds(), group.age.ToMilliseconds()) == (1500, 250)
    rpm, spend, flight = group.limits
    assert (rpm.name, rpm.unit, rpm.amount) == (
        "requests_per_minute",
        quota_pb2.LIMIT_UNIT_REQUESTS,
        2000,
    )
    assert (rpm.rolling.seconds, rpm.denials, rpm.is_shadow) == (60, 3, False)
    told = rpm.level
    assert (told.used, told.held, told.available, told.amount, told.factor) == LEVEL
    assert (spend.calendar, spend.is_shadow, spend.shadow_denials) == (
        quota_pb2.CALENDAR_PERIOD_DAY,
        True,
        2,
    )
    assert (flight.WhichOneof("window"), flight.unit) == (None, quota_pb2.LIMIT_UNIT_CALLS)
    assert context.trailers == {"x-request-id": "req-1"}


async def test_of_a_group_that_is_not_used_nothing_is_made_up() -> None:
    unused = GroupState("budget/all", LimitsMode.UNUSED, (LimitState(RPM),))
    (group,) = (await Shown(unused).get(b"", FakeContext())).groups
    assert [field.name for field, _ in group.ListFields()] == ["name", "kind", "limits"]
    assert not group.limits[0].HasField("level")


def test_modes_kinds_units_and_periods_have_the_same_names_in_the_contract() -> None:
    modes = {mode: "UNSPECIFIED" if mode is LimitsMode.UNUSED else mode.name for mode in LimitsMode}
    told = {mode: quota_pb2.LimitsMode.Name(levels.mode_message(mode)) for mode in LimitsMode}
    assert told == {mode: f"LIMITS_MODE_{name}" for mode, name in modes.items()}
    assert {k: quota_pb2.GroupKind.Name(v) for k, v in levels.KINDS.items()} == {
        kind: f"GROUP_KIND_{kind.name}" for kind in GroupKind
    }
    assert {k: quota_pb2.LimitUnit.Name(v) for k, v in levels.UNITS.items()} == {
        unit: f"LIMIT_UNIT_{unit.name}" for unit in Unit
    }
    assert {k: quota_pb2.CalendarPeriod.Name(v) for k, v in levels.PERIODS.items()} == {
        period: f"CALENDAR_PERIOD_{period.name}" for period in Period
    }


@pytest.mark.parametrize("prefixes", [(), ("budget/", "quota/main")])
async def test_groups_are_asked_for_by_the_beginnings_of_their_names(prefixes: tuple[str, ...]) -> None:
    shown = Shown(STATE, STATE)
    await shown.get(GetQuotaRequest(group_prefixes=prefixes).SerializeToString(), FakeContext())
    await shown.watch(WatchQuotaRequest(group_prefixes=prefixes))
    assert [tuple(asked) for asked in shown.prefixes] == [prefixes or ("",)] * 2


async def test_a_request_that_cannot_be_read_is_refused_with_its_request_id() -> None:
    context = FakeContext(x_request_id="req-1")
    with pytest.raises(Aborted):
        await Shown(STATE).get(b"\xff", context)
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert context.trailers["x-request-id"] == "req-1"


async def test_an_unforeseen_failure_is_internal_and_bland(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: Sequence[str]) -> list[GroupState]:
        raise ZeroDivisionError("secret")

    context = FakeContext()
    with pytest.raises(Aborted):
        await QuotaService(broken, asyncio.Event().wait, guard()).GetQuota(b"", cast(Any, context))
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.INTERNAL
    assert "secret" not in context.aborted[1]
    assert "secret" in caplog.text


async def test_a_watcher_hears_the_beginning_and_every_change() -> None:
    context = await Shown(STATE, STATE, OTHER, OTHER, STATE).watch(WatchQuotaRequest())
    assert [message.groups[0].waiting_calls for message in context.written] == [7, 8, 7]


async def test_a_drain_ends_a_watch_and_tells_to_go_elsewhere() -> None:
    context = await Shown(STATE).watch(WatchQuotaRequest())
    assert len(context.written) == 1
    assert context.aborted == (grpc.StatusCode.UNAVAILABLE, "this sidecar is shutting down")
    assert context.trailers["x-safe-retry"] == "1"
    assert context.trailers["x-request-id"] == "req-1"


@pytest.mark.parametrize("interval_ms", [0, 99, 3_600_001, -1000])
async def test_an_interval_out_of_range_is_refused(interval_ms: int) -> None:
    request = WatchQuotaRequest()
    request.interval.FromMilliseconds(interval_ms)
    context = await Shown(STATE).watch(request)
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert context.written == []


async def test_a_watch_too_many_is_shed_and_one_that_ends_makes_room() -> None:
    async def states(_: Sequence[str]) -> list[GroupState]:
        return [STATE]

    service = QuotaService(states, asyncio.Event().wait, guard())
    watches = [
        asyncio.ensure_future(service.WatchQuota(b"", cast(Any, FakeContext()))) for _ in range(WATCHES_MAX)
    ]
    await asyncio.sleep(0)
    context = FakeContext()
    with pytest.raises(Aborted):
        await service.WatchQuota(b"", cast(Any, context))
    assert context.aborted is not None
    assert context.aborted[0] is grpc.StatusCode.UNAVAILABLE
    for watch in watches:
        watch.cancel()
    await asyncio.wait(watches)
    assert repr(service) == f"<QuotaService at local, <Watches: 0 of {WATCHES_MAX}>>"


def test_nothing_new_is_told_again_after_ten_seconds_and_not_before() -> None:
    told = Told()
    assert told.is_news([STATE], now=100.0)
    assert not told.is_news([STATE], now=109.9)
    assert told.is_news([STATE], now=110.0)
    assert not told.is_news([STATE], now=119.9)


def test_no_groups_at_all_are_told_once() -> None:
    told = Told()
    assert told.is_news([], now=1.0)
    assert not told.is_news([], now=2.0)


def test_figures_that_grow_old_are_no_news_but_the_end_of_a_block_is() -> None:
    told = Told()
    told.is_news([STATE], now=0.0)
    assert not told.is_news([STATE._replace(blocked_ms=500.0, age_ms=1250.0)], now=1.0)
    assert told.is_news([STATE._replace(blocked_ms=0.0, age_ms=1750.0)], now=1.5)
