"""One sidecar's side of a limit group: who is served, who waits, and what is told and asked when."""

import itertools
from collections import deque

import pytest

from sidecar.core.quota import OnLoss, Share
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Penalty, Report
from tests.support.holder import ONLY, Sidecar
from tests.support.ledger import HOUR_MS, NOON, Teller, daily, flying, rolling, want

BATCH = Share("batch", 1.0)
CRITICAL = Share("critical", 64.0)


def busy(sidecar: Sidecar, per_s: int, until: float, share: Share = ONLY, size: int = 1) -> int:
    """Requests at an even pace, as many as are served. Returns how many."""
    served = 0
    while sidecar.now < until:
        served += sidecar.call(*[size] * len(sidecar.terms), share=share)
        sidecar.until(sidecar.now + 1_000 / per_s)
    return served


# -------------------------------------------------------------------------------------------- taking, waiting


def test_a_request_waits_for_one_exchange_and_then_leases_cover_those_that_follow() -> None:
    sidecar = Sidecar([rolling(100_000)])
    busy(sidecar, per_s=100, until=5_000)
    moments = sidecar.until(sidecar.now)
    hits = sum(sidecar.take(1) > 0 for _ in range(10))
    assert hits == 10
    assert moments == []


def test_nothing_jumps_the_line_of_its_class() -> None:
    sidecar = Sidecar([rolling(100)])
    assert sidecar.wait(1)
    assert sidecar.take(1) == 0


def test_a_request_that_takes_nothing_need_not_wait() -> None:
    sidecar = Sidecar([rolling(100)])
    assert sidecar.take(0)


def test_all_who_came_since_share_the_next_exchange() -> None:
    sidecar = Sidecar([rolling(100)])
    waiters = [sidecar.wait(2) for _ in range(20)]
    sidecar.exchange()
    assert all(waiter and waiter.source for waiter in waiters)


def test_a_burst_on_a_quiet_sidecar_is_served_and_not_refused() -> None:
    sidecar = Sidecar([rolling(10_000)])
    waiters = [sidecar.wait(1) for _ in range(500)]
    sidecar.exchange()
    assert all(waiter and waiter.source for waiter in waiters)


def test_who_would_wait_for_nothing_is_told_at_once_when_to_come_again() -> None:
    sidecar = Sidecar([rolling(600, burst=10)])  # ten a second
    busy(sidecar, per_s=100, until=4_000)
    for _ in range(3):
        sidecar.wait(1)
    sidecar.exchange()  # there is less than is needed
    waiters = [sidecar.wait(1, patience_ms=1_000) for _ in range(100)]
    kept = sum(waiter is not None for waiter in waiters)
    assert 8 <= kept <= 20, "about as many as a second serves"
    assert sidecar.holder.retry_ms(ONLY, sidecar.now) == pytest.approx(kept * 100, rel=0.6)


def test_who_is_too_late_is_refused_in_the_order_of_deadlines() -> None:
    sidecar = Sidecar([rolling(0)])
    soon, later = sidecar.wait(1, patience_ms=100), sidecar.wait(1, patience_ms=1_000)
    sidecar.now = 500
    sidecar.holder.serve(sidecar.now)
    assert soon
    assert later
    assert soon.retry_ms is not None
    assert soon.retry_ms >= 200
    assert later.retry_ms is None


def test_who_leaves_the_line_is_not_served_and_leaving_twice_is_leaving() -> None:
    sidecar = Sidecar([rolling(100)])
    waiter = sidecar.wait(1)
    assert waiter
    assert waiter.ticket
    sidecar.holder.leave(waiter.ticket)
    sidecar.holder.leave(waiter.ticket)
    sidecar.exchange()
    assert (waiter.source, sidecar.holder.waiting) == (0, 0)


def test_a_denied_class_does_not_delay_another() -> None:
    ledger = Ledger(listens=False)
    sidecar = Sidecar([rolling(600, burst=10)], ledger)
    for _ in range(4):
        sidecar.wait(100, share=BATCH, patience_ms=60_000)
    sidecar.until(100)
    sidecar.wait(1, share=CRITICAL)
    assert sidecar.holder.due(100) == 100


def test_a_weight_that_was_changed_is_told() -> None:
    sidecar = Sidecar([rolling(100)])
    sidecar.wait(1)
    sidecar.wait(1, share=Share("only", 9.0))
    assert [wanted.weight for wanted in sidecar.holder.report(sidecar.terms, 0.0).wants] == [9.0]


