"""What a sidecar holds, and its books about it. Moments are milliseconds of its own clock."""

import pytest

from sidecar.limits.lease import Lease
from sidecar.limits.message import Balance, Entry, Kind, Terms
from tests.support.ledger import daily, flying, rolling

LEASE_MS = 3_000


def lease(*terms: Terms, granted: tuple[int, ...] = (), now: float = 0.0) -> Lease:
    made = Lease("pod", terms, LEASE_MS, now)
    if granted:
        made.acknowledged(made.mark(), now)
        made.receive("only", granted)
    return made


def report(books: Lease, now: float) -> list[Entry]:
    """Tell all that is in the log, and have it acknowledged."""
    entries = books.entries(now)
    books.acknowledged(books.mark(), now)
    return entries


def correct(books: Lease, number: int, amount: int, used_at: float, now: float) -> None:
    """A call that took ten of a limit used so much more or less."""
    taken, used = [0] * len(books.granted), [0] * len(books.granted)
    taken[number], used[number] = 10, 10 + amount
    books.correct(taken, used, used_at, now)


# ------------------------------------------------------------------------------------------------------ units


def test_units_of_every_limit_are_taken_or_of_none() -> None:
    books = lease(rolling(100, "x"), rolling(100, "y"), granted=(2, 5))
    assert not books.take("only", [1, 6], 0)
    assert books.free["only"] == [2, 5]
    assert books.take("only", [2, 5], 0)
    assert not books.take("only", [1, 0], 0)


def test_units_of_one_class_are_not_for_another() -> None:
    books = lease(rolling(100), granted=(5,))
    assert not books.take("other", [1], 0)


def test_nothing_is_taken_or_used_after_the_lease_has_ended() -> None:
    books = lease(rolling(100), granted=(5,))
    assert books.take("only", [1], 2_969)
    assert not books.take("only", [1], 2_970), "a hundredth is for a clock that runs slowly"
    assert not books.use([1], books.incarnation, 2_970)


def test_a_lease_runs_from_when_the_report_was_sent_not_from_its_answer() -> None:
    books = lease(rolling(100))
    books.acknowledged(books.mark(), sent_at=1_000)
    assert books.is_live(3_969)
    assert not books.is_live(3_970)


def test_what_is_put_back_can_be_taken_again() -> None:
    books = lease(rolling(100), granted=(1,))
    assert books.take("only", [1], 0)
    books.put_back("only", [1], books.incarnation)
    assert books.take("only", [1], 0)


def test_units_of_an_earlier_incarnation_can_neither_be_used_nor_put_back() -> None:
    books = lease(rolling(100), granted=(1,))
    books.take("only", [1], 0)
    before = books.incarnation
    books.lapse(10)
    assert not books.use([1], before, 10)
    books.put_back("only", [1], before)
    assert not any(books.free.get("only", []))


def test_every_lapse_makes_another_holder() -> None:
    books = lease(rolling(100))
    names = [books.holder]
    for moment in (1, 2):
        books.lapse(moment)
        names.append(books.holder)
    assert names == ["pod.1", "pod.2", "pod.3"]


def test_it_is_holding_what_is_free_reserved_or_flying() -> None:
    books = lease(rolling(100, "x"), flying(5), granted=(1, 1))
    assert books.is_holding
    books.take("only", [1, 1], 0)
    assert books.is_holding, "reserved"
    books.use([1, 1], books.incarnation, 0)
    assert books.is_holding, "flying"
    books.land("only", [1, 1], False, 0)
    assert not books.is_holding


# -------------------------------------------------------------------------------------------------------- log


def test_uses_of_a_moment_are_one_entry_at_the_last_of_them() -> None:
    books = lease(rolling(100), granted=(10,))
    for moment in (100, 110, 120, 130):
        books.take("only", [1], moment)
        books.use([1], books.incarnation, moment)
    assert books.entries(200) == [Entry(0, 80, 3, Kind.USE), Entry(0, 70, 1, Kind.USE)]


def test_what_was_told_is_not_merged_with_what_comes_after() -> None:
    books = lease(rolling(100), granted=(10,))
    books.take("only", [2], 100)
    books.use([1], books.incarnation, 100)
    mark = books.mark()
    books.use([1], books.incarnation, 101)
    assert len(books.entries(101)) == 2
    books.acknowledged(mark, 101)
    assert books.entries(101) == [Entry(0, 0, 1, Kind.USE)]


def test_refunds_are_merged_at_the_first_of_them_and_debts_at_the_last() -> None:
    books = lease(rolling(100))
    for used_at, amount in ((100.0, -1), (200.0, -2)):
        correct(books, 0, amount, used_at, 1_000)
    for now in (1_010.0, 1_200.0):
        correct(books, 0, 3, 100, now)
    assert books.entries(1_200) == [Entry(0, 1_100, -3, Kind.CORRECTION), Entry(0, 0, 6, Kind.CORRECTION)]


