"""The arithmetic of notices: whatever is heard in whatever order, all end with the same."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.bulletin import Notice
from sidecar.store.board import NOTICES_MAX, Board

NOW = 100.0
CLOCK_MS = 5_000_000


def notice(until: float, value: str = "value") -> Notice:
    return Notice(value, until)


def stamp(until: float) -> int:
    """The deadline on Redis's clock."""
    return CLOCK_MS + round((until - NOW) * 1000)


def values(board: Board, now: float = NOW) -> dict[str, str]:
    return {key: held.value for key, held in board.snapshot.live(now).items()}


Fact = tuple[str, int, str]
"""Key, seconds left, value: something that Redis has told. Redis has one value for a deadline."""


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=12).map(
        lambda facts: [(key, left, f"{key}{left}") for key, left in facts]
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_and_any_repetition_leads_to_the_same(facts: Sequence[Fact], draw: object) -> None:
    one, other = Board(), Board()
    for key, left, value in facts:
        one.learn(key, notice(NOW + left, value), stamp(NOW + left), NOW)
    again = [*facts, *facts]
    draw.shuffle(again)  # type: ignore[attr-defined]
    for key, left, value in again:
        other.learn(key, notice(NOW + left, value), stamp(NOW + left), NOW)
    assert values(one) == values(other)


def test_what_is_posted_is_owed_until_redis_has_it() -> None:
    board = Board()
    assert board.post("key", notice(NOW + 60), NOW)
    assert list(board.owed()) == ["key"]
    board.learn("key", notice(NOW + 60.002), stamp(NOW + 60), NOW)
    assert board.owed() == {}
    assert values(board) == {"key": "value"}


def test_that_redis_has_an_own_notice_is_no_news() -> None:
    board = Board()
    board.post("key", notice(NOW + 60), NOW)
    version = board.snapshot.version
    assert not board.learn("key", notice(NOW + 60.002), stamp(NOW + 60), NOW)
    assert board.snapshot.version == version


def test_a_later_one_of_another_replaces_what_is_owed() -> None:
    board = Board()
    board.post("key", notice(NOW + 60), NOW)
    assert board.learn("key", notice(NOW + 90, "theirs"), stamp(NOW + 90), NOW)
    assert (values(board), board.owed()) == ({"key": "theirs"}, {})


def test_an_earlier_one_of_another_does_not() -> None:
    board = Board()
    board.post("key", notice(NOW + 60), NOW)
    assert not board.learn("key", notice(NOW + 30, "theirs"), stamp(NOW + 30), NOW)
    assert (values(board), list(board.owed())) == ({"key": "value"}, ["key"])


def test_posting_what_stands_already_is_no_news() -> None:
    board = Board()
    board.learn("key", notice(NOW + 60), stamp(NOW + 60), NOW)
    assert not board.post("key", notice(NOW + 60), NOW)
    assert not board.post("key", notice(NOW + 59, "mine"), NOW)
    assert board.owed() == {}


def test_what_has_ended_stands_in_nobody_s_way() -> None:
    board = Board()
    board.post("key", notice(NOW + 60, "old"), NOW)
    assert board.post("key", notice(NOW + 65, "new"), NOW + 61)
    assert not board.post("key", notice(NOW + 60), NOW + 61)
    assert not board.learn("other", notice(NOW + 60), stamp(NOW + 60), NOW + 61)


def known(board: Board, key: str, until: float) -> None:
    board.post(key, notice(until), NOW)
    board.learn(key, notice(until), stamp(until), NOW)


def test_own_notices_that_redis_has_lost_are_owed_again() -> None:
    board = Board()
    for key, until in (("kept", NOW + 60), ("lost", NOW + 60), ("older", NOW + 60), ("ended", NOW + 1)):
        known(board, key, until)
    board.learn("theirs", notice(NOW + 60), stamp(NOW + 60), NOW)
    assert board.missed({"kept": stamp(NOW + 60), "older": stamp(NOW + 30)}, NOW + 2)
    assert sorted(board.owed()) == ["lost", "older"]


def test_nothing_is_owed_when_redis_has_all_or_is_full() -> None:
    board = Board()
    known(board, "key", NOW + 60)
    assert not board.missed({"key": stamp(NOW + 60)}, NOW)
    assert not board.missed({str(number): 1 for number in range(NOTICES_MAX)}, NOW)
    assert board.owed() == {}


def test_of_too_many_the_one_that_ends_first_is_dropped() -> None:
    board = Board()
    for number in range(NOTICES_MAX + 3):
        board.post(str(number), notice(NOW + 5000 - number), NOW)
    held = board.snapshot.notices
    assert len(held) == NOTICES_MAX
    assert str(NOTICES_MAX - 2) in held
    assert str(NOTICES_MAX + 1) not in held


def test_of_too_many_those_that_have_ended_are_dropped_before_any_other() -> None:
    board = Board()
    for number in range(NOTICES_MAX):
        board.post(str(number), notice(NOW + (1 if number % 2 else 60)), NOW)
    board.post("new", notice(NOW + 30), NOW + 2)
    assert len(board.snapshot.notices) == NOTICES_MAX // 2 + 1
    assert "new" in board.snapshot.notices


def test_confirmation_never_goes_back() -> None:
    board = Board()
    assert board.snapshot.confirmed_at == float("-inf")
    board.confirm(NOW)
    board.confirm(NOW - 1)
    assert board.snapshot.confirmed_at == NOW