def test_units_put_back_are_free_for_the_next_request() -> None:
    sidecar = Sidecar([rolling(1)])
    waiter = sidecar.wait(1)
    sidecar.exchange()
    assert waiter
    sidecar.holder.put_back(ONLY, [1], waiter.source, sidecar.now)
    assert sidecar.take(1) == waiter.source


# ------------------------------------------------------------------------------------------- when to exchange


def test_nothing_is_due_when_nothing_happened() -> None:
    assert Sidecar([rolling(100)]).holder.due(0) is None


def test_who_waits_makes_an_exchange_due_at_once_and_one_at_a_time() -> None:
    sidecar = Sidecar([rolling(100)])
    sidecar.wait(1)
    assert sidecar.holder.due(0) == 0
    sidecar.holder.report(sidecar.terms, 0)
    assert sidecar.holder.due(0) is None


def test_a_refused_class_asks_again_when_that_is_worth_it() -> None:
    sidecar = Sidecar([rolling(1_000)])
    Teller(sidecar.ledger, sidecar.terms, "other").ask(NOON, 1_000)
    sidecar.wait(1, patience_ms=10_000)
    sidecar.exchange()
    due = sidecar.holder.due(0)
    assert due is not None
    assert 150 <= due <= 1_250


def test_a_lease_is_renewed_at_a_third_of_its_length_while_anything_is_held() -> None:
    sidecar = Sidecar([rolling(100)])
    sidecar.wait(1)
    sidecar.exchange()
    assert sidecar.holder.due(0) == 1_000


def test_an_idle_sidecar_gives_back_signs_off_and_is_silent() -> None:
    sidecar = Sidecar([rolling(100_000)])
    busy(sidecar, per_s=50, until=5_000)
    sidecar.until(30_000)
    assert sidecar.holder.due(30_000) is None
    other = Teller(sidecar.ledger, sidecar.terms, "other")
    answer = other.tell(other.report(), NOON + 30_000)
    assert answer.holders == 1, "it signed off"
    assert answer.levels[0].held == 0


def test_what_a_busy_class_holds_beyond_its_need_is_given_back() -> None:
    sidecar = Sidecar([rolling(100_000)])
    busy(sidecar, per_s=1, until=10_000)
    waiters = [sidecar.wait(1) for _ in range(100)]
    sidecar.exchange()
    for waiter in waiters:
        assert waiter
        sidecar.holder.put_back(ONLY, [1], waiter.source, sidecar.now)
    sidecar.until(sidecar.now + 1_500)
    assert sidecar.level()[1] < 50


def test_closing_returns_everything_but_what_is_reserved_for_requests_about_to_leave() -> None:
    sidecar = Sidecar([rolling(100)])
    kept, free = sidecar.wait(3), sidecar.wait(4)
    sidecar.exchange()
    assert kept
    assert free
    sidecar.holder.put_back(ONLY, [4], free.source, sidecar.now)
    sidecar.exchange(is_closing=True)
    assert sidecar.level() == (3, 0)


def test_limits_told_a_spent_day_is_asked_about_now_and_then_for_it_may_be_raised() -> None:
    sidecar = Sidecar([daily(0)])
    sidecar.wait(1, patience_ms=24 * HOUR_MS)
    moments = sidecar.until(20_000)
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert min(gaps) >= 900
    assert max(gaps) <= 2_500


def test_a_class_that_was_idle_for_a_minute_is_forgotten() -> None:
    sidecar = Sidecar([rolling(100_000)])
    busy(sidecar, per_s=10, until=1_000, share=BATCH)
    busy(sidecar, per_s=10, until=90_000)
    assert [known.share.name for known in sidecar.holder._classes] == ["only"]


# ---------------------------------------------------------------------------------------------------- blocked


def test_while_nothing_can_be_granted_only_those_wait_who_have_the_time() -> None:
    sidecar = Sidecar([rolling(100)], Ledger())
    short, long = sidecar.wait(1, patience_ms=500), sidecar.wait(1, patience_ms=5_000)
    sidecar.exchange()  # a ledger that begins listens for 1.2 s
    assert short
    assert long
    assert (short.retry_ms, long.retry_ms) == (1_200, None)
    assert sidecar.wait(1, patience_ms=1_000) is None
    sidecar.until(3_000)
    assert long.source


def test_a_spent_day_is_refused_with_the_time_until_it_ends() -> None:
    sidecar = Sidecar([daily(1)])
    assert sidecar.call(1)
    waiter = sidecar.wait(1)
    sidecar.until(2_000)
    assert waiter
    assert waiter.retry_ms == pytest.approx(12 * HOUR_MS, abs=5_000)
    assert sidecar.holder.denials.last == 0
    assert sidecar.holder.denials.counts == [1]