def test_a_refund_of_what_has_left_the_window_is_not_told() -> None:
    books = lease(rolling(100), daily(100))
    correct(books, 0, -1, 0, 60_000)
    correct(books, 1, -1, 0, 60_000)
    assert [entry.limit for entry in books.entries(60_000)] == [1]


def test_what_is_kept_in_reserve_is_given_back_and_the_rest_stays() -> None:
    books = lease(rolling(100), granted=(10,))
    books.give_back("only", [4], 5)
    assert books.free["only"] == [4]
    assert report(books, 5) == [Entry(0, 0, 6, Kind.RETURN)]
    assert books.known() == [Balance(10, 0, 6)]


def test_the_first_number_is_zero_until_the_ledger_answered_and_never_after() -> None:
    books = lease(rolling(100))
    assert books.seq == 0
    books.acknowledged(books.mark(), 0)
    assert books.seq == 1
    books.lapse(0)
    assert books.seq == 0


def test_entries_are_numbered_through() -> None:
    books = lease(rolling(100), granted=(10,))
    books.take("only", [3], 0)
    for moment in (0, 100, 200):
        books.use([1], books.incarnation, moment)
    first = books.seq
    report(books, 200)
    assert books.seq == first + 3


def test_what_took_of_several_limits_has_as_many_numbers_as_entries() -> None:
    books = lease(rolling(100, "x"), flying(9, "f"), rolling(100, "y"), granted=(9, 9, 9))
    for amounts in ([1, 1, 5], [1, 1, 0], [0, 1, 0]):
        books.take("only", amounts, 0)
        books.use(amounts, books.incarnation, 0)
    first = books.seq
    assert report(books, 0) == [Entry(0, 0, 2, Kind.USE), Entry(2, 0, 5, Kind.USE)]
    assert books.seq == first + 2
    assert books.known() == [Balance(9, 2), Balance(9), Balance(9, 5)]


def test_what_was_used_since_the_last_report_is_told_by_the_next_incarnation() -> None:
    books = lease(rolling(100), granted=(9,))
    for moment in (0, 100):
        books.take("only", [2], moment)
        books.use([2], books.incarnation, moment)
    books.relapse(200, since=-1, calendar_since=-1)
    assert sum(entry.amount for entry in books.entries(200)) == 4
    assert books.own(200) == [4]


# ------------------------------------------------------------------------------------------ lapse and relapse


def test_a_lapse_tells_debts_again_but_neither_uses_nor_refunds() -> None:
    books = lease(rolling(100), granted=(10,))
    books.take("only", [1], 0)
    books.use([1], books.incarnation, 0)
    correct(books, 0, -2, 0, 300)
    correct(books, 0, 5, 0, 600)
    books.lapse(700)
    assert books.entries(700) == [Entry(0, 100, 5, Kind.CORRECTION)]
    assert books.known() == [Balance()]


def test_a_relapse_tells_all_that_was_used_since_a_moment() -> None:
    books = lease(rolling(100), granted=(10,))
    for moment in (1_000, 2_000, 2_900):
        books.take("only", [1], moment)
        books.use([1], books.incarnation, moment)
    books.relapse(2_950, since=1_500, calendar_since=0)
    assert books.entries(2_950) == [Entry(0, 950, 1, Kind.CORRECTION), Entry(0, 50, 1, Kind.CORRECTION)]


def test_of_calendar_limits_another_moment_holds() -> None:
    books = lease(rolling(100), daily(100), granted=(10, 10))
    for moment in (1_000, 2_000):
        books.take("only", [1, 1], moment)
        books.use([1, 1], books.incarnation, moment)
    books.relapse(2_500, since=0, calendar_since=1_500)
    assert [(entry.limit, entry.age_ms) for entry in books.entries(2_500)] == [(0, 1_500), (0, 500), (1, 500)]


def test_what_was_refunded_is_not_told_again() -> None:
    books = lease(rolling(100), granted=(10,))
    books.take("only", [5], 1_000)
    books.use([5], books.incarnation, 1_000)
    correct(books, 0, -3, 1_000, 1_500)
    books.relapse(2_000, since=0, calendar_since=0)
    assert [entry.amount for entry in books.entries(2_000)] == [2]


def test_a_ledger_that_knows_nothing_is_taught_what_was_used_before_this_incarnation() -> None:
    books = lease(rolling(100), granted=(10,))
    books.take("only", [2], 1_000)
    books.use([1], books.incarnation, 1_000)
    books.lapse(1_500)
    books.acknowledged(books.mark(), 1_500)
    books.receive("only", [5])
    books.take("only", [1], 1_600)
    books.use([1], books.incarnation, 1_600)
    books.teach(since=0, calendar_since=0)
    books.teach(since=0, calendar_since=0)
    assert books.entries(2_000) == [Entry(0, 400, 1, Kind.USE), Entry(0, 1_000, 1, Kind.CORRECTION)]


