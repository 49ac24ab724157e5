"""Quantiles in bounded memory."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.quantile import ENOUGH, MEMORY, Learned, Sketch

STEP = 1.05
figures = st.lists(st.floats(0.01, 1e4), min_size=1, max_size=MEMORY)


def sketch_of(values: list[float]) -> Sketch:
    sketch = Sketch(0.001, 1e5, STEP)
    for value in values:
        sketch.add(value)
    return sketch


@given(figures, st.sampled_from([0.05, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_never_below_the_true_one_and_less_than_a_step_above(
    values: list[float], share: float
) -> None:
    true = sorted(values)[math.ceil(share * len(values) - 1e-9) - 1]
    assert true * (1 - 1e-6) <= sketch_of(values).quantile(share) <= true * STEP * (1 + 1e-6)


@given(figures)
def test_a_mean_is_exact(values: list[float]) -> None:
    assert sketch_of(values).mean == pytest.approx(sum(values) / len(values))


def test_nothing_observed_is_nothing_known() -> None:
    sketch = Sketch(2, 10, STEP)
    assert (sketch.weight, sketch.mean, sketch.quantile(0.5), sketch.is_known) == (0, 0, 2, False)


def test_figures_out_of_range_count_as_the_nearest() -> None:
    sketch = Sketch(1, 10, STEP)
    for value in (-5, 0, 1e9):
        sketch.add(value)
    assert (sketch.quantile(0.5), sketch.quantile(1), sketch.mean) == (1, 10, 4)


def test_what_was_long_ago_is_forgotten() -> None:
    sketch = Sketch(1, 1000, STEP)
    for _ in range(MEMORY):
        sketch.add(900)
    for _ in range(10 * MEMORY):
        sketch.add(10)
    assert sketch.weight <= MEMORY
    assert sketch.quantile(0.99) == pytest.approx(10, rel=STEP - 1)


@given(
    st.lists(st.floats(0.0001, 1e6), min_size=ENOUGH, max_size=3 * MEMORY),
    st.sampled_from([0.5, 0.9, 0.99]),
)
def test_what_is_kept_at_hand_is_what_would_be_looked_up(values: list[float], share: float) -> None:
    learned = Learned(0.001, 1e5, STEP, share)
    for value in values:
        learned.add(value)
    assert learned.value == pytest.approx(learned.quantile(share), rel=1e-6)


def test_nothing_is_learned_from_too_little() -> None:
    learned = Learned(1, 10, STEP, 0.99)
    for _ in range(ENOUGH - 1):
        learned.add(5)
    assert learned.value is None
    learned.add(5)
    assert learned.value == pytest.approx(5, rel=STEP - 1)