def test_shadow_denials_are_counted() -> None:
    sidecar = Sidecar([rolling(100), rolling(0, "shadow", is_shadow=True)])
    assert sidecar.call(1, 1)
    assert sidecar.holder.denials.shadow_counts == [0, 1]


# --------------------------------------------------------------------------------------------------- refusals


def test_what_the_upstream_refused_is_told_at_once_and_once() -> None:
    sidecar = Sidecar([rolling(1_000)])
    sidecar.call(1)
    sidecar.holder.penalize(Penalty(0, 900, 0, -1), sidecar.now)
    assert sidecar.holder.due(sidecar.now) == sidecar.now
    assert sidecar.exchange().levels[0].permille == 900
    assert sidecar.holder.report(sidecar.terms, sidecar.now).penalties == []


def test_of_a_limit_that_the_upstream_closed_not_even_the_lease_is_spent() -> None:
    sidecar = Sidecar([rolling(100_000), daily(100_000)])
    busy(sidecar, per_s=100, until=3_000)
    assert any(map(any, sidecar.holder.lease.free.values()))
    sidecar.holder.penalize(Penalty(1, 900, 22_000, 100_000), sidecar.now)
    sidecar.exchange()
    assert sidecar.take(1, 1) == 0


def test_refusals_that_pile_up_are_told_as_the_worst_of_them() -> None:
    sidecar = Sidecar([rolling(1_000)])
    for number in range(10_000):
        sidecar.holder.penalize(Penalty(0, 900, number, -1 if number % 2 else 500 + number), sidecar.now)
    [told] = sidecar.holder.report(sidecar.terms, 0.0).penalties
    assert told == Penalty(0, 900, 9_999, 500)


def test_however_late_the_ledger_hears_of_a_pause_it_ends_when_it_was_to() -> None:
    sidecar = Sidecar([rolling(1_000)])
    sidecar.call(1)
    sidecar.holder.penalize(Penalty(0, 900, 22_000, -1), sidecar.now)
    sidecar.now += 20_000
    assert sidecar.wait(1, patience_ms=60_000)
    assert sidecar.exchange().blocked_ms == 2_000


def test_while_a_pause_lasts_nothing_that_is_held_leaves_and_then_all_of_it() -> None:
    sidecar = Sidecar([rolling(100_000)])
    busy(sidecar, per_s=100, until=3_000)
    source = sidecar.take(1)
    sidecar.holder.pause(sidecar.now + 500, sidecar.now)
    assert not sidecar.holder.use([1], source, sidecar.now)
    sidecar.holder.put_back(ONLY, [1], source, sidecar.now)
    assert sidecar.take(1) == 0
    sidecar.now += 500
    assert sidecar.holder.use([1], sidecar.take(1), sidecar.now)


def test_a_pause_refuses_who_cannot_wait_so_long_and_keeps_the_others_without_asking_meanwhile() -> None:
    sidecar = Sidecar([rolling(0)])
    hurried, patient = sidecar.wait(1, patience_ms=1_000), sidecar.wait(1, patience_ms=5_000)
    sidecar.holder.pause(2_000, sidecar.now)
    assert hurried
    assert hurried.retry_ms == 2_000
    assert sidecar.wait(1, patience_ms=1_999) is None
    assert sidecar.holder.due(sidecar.now) == 2_000
    sidecar.now = 2_000
    sidecar.ledger = Ledger(listens=False)
    sidecar.terms = [rolling(10)]
    sidecar.exchange()
    assert patient
    assert patient.source


def test_a_shut_group_lets_not_even_free_requests_go() -> None:
    sidecar = Sidecar([rolling(10)])
    assert sidecar.take(0)
    sidecar.holder.pause(1_000, sidecar.now)
    assert not sidecar.take(0)
    waiter = sidecar.wait(0)
    assert waiter
    sidecar.now = 1_000
    sidecar.exchange()
    assert waiter.source


def test_a_refusal_is_told_again_when_its_report_was_lost() -> None:
    sidecar = Sidecar([rolling(1_000)])
    sidecar.holder.penalize(Penalty(0, 900, 0, -1), sidecar.now)
    sidecar.lose()
    assert sidecar.exchange().levels[0].permille == 900


