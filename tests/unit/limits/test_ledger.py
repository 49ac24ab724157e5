"""What the ledger grants, books and forgets, report by report. Time is the server's, in milliseconds."""

import pytest

from sidecar.core.quota import OnLoss
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import FAIR_SHARE, Entry, Kind, Penalty, Want
from tests.support.ledger import HOUR_MS, NOON, Teller, daily, flying, rolling, want

DAY_MS = 24 * HOUR_MS


def teller(*terms: object, name: str = "a", ledger: Ledger | None = None, **options: object) -> Teller:
    return Teller(ledger or Ledger(listens=False), terms, name, options)  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------- granting


def test_units_are_granted_until_used_and_held_reach_the_limit() -> None:
    a = teller(rolling(10))
    assert [a.ask(NOON, 6), a.ask(NOON, 6), a.ask(NOON, 4), a.ask(NOON, 1)] == [[6], [0], [4], [0]]


@pytest.mark.parametrize("scarce", range(5))
def test_any_limit_of_five_denies_alone_and_nothing_of_the_others_is_spent(scarce: int) -> None:
    amounts = [1_000_000] * 5
    amounts[scarce] = 3
    a = teller(*(rolling(amount, f"limit {number}") for number, amount in enumerate(amounts)))
    assert a.ask(NOON, *[3] * 5) == [3] * 5

    denied = set()
    for moment in range(1_000):
        answer = a.tell(a.report(want(*[1] * 5)), NOON + moment)
        assert list(answer.grants[0].amounts) == [0] * 5
        denied.add(answer.denied)

    assert denied == {scarce}
    assert a.levels(NOON + 1_000) == [(0, 3)] * 5


def test_all_limits_are_granted_in_the_same_proportion() -> None:
    a = teller(rolling(100, "requests"), rolling(1_000, "tokens"))
    assert a.tell(a.report(want(10, 4_000, head=(1, 400))), NOON).grants[0].amounts == [2, 1_000]


def test_less_than_the_first_request_needs_is_not_granted() -> None:
    a = teller(rolling(100, "requests"), rolling(1_000, "tokens"))
    assert a.tell(a.report(want(10, 20_000, head=(1, 2_000))), NOON).grants[0].amounts == [0, 0]


def test_a_large_request_puts_pacing_into_debt_but_never_the_window() -> None:
    a = teller(rolling(1_000, burst=50), lease_ms=HOUR_MS)
    assert a.ask(NOON, 400) == [400], "its head is larger than the burst"
    assert a.ask(NOON, 10) == [0], "the debt is paid first"
    assert a.ask(NOON + 30_000, 601) == [0], "the window has 600"
    assert a.ask(NOON + 30_000, 600) == [600]


def test_a_burst_and_what_is_paced_after_it_make_the_limit_just_when_the_window_begins_to_drain() -> None:
    """Were it full before, nobody would be served until then, in every window anew."""
    a = teller(rolling(6_000, burst=300), lease_ms=HOUR_MS)
    granted = []
    for second in range(180):
        moment = NOON + second * 1_000
        granted += a.tell(a.report(want(10_000, head=(1,))), moment).grants[0].amounts
        a.use(moment, granted[-1])
    assert granted[0] == 300
    assert granted[1:60] == pytest.approx([94] * 59, abs=1)
    assert min(granted) >= 90
    assert sum(granted[120:]) == pytest.approx(6_000, rel=0.02)


@pytest.mark.parametrize("amount", [1, 10, 21, 30, 40])
def test_the_last_unit_of_a_tiny_limit_can_be_had(amount: int) -> None:
    a = teller(rolling(amount, burst=min(amount, 5)))
    used = 0
    for moment in range(NOON, NOON + 600_000, 500):
        if a.ask(moment, 1) == [1]:
            a.use(moment, 1)
            used += 1
    assert used >= 0.95 * 10 * amount


def test_what_is_wanted_ahead_is_granted_from_plenty_alone() -> None:
    a = teller(rolling(1_000))
    ahead = a.tell(a.report(Want("only", 1.0, [0], [0], [500])), NOON)
    assert ahead.grants[0].amounts == [10], "a hundredth of the limit may lie idle"
    both = a.tell(a.report(Want("only", 1.0, [5], [5], [500])), NOON)
    assert both.grants[0].amounts == [5]


def test_nothing_is_granted_ahead_while_somebody_waits() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(1_000, burst=10), name=name, ledger=ledger) for name in "ab")
    a.tell(a.report(want(500, share="busy", head=(1,))), NOON)
    assert b.tell(b.report(Want("calm", 1.0, [0], [0], [5])), NOON).grants[0].amounts == [0]


