"""What one sidecar remembers of its own use."""

import pytest

from sidecar.limits.history import History
from sidecar.limits.message import Terms
from tests.support.ledger import daily, flying, rolling


def slots(history: History) -> list[tuple[float, list[int]]]:
    return sorted((slot.last, slot.amounts) for slot in history)


def test_what_is_used_in_one_stretch_of_time_is_one_slot_and_counts_at_its_end() -> None:
    history = History([rolling(100), flying(5)])
    history.add(1_200, [2, 0])
    history.add(1_100, [3, 0])
    history.add(1_250, [1, 0])
    assert slots(history) == [(1_200, [5, 0]), (1_250, [1, 0])]


def test_what_is_taken_back_comes_off_where_it_was_used() -> None:
    history = History([rolling(100)])
    history.add(1_010, [5])
    history.add(9_000, [1])
    history.add(1_020, [-3])
    assert slots(history) == [(1_020, [2]), (9_000, [1])]


@pytest.mark.parametrize(("terms", "remembered_ms"), [(rolling(100), 60_000), (daily(100), 600_000)])
def test_it_remembers_one_window_or_ten_minutes_where_that_is_of_the_calendar(
    terms: Terms, remembered_ms: int
) -> None:
    history = History([terms])
    for moment in range(0, 2_000_000, 10_000):
        history.add(moment, [1])
    (first, _), *_others = slots(history)
    assert 1_990_000 - remembered_ms - 20_000 <= first <= 1_990_000 - remembered_ms