def test_a_refusal_that_comes_while_one_is_told_is_told_next() -> None:
    sidecar = Sidecar([rolling(1_000)])
    sidecar.holder.penalize(Penalty(0, 900, 0, -1), sidecar.now)
    report = sidecar.holder.report(sidecar.terms, 0.0)
    sidecar.holder.penalize(Penalty(0, 900, 0, 300), sidecar.now)
    sidecar.holder.answer(sidecar.ledger.exchange(report, NOON), 0.0)
    assert sidecar.exchange().levels[0].permille == 300


def test_a_refusal_of_yesterday_is_not_told_today() -> None:
    sidecar = Sidecar([daily(100)])
    sidecar.holder.penalize(Penalty(0, 900, 0, 0), sidecar.now)
    sidecar.terms = [daily(100, NOON + 12 * HOUR_MS)]
    assert sidecar.holder.report(sidecar.terms, 0.0).penalties == []


# ----------------------------------------------------------------------------------------------------- outage


def test_failures_are_followed_by_longer_and_longer_pauses_up_to_two_seconds() -> None:
    sidecar = Sidecar([rolling(1_000)])
    sidecar.wait(1, patience_ms=60_000)
    pauses = []
    for _ in range(10):
        sidecar.lose()
        due = sidecar.holder.due(sidecar.now)
        assert due == sidecar.holder.due(sidecar.now), "however often it is asked"
        assert due is not None
        pauses.append(due - sidecar.now)
        sidecar.now = due
    assert 50 <= pauses[0] <= 150
    assert pauses[0] < pauses[2] < pauses[4]
    assert max(pauses) <= 3_000


def test_grants_of_an_answer_that_was_lost_are_found_with_the_next() -> None:
    sidecar = Sidecar([rolling(10)])
    waiter = sidecar.wait(10)
    sidecar.lose(is_answer=True)
    sidecar.now = 200
    sidecar.exchange()
    assert waiter
    assert waiter.source
    assert sidecar.level() == (0, 10), "they were not granted twice"


def test_the_lease_is_used_up_before_the_licence() -> None:
    sidecar = Sidecar([rolling(6_000)])
    busy(sidecar, per_s=100, until=70_000)
    sidecar.lose()
    sidecar.lose()
    assert sidecar.holder.is_cut_off
    while sidecar.take(1):
        pass
    sidecar.now = sidecar.holder.lease.until - 1
    assert sidecar.take(1) == 0, "the ledger may still count on what was leased"
    sidecar.now += 300
    assert sidecar.take(1)


def test_without_ever_having_heard_of_a_ledger_nothing_is_spent() -> None:
    sidecar = Sidecar([rolling(6_000)])
    sidecar.lose()
    sidecar.lose()
    sidecar.now = 100_000
    assert sidecar.take(1) == 0


def cut_off(sidecar: Sidecar) -> Sidecar:
    """A window after it last heard of its ledger."""
    sidecar.call(1)
    sidecar.now = 100_000
    sidecar.lose()
    sidecar.lose()
    return sidecar


def test_what_may_be_spent_without_a_ledger_may_be_for_however_long_also_before_any_was_heard() -> None:
    sidecar = Sidecar([rolling(1, on_loss=OnLoss.OPEN)])
    sidecar.lose()
    sidecar.lose()
    for sidecar.now in (1_000, 400_000):
        assert all(sidecar.take(1) for _ in range(10))


def test_who_has_signed_off_has_no_licence_for_nothing_is_set_aside_for_it() -> None:
    sidecar = Sidecar([rolling(6_000)])
    sidecar.call(1)
    sidecar.exchange(is_closing=True)
    sidecar.now = 100_000
    sidecar.lose()
    sidecar.lose()
    assert sidecar.take(1) == 0


def test_the_licence_serves_classes_by_their_weights() -> None:
    sidecar = cut_off(Sidecar([rolling(600)]))
    waiting = {
        share.name: [sidecar.wait(1, share=share, patience_ms=10_000) for _ in range(4)]
        for share in (BATCH, Share("standard", 3.0))
    }
    served = set()
    for _ in range(100):
        sidecar.now += 10
        sidecar.holder.serve(sidecar.now)
        served.add(tuple(sum(w.source != 0 for w in waiters if w) for waiters in waiting.values()))
    assert (2, 4) in served, "of a class what a quarter of a second lets go, then by weight"