def test_a_limit_of_zero_closes_its_group() -> None:
    a = teller(rolling(100, "requests"), rolling(0, "closed"))
    answer = a.tell(a.report(want(1, 1)), NOON)
    assert (list(answer.grants[0].amounts), answer.denied) == ([0, 0], 1)


def test_a_shadow_limit_counts_and_is_named_but_refuses_nothing() -> None:
    a = teller(rolling(100, "requests"), rolling(2, "shadow", is_shadow=True))
    answer = a.tell(a.report(want(5, 5)), NOON)
    assert answer.grants[0].amounts == [5, 5]
    assert (answer.denied, list(answer.shadow_denied)) == (-1, [1])
    assert a.levels(NOON) == [(0, 5), (0, 5)]


def test_a_shadow_limit_does_not_slow_down_a_class_that_others_wait_with() -> None:
    ledger = Ledger(listens=False)
    terms = (rolling(100_000, "requests"), rolling(1, "shadow", is_shadow=True))
    a, b = (teller(*terms, name=name, ledger=ledger, quantum=0.01) for name in "ab")
    b.tell(b.report(want(200_000, 1, share="waits", head=(200_000, 1))), NOON)
    assert a.tell(a.report(want(100, 100, share="goes", head=(1, 1))), NOON).grants[0].amounts == [100, 100]


