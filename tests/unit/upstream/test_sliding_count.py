"""Counts over the last seconds."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.upstream.sliding_count import SlidingCount

gaps = st.lists(st.floats(0.0, 5.0), max_size=60)


def test_what_is_older_than_the_window_does_not_count() -> None:
    recent = SlidingCount(10.0)
    recent.add(0.5)
    recent.add(3.0)
    assert recent.count(9.9) == 2
    assert recent.count(10.9) == 1
    assert recent.count(20.0) == 0


@given(gaps, st.floats(0.0, 20.0))
def test_a_count_is_exact_to_a_tenth_of_the_window(gaps: list[float], later: float) -> None:
    recent, now, times = SlidingCount(10.0), 0.0, []
    for gap in gaps:
        now += gap
        recent.add(now)
        times.append(now)
    now += later
    assert sum(at > now - 9.0 for at in times) <= recent.count(now) <= sum(at > now - 10.001 for at in times)


def test_it_keeps_no_more_than_its_slots() -> None:
    recent = SlidingCount(10.0)
    for tenth in range(10_000):
        recent.add(tenth / 10)
    assert len(recent._slots) <= 11


def test_clearing_forgets_everything() -> None:
    recent = SlidingCount(10.0)
    recent.add(1.0)
    recent.clear()
    assert recent.count(1.0) == 0
