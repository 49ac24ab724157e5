"""A request in several lines at once is served once, by the first that can, or refused by all."""

import pytest

from sidecar.limits.ledger import Ledger
from sidecar.limits.standing import Place, Served, Standing, take
from tests.support.holder import ONLY, Sidecar
from tests.support.ledger import NOON, rolling


class Request:
    """A standing, and how it ended."""

    def __init__(self, *sidecars: Sidecar, patience_ms: float = 2_000, amount: int = 1) -> None:
        self.ends: list[Served | float] = []
        self.places = [Place(sidecar.holder, [amount]) for sidecar in sidecars]
        self.standing = Standing(ONLY, patience_ms, self.ends.append)

    def take(self) -> Served | None:
        return take(ONLY, self.places, 0)

    def join(self) -> bool:
        return self.standing.join(self.places, 0)


def groups(*amounts: int) -> list[Sidecar]:
    """One holder in each of several groups."""
    return [
        Sidecar([rolling(amount)], Ledger(listens=False), base=f"group {n}")
        for n, amount in enumerate(amounts)
    ]


def test_the_first_whose_lease_covers_it_is_taken_without_waiting() -> None:
    first, second = groups(10, 10)
    waiter = second.wait(3)
    second.exchange()
    assert waiter
    second.holder.put_back(ONLY, [3], waiter.source, 0)
    assert Request(first, second).take() == Served(1, waiter.source)


def test_whoever_is_granted_first_serves_it_and_it_leaves_all_other_lines() -> None:
    first, second = groups(0, 10)
    request = Request(first, second)
    assert request.take() is None
    assert request.join()
    assert (first.holder.waiting, second.holder.waiting) == (1, 1)
    first.exchange()
    second.exchange()
    assert [end.place for end in request.ends if isinstance(end, Served)] == [1]
    assert (first.holder.waiting, second.holder.waiting) == (0, 0)


def test_it_is_served_once_when_both_can_in_the_same_moment() -> None:
    first, second = groups(10, 10)
    request = Request(first, second)
    request.join()
    report = second.holder.report(second.terms, 0)
    first.exchange()
    second.holder.answer(second.ledger.exchange(report, NOON), 0)
    assert request.ends == [Served(0, 1)]
    assert second.take(1), "what the other was granted stays for the next request there"


def test_it_is_refused_when_the_last_line_refuses_and_told_when_to_come_again() -> None:
    first, second = groups(0, 0)
    request = Request(first, second, patience_ms=1_000)
    request.join()
    for each in (first, second):
        each.now = 1_001
    first.holder.serve(1_001)
    assert request.ends == []
    second.holder.serve(1_001)
    [retry_ms] = request.ends
    assert isinstance(retry_ms, float)
    assert retry_ms >= 200


def test_when_no_line_may_be_joined_the_soonest_time_to_come_again_is_told() -> None:
    first, second = groups(10, 10)
    first.holder.closure.blocked_until = 7_000
    second.holder.closure.blocked_until = 5_000
    request = Request(first, second)
    assert not request.join()
    assert request.standing.retry_ms(0) == 5_000
    assert request.standing.retry_ms(1_000) == 4_000
    assert request.ends == []


def test_it_stands_only_where_it_may_be_served_in_time() -> None:
    first, second = groups(10, 10)
    first.holder.closure.blocked_until = 7_000
    assert Request(first, second).join()
    assert (first.holder.waiting, second.holder.waiting) == (0, 1)


def test_it_may_stand_in_more_lines_later_and_leaves_them_all_when_it_is_served() -> None:
    first, second = groups(0, 10)
    request = Request(first)
    request.join()
    assert request.standing.join([Place(second.holder, [1])], 0)
    second.exchange()
    assert request.ends == [Served(1, 1)]
    assert (first.holder.waiting, second.holder.waiting) == (0, 0)
    assert not request.standing.is_in_line


def test_refused_everywhere_it_may_still_turn_to_another_line() -> None:
    first, second = groups(0, 10)
    request = Request(first, patience_ms=5_000)
    request.join()
    first.holder.closure.blocked_until = 9_000
    first.holder.serve(1_000)
    assert request.ends == [8_000]
    assert request.standing.join([Place(second.holder, [1])], 1_000)
    second.exchange()
    assert request.ends[1:] == [Served(1, 1)]


def test_who_gives_up_leaves_every_line_and_giving_up_twice_is_giving_up() -> None:
    first, second = groups(10, 10)
    request = Request(first, second)
    request.join()
    request.standing.leave()
    request.standing.leave()
    first.exchange()
    second.exchange()
    assert request.ends == []
    assert (first.holder.waiting, second.holder.waiting) == (0, 0)


@pytest.mark.parametrize("room", [0, 1])
def test_a_refusal_by_one_line_leaves_it_in_the_others(room: int) -> None:
    first, second = groups(10, room)
    first.ledger = Ledger()  # it listens for 1.2 s
    request = Request(first, second, patience_ms=1_100)
    request.join()
    first.exchange()
    assert (first.holder.waiting, second.holder.waiting) == (0, 1)
    second.exchange()
    assert len(request.ends) == room


def test_it_says_its_state_in_words() -> None:
    [first] = groups(10)
    request = Request(first)
    request.join()
    assert repr(request.standing) == "<Standing of only in 1 of 1 lines>"