def test_a_flight_limit_counts_what_is_held_until_it_is_given_back() -> None:
    a = teller(flying(2), lease_ms=HOUR_MS)
    assert a.ask(NOON, 2) == [2]
    assert a.ask(NOON + HOUR_MS // 2, 1) == [0], "calls may run for ever"
    a.give_back(NOON + HOUR_MS // 2, 1)
    assert a.ask(NOON + HOUR_MS // 2, 1) == [1]


def test_who_waits_is_told_when_asking_again_is_worth_it() -> None:
    a = teller(rolling(1_000))
    a.ask(NOON, 1_000)
    grant = a.tell(a.report(want(1)), NOON).grants[0]
    assert 0 < grant.wait_ms <= 1_000


# ----------------------------------------------------------------------------------------------------- window


def test_units_come_back_when_their_bucket_has_left_every_window_of_the_upstream() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.use(NOON, 10)
    assert a.ask(NOON + 60_250, 1) == [0]
    assert a.ask(NOON + 60_750, 10) == [10]


def test_a_use_is_booked_when_it_happened_and_not_when_it_is_told() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.use(NOON + 30_000, 10, age_ms=30_000)
    assert a.ask(NOON + 60_750, 10) == [10]


def test_a_use_is_booked_no_earlier_than_the_last_report_for_it_was_held_then() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.levels(NOON + 20_000)
    a.use(NOON + 30_000, 10, age_ms=30_000)
    assert a.ask(NOON + 60_750, 1) == [0]
    assert a.ask(NOON + 80_750, 10) == [10]


def test_a_refund_frees_at_once_and_is_never_left_without_its_use() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.use(NOON, 10)
    assert a.correct(NOON + 1_000, -4, age_ms=1_000).levels[0].used == 6
    used = [a.levels(NOON + moment)[0][0] for moment in range(59_000, 61_500, 125)]
    assert min(used[: used.index(10)]) == 6, "the refund leaves first"
    assert used[-1] == 0


def test_a_refund_that_comes_late_is_not_dated_after_its_use() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.use(NOON, 10)
    teller(rolling(10), name="b", ledger=a.ledger, licence_ms=0).levels(NOON + 4_000)  # no clock has jumped
    late = a.report(entries=[Entry(0, 100, -9, Kind.CORRECTION)], elapsed_ms=100)
    a.tell(late, NOON + 4_000)
    assert [a.levels(NOON + moment)[0][0] for moment in (60_250, 60_750)] == [10, 0]
    assert a.ask(NOON + 61_000, 10) == [10]


def test_taking_back_more_than_was_used_does_not_enlarge_the_limit_now_or_later() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 5)
    a.correct(NOON + 500, -8, age_ms=0)
    assert a.levels(NOON + 600) == [(0, 5)]
    a.give_back(NOON + 700, 5)
    assert a.levels(NOON + 62_000) == [(0, 0)], "nothing is left of it"
    assert a.ask(NOON + 62_000, 11) == [0]


def test_more_than_was_taken_is_booked_as_a_debt_that_is_paid_first() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.use(NOON, 10)
    assert a.correct(NOON + 40_000, 7, age_ms=40_000).levels[0].used == 17
    assert a.ask(NOON + 60_750, 10) == [10]


# --------------------------------------------------------------------------------------------------- messages


def test_a_repeated_report_changes_nothing() -> None:
    a = teller(rolling(10))
    a.ask(NOON, 6)
    use = a.report(entries=[Entry(0, 0, 4, Kind.USE), Entry(0, 0, 1, Kind.RETURN)])
    for _ in range(3):
        assert [level[:2] for level in a.ledger.exchange(use, NOON + 10).levels] == [(4, 1)]


def test_of_a_report_that_was_told_in_part_only_the_rest_is_booked() -> None:
    a = teller(rolling(10))
    a.ask(NOON, 6)
    entries = [Entry(0, 0, 1, Kind.USE), Entry(0, 0, 2, Kind.USE)]
    a.ledger.exchange(a.report(entries=entries[:1]), NOON + 1)  # its answer is lost
    assert a.tell(a.report(entries=entries), NOON + 2).levels[0][:2] == (3, 3)


def test_a_report_of_before_that_comes_after_newer_ones_changes_nothing() -> None:
    a = teller(rolling(10))
    a.ask(NOON, 6)
    old = a.report(entries=[Entry(0, 0, 1, Kind.USE)])
    a.ledger.exchange(a.report(entries=[Entry(0, 0, 1, Kind.USE), Entry(0, 0, 5, Kind.RETURN)]), NOON + 1)
    assert a.ledger.exchange(old, NOON + 3_000).levels[0][:2] == (1, 0)


def test_grants_whose_answer_was_lost_stay_held_and_are_told_again() -> None:
    a = teller(rolling(10))
    a.ledger.exchange(a.report(want(6)), NOON)
    answer = a.tell(a.report(), NOON + 1)
    assert (list(answer.granted), answer.levels[0][:2]) == ([6], (0, 6))


def test_a_report_that_comes_after_the_holder_signed_off_is_not_heard() -> None:
    a = teller(rolling(10))
    a.ask(NOON, 6)
    late = a.report(want(3), entries=[Entry(0, 0, 4, Kind.USE)])
    a.tell(a.report(entries=[Entry(0, 0, 4, Kind.USE), Entry(0, 0, 2, Kind.RETURN)], is_leaving=True), NOON)
    assert a.ledger.exchange(late, NOON + 3_000).is_unknown
    other = teller(rolling(10), name="b", ledger=a.ledger)
    assert other.levels(NOON + 3_001) == [(4, 0)]


# ---------------------------------------------------------------------------------------------------- holders


def test_what_a_silent_holder_held_counts_as_used_from_the_end_of_its_lease() -> None:
    ledger = Ledger(listens=False)
    a = teller(rolling(10), ledger=ledger, licence_ms=0)
    b = teller(rolling(10), name="b", ledger=ledger, lease_ms=HOUR_MS)
    a.ask(NOON, 4)
    assert b.levels(NOON + 3_000) == [(0, 4)]
    assert b.levels(NOON + 3_001) == [(4, 0)]
    assert b.ask(NOON + 63_000, 10) == [0]
    assert b.ask(NOON + 63_752, 10) == [10]


def test_a_holder_whose_lease_ended_is_told_so_and_nothing_of_its_report_is_applied() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(10), name=name, ledger=ledger) for name in "ab")
    a.ask(NOON, 4)
    b.levels(NOON + 3_001)
    assert a.tell(a.report(want(1), entries=[Entry(0, 0, 4, Kind.USE)]), NOON + 3_002).is_unknown
    assert b.levels(NOON + 3_003) == [(4, 0)]


def test_of_a_holder_that_signs_off_nothing_is_kept_but_what_it_had_reserved() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(100), name=name, ledger=ledger) for name in "ab")
    a.ask(NOON, 6)
    a.tell(a.report(entries=[Entry(0, 0, 4, Kind.RETURN)], is_leaving=True), NOON + 1)
    answer = b.tell(b.report(want(98)), NOON + 2)
    assert (answer.levels[0][:2], answer.holders) == ((2, 98), 1)


def test_a_share_is_set_aside_for_a_holder_that_may_be_cut_off_until_it_is_back() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(1_000), name=name, ledger=ledger) for name in "ab")
    b.levels(NOON)
    a.levels(NOON)  # one of two: it may live on 45 % of the limit
    b.levels(NOON + 2_000)
    assert b.ask(NOON + 3_001, 551) == [0]
    assert b.ask(NOON + 3_002, 550) == [550]
    back = teller(rolling(1_000), name="a", ledger=ledger)
    assert back.ask(NOON + 4_000, 450) == [450]


