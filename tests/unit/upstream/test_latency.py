"""What to expect of an endpoint, from what it took."""

import pytest

from sidecar.upstream.latency import Latency


def observed(*taken_s: float, every_s: float = 0.1) -> tuple[Latency, float]:
    latency, now = Latency(), 0.0
    for seconds in taken_s:
        now += every_s
        latency.observe(seconds, now)
    return latency, now


def test_nothing_is_expected_of_the_unknown() -> None:
    assert Latency().estimate_s(100.0) == 0.0


def test_a_longer_time_counts_at_once() -> None:
    latency, now = observed(0.5, 0.5, 3.0)
    assert latency.estimate_s(now) == 3.0


def test_shorter_times_count_little_by_little() -> None:
    latency, now = observed(3.0, 0.5)
    assert latency.estimate_s(now) > 2.9
    latency, now = observed(3.0, *[0.5] * 1000)
    assert latency.estimate_s(now) == pytest.approx(0.5, rel=0.01)


def test_without_news_it_is_forgotten() -> None:
    latency, now = observed(3.0)
    assert latency.estimate_s(now + 10.0) == pytest.approx(3.0 / 2.718, rel=0.01)
    assert latency.estimate_s(now + 100.0) < 0.001


def test_silence_that_was_given_up_counts_only_when_it_was_longer_than_expected() -> None:
    latency, now = observed(1.0)
    latency.waited(0.3, now)
    assert latency.estimate_s(now) == 1.0
    latency.waited(4.0, now)
    assert latency.estimate_s(now) == 4.0
