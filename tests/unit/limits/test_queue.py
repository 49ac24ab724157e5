"""The line of those who wait."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.limits.queue import Line, Ticket
from tests.support.ledger import ticket


def line(*tickets: Ticket) -> Line:
    made = Line(2)
    for each in tickets:
        made.join(each)
    return made


def test_who_must_be_served_first_is_at_the_head() -> None:
    late, soon, later = ticket(30), ticket(10), ticket(40)
    waiting = line(late, soon, later)
    order = []
    while (head := waiting.head()) is not None:
        order.append(head)
        waiting.leave(head)
    assert order == [soon, late, later]


def test_what_is_needed_is_the_sum_of_those_who_wait() -> None:
    first, second = ticket(10, (1, 10)), ticket(20, (2, 5))
    waiting = line(first, second)
    assert (waiting.need, waiting.length) == ([3, 15], 2)
    waiting.leave(first)
    waiting.leave(first)
    assert (waiting.need, waiting.length) == ([2, 5], 1)


def test_who_is_late_is_taken_out_and_nobody_else() -> None:
    first, second, third = ticket(10), ticket(20), ticket(30)
    waiting = line(third, first, second)
    assert list(waiting.late(20)) == [first, second]
    assert waiting.head() is third
    assert list(waiting.late(20)) == []


def test_those_who_left_do_not_pile_up() -> None:
    waiting = line(ticket(0))
    for number in range(10_000):
        gone = ticket(number)
        waiting.join(gone)
        waiting.leave(gone)
    assert waiting.length == 1
    assert len(waiting._heap) < 100


def test_a_few_may_always_wait_and_more_if_they_are_likely_to_be_served() -> None:
    waiting = line(*(ticket(10) for _ in range(3)))
    assert not waiting.is_hopeless(0.0, 0.0)
    waiting.join(ticket(10))
    assert waiting.is_hopeless(1_000.0, 0.0)
    assert waiting.is_hopeless(-1.0, 0.01)
    assert not waiting.is_hopeless(1_000.0, 0.001)


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans())))
def test_sums_and_order_are_right_whoever_leaves(moves: list[tuple[int, bool]]) -> None:
    waiting, model = Line(2), []
    for deadline, leaves in moves:
        if leaves and model:
            waiting.leave(model.pop(deadline % len(model)))
        else:
            model.append(ticket(deadline, (1, deadline)))
            waiting.join(model[-1])
        assert waiting.need == [len(model), sum(each.amounts[1] for each in model)]
        head = waiting.head()
        assert (head.deadline if head else None) == min((each.deadline for each in model), default=None)


def test_it_says_its_state_in_words() -> None:
    first = ticket(10)
    waiting = line(first)
    assert repr(first) == "<Ticket of only for [1, 10]>"
    waiting.leave(first)
    assert (repr(first), repr(waiting)) == ("<Ticket of only for [1, 10], over>", "<Line of 0>")
