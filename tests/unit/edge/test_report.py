import pytest

from sidecar.config.prices import shipped_prices
from sidecar.core.attempt import Attempt
from sidecar.core.errors import Reason
from sidecar.core.levels import LimitsMode
from sidecar.core.outcome import CANCELLED, OK, AttemptKind, Usage
from sidecar.core.permit import Candidate
from sidecar.core.policy import Endpoint
from sidecar.edge import report
from sidecar.edge.status import CODES
from sidecar.pipeline.settle import Journal
from sidecar.v1 import call_pb2
from sidecar.v1.call_pb2 import CallReport
from sidecar.v1.error_pb2 import ErrorReason
from sidecar.v1.usage_pb2 import ServiceTier
from tests.support import facts


class Clock:
    """Stands still until told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def journal_of(*ends: tuple[Endpoint, str]) -> tuple[Journal, Clock]:
    """A journal with one attempt of 250 ms for each end."""
    clock = Clock()
    journal = Journal(facts.arrival(), facts.FakeObserver(), clock, lambda: facts.TODAY)
    for endpoint, ended in ends:
        entry = journal.begin(facts.attempt(endpoint, model="gemini-x"))
        clock.now += 0.25
        entry.end(ended, clock.now)
    return journal, clock


def reported(journal: Journal, tier: str = "") -> CallReport:
    told = CallReport()
    report.fill(told, journal, tier)
    return told


def test_the_last_attempt_is_the_one_that_served() -> None:
    journal, _ = journal_of((facts.gemini(), Reason.UPSTREAM_UNAVAILABLE), (facts.vertex(), OK))
    told = reported(journal, "priority")
    assert told.request_id == "req-1"
    assert (told.served.project, told.served.location, told.served.model) == (
        "cloud",
        "europe-west4",
        "gemini-x",
    )
    assert told.served.service_tier == ServiceTier.SERVICE_TIER_PRIORITY
    assert [(attempt.project, attempt.location, attempt.status) for attempt in told.attempts] == [
        ("main", "", "UNAVAILABLE"),
        ("cloud", "europe-west4", "OK"),
    ]
    assert [attempt.latency.ToMilliseconds() for attempt in told.attempts] == [250, 250]


def test_the_attempt_that_answers_served_also_when_a_later_one_was_made() -> None:
    journal, clock = journal_of()
    faster = journal.begin(facts.attempt(facts.gemini()))
    journal.begin(facts.attempt(facts.vertex())).end(CANCELLED, clock.now)
    journal.answers(faster)
    told = reported(journal)
    assert told.served.project == "main"
    assert [(attempt.number, attempt.status) for attempt in told.attempts] == [(1, "OK"), (2, "CANCELLED")]


def test_an_attempt_that_still_runs_is_told_as_good_so_far() -> None:
    journal, clock = journal_of()
    journal.begin(facts.attempt(facts.gemini()))
    clock.now += 0.125
    told = reported(journal)
    assert [(attempt.number, attempt.status) for attempt in told.attempts] == [(1, "OK")]
    assert told.attempts[0].latency.ToMilliseconds() == 125


def test_without_an_attempt_nobody_served() -> None:
    journal, _ = journal_of()
    assert not reported(journal).HasField("served")


@pytest.mark.parametrize(
    ("word", "tier"),
    [
        ("", ServiceTier.SERVICE_TIER_UNSPECIFIED),
        ("flex", ServiceTier.SERVICE_TIER_FLEX),
        ("STANDARD", ServiceTier.SERVICE_TIER_STANDARD),
        ("platinum", ServiceTier.SERVICE_TIER_UNSPECIFIED),
    ],
)
def test_the_tier_is_a_word_we_know_or_unspecified(word: str, tier: ServiceTier) -> None:
    journal, _ = journal_of((facts.gemini(), OK))
    assert reported(journal, word).served.service_tier == tier


def test_time_in_line_is_told_from_a_millisecond_on() -> None:
    journal, _ = journal_of((facts.gemini(), OK))
    journal.queued_s = 0.0009
    assert not reported(journal).HasField("queue_time")
    journal.queued_s = 1.25
    assert reported(journal).queue_time.ToMilliseconds() == 1250


@pytest.mark.parametrize("mode", LimitsMode)
def test_the_mode_of_the_limits_is_the_one_of_the_latest_grant(mode: LimitsMode) -> None:
    journal, _ = journal_of((facts.gemini(), OK))
    attempt = facts.attempt()
    facts.grant_of(attempt).mode = mode
    journal.begin(attempt)
    assert reported(journal).limits == int(mode)


def test_the_cost_is_told_where_it_is_known_and_an_unknown_price_as_such() -> None:
    journal = Journal(facts.arrival(), facts.FakeObserver(), Clock(), lambda: facts.TODAY)
    told = CallReport()
    report.fill_cost(told, journal)
    assert not told.HasField("cost")
    entry = journal.begin(facts.attempt(policy=facts.policy(prices=shipped_prices())))
    entry.saw(facts.reply(usage=Usage(prompt=1000, total=1000)))
    report.fill_cost(told, journal)
    assert told.cost.is_priced
    assert told.cost.micro_dollars > 0
    entry = journal.begin(
        facts.attempt(policy=facts.policy(prices=shipped_prices()), model="gemini-unheard-of")
    )
    entry.saw(facts.reply(usage=Usage(prompt=1000, total=1000)))
    unknown = CallReport()
    report.fill_cost(unknown, journal)
    assert unknown.HasField("cost")
    assert (unknown.cost.micro_dollars, unknown.cost.is_priced) == (0, False)


@pytest.mark.parametrize("ended", [OK, CANCELLED, *Reason])
def test_every_end_has_a_status_name(ended: str) -> None:
    journal, _ = journal_of((facts.gemini(), ended))
    expected = ended if ended in (OK, CANCELLED) else CODES[Reason(ended)].name
    assert reported(journal).attempts[0].status == expected


def test_each_attempt_tells_its_model_its_kind_and_why_it_failed() -> None:
    journal, clock = journal_of((facts.gemini(), Reason.UPSTREAM_TIMEOUT))
    attempt = facts.attempt(facts.vertex(), model="gemini-y")._replace(kind=AttemptKind.FALLBACK)
    journal.begin(attempt).end(OK, clock.now)
    first, second = reported(journal).attempts
    assert (first.model, first.kind) == ("gemini-x", call_pb2.ATTEMPT_KIND_FIRST)
    assert (first.status, first.reason) == ("UNAVAILABLE", ErrorReason.ERROR_REASON_UPSTREAM_TIMEOUT)
    assert (second.model, second.kind) == ("gemini-y", call_pb2.ATTEMPT_KIND_FALLBACK)
    assert (second.status, second.reason) == ("OK", ErrorReason.ERROR_REASON_UNSPECIFIED)


def test_a_failed_call_tells_its_attempts_and_nothing_else() -> None:
    journal, _ = journal_of((facts.gemini(), Reason.UPSTREAM_TIMEOUT), (facts.vertex(), CANCELLED))
    told = report.of_failure(journal)
    assert told is not None
    assert [attempt.project for attempt in told.attempts] == ["main", "cloud"]
    assert {field.name for field, _ in told.ListFields()} == {"attempts"}


def test_a_call_that_failed_before_any_attempt_has_no_report() -> None:
    journal, _ = journal_of()
    assert report.of_failure(journal) is None


def test_every_kind_has_a_name_on_the_wire() -> None:
    for kind in AttemptKind:
        journal, clock = journal_of()
        journal.begin(facts.attempt()._replace(kind=kind)).end(OK, clock.now)
        assert call_pb2.AttemptKind.Name(reported(journal).attempts[0].kind) == f"ATTEMPT_KIND_{kind.name}"


def test_what_was_changed_for_the_project_that_answered_is_told() -> None:
    journal, _ = journal_of((facts.gemini(), Reason.UPSTREAM_UNAVAILABLE))
    assert list(reported(journal).rewrites) == []
    candidate = Candidate(facts.gemini(), "gemini-x", tier="flex", strips_signatures=True)
    journal.begin(Attempt(facts.call(), facts.FakeGrant(candidate)))
    assert list(reported(journal).rewrites) == ["service_tier=flex", "thought_signatures=stripped"]