def test_a_share_is_set_aside_for_no_longer_than_the_licence() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(1_000), name=name, ledger=ledger, licence_ms=60_000) for name in "ab")
    b.levels(NOON)
    a.levels(NOON)
    for moment in range(1_000, 63_000, 2_000):
        b.levels(NOON + moment)
    assert b.ask(NOON + 63_000, 1_000) == [0], "its lease was seen to have ended at 5 s"
    assert b.ask(NOON + 65_001, 1_000) == [1_000]


def test_a_late_message_of_a_holder_that_is_cut_off_does_not_free_its_share() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(1_000), name=name, ledger=ledger) for name in "ab")
    b.levels(NOON)
    a.levels(NOON)
    late = a.report()
    b.levels(NOON + 2_000)
    b.levels(NOON + 3_001)
    ledger.exchange(late, NOON + 3_002)
    assert b.ask(NOON + 3_003, 551) == [0]


def test_no_share_is_set_aside_of_a_limit_that_nothing_is_spent_of_without_its_ledger() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(1_000, on_loss=OnLoss.CLOSED), name=name, ledger=ledger) for name in "ab")
    a.levels(NOON)
    b.levels(NOON)
    b.levels(NOON + 2_000)
    assert b.ask(NOON + 3_001, 1_000) == [1_000]


def test_when_a_fleet_vanished_nothing_is_granted_before_the_share_of_each_is_set_aside() -> None:
    ledger = Ledger(listens=False)
    gone = [teller(rolling(4_000), name=f"gone {number}", ledger=ledger) for number in range(40)]
    for each in 2 * gone:  # the second time all know how many they are
        each.levels(NOON)
    a = teller(rolling(4_000), name="here", ledger=ledger)
    granted = [a.ask(NOON + 10_000 + moment, 100)[0] for moment in range(8)]
    assert granted[:2] == [0, 0], "40 leases end, 16 an exchange"
    assert sum(granted) == 400, "90 % is for those who are cut off"


# --------------------------------------------------------------------------------------------------- learning


def test_a_ledger_that_may_have_lost_something_listens_before_it_grants() -> None:
    a = teller(rolling(10), ledger=Ledger())
    first = a.tell(a.report(want(1)), NOON)
    assert (list(first.grants[0].amounts), first.learning_ms, first.blocked_ms) == ([0], 1_200, 1_200)
    assert a.ask(NOON + 1_199, 1) == [0]
    assert a.ask(NOON + 1_200, 1) == [1]


def test_another_run_of_the_server_listens_as_well() -> None:
    a = teller(rolling(10))
    a.tell(a.report(want(1)), NOON, run="first")
    assert a.tell(a.report(want(1)), NOON + 200, run="second").learning_ms == 1_200, "it looks so often"
    assert a.tell(a.report(want(1)), NOON + 1_400, run="second").grants[0].amounts == [1]


def test_a_run_that_forgot_the_last_seconds_listens_at_once() -> None:
    """To it the clock has jumped, so by even time hardly any has passed since it looked."""
    a = teller(rolling(10))
    for moment in (NOON, NOON + 2_000):
        a.tell(a.report(want(1)), moment, run="first")
    answer = a.tell(a.report(want(1), elapsed_ms=50), NOON + 7_000, run="second")
    assert (answer.stepped_ms, answer.learning_ms) == (4_950, 1_200)


def test_what_a_server_lost_is_taught_again_by_counters_that_only_rise() -> None:
    a = teller(rolling(10))
    a.ask(NOON, 8)
    a.use(NOON + 10, 5)
    a.give_back(NOON + 20, 1)
    fresh = Teller(Ledger(), a.terms, a.name, seq=0)
    fresh.balances = a.balances
    answer = fresh.tell(fresh.report(), NOON + 30)
    assert (answer.levels[0][:2], answer.relearned) == ((5, 2), 8)


def test_of_a_calendar_limit_the_largest_count_that_anybody_saw_is_recalled() -> None:
    ledger = Ledger()
    a, b = (teller(daily(1_000), name=name, ledger=ledger) for name in "ab")
    a.tell(a.report(seen=[700]), NOON)
    b.tell(b.report(seen=[650]), NOON + 1)
    assert a.levels(NOON + 2) == [(700, 0)]


