"""The Pool: what it tells of endpoints whose answers it was told."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sidecar.core.attempt import Attempt
from sidecar.core.call import Call, Method
from sidecar.core.errors import (
    Overloaded,
    SidecarError,
    UpstreamCredentials,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnavailable,
)
from sidecar.core.outcome import AttemptKind, AttemptRecord
from sidecar.core.permit import Candidate, Permit
from sidecar.core.policy import Endpoint
from sidecar.core.pooling import BreakerRules, HedgeRules, PoolRules, RetryRules
from sidecar.core.ports import Trip
from sidecar.upstream.fleet import KIND, Fleet
from sidecar.upstream.health import HEALTHS_MAX
from tests.support import facts
from tests.support.pool import Board, Told, unavailable

A, B, C = (facts.gemini(project=name) for name in "abc")


class Pool:
    """A Fleet with a clock to move, chance to set, and short words for what is asked of it."""

    def __init__(self, *endpoints: Endpoint, board: Board | None = None, **rules: Any) -> None:
        self.now = 100.0
        self.draw = 0.5
        self.told = Told()
        self.board = board or Board()
        self.headroom = 1.0
        self.fleet = Fleet(
            self.board, self.told, lambda call, candidate: self.headroom, lambda: self.now, lambda: self.draw
        )
        self.endpoints = endpoints or (A, B, C)
        self.rules = PoolRules(**rules)
        self.permit: Permit = facts.permit(*self.endpoints)

    def call(self, method: Method = Method.GENERATE, allowed_s: float = 60.0, **values: Any) -> Call:
        arrival = facts.arrival(method, deadline=self.now + allowed_s)
        policy = facts.policy(*self.endpoints, pools=self.rules)
        return facts.call(**{"arrival": arrival, "policy": policy, **values})

    def ranked(self, *tried: Candidate, **values: Any) -> list[str]:
        candidates = self.fleet.rank(self.call(**values), self.permit, records(*tried))
        return [candidate.endpoint.project for candidate in candidates]

    def began(self, name: str, kind: AttemptKind = AttemptKind.FIRST, **values: Any) -> Trip:
        return self.fleet.began(Attempt(self.call(**values), facts.FakeGrant(self.at(name)), kind))

    def ended(self, name: str, failure: BaseException | None = None, times: int = 1, **values: Any) -> None:
        for _ in range(times):
            self.began(name, **values).ended(failure)

    def retry(self, error: SidecarError, *tried: str, **values: Any) -> float | None:
        return self.fleet.retry(
            error, self.call(**values), self.permit, records(*(self.at(name) for name in tried))
        )

    def at(self, name: str) -> Candidate:
        return next(c for c in self.permit.candidates if c.endpoint.project == name)


def records(*tried: Candidate) -> Sequence[AttemptRecord]:
    return [AttemptRecord(n, candidate, "FAILED", 0.1, sent=True) for n, candidate in enumerate(tried, 1)]


def quota(retry_after_s: float | None) -> UpstreamQuota:
    error = UpstreamQuota("full", http_status=429)
    error.retry_after_s = retry_after_s
    return error


# --------------------------------------------------------------------------------------------- whom to ask


def test_the_only_endpoint_is_asked_whatever_it_did() -> None:
    pool = Pool(A)
    pool.ended("a", unavailable(), times=50)
    assert pool.ranked() == ["a"]
    assert pool.told.turns == [(0.0, "a", True)]


def test_an_endpoint_that_fails_is_left_alone_and_comes_back() -> None:
    pool = Pool()
    pool.ended("a", unavailable(), times=5)
    assert sorted(pool.ranked()) == ["b", "c"]
    pool.now += 5.1
    assert pool.ranked()[0] == "a", "the probe"
    assert "a" not in pool.ranked(), "one is enough"
    pool.ended("a")
    assert sorted(pool.ranked()) == ["a", "b", "c"]
    assert [is_open for _, _, is_open in pool.told.turns] == [True, False]


def test_the_first_answer_of_an_endpoint_is_told_once() -> None:
    pool = Pool()
    pool.ended("a", times=3)
    assert pool.told.turns == [(0.0, "a", False)]


@pytest.mark.parametrize(
    "failure",
    [quota(30.0), UpstreamRejected("bad", http_status=400), asyncio.CancelledError(), ZeroDivisionError()],
    ids=lambda failure: type(failure).__name__,
)
def test_what_is_not_the_endpoint_s_fault_leaves_its_breaker_alone(failure: BaseException) -> None:
    pool = Pool()
    pool.ended("a", failure, times=100)
    assert sorted(pool.ranked()) == ["a", "b", "c"]


def test_refused_credentials_are_enough_once() -> None:
    pool = Pool()
    pool.ended("a", UpstreamCredentials("refused", http_status=403))
    assert sorted(pool.ranked()) == ["b", "c"]


def test_models_of_one_endpoint_stand_for_themselves() -> None:
    pool = Pool()
    pool.ended("a", unavailable(), times=5)
    other = facts.permit(A, B, C, model="another")
    assert len(pool.fleet.rank(pool.call(), other)) == 3


def test_methods_that_ask_no_model_stand_for_themselves_too() -> None:
    pool = Pool(A, B)
    for _ in range(5):
        pool.ended("a", method=Method.COUNT_TOKENS)
        pool.ended("a", unavailable())
    assert pool.ranked() == ["b"], "to count tokens well is no answer of the model"
    assert sorted(pool.ranked(method=Method.COUNT_TOKENS)) == ["a", "b"]
    pool.now += 5.1
    pool.ended("a", method=Method.COUNT_TOKENS)
    assert pool.ranked()[0] == "a", "the probe is still to be sent"


def test_methods_that_ask_no_model_share_what_is_known_of_an_endpoint() -> None:
    pool = Pool(A, B)
    pool.ended("a", unavailable(), times=5, method=Method.GET_MODEL)
    assert pool.ranked(method=Method.COUNT_TOKENS, model="another") == ["b"]


def test_first_contents_that_take_too_long_count_as_failures() -> None:
    pool = Pool(breaker=BreakerRules(slow_s=2.0))
    for _ in range(5):
        trip = pool.began("a", method=Method.STREAM_GENERATE)
        pool.now += 2.5
        trip.first_content()
        trip.ended(None)
    assert "a" not in pool.ranked()


def test_a_slow_endpoint_is_left_alone_while_its_streams_still_run() -> None:
    pool = Pool(breaker=BreakerRules(slow_s=2.0))
    trips = [pool.began("a", method=Method.STREAM_GENERATE) for _ in range(5)]
    pool.now += 2.5
    for trip in trips:
        trip.first_content()
    assert "a" not in pool.ranked()
    pool.now += 5.1
    probe = pool.began(pool.ranked()[0], method=Method.STREAM_GENERATE)
    pool.now += 2.5
    probe.first_content()
    assert "a" not in pool.ranked(), "the probe was slow too"
    for trip in (*trips, probe):
        trip.ended(None)
    assert [is_open for *_, is_open in pool.told.turns] == [True, True]


def test_silence_counts_as_slow_whoever_gave_up_waiting() -> None:
    pool = Pool(breaker=BreakerRules(slow_s=2.0))
    for _ in range(5):
        trip = pool.began("a")
        pool.now += 2.5
        trip.ended(asyncio.CancelledError())
    assert "a" not in pool.ranked()


def test_a_stream_that_was_cancelled_after_its_first_content_was_not_slow() -> None:
    pool = Pool(breaker=BreakerRules(slow_s=2.0))
    for _ in range(5):
        trip = pool.began("a", method=Method.STREAM_GENERATE)
        trip.first_content()
        pool.now += 60.0
        trip.ended(asyncio.CancelledError())
    assert "a" in pool.ranked()


def test_a_probe_is_over_with_the_first_content_of_its_stream() -> None:
    pool = Pool()
    pool.ended("a", unavailable(), times=5)
    pool.now += 5.1
    pool.ranked()
    trip = pool.began("a", method=Method.STREAM_GENERATE)
    trip.first_content()
    assert sorted(pool.ranked()) == ["a", "b", "c"]
    trip.ended(None)


def test_whom_it_asked_to_be_left_alone_is_for_as_long_as_a_breaker_might() -> None:
    pool = Pool()
    pool.ended("a", unavailable(pushback_s=12.0))
    pool.ended("b", unavailable(pushback_s=86_400.0))
    assert pool.ranked() == ["c"]
    pool.now += 12.0
    assert sorted(pool.ranked()) == ["a", "c"]
    pool.now += 18.0
    assert sorted(pool.ranked()) == ["a", "b", "c"]


def test_when_nobody_may_be_asked_the_error_says_when_somebody_may() -> None:
    pool = Pool(A, B)
    pool.ended("a", unavailable(pushback_s=9.0))
    pool.ended("b", unavailable(pushback_s=4.0))
    with pytest.raises(UpstreamUnavailable, match="left alone") as caught:
        pool.ranked()
    assert caught.value.retry_after_s == pytest.approx(4.0)


def test_while_a_probe_is_out_callers_are_not_told_to_come_again_at_once() -> None:
    pool = Pool(A, B)
    pool.ended("a", unavailable(), times=5)
    pool.now += 5.1
    pool.began("a")
    pool.ended("b", unavailable(pushback_s=30.0))
    with pytest.raises(UpstreamUnavailable) as caught:
        pool.ranked()
    assert caught.value.retry_after_s == 1.0


def test_no_more_attempts_are_open_at_an_endpoint_than_the_policy_allows_whatever_the_model() -> None:
    pool = Pool(facts.gemini(project="a", concurrency=2))
    open_trips = [pool.began("a"), pool.began("a")]
    other = facts.permit(facts.gemini(project="a", concurrency=2), model="another")
    with pytest.raises(Overloaded, match="concurrency"):
        pool.fleet.rank(pool.call(), other)
    open_trips[0].ended(None)
    open_trips[0].ended(None)
    assert pool.fleet.rank(pool.call(), other)


def test_who_was_ranked_may_find_no_room_later() -> None:
    pool = Pool(facts.gemini(project="a", concurrency=1), B)
    assert sorted(pool.ranked()) == ["a", "b"]
    trip = pool.began("a")
    assert not pool.fleet.has_room(pool.at("a"))
    assert pool.fleet.has_room(pool.at("b")), "any number"
    trip.ended(asyncio.CancelledError())
    assert pool.fleet.has_room(pool.at("a"))


def test_attempts_in_flight_send_calls_elsewhere() -> None:
    pool = Pool()
    trips = [pool.began("a"), pool.began("a"), pool.began("b")]
    assert pool.ranked() == ["c", "b", "a"]
    for trip in trips:
        trip.ended(None)
        trip.ended(None)
    trips = [pool.began("c")]
    assert pool.ranked()[-1] == "c"


def test_a_call_is_weighed_by_its_own_policy_however_lately_another_was() -> None:
    pool = Pool(A, B)
    for heavy in ("a", "b", "a"):
        pool.permit = facts.permit(
            *(replace(each, weight=9.0 if each.project == heavy else 1.0) for each in (A, B))
        )
        assert pool.ranked()[0] == heavy


def test_an_endpoint_that_is_slow_to_stream_is_no_worse_for_whole_answers() -> None:
    pool = Pool(A, B)
    for name, seconds in (("a", 9.0), ("b", 0.1)):
        trip = pool.began(name, method=Method.STREAM_GENERATE)
        pool.now += seconds
        trip.first_content()
        trip.ended(None)
    assert pool.ranked(method=Method.STREAM_GENERATE) == ["b", "a"]
    assert pool.ranked() == ["a", "b"]


def test_calls_with_the_same_long_prefix_go_to_the_same_endpoint() -> None:
    pool = Pool()
    body = {"systemInstruction": {"parts": [{"text": "x" * 5000}]}}
    home = pool.ranked(body=body)[0]
    trip = pool.began(home)
    assert pool.ranked(body=body)[0] == home
    assert pool.ranked()[0] != home
    without = Pool(affinity=False)
    without.began(home)
    assert without.ranked(body=body)[0] != home
    trip.ended(None)


def test_a_call_that_has_failed_at_home_goes_elsewhere() -> None:
    pool = Pool()
    body = {"systemInstruction": {"parts": [{"text": "x" * 5000}]}}
    home = pool.ranked(body=body)[0]
    assert pool.ranked(pool.at(home), body=body)[-1] == home


def test_model_names_of_callers_do_not_fill_the_memory() -> None:
    pool = Pool()
    for number in range(HEALTHS_MAX + 10):
        permit = facts.permit(A, model=f"made-up-{number}")
        pool.fleet.rank(pool.call(), permit)
        attempt = Attempt(pool.call(), facts.FakeGrant(permit.candidates[0]))
        pool.fleet.began(attempt).ended(None)
    assert len(pool.fleet._healths) <= HEALTHS_MAX
    assert len(pool.fleet._budgets) <= HEALTHS_MAX


def refuse_made_up_models(pool: Pool, count: int) -> None:
    """Calls for so many models that nobody has, with a key that is refused."""
    for number in range(count):
        grant = facts.FakeGrant(facts.permit(A, model=f"made-up-{number}").candidates[0])
        pool.fleet.began(Attempt(pool.call(), grant)).ended(UpstreamCredentials("no", http_status=401))
        pool.now += 0.001


def test_model_names_of_callers_do_not_fill_it_either_when_they_open_breakers() -> None:
    pool = Pool()
    refuse_made_up_models(pool, 2 * HEALTHS_MAX)
    assert len(pool.fleet._healths) <= HEALTHS_MAX


def test_an_open_breaker_that_is_asked_for_outlives_those_of_made_up_models() -> None:
    pool = Pool(A, B)
    refuse_made_up_models(pool, HEALTHS_MAX - 1)
    pool.ended("a", UpstreamCredentials("no", http_status=401))
    pool.ended("b")
    assert pool.ranked() == ["b"]
    assert len(pool.fleet._healths) < HEALTHS_MAX, "some were forgotten"


def test_attempts_in_flight_are_counted_on_when_others_are_forgotten() -> None:
    pool = Pool(facts.gemini(project="a", concurrency=1))
    trip = pool.began("a")
    refuse_made_up_models(pool, HEALTHS_MAX)
    assert not pool.fleet.has_room(pool.at("a"))
    trip.ended(None)
    assert pool.fleet.has_room(pool.at("a"))


def test_endpoints_that_are_in_no_policy_any_more_are_forgotten_too() -> None:
    pool = Pool()
    for number in range(HEALTHS_MAX + 1):
        gone = facts.permit(facts.gemini(project=f"gone-{number}"))
        pool.fleet.rank(pool.call(), gone)
    assert len(pool.fleet._healths._places) <= HEALTHS_MAX


# ---------------------------------------------------------------------------------------- another attempt


def test_a_fresh_endpoint_is_asked_at_once_and_one_that_failed_after_a_backoff() -> None:
    pool = Pool(A, B)
    assert pool.retry(unavailable(), "a") == 0.0
    assert pool.retry(unavailable(), "a", "b") == pytest.approx(0.125)


def test_refused_credentials_are_not_shown_again_for_another_tier_or_model() -> None:
    pool = Pool(A)
    flex, standard = Candidate(A, facts.MODEL, "flex"), Candidate(A, facts.MODEL, "standard", step=1)
    refused, spent = UpstreamCredentials("refused", http_status=401), quota(None)
    pool.permit = Permit(pool.permit.principal, (flex, standard))
    assert pool.fleet.retry(refused, pool.call(), pool.permit, records(flex)) is None
    assert pool.fleet.retry(spent, pool.call(), pool.permit, records(flex)) == 0.0, "a tier has its own quota"


def test_a_call_makes_no_more_attempts_than_the_policy_allows() -> None:
    pool = Pool(retry=RetryRules(attempts=2))
    assert pool.retry(unavailable(), "a") is not None
    assert pool.retry(unavailable(), "a", "b") is None


def test_what_cannot_be_repeated_is_not() -> None:
    assert Pool().retry(UpstreamRejected("bad", http_status=400), "a") is None


def test_a_429_is_taken_elsewhere_at_once_or_waited_for() -> None:
    assert Pool().retry(quota(20.0), "a") == 0.0
    alone = Pool(A)
    assert alone.retry(quota(20.0), "a") == pytest.approx(20.125)
    assert alone.retry(quota(20.0), "a", allowed_s=20.0) is None, "the deadline comes first"


def test_a_delay_longer_than_the_policy_holds_calls_for_is_the_callers() -> None:
    patient = Pool(A, retry=RetryRules(wait_max_s=40.0))
    assert patient.retry(quota(36.0), "a") == pytest.approx(36.125)
    assert Pool(A).retry(quota(36.0), "a") is None
    assert Pool(A, B).retry(quota(36.0), "a") == 0.0


def test_where_a_limit_is_zero_nobody_waits() -> None:
    assert Pool(A).retry(quota(None), "a") is None
    assert Pool(A, B).retry(quota(None), "a") == 0.0


def test_an_endpoint_with_another_key_is_asked_again_at_once() -> None:
    error = UpstreamCredentials("refused", http_status=403)
    assert Pool(A).retry(error, "a") is None
    error.has_other_key = True
    assert Pool(A).retry(error, "a") == 0.0


def test_when_all_are_to_be_left_alone_the_first_is_waited_for() -> None:
    pool = Pool(A, B)
    pool.ended("a", unavailable(pushback_s=9.0))
    pool.ended("b", unavailable(pushback_s=4.0))
    assert pool.retry(unavailable(), "a") == pytest.approx(4.125)
    assert pool.retry(unavailable(), "a", allowed_s=4.0) is None


def test_a_spent_budget_ends_it() -> None:
    pool = Pool(retry=RetryRules(budget_share=0.0, budget_floor=0.2))
    assert [pool.retry(unavailable(), "a") for _ in range(3)] == [0.0, 0.0, None]
    assert pool.told.counts == {"retried": 2, "refused": 1}
    pool.now += 11.0
    assert pool.retry(unavailable(), "a") == 0.0


@pytest.mark.parametrize("kind", [AttemptKind.FIRST, AttemptKind.FALLBACK])
def test_first_attempts_at_a_model_alone_earn_retries(kind: AttemptKind) -> None:
    pool = Pool(retry=RetryRules(budget_share=0.5, budget_floor=0.0))
    pool.ended("a", None, times=10, kind=AttemptKind.RETRY)
    pool.ended("a", None, times=10, kind=AttemptKind.HEDGE)
    assert pool.retry(unavailable(), "a") is None
    pool.ended("a", None, times=2, kind=kind)
    assert pool.retry(unavailable(), "a") == 0.0


# ------------------------------------------------------------------------------------------------- hedging


def attempt_of(pool: Pool, **values: Any) -> Attempt:
    return Attempt(pool.call(**values), facts.FakeGrant(pool.at("a")))


def taking(pool: Pool, seconds: float, times: int, **values: Any) -> None:
    for _ in range(times):
        trip = pool.began("a", **values)
        pool.now += seconds
        trip.ended(None)


def test_nothing_is_hedged_unless_the_policy_says_so() -> None:
    pool = Pool()
    taking(pool, 1.0, 100)
    assert pool.fleet.hedge_after(attempt_of(pool)) is None


def test_an_attempt_is_hedged_after_the_learned_quantile() -> None:
    pool = Pool(hedge=HedgeRules(quantile=0.95, least_s=0.5))
    assert pool.fleet.hedge_after(attempt_of(pool)) is None, "nothing is known"
    taking(pool, 2.0, 90)
    taking(pool, 9.0, 10)
    assert pool.fleet.hedge_after(attempt_of(pool)) == pytest.approx(9.0, rel=0.11)
    assert pool.fleet.hedge_after(attempt_of(pool, method=Method.STREAM_GENERATE)) is None


@pytest.mark.parametrize(("tried", "is_hedged"), [(0, True), (1, True), (2, False)])
def test_no_hedge_joins_the_last_attempt_that_a_call_may_make(tried: int, is_hedged: bool) -> None:
    pool = Pool(hedge=HedgeRules(least_s=0.5), retry=RetryRules(attempts=3))
    taking(pool, 0.1, 20)
    before = records(*[pool.at("b")] * tried)
    assert (pool.fleet.hedge_after(attempt_of(pool), before) is not None) is is_hedged


def test_nothing_is_hedged_earlier_than_the_least() -> None:
    pool = Pool(hedge=HedgeRules(least_s=0.5))
    taking(pool, 0.02, 50)
    assert pool.fleet.hedge_after(attempt_of(pool)) == 0.5


def test_hedges_are_paid_for_as_retries_are() -> None:
    pool = Pool(hedge=HedgeRules(), retry=RetryRules(budget_share=0.0, budget_floor=0.1))
    assert pool.fleet.take_hedge(attempt_of(pool))
    assert not pool.fleet.take_hedge(attempt_of(pool))
    assert pool.retry(unavailable(), "a") is None
    assert pool.told.counts == {"hedged": 1, "refused": 2}


# ------------------------------------------------------------------------------------- what all sidecars know


def heard(pool: Pool) -> None:
    pool.fleet._heed(pool.board.watch(KIND))


def test_what_one_sidecar_finds_the_others_know() -> None:
    board = Board()
    one, other = Pool(board=board), Pool(board=board)
    one.ended("a", unavailable(), times=5)
    heard(other)
    assert sorted(other.ranked()) == ["b", "c"]
    assert other.told.turns == [(0.0, "a", True)]
    other.now += 5.1
    assert other.ranked()[0] == "a", "it sends a probe of its own"


def test_a_sidecar_that_is_answered_keeps_asking_until_it_fails_itself() -> None:
    board = Board()
    one, other = Pool(board=board), Pool(board=board)
    other.ended("a")
    one.ended("a", unavailable(), times=5)
    heard(other)
    assert "a" in other.ranked()
    other.ended("a", unavailable())
    assert "a" not in other.ranked()


def test_notices_that_no_sidecar_of_ours_wrote_are_passed_over() -> None:
    pool = Pool()
    for key, value in [("no-key", "5"), ("a//m", "soon"), ("a//m", "nan"), ("a//m", "-1"), ("", "5")]:
        pool.board.put(KIND, key, value, pool.now + 50.0)
        heard(pool)
    assert pool.told.turns == []


def test_a_model_name_too_long_to_tell_is_kept_to_oneself() -> None:
    pool = Pool()
    permit = facts.permit(A, model="m" * 1000)
    for _ in range(5):
        pool.fleet.began(Attempt(pool.call(), facts.FakeGrant(permit.candidates[0]))).ended(unavailable())
    assert pool.board.notices == {}
    assert pool.told.turns
