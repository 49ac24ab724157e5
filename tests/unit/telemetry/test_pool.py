"""Breakers, retries and hedges as metrics."""

import pytest

from sidecar.telemetry.instruments import Instruments
from sidecar.telemetry.labels import MAX_MODELS
from tests.support.facts import MODEL
from tests.unit.telemetry.builders import Figures

HERE = {"project": "main", "model": MODEL}


def test_a_breaker_shows_whether_it_is_open_and_how_often_it_opened(
    instruments: Instruments, figures: Figures
) -> None:
    for is_open, (level, openings) in zip(
        [False, True, False, True], [(0, 0), (1, 1), (0, 1), (1, 2)], strict=True
    ):
        instruments.pool.breaker("main", MODEL, is_open=is_open)
        assert figures.value("sidecar_breaker_open", **HERE) == level
        assert figures.value("sidecar_breaker_openings_total", **HERE) == openings


@pytest.mark.parametrize("name", ["sidecar_retries_refused_total", "sidecar_hedges_total"])
def test_what_is_rare_is_there_from_the_first_answer_on(
    instruments: Instruments, figures: Figures, name: str
) -> None:
    instruments.pool.breaker("main", MODEL, is_open=False)
    assert figures.value(name, **HERE) == 0


def test_retries_and_hedges_are_counted(instruments: Instruments, figures: Figures) -> None:
    instruments.pool.retried("main", MODEL, "UPSTREAM_QUOTA")
    instruments.pool.refused("main", MODEL)
    instruments.pool.hedged("main", MODEL)
    assert figures.value("sidecar_retries_total", **HERE, reason="UPSTREAM_QUOTA") == 1
    assert figures.value("sidecar_retries_refused_total", **HERE) == 1
    assert figures.value("sidecar_hedges_total", **HERE) == 1


def test_model_names_are_bounded(instruments: Instruments, figures: Figures) -> None:
    for number in range(MAX_MODELS + 5):
        instruments.pool.breaker("main", f"m{number}", is_open=True)
    assert figures.value("sidecar_breaker_openings_total", project="main", model="other") == 5
