"""The breaker of a server: what it refuses, and how a fleet comes back."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.store.circuit import Circuit, backoff_s

MOST_S = 2.0


def failed(times: int, now: float = 0.0, draw: float = 1.0) -> Circuit:
    circuit = Circuit()
    for _ in range(times):
        circuit.failed(now, draw)
    return circuit


@pytest.mark.parametrize(("failures", "is_closed"), [(0, True), (1, True), (2, False), (3, False)])
def test_two_failures_in_a_row_open_it(failures: int, is_closed: bool) -> None:
    circuit = failed(failures)
    assert circuit.is_closed is is_closed
    assert circuit.refuses(0.0) is not is_closed


def test_a_success_in_between_keeps_it_closed() -> None:
    circuit = failed(1)
    circuit.succeeded()
    circuit.failed(0.0, 1.0)
    assert not circuit.refuses(0.0)


def test_it_refuses_until_the_backoff_has_passed_and_not_longer() -> None:
    circuit = failed(2, now=10.0, draw=1.0)
    until = 10.0 + backoff_s(0, 1.0)
    assert circuit.refuses(until - 0.001)
    assert not circuit.refuses(until)
    assert not circuit.is_closed, "what is sent now is a probe"


def test_a_probe_closes_it_or_opens_it_for_longer() -> None:
    circuit = failed(2)
    circuit.failed(1.0, 1.0)
    assert circuit.refuses(1.0 + backoff_s(0, 1.0))
    assert not circuit.refuses(1.0 + backoff_s(1, 1.0))
    circuit.succeeded()
    assert circuit.is_closed
    assert not circuit.refuses(1.0)


def test_the_backoff_grows_from_50_ms_to_2_s() -> None:
    longest = [backoff_s(attempt, 1.0) for attempt in range(8)]
    assert longest == [0.1, 0.2, 0.4, 0.8, 1.6, MOST_S, MOST_S, MOST_S]
    assert {backoff_s(attempt, 0.0) for attempt in range(100)} == {0.05}


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_no_backoff_is_shorter_than_50_ms_or_longer_than_2_s(attempt: int, draw: float) -> None:
    assert 0.05 <= backoff_s(attempt, draw) <= MOST_S


def test_a_fleet_that_lost_its_redis_does_not_come_back_at_once() -> None:
    """1000 sidecars, all at the longest backoff: in no 100 ms do many more come than evenly spread ones."""
    draw = random.Random(7)  # noqa: S311 - jitter
    tenths = [int(backoff_s(20, draw.random()) * 10) for _ in range(1000)]
    assert max(tenths.count(tenth) for tenth in range(20)) < 2 * 1000 / 19.5


def test_its_repr_says_the_state() -> None:
    assert repr(Circuit()) == "<Circuit closed>"
    assert repr(failed(3)) == "<Circuit not closed after 3 failures>"
