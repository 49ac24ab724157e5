"""What was seen of calendar limits is of use in its own period alone."""

from sidecar.limits.message import Level
from sidecar.limits.seen import Seen
from tests.support.ledger import HOUR_MS, NOON, daily, rolling

TODAY = [rolling(10), daily(100)]
TOMORROW = [rolling(10), daily(100, NOON + 12 * HOUR_MS)]


def levels(used: int) -> list[Level]:
    return [Level(used, 0, 10, 1000), Level(used, 0, 100, 1000)]


def seen() -> Seen:
    made = Seen(2)
    made.note(TODAY, levels(3), 0.0)
    made.note(TODAY, levels(7), 10_000.0)
    return made


def test_the_last_sighting_of_the_period_is_told() -> None:
    assert seen().of(TODAY) == [-1, 7]


def test_yesterdays_count_does_not_close_today() -> None:
    assert seen().of(TOMORROW) == [-1, -1]


def test_what_is_seen_in_the_first_seconds_of_a_period_may_be_of_the_one_before() -> None:
    made = seen()
    made.note(TOMORROW, levels(99), 20_000.0)
    made.note(TOMORROW, levels(99), 23_999.0)
    assert made.of(TOMORROW) == [-1, -1]
    made.note(TOMORROW, levels(2), 24_000.0)
    assert made.of(TOMORROW) == [-1, 2]


def test_it_says_its_state_in_words() -> None:
    assert repr(seen()) == "<Seen [-1, 7]>"
