import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from sidecar.core.alarm import Alarm


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def caught(run: Callable[[], Awaitable[None]]) -> BaseException | None:
    """What ended it."""
    try:
        await run()
    except BaseException as error:
        return error
    return None


async def test_an_alarm_that_rings_ends_the_task_that_made_it() -> None:
    alarm = Alarm()
    asyncio.get_running_loop().call_soon(alarm.ring)
    error = await caught(forever)
    assert isinstance(error, asyncio.CancelledError)
    assert alarm.caused(error)


async def test_the_task_goes_on_afterwards_as_if_nobody_had_cancelled_it() -> None:
    alarm = Alarm()
    alarm.ring()
    alarm.caused(await caught(forever))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_ringing_twice_cancels_once() -> None:
    alarm = Alarm()
    alarm.ring()
    alarm.ring()
    assert alarm.caused(await caught(forever))
    assert await caught(lambda: asyncio.sleep(0)) is None


async def test_an_alarm_that_never_rang_caused_nothing() -> None:
    assert not Alarm().caused(asyncio.CancelledError())
    assert not Alarm().caused(None)


async def test_a_cancellation_by_the_caller_is_not_the_alarms() -> None:
    told: list[bool] = []

    async def run() -> None:
        alarm = Alarm()
        error = await caught(forever)
        told.append(alarm.caused(error))

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert told == [False]


async def test_where_alarm_and_caller_both_cancel_the_caller_counts() -> None:
    told: list[bool] = []
    alarms: list[Alarm] = []

    async def run() -> None:
        alarms.append(Alarm())
        error = await caught(forever)
        told.append(alarms[0].caused(error))

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    alarms[0].ring()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert told == [False]


@pytest.mark.parametrize("rings", [0, 1])
async def test_of_several_alarms_of_a_task_each_knows_its_own(rings: int) -> None:
    alarms = [Alarm(), Alarm()]
    alarms[rings].ring()
    error = await caught(forever)
    assert [alarm.caused(error) for alarm in alarms] == [number == rings for number in range(2)]


async def test_another_error_on_the_way_out_stays_that_error() -> None:
    alarm = Alarm()
    alarm.ring()
    await caught(forever)
    assert not alarm.caused(LookupError())


async def test_an_alarm_that_rang_too_late_leaves_no_cancellation_behind() -> None:
    alarm = Alarm()
    alarm.ring()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    assert not alarm.caused(None)
    assert await caught(lambda: asyncio.sleep(0)) is None


def test_outside_a_task_there_is_nothing_to_end() -> None:
    async def run() -> None:
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def set_one() -> None:
            try:
                Alarm()
            except RuntimeError as error:
                failed.set_exception(error)

        asyncio.get_running_loop().call_soon(set_one)
        with pytest.raises(RuntimeError, match="none is running"):
            await failed

    asyncio.run(run())


async def test_its_repr_says_whether_it_rang() -> None:
    alarm = Alarm()
    assert repr(alarm) == "<Alarm set>"
    alarm.ring()
    assert repr(alarm) == "<Alarm rung>"
    await caught(forever)
    alarm.caused(None)