def test_what_was_spent_on_the_licence_is_told_when_the_ledger_is_back() -> None:
    sidecar = cut_off(Sidecar([rolling(6_000)]))
    spent = 0
    for _ in range(1_000):
        sidecar.now += 10
        if source := sidecar.take(1):
            spent += sidecar.holder.use([1], source, sidecar.now)
    assert spent == pytest.approx(900, abs=25)
    sidecar.exchange()
    assert spent <= sidecar.level()[0] <= spent + 1, "and what it held of its lease"


@pytest.mark.parametrize(
    ("on_loss", "is_set_aside"),
    [
        ([OnLoss.SHARE, OnLoss.SHARE], True),
        ([OnLoss.SHARE, OnLoss.OPEN], True),
        ([OnLoss.SHARE, OnLoss.CLOSED], False),
    ],
)
def test_a_share_is_set_aside_exactly_when_the_licence_spends_it(
    on_loss: list[OnLoss], is_set_aside: bool
) -> None:
    terms = [rolling(100, name, on_loss=loss) for name, loss in zip("xy", on_loss, strict=True)]
    report = Sidecar(terms).holder.report(terms, 0.0)
    assert (report.licence_ms > 0) is is_set_aside


def test_of_a_sidecar_that_stood_still_for_two_leases_nothing_is_spent() -> None:
    """It took units, was stopped, and goes on where it was when its lease is long over."""
    sidecar = Sidecar([rolling(100)])
    waiter = sidecar.wait(5)
    sidecar.exchange()
    assert waiter
    other = Teller(sidecar.ledger, sidecar.terms, "other")
    other.tell(other.report(), NOON + 6_000)  # whoever comes first ends the lease
    sidecar.now = 6_000
    assert not sidecar.holder.use([5], waiter.source, sidecar.now)
    sidecar.holder.put_back(ONLY, [5], waiter.source, sidecar.now)
    assert sidecar.take(1) == 0
    sidecar.exchange()
    assert sidecar.level() == (5, 0), "it counts as used, once"


def test_two_that_share_a_name_hold_two_leases() -> None:
    ledger = Ledger(listens=False)
    first, second = (Sidecar([rolling(10)], ledger, base="pod", seed=seed) for seed in (1, 2))
    waiters = [each.wait(6) for each in (first, second, first, second)]
    for each in (first, second, first, second):
        each.exchange()
    assert sum(waiter.source != 0 for waiter in waiters if waiter) == 1
    assert second.level()[1] <= 10


# ---------------------------------------------------------------------------------------- ledgers that forgot


def test_a_ledger_that_lost_everything_is_told_all_that_was_used_in_the_window() -> None:
    sidecar = Sidecar([rolling(1_000)])
    busy(sidecar, per_s=10, until=30_000)
    used = sidecar.level()[0]
    sidecar.ledger = Ledger()
    sidecar.until(34_000)
    assert used <= sidecar.level()[0] <= used + 30


def test_and_what_was_used_before_it_had_signed_off_and_come_back() -> None:
    sidecar = Sidecar([rolling(1_000)])
    busy(sidecar, per_s=10, until=10_000)
    sidecar.until(30_000)
    sidecar.ledger = Ledger()
    sidecar.wait(1, patience_ms=10_000)
    sidecar.until(33_000)
    assert sidecar.level()[0] >= 95


def test_a_server_that_lost_its_last_words_is_told_the_debts_that_it_heard() -> None:
    sidecar = Sidecar([rolling(1_000)])
    sidecar.now = 100
    sidecar.call(1)
    sidecar.holder.settle(ONLY, [1], [101], sidecar.now, sidecar.now)
    sidecar.exchange()
    assert sidecar.level()[0] == 101
    for _ in range(3):
        sidecar.now += 250
        sidecar.exchange(run="another")  # which may have heard nothing of the debt
    assert sidecar.level()[0] == 201, "it may count twice, but never not at all"


def test_of_a_calendar_limit_a_ledger_that_forgot_learns_the_count_that_was_last_seen() -> None:
    sidecar = Sidecar([daily(1_000)])
    Teller(sidecar.ledger, sidecar.terms, "other", {"licence_ms": 0}).ask(NOON, 600)
    busy(sidecar, per_s=10, until=10_000)
    used = sidecar.level()[0]
    assert used >= 690
    sidecar.ledger = Ledger()
    sidecar.until(14_000)
    assert used <= sidecar.level()[0] <= used + 20


def test_a_reaped_holder_starts_over_and_its_waiters_are_served() -> None:
    ledger = Ledger(listens=False)
    sidecar = Sidecar([rolling(100)], ledger)
    sidecar.call(1)
    sidecar.exchange()
    waiter = sidecar.wait(1, patience_ms=10_000)
    early = Teller(ledger, sidecar.terms, "fast clock")
    early.tell(early.report(), NOON + 3_500)
    sidecar.exchange()
    sidecar.until(2_000)
    assert waiter
    assert waiter.source


