"""What may be spent when the ledger cannot be asked."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from sidecar.core.quota import OnLoss
from sidecar.limits.licence import LICENCE_MS, Heard, Licence
from sidecar.limits.message import Level, Terms
from tests.support.ledger import daily, flying, rolling

LOST_AT = 1_000_000.0


def licence(
    *terms: Terms, used: int = 0, own: int = 0, holders: int = 9, permille: int = 1000, heard_at: float = 0.0
) -> Licence:
    """Made at LOST_AT; the ledger was heard a window before, unless told."""
    levels = [Level(used, 0, term.amount, permille) for term in terms]
    return Licence(terms, Heard(heard_at, levels, [own] * len(terms), holders), LOST_AT)


@dataclass
class Spender:
    """One who spends of a licence whatever it covers."""

    licence: Licence
    limits: int = 1
    own: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own = self.own or [0] * self.limits

    def spent(self, since_s: float, until_s: float, amount: int = 1) -> int:
        count = 0
        moment = LOST_AT + since_s * 1000
        while moment < LOST_AT + until_s * 1000:
            count += amount * self.licence.covers([amount] * self.limits, self.own, moment)
            moment += 10
        return count


def test_an_even_part_of_nine_tenths_is_paced_without_a_burst() -> None:
    spender = Spender(licence(rolling(6_000)))  # 600 a minute
    assert spender.spent(0, 0.5) <= 5
    assert spender.spent(0.5, 60) == pytest.approx(595, abs=3)


def test_a_share_does_not_pile_up_while_nobody_comes() -> None:
    spender = Spender(licence(rolling(6_000)))
    assert spender.spent(50, 50.05) <= 5


def test_it_piles_up_until_it_covers_one_request() -> None:
    spender = Spender(licence(rolling(60)))  # 6 a minute
    assert spender.spent(0, 60, amount=3) == pytest.approx(6, abs=3)
    assert spender.spent(60, 120, amount=3) == pytest.approx(6, abs=3)


def test_of_several_limits_all_are_spent_or_none() -> None:
    made = licence(rolling(6_000, "x"), rolling(60, "y"))
    assert Spender(made, limits=2).spent(0, 60) == pytest.approx(6, abs=1)


def test_what_was_learned_of_the_real_limit_counts() -> None:
    assert Spender(licence(rolling(6_000), permille=500)).spent(0, 60) == pytest.approx(300, abs=3)


def test_it_ends() -> None:
    made = licence(rolling(6_000))
    assert made.covers([1], [0], LOST_AT + LICENCE_MS - 1)
    assert not made.covers([1], [0], LOST_AT + LICENCE_MS)


@pytest.mark.parametrize("other", [OnLoss.SHARE, OnLoss.OPEN])
def test_one_closed_limit_closes_its_group(other: OnLoss) -> None:
    made = licence(rolling(6_000, on_loss=other), rolling(6_000, "closed", on_loss=OnLoss.CLOSED))
    assert Spender(made, limits=2).spent(0, 60) == 0


def test_a_shadow_limit_closes_nothing_and_refuses_nothing() -> None:
    made = licence(rolling(1, is_shadow=True, on_loss=OnLoss.CLOSED), rolling(1, "y", is_shadow=True))
    assert made.covers([100, 100], [0, 0], LOST_AT)


def test_an_open_limit_lets_everything_go() -> None:
    made = licence(rolling(1, on_loss=OnLoss.OPEN))
    assert all(made.covers([100], [0], LOST_AT) for _ in range(100))


def test_of_a_calendar_limit_a_part_of_what_is_left_may_be_spent_at_once_and_no_more() -> None:
    made = licence(daily(1_000), used=900)  # a tenth of nine tenths, of 100
    assert Spender(made).spent(0, 100) == 10


def test_of_a_flight_limit_so_many_calls_may_run_as_the_share_covers() -> None:
    made = licence(flying(30))  # 3
    assert [made.covers([1], [running], LOST_AT) for running in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("own", "used", "spent"), [(600, 6_000, 0), (0, 6_000, 0), (0, 5_000, 100), (200, 3_000, 300)]
)
def test_within_a_window_of_the_ledgers_last_word_it_spends_no_more_than_before_and_its_part_of_the_rest(
    own: int, used: int, spent: int
) -> None:
    """The ledger was heard just now, so what was spent before it vanished still counts upstream."""
    made = licence(rolling(6_000), used=used, own=own, heard_at=LOST_AT)
    count, moment = 0, LOST_AT
    while moment < LOST_AT + 60_000:
        count += made.covers([1], [own + count], moment)
        moment += 10
    assert count == spent
    assert made.covers([1], [own + count], LOST_AT + 60_250), "a window later the share alone holds"


def test_it_says_its_state_in_words() -> None:
    made: Any = licence(rolling(10, on_loss=OnLoss.CLOSED))
    assert repr(made) == "<Licence until 1300000, closed>"
