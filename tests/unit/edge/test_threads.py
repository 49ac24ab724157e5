import os
import sys
import threading
from collections.abc import Callable
from typing import NamedTuple

import pytest

from sidecar.edge.threads import give_way, other_threads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the policies of Linux")


class Schedule(NamedTuple):
    policy: int
    niceness: int


def schedule() -> Schedule:
    """Of the running thread."""
    own = threading.get_native_id()
    return Schedule(os.sched_getscheduler(own), os.getpriority(os.PRIO_PROCESS, own))


def in_a_thread(run: Callable[[], None]) -> None:
    """Run it where what it does to its own thread ends with it."""
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_a_thread_that_gives_way_interrupts_nobody_and_is_nice() -> None:
    found: list[Schedule] = []

    def run() -> None:
        found.append(schedule())
        give_way([threading.get_native_id()])
        found.append(schedule())

    in_a_thread(run)
    before, after = found
    assert after.policy == os.SCHED_BATCH
    assert after.niceness > before.niceness


def test_so_do_the_threads_that_it_begins() -> None:
    found: list[Schedule] = []

    def run() -> None:
        give_way([threading.get_native_id()])
        in_a_thread(lambda: found.append(schedule()))
        found.append(schedule())

    in_a_thread(run)
    assert found[0] == found[1]


def test_to_repeat_it_changes_nothing() -> None:
    found: list[Schedule] = []

    def run() -> None:
        for _ in range(2):
            give_way([threading.get_native_id()])
            found.append(schedule())

    in_a_thread(run)
    assert found[0] == found[1]


def test_a_policy_that_somebody_has_chosen_stays() -> None:
    found: list[Schedule] = []

    def run() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        give_way([threading.get_native_id()])
        found.append(schedule())

    in_a_thread(run)
    assert found[0].policy == os.SCHED_IDLE


def test_a_thread_that_has_ended_is_no_matter() -> None:
    ended: list[int] = []
    in_a_thread(lambda: ended.append(threading.get_native_id()))
    before = schedule()
    give_way(ended)
    assert schedule() == before


def test_where_it_is_forbidden_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    before = schedule()
    give_way([threading.get_native_id()])
    assert schedule() == before


def test_the_others_are_all_threads_but_the_running_one() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        found = other_threads()
    finally:
        done.set()
        thread.join()
    assert thread.native_id in found
    assert threading.get_native_id() not in found