def test_debts_that_a_server_may_have_forgotten_are_told_again_once() -> None:
    books = lease(rolling(100))
    correct(books, 0, 7, 0, 1_000)
    report(books, 1_000)
    books.teach(since=500, calendar_since=500)
    books.teach(since=500, calendar_since=500)
    assert report(books, 1_100) == [Entry(0, 100, 7, Kind.CORRECTION)]


def test_debts_that_were_told_long_ago_are_not_told_again() -> None:
    books = lease(rolling(100))
    correct(books, 0, 7, 0, 1_000)
    report(books, 1_000)
    report(books, 11_001)
    books.teach(since=500, calendar_since=500)
    assert books.entries(11_001) == []


def test_what_is_remembered_is_bounded_by_the_window() -> None:
    books = lease(rolling(100))
    for moment in range(0, 600_000, 250):
        books.book_unheld([1], moment)
    books.relapse(600_000, since=0, calendar_since=0)
    assert 240 <= len(books.entries(600_000)) <= 245


def test_its_own_use_is_that_of_the_window_which_ends_now() -> None:
    books = lease(rolling(100), daily(100), flying(5))
    books.book_unheld([2, 2, 1], 10_000)
    books.book_unheld([3, 3, 1], 40_000)
    assert books.own(69_000) == [5, 0, 2]
    assert books.own(71_000) == [3, 0, 2]
    assert books.own(41_000, until=39_000) == [2, 0, 2]


def test_corrections_that_were_not_told_yet_are_its_own_use_too() -> None:
    books = lease(rolling(100), granted=(20,))
    books.take("only", [10], 1_000)
    books.use([10], books.incarnation, 1_000)
    correct(books, 0, -4, used_at=1_000, now=2_000)
    assert books.own(2_000) == [6]
    correct(books, 0, 3, used_at=1_000, now=2_100)
    assert books.own(2_100) == [9]
    report(books, 2_200)
    assert books.own(2_200) == [9]
    assert books.own(61_500) == [3], "what was owed was used later"


def test_up_to_a_moment_nothing_is_taken_back_of_what_came_after_it() -> None:
    books = lease(rolling(100), granted=(20,))
    for moment in (1_010, 1_030):
        books.take("only", [10], moment)
        books.use([10], books.incarnation, moment)
    correct(books, 0, -8, used_at=1_010, now=2_000)
    assert books.own(2_000, until=1_020) == [0]
    assert books.own(2_000) == [12]


@pytest.mark.parametrize("is_told", [False, True])
def test_a_ledger_that_lost_all_is_told_what_corrections_left(is_told: bool) -> None:
    books = lease(rolling(100), granted=(20,))
    books.take("only", [10], 1_000)
    books.use([10], books.incarnation, 1_000)
    correct(books, 0, -4, used_at=1_000, now=2_000)
    if is_told:
        report(books, 2_100)
    books.relapse(2_200, since=0, calendar_since=0)
    assert sum(entry.amount for entry in books.entries(2_200)) == 6


# ---------------------------------------------------------------------------------------------------- flights


def test_calls_in_flight_are_those_of_the_next_incarnation_from_the_start() -> None:
    books = lease(flying(5), granted=(2,))
    books.take("only", [1], 0)
    books.use([1], books.incarnation, 0)
    assert books.entries(0) == [], "a call in flight is held, not used"
    books.lapse(10)
    assert books.known() == [Balance(granted=1)]
    books.acknowledged(books.mark(), 10)
    books.land("only", [1], False, 20)
    assert report(books, 20) == [Entry(0, 0, 1, Kind.RETURN)]
    assert books.known() == [Balance(granted=1, returned=1)]


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_call_that_landed_can_be_taken_again_only_if_it_is_kept(is_kept: bool) -> None:
    books = lease(flying(5), granted=(1,))
    books.take("only", [1], 0)
    books.use([1], books.incarnation, 0)
    books.land("only", [1], is_kept, 10)
    assert bool(books.take("only", [1], 10)) is is_kept


def test_a_call_that_never_left_lands_in_whatever_incarnation() -> None:
    books = lease(flying(5), granted=(1,))
    books.take("only", [1], 0)
    before = books.incarnation
    books.lapse(10)
    books.put_back("only", [1], before)
    assert books.free["only"] == [1]
    assert books.known() == [Balance(granted=1)]


def test_calls_that_no_lease_covers_are_held_and_units_are_debts() -> None:
    books = lease(rolling(100), flying(5))
    books.book_unheld([3, 1], 100)
    assert books.entries(100) == [Entry(0, 0, 3, Kind.CORRECTION)]
    assert books.known() == [Balance(), Balance(granted=1)]
    books.land("only", [3, 1], False, 200)
    assert not books.is_holding


def test_it_says_its_state_in_words() -> None:
    assert repr(lease(rolling(100), granted=(3,))) == "<Lease of pod.1: {'only': [3]}, 0 entries to report>"
