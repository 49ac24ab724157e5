"""What the ledger forgets, so that its state is bounded, and what it must not."""

import pytest

from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Entry, Kind, Penalty, Terms
from tests.support.ledger import HOUR_MS, NOON, Teller, daily, flying, rolling, want

MINUTE_MS = 60_000
PASSED_MS = MINUTE_MS + 1_000
"""A window of a minute that ended now is over so much later, whatever bucket it was in."""
DAY_MS = 24 * HOUR_MS


def spend(ledger: Ledger, terms: Terms, now: int, amount: int) -> None:
    """Use some of a limit, and sign off."""
    entries = [Entry(0, 0, amount, Kind.CORRECTION)]
    holder = Teller(ledger, [terms], "spender")
    holder.tell(holder.report(entries=entries, is_leaving=True), now)


def look(ledger: Ledger, now: int) -> None:
    """Report for another limit."""
    holder = Teller(ledger, [rolling(1, "other")], "witness")
    holder.tell(holder.report(is_leaving=True), now)


def is_known(ledger: Ledger, terms: Terms) -> bool:
    """Whether the ledger keeps anything for a limit."""
    return f"<Meter {terms.name}:" in repr(ledger)


@pytest.mark.parametrize("terms", [rolling(100), flying(100)], ids=["rolling", "flight"])
def test_a_limit_is_forgotten_when_its_window_has_passed_and_no_live_holder_names_it(terms: Terms) -> None:
    ledger = Ledger()
    spend(ledger, terms, NOON, 10)
    look(ledger, NOON + MINUTE_MS)
    assert is_known(ledger, terms), "what was used may still count upstream"
    look(ledger, NOON + PASSED_MS)
    assert not is_known(ledger, terms)


def test_a_limit_is_kept_for_as_long_as_a_live_holder_names_it() -> None:
    ledger, terms = Ledger(), rolling(100)
    holder = Teller(ledger, [terms], options={"lease_ms": 2 * MINUTE_MS})
    holder.tell(holder.report(), NOON)
    look(ledger, NOON + 2 * MINUTE_MS)
    assert is_known(ledger, terms)
    look(ledger, NOON + 2 * MINUTE_MS + 1)
    look(ledger, NOON + 2 * MINUTE_MS + PASSED_MS)
    assert not is_known(ledger, terms)


def test_a_calendar_limit_is_kept_until_its_period_is_over() -> None:
    ledger, terms = Ledger(), daily(100, start=NOON)
    spend(ledger, terms, NOON, 10)
    look(ledger, NOON + DAY_MS)
    assert is_known(ledger, terms)
    look(ledger, NOON + DAY_MS + terms.slack_ms)
    assert not is_known(ledger, terms)


def test_what_is_carried_over_midnight_is_kept_for_another_day() -> None:
    ledger, terms = Ledger(), daily(100, start=NOON)
    spend(ledger, terms, NOON + DAY_MS, 10)
    look(ledger, NOON + DAY_MS + terms.slack_ms)
    assert is_known(ledger, terms)


@pytest.mark.parametrize(
    ("penalty", "lasts_ms"),
    [
        (Penalty(0, 500, 0, -1), 600_000),
        (Penalty(0, 1000, 0, 50), 1_200_000),
        (Penalty(0, 1000, 0, 0), DAY_MS),
    ],
    ids=["cut", "adopted", "closed"],
)
def test_what_the_upstream_taught_outlives_a_quiet_window(penalty: Penalty, lasts_ms: int) -> None:
    ledger, terms = Ledger(), rolling(100)
    holder = Teller(ledger, [terms])
    holder.tell(holder.report(penalties=[penalty], is_leaving=True), NOON)
    look(ledger, NOON + lasts_ms - 1)
    assert is_known(ledger, terms)
    look(ledger, NOON + lasts_ms + 600_000)
    assert not is_known(ledger, terms)


def test_a_limit_that_comes_back_is_as_good_as_new() -> None:
    ledger, terms = Ledger(), rolling(100)
    spend(ledger, terms, NOON, 60)
    look(ledger, NOON + PASSED_MS)
    assert Teller(ledger, [terms]).ask(NOON + PASSED_MS + 1, 100) == [100]


@pytest.mark.parametrize("kind", [Kind.USE, Kind.RETURN])
def test_who_uses_or_returns_more_than_it_was_granted_frees_nothing_that_others_hold(kind: Kind) -> None:
    ledger, terms = Ledger(), rolling(100)
    honest, liar = Teller(ledger, [terms], "honest"), Teller(ledger, [terms], "liar")
    honest.levels(NOON)
    honest.ask(NOON + 2_000, 40)
    answer = liar.tell(liar.report(entries=[Entry(0, 0, 25, kind)]), NOON + 2_001)
    assert answer.levels[0].held == 40


def test_the_share_of_a_holder_that_is_cut_off_is_free_when_its_licence_has_ended() -> None:
    ledger, terms = Ledger(), rolling(100)
    lost, heir = Teller(ledger, [terms], "lost", {"licence_ms": 10_000}), Teller(ledger, [terms], "heir")
    lost.levels(NOON)
    look(ledger, NOON + 3_001)
    few = heir.tell(heir.report(want(100, head=[1])), NOON + 13_001).grants[0].amounts
    rest = heir.tell(heir.report(want(100, head=[1])), NOON + 13_002).grants[0].amounts
    assert sum([*few, *rest]) == 100
    assert few[0] <= 10
