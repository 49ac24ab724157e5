import os
import sys
import threading

import pytest

from sidecar.edge.threads import threads_give_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the policies of Linux")


def policy_of_a_new_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)))
    thread.start()
    thread.join()
    return found[0]


def test_threads_begun_inside_give_way() -> None:
    with threads_give_way():
        assert policy_of_a_new_thread() == os.SCHED_BATCH


def test_the_own_thread_is_as_before_afterwards() -> None:
    with pytest.raises(LookupError), threads_give_way():
        raise LookupError
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    assert policy_of_a_new_thread() == os.SCHED_OTHER


def test_a_policy_that_somebody_has_chosen_stays() -> None:
    found: list[int] = []

    def run() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        with threads_give_way():
            found.append(policy_of_a_new_thread())
        found.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [os.SCHED_IDLE, os.SCHED_IDLE]


def test_where_policies_are_forbidden_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    with threads_give_way():
        assert policy_of_a_new_thread() == os.SCHED_OTHER