def test_nothing_is_recalled_once_it_grants() -> None:
    a = teller(daily(1_000))
    assert a.tell(a.report(seen=[700]), NOON).levels[0].used == 0


def test_what_was_seen_of_another_period_is_not_recalled() -> None:
    a = teller(daily(1_000), ledger=Ledger())
    a.levels(NOON)
    yesterday = teller(daily(1_000, NOON - 36 * HOUR_MS), name="b", ledger=a.ledger)
    assert yesterday.tell(yesterday.report(seen=[700]), NOON + 1).levels[0].used == 0


# ------------------------------------------------------------------------------------------------------ clock


def test_a_clock_that_steps_back_lets_time_stand_and_then_go_on() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.use(NOON, 10)
    answer = a.tell(a.report(), NOON - 10_000)
    assert (answer.stepped_ms, answer.clock_ms) == (-10_000, NOON)
    assert a.ask(NOON + 50_250, 1) == [0]
    assert a.ask(NOON + 50_750, 10) == [10]


def test_a_clock_that_steps_ahead_is_not_followed_when_a_holder_knows_better() -> None:
    a = teller(rolling(10), lease_ms=HOUR_MS)
    a.ask(NOON, 10)
    a.use(NOON, 10)
    answer = a.tell(a.report(elapsed_ms=1_000), NOON + 11_000)
    assert (answer.stepped_ms, answer.clock_ms) == (10_000, NOON + 1_000)
    assert a.ask(NOON + 70_250, 1, elapsed_ms=59_250) == [0]
    assert a.ask(NOON + 70_750, 10, elapsed_ms=500) == [10]


def test_a_message_that_travelled_for_a_tenth_of_a_second_is_no_step() -> None:
    a = teller(rolling(10))
    a.levels(NOON)
    assert a.tell(a.report(elapsed_ms=1_000), NOON + 1_100).stepped_ms == 0
    assert a.tell(a.report(elapsed_ms=1_000), NOON + 2_201).stepped_ms == 101


# -------------------------------------------------------------------------------------------------- penalties


def test_a_lower_limit_that_the_upstream_names_is_adopted() -> None:
    a = teller(rolling(1_000))
    assert a.refused(NOON, Penalty(0, 900, 0, 700)).levels[0].permille == 700
    assert a.ask(NOON, 701) == [0]
    assert a.ask(NOON, 700) == [700]


def test_it_is_adopted_from_above_and_from_below() -> None:
    a = teller(rolling(1_000))
    for second in range(5):
        a.refused(NOON + second * 1_000, Penalty(0, 500, 0, -1))
    assert a.refused(NOON + 5_000, Penalty(0, 900, 0, 700)).levels[0].permille < 700, "it was not too high"
    assert a.refused(NOON + 5_000, Penalty(0, 900, 0, 10)).levels[0].permille == 10


def test_a_limit_that_is_no_lower_than_ours_is_cut_for_somebody_else_spends_of_it() -> None:
    a = teller(rolling(1_000))
    assert a.refused(NOON, Penalty(0, 900, 0, 1_000)).levels[0].permille == 900


def test_a_limit_is_cut_once_a_second_at_most_and_never_to_nothing() -> None:
    a = teller(rolling(1_000))
    cut = [a.refused(NOON + moment, Penalty(0, 900, 0, -1)).levels[0].permille for moment in (0, 999, 1_000)]
    assert cut == [900, 900, 810]
    for second in range(2, 60):
        a.refused(NOON + second * 1_000, Penalty(0, 500, 0, -1))
    assert a.refused(NOON + 60_000).levels[0].permille == 50


def test_a_cut_heals_slowly_and_only_while_it_is_what_limits() -> None:
    a = teller(rolling(1_000), lease_ms=HOUR_MS)
    a.refused(NOON, Penalty(0, 900, 0, -1))
    assert a.refused(NOON + 40_000).levels[0].permille == 900, "nobody wants more"
    a.ask(NOON + 40_000, 850)
    healed = [a.refused(NOON + 40_000 + moment).levels[0].permille for moment in (1, 5_999, 6_001)]
    assert healed == [910, 910, 920]


def test_an_adopted_limit_holds_for_ten_minutes() -> None:
    a = teller(rolling(1_000), lease_ms=2 * DAY_MS)
    a.ask(NOON, 700)
    a.refused(NOON, Penalty(0, 900, 0, 700))
    assert a.refused(NOON + 599_999).levels[0].permille == 700
    assert a.refused(NOON + 600_000).levels[0].permille == 710