# ---------------------------------------------------------------------------------------------------- flights


def test_calls_in_flight_keep_their_place_until_they_land() -> None:
    sidecar = Sidecar([flying(2)])
    assert sidecar.call(1)
    assert sidecar.call(1)
    assert not sidecar.call(1)
    sidecar.until(10_000)
    assert sidecar.level() == (0, 2)
    sidecar.holder.settle(ONLY, [1], [1], 0.0, sidecar.now)
    sidecar.until(sidecar.now + 100)
    assert sidecar.level()[1] <= 2
    assert sidecar.call(1)


def test_what_lands_goes_to_whoever_has_waited_and_not_to_its_own_class() -> None:
    ledger = Ledger(listens=False)
    greedy, other = (Sidecar([flying(4)], ledger, base=name, seed=n) for n, name in enumerate("ab"))
    for _ in range(4):
        assert greedy.call(1, share=BATCH)
    for _ in range(3):
        greedy.wait(1, share=BATCH, patience_ms=60_000)
    greedy.exchange()
    waiter = other.wait(1, share=CRITICAL, patience_ms=60_000)
    other.exchange()
    assert waiter
    assert not waiter.source
    for now in range(100, 3_000, 100):
        greedy.now = other.now = now
        greedy.holder.settle(BATCH, [1], [1], 0.0, now)
        greedy.until(now)
        other.until(now)
        if waiter.source:
            break
    assert waiter.source


# ------------------------------------------------------------------------------------------------------ rules


def test_an_answer_without_a_report_is_a_mistake() -> None:
    sidecar = Sidecar([rolling(100)])
    answer = Teller(sidecar.ledger, sidecar.terms).tell(
        Teller(sidecar.ledger, sidecar.terms).report(want(1)), NOON
    )
    with pytest.raises(RuntimeError, match="no report is under way"):
        sidecar.holder.answer(answer, 0.0)


def test_it_says_its_state_in_words() -> None:
    sidecar = Sidecar([rolling(100)])
    sidecar.wait(1)
    assert repr(sidecar.holder).endswith("0 entries to report>, 1 waiting, 0 failures>")


class Counting(Ledger):
    """A ledger that knows how often it was asked."""

    exchanges = 0

    def exchange(self, report: Report, wall_ms: int, run: str = "") -> Answer:
        self.exchanges += 1
        return super().exchange(report, wall_ms, run)


@pytest.mark.parametrize(
    ("per_s", "lasts_ms", "limit"), [(2_000, 10, 10_000), (2_000, 40, 100), (20, 3_000, 100)]
)
def test_calls_in_flight_cost_no_messages_once_as_many_fly_as_usual(
    per_s: int, lasts_ms: int, limit: int
) -> None:
    """What is held ahead follows those in flight: by arrivals it was more than a lease may hold of a limit of
    10,000, and then nothing of any limit was granted ahead.
    """
    ledger = Counting(listens=False)
    sidecar = Sidecar([rolling(1_000_000_000), flying(limit)], ledger)
    flights: deque[float] = deque()
    for number in range(per_s * 8):
        if number == per_s * 4:
            ledger.exchanges = 0
        sidecar.until(number * 1_000 / per_s)
        while flights and flights[0] + lasts_ms <= sidecar.now:
            sidecar.holder.settle(ONLY, [1, 1], [1, 1], flights.popleft(), sidecar.now)
        assert sidecar.call(1, 1)
        flights.append(sidecar.now)
    assert ledger.exchanges / 4 < 15


def test_what_is_put_back_serves_who_waits_without_a_message() -> None:
    sidecar = Sidecar([rolling(1)])
    first = sidecar.wait(1)
    sidecar.exchange()
    second = sidecar.wait(1)
    assert first
    assert second
    sidecar.holder.put_back(ONLY, [1], first.source, sidecar.now)
    assert second.source


def test_a_call_that_lands_where_there_is_plenty_makes_room_for_who_waits_at_once() -> None:
    sidecar = Sidecar([rolling(100), flying(100)])
    sidecar.call(1, 1)
    sidecar.exchange()
    waiter = sidecar.wait(0, 1)
    sidecar.holder.settle(ONLY, [1, 1], [1, 1], sidecar.now, sidecar.now)
    assert waiter
    assert waiter.source
