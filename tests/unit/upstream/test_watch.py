"""On a loop whose clock stands until all is done, and then jumps to the next timer."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable

import pytest

from sidecar.upstream.watch import Watch

TOTAL_S = 100.0
SHORTEST_S = 4.0


class Jumping(selectors.SelectSelector):
    """Waits for nothing: that the time has passed is all that is to be seen of a wait."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.passed_s += timeout or 0.0
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = Jumping()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.passed_s


class Stopped(Exception):
    """By the watch."""

    def __init__(self, reason: str, at_s: float) -> None:
        super().__init__(reason)
        self.at_s = at_s


def watched(run: Callable[[Watch], Awaitable[None]]) -> float:
    """When it was done. Raises Stopped when the watch ended it."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        watch = Watch(TOTAL_S, SHORTEST_S)
        error: BaseException | None = None
        try:
            await run(watch)
        except asyncio.CancelledError as cancelled:
            error = cancelled
        if watch.stop(error):
            raise Stopped(watch.reason, loop.time()) from None
        assert error is None
        return loop.time()

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main())


async def wait(watch: Watch, for_s: float, seconds: float, setting: str = "idle_timeout") -> None:
    """A wait of `for_s` that may last `seconds`."""
    watch.bound(seconds, "more", setting)
    await asyncio.sleep(for_s)
    watch.unbound()


def test_what_is_done_in_time_is_not_disturbed() -> None:
    assert watched(lambda watch: wait(watch, 5, 6)) == pytest.approx(5)


def test_a_wait_ends_when_its_time_is_over() -> None:
    with pytest.raises(Stopped, match=r"waited 6 s for more \(idle_timeout\)") as stopped:
        watched(lambda watch: wait(watch, 7, 6))
    assert stopped.value.at_s == pytest.approx(6)


@pytest.mark.parametrize("before_s", [0.0, 1.0, 3.9, 4.0, 4.1, 9.5])
def test_a_wait_of_the_shortest_time_is_not_found_too_late_whenever_it_begins(before_s: float) -> None:
    async def run(watch: Watch) -> None:
        await asyncio.sleep(before_s)
        await wait(watch, 50, SHORTEST_S)

    with pytest.raises(Stopped) as stopped:
        watched(run)
    assert stopped.value.at_s == pytest.approx(before_s + SHORTEST_S)


def test_each_wait_has_its_time_anew() -> None:
    async def run(watch: Watch) -> None:
        for _ in range(10):
            await wait(watch, 5, 6)

    assert watched(run) == pytest.approx(50)


def test_between_waits_only_the_whole_is_bounded() -> None:
    async def run(watch: Watch) -> None:
        await wait(watch, 1, 6)
        await asyncio.sleep(90)

    assert watched(run) == pytest.approx(91)


def test_many_short_waits_do_not_outlast_the_whole() -> None:
    async def run(watch: Watch) -> None:
        while True:
            await wait(watch, 5, 6)

    with pytest.raises(Stopped, match=r"not done within 100 s \(total_timeout\)") as stopped:
        watched(run)
    assert stopped.value.at_s == pytest.approx(TOTAL_S)


def test_a_wait_that_might_outlast_the_whole_ends_with_it() -> None:
    async def run(watch: Watch) -> None:
        await asyncio.sleep(98)
        await wait(watch, 50, 6)

    with pytest.raises(Stopped, match="total_timeout") as stopped:
        watched(run)
    assert stopped.value.at_s == pytest.approx(TOTAL_S)


def test_waits_of_a_stage_share_its_time() -> None:
    async def run(watch: Watch) -> None:
        watch.narrow(20, "content", "first_content_timeout")
        while True:
            await wait(watch, 5, 6)

    with pytest.raises(Stopped, match=r"waited 20 s for content \(first_content_timeout\)") as stopped:
        watched(run)
    assert stopped.value.at_s == pytest.approx(20)


def test_a_wait_within_a_stage_may_end_before_it() -> None:
    async def run(watch: Watch) -> None:
        watch.narrow(20, "content", "first_content_timeout")
        await wait(watch, 50, 6)

    with pytest.raises(Stopped, match="idle_timeout") as stopped:
        watched(run)
    assert stopped.value.at_s == pytest.approx(6)


def test_a_stage_that_is_done_bounds_nothing() -> None:
    async def run(watch: Watch) -> None:
        watch.narrow(20, "content", "first_content_timeout")
        await wait(watch, 5, 6)
        watch.widen()
        await asyncio.sleep(50)

    assert watched(run) == pytest.approx(55)


def test_a_stage_longer_than_the_whole_changes_nothing() -> None:
    async def run(watch: Watch) -> None:
        watch.narrow(TOTAL_S * 2, "content", "first_content_timeout")
        await asyncio.sleep(TOTAL_S * 3)

    with pytest.raises(Stopped, match="total_timeout"):
        watched(run)


def test_after_the_stop_nothing_rings() -> None:
    async def run() -> float:
        watch = Watch(TOTAL_S, SHORTEST_S)
        watch.bound(SHORTEST_S, "more", "idle_timeout")
        assert not watch.stop(None)
        await asyncio.sleep(TOTAL_S * 2)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(run()) == pytest.approx(TOTAL_S * 2)
