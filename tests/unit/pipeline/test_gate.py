import asyncio

import pytest

from sidecar.core.errors import Draining, Overloaded
from sidecar.pipeline.gate import Gate


async def inside(gate: Gate, leave: asyncio.Event) -> str:
    with gate.slot():
        await leave.wait()
        return "done"


async def entered(gate: Gate, count: int) -> tuple[list[asyncio.Task[str]], asyncio.Event]:
    leave = asyncio.Event()
    tasks = [asyncio.ensure_future(inside(gate, leave)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks, leave


async def test_as_many_calls_as_the_limit_may_be_inside() -> None:
    gate = Gate(2)
    tasks, leave = await entered(gate, 2)
    assert (gate.in_flight, repr(gate)) == (2, "<Gate 2 of 2 in flight>")
    with pytest.raises(Overloaded, match=r"holds 2 calls.*listen\.max_in_flight"), gate.slot():
        pass
    leave.set()
    assert await asyncio.gather(*tasks) == ["done", "done"]
    assert gate.in_flight == 0
    with gate.slot():
        assert gate.in_flight == 1


@pytest.mark.parametrize("error", [ZeroDivisionError, asyncio.CancelledError, TimeoutError])
async def test_a_place_is_given_back_however_the_call_ends(error: type[BaseException]) -> None:
    gate = Gate(1)
    with pytest.raises(error), gate.slot():
        raise error
    assert gate.in_flight == 0


async def test_a_cancelled_call_gives_its_place_back() -> None:
    gate = Gate(1)
    (task,), _ = await entered(gate, 1)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert gate.in_flight == 0


async def test_a_draining_gate_takes_nobody_and_lets_those_inside_finish() -> None:
    gate = Gate(5)
    tasks, leave = await entered(gate, 2)
    before = gate.is_draining
    gate.drain()
    assert (before, gate.is_draining) == (False, True)
    assert "draining" in repr(gate)
    with pytest.raises(Draining), gate.slot():
        pass
    leave.set()
    assert await asyncio.gather(*tasks) == ["done", "done"]


async def test_draining_is_told_before_overload() -> None:
    gate = Gate(1)
    tasks, leave = await entered(gate, 1)
    gate.drain()
    with pytest.raises(Draining), gate.slot():
        pass
    leave.set()
    await asyncio.gather(*tasks)


async def test_cut_ends_every_call_inside_with_a_status_of_ours() -> None:
    gate = Gate(5)
    tasks, _ = await entered(gate, 3)
    gate.drain()
    gate.cut()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in ended] == [Draining] * 3
    assert gate.in_flight == 0


async def test_cut_may_be_repeated_while_calls_are_still_leaving() -> None:
    gate = Gate(5)
    tasks, _ = await entered(gate, 2)
    gate.cut()
    await asyncio.sleep(0)
    gate.cut()
    gate.cut()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in ended] == [Draining] * 2


async def test_cut_of_an_empty_gate_does_nothing() -> None:
    gate = Gate(1)
    gate.cut()
    with gate.slot():
        assert gate.in_flight == 1


async def test_a_timeout_of_the_call_itself_is_not_taken_for_the_cut() -> None:
    gate = Gate(1)
    with pytest.raises(TimeoutError), gate.slot():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()


async def test_a_caller_who_goes_away_during_the_cut_is_cancelled() -> None:
    gate = Gate(1)
    (task,), _ = await entered(gate, 1)
    gate.cut()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() or isinstance(task.exception(), Draining)
    assert gate.in_flight == 0


async def test_quiet_comes_when_nobody_asks_any_more() -> None:
    gate = Gate(1)
    async with asyncio.timeout(5):
        await gate.quiet(0.001)


async def test_a_pause_lasts_its_time_and_goes_well() -> None:
    assert await Gate(1).pause(0.001)


async def test_a_pause_ends_when_draining_begins_and_does_not_begin_after_that() -> None:
    gate = Gate(1)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        pausing = group.create_task(gate.pause(1000.0))
        asyncio.get_running_loop().call_soon(gate.drain)
    assert not pausing.result()
    assert not await gate.pause(1000.0)