def test_a_limit_of_which_the_upstream_grants_nothing_stays_closed_until_the_policy_changes_it() -> None:
    ledger = Ledger(listens=False)
    a = teller(rolling(1_000), ledger=ledger, lease_ms=9 * DAY_MS)
    a.refused(NOON, Penalty(0, 900, 0, 0))
    assert a.refused(NOON + 8 * DAY_MS).levels[0].permille == 0
    b = teller(rolling(999), name="b", ledger=ledger)
    assert b.refused(NOON + 8 * DAY_MS).levels[0].permille == 1_000


def test_an_adopted_limit_is_cut_when_the_upstream_goes_on_refusing() -> None:
    a = teller(rolling(1_000), lease_ms=HOUR_MS)
    a.refused(NOON, Penalty(0, 900, 0, 700))
    assert a.refused(NOON + 9_000, Penalty(0, 900, 0, 700)).levels[0].permille == 700, "it had left before"
    assert a.refused(NOON + 11_000, Penalty(0, 900, 0, 700)).levels[0].permille == 630


def test_a_cut_goes_no_lower_than_a_little_below_what_was_just_let_through() -> None:
    a = teller(rolling(1_000), lease_ms=HOUR_MS)
    a.ask(NOON, 800)
    a.use(NOON, 800)
    cut = [a.refused(NOON + second * 1_000, Penalty(0, 900, 0, -1)).levels[0].permille for second in range(4)]
    assert cut == [900, 810, 792, 792]


def test_a_pause_holds_for_all_and_says_how_long() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(10), name=name, ledger=ledger) for name in "ab")
    a.refused(NOON, Penalty(-1, 1000, 500, -1))
    answer = b.tell(b.report(want(1)), NOON + 100)
    assert (list(answer.grants[0].amounts), answer.blocked_ms) == ([0], 400)
    assert b.ask(NOON + 500, 1) == [1]


# ------------------------------------------------------------------------------------------------ other terms


def test_the_lowest_amount_that_a_living_holder_enforces_holds() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(100), name=name, ledger=ledger) for name in "ab")
    a.levels(NOON)
    b.terms = (rolling(60),)
    assert b.tell(b.report(want(61)), NOON + 1).levels[0].limit == 60, "lowering acts at once"
    assert a.ask(NOON + 2, 61) == [0]
    b.terms = (rolling(100),)
    assert b.tell(b.report(), NOON + 3).levels[0].limit == 100, "raising with the last"
    assert a.ask(NOON + 4, 61) == [61]


def test_what_a_holder_enforced_is_forgotten_with_it() -> None:
    ledger = Ledger(listens=False)
    a, b, c = (teller(rolling(n), name=str(n), ledger=ledger, licence_ms=0) for n in (100, 60, 30))
    for each in (a, b, c):
        each.levels(NOON)
    c.tell(c.report(is_leaving=True), NOON + 1)
    assert a.tell(a.report(), NOON + 2).levels[0].limit == 60
    a.levels(NOON + 2_000)
    assert a.tell(a.report(), NOON + 3_002).levels[0].limit == 100


def test_a_limit_that_is_added_begins_empty_and_one_in_another_place_is_the_same() -> None:
    ledger = Ledger(listens=False)
    a = teller(rolling(10, "x"), ledger=ledger)
    a.ask(NOON, 4)
    b = teller(rolling(20, "y"), rolling(10, "x"), name="b", ledger=ledger)
    assert b.levels(NOON) == [(0, 0), (0, 4)]


# ------------------------------------------------------------------------------------------------- fair share


def test_while_another_class_waits_one_may_not_run_ahead() -> None:
    ledger = Ledger(listens=False)
    a, b = (teller(rolling(10_000, burst=100), name=name, ledger=ledger, quantum=0.001) for name in "ab")
    a.tell(a.report(want(500, share="a", head=(1,))), NOON)
    b.tell(b.report(want(500, share="b", head=(1,))), NOON)
    greedy = a.tell(a.report(want(500, share="a", head=(1,))), NOON + 600)
    assert greedy.denied == FAIR_SHARE
    assert greedy.grants[0].amounts[0] <= 10
    assert b.tell(b.report(want(500, share="b", head=(1,))), NOON + 600).grants[0].amounts[0] > 10


def test_a_ledger_says_its_state_in_words() -> None:
    a = teller(rolling(10))
    a.ask(NOON, 4)
    assert repr(a.ledger) == "<Ledger of 1 holders: [<Meter minute: 0 used, 4 held of 10>]>"
