import pytest

from sidecar.core.levels import EstimateError, GroupState, LimitsMode, LimitsReading, LimitState
from tests.unit.telemetry.builders import RPM, group

PLACE = {"group": "quota/main/flash", "limit": "requests_per_minute"}


@pytest.fixture
def show(instruments):
    def show(*groups, errors=()):
        instruments.limits.reading = LimitsReading(groups, errors)

    return show


def test_levels_are_those_of_the_latest_reading(show, figures):
    show(group(used=1200))
    assert figures.value("sidecar_limit_used", **PLACE) == 1200
    assert figures.value("sidecar_limit_held", **PLACE) == 5
    assert figures.value("sidecar_limit_amount", **PLACE) == 2000
    assert figures.value("sidecar_limit_factor", **PLACE) == 0.9
    show(group(used=1300))
    assert figures.value("sidecar_limit_used", **PLACE) == 1300


def test_denials_mode_and_waiting_calls_are_told(show, figures):
    show(group(waiting=7, mode=LimitsMode.SHARE))
    assert figures.value("sidecar_limit_denials_total", **PLACE) == 3
    assert figures.value("sidecar_limit_shadow_denials_total", **PLACE) == 1
    assert figures.value("sidecar_limits_mode", group="quota/main/flash") == LimitsMode.SHARE
    assert figures.value("sidecar_limit_waiting_calls", group="quota/main/flash") == 7


def test_no_label_names_a_caller_and_of_its_budgets_the_fullest_is_shown(show, figures):
    show(
        group("budget/each/alice", used=10, waiting=1),
        group("budget/each/bob", used=90, waiting=2, mode=LimitsMode.CLOSED),
        group("budget/each/carol", used=50),
    )
    assert "alice" not in figures.text()
    place = {"group": "budget/each", "limit": "requests_per_minute"}
    assert figures.value("sidecar_limit_used", **place) == 90
    assert figures.value("sidecar_limit_denials_total", **place) == 9
    assert figures.value("sidecar_limit_waiting_calls", group="budget/each") == 3
    assert figures.value("sidecar_limits_mode", group="budget/each") == LimitsMode.CLOSED


@pytest.mark.parametrize("age_ms", [None, 5_000.0])
def test_levels_that_nobody_asked_about_lately_are_not_shown_but_denials_are(show, figures, age_ms):
    show(group(age_ms=age_ms))
    assert figures.samples("sidecar_limit_used") == {}
    assert figures.value("sidecar_limit_denials_total", **PLACE) == 3


def test_a_group_of_which_nothing_was_told_yet_has_no_levels(show, figures):
    show(GroupState("quota/main/flash", LimitsMode.UNUSED, (LimitState(RPM),), age_ms=1.0))
    assert figures.samples("sidecar_limit_used") == {}
    assert figures.value("sidecar_limits_mode", group="quota/main/flash") == 0


def test_how_good_estimates_are_is_told_by_model(show, figures):
    show(errors=[EstimateError("flash", "output", mean=2.0, low=0.5, median=1.5, high=4.0)])
    place = {"model": "flash", "part": "output"}
    ratios = {
        q: figures.value("sidecar_estimate_ratio", quantile=q, **place) for q in ("0.05", "0.5", "0.95")
    }
    assert ratios == {"0.05": 0.5, "0.5": 1.5, "0.95": 4.0}
    assert figures.value("sidecar_estimate_ratio_mean", **place) == 2.0


def test_models_beyond_the_limit_are_left_out_as_they_would_share_a_name(show, figures, instruments):
    for number in range(200):
        instruments.upstream.models.label(f"m{number}", "OK")
    show(errors=[EstimateError(f"m{number}", "input", 1, 1, 1, 1) for number in range(90, 110)])
    assert len(figures.samples("sidecar_estimate_ratio_mean")) == 10


def test_exchanges_with_ledgers_are_counted_by_result_with_what_came_to_light(instruments, figures):
    instruments.ledger.answered(0.002, relearned=0, stepped_ms=0)
    instruments.ledger.answered(0.004, relearned=40, stepped_ms=-900)
    instruments.ledger.failed(0.25)
    name = "sidecar_ledger_exchange_duration_seconds"
    assert figures.value(f"{name}_count", result="answered") == 2
    assert figures.value(f"{name}_sum", result="answered") == 0.006
    assert figures.value(f"{name}_count", result="failed") == 1
    assert figures.value("sidecar_ledger_relearned_units_total") == 40
    assert figures.value("sidecar_ledger_clock_steps_total") == 1
