"""Who is served next when several classes wait for the same limits."""

from sidecar.limits.fair import FairQueue

FRESH_MS = 3_000
LATER = 10_000


def served(queue: FairQueue, share: str, weight: float, now: int, wanted: float = 1.0) -> float:
    """One round of a class that wants more than there is: what it is given, of a limit."""
    queue.enter([share], now)
    queue.withdraw({share: 1})
    lead = queue.lead(share, weight, now)
    given = wanted if lead is None else min(wanted, lead)
    queue.serve(share, weight, given)
    queue.wait(share, 1, now)
    return given


def test_classes_that_wait_are_served_by_their_weights() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    weights = {"a": 1.0, "b": 2.0, "c": 4.0}
    given = dict.fromkeys(weights, 0.0)
    for now in range(3_000):
        for share, weight in weights.items():
            given[share] += served(queue, share, weight, now, 0.001)
    assert given["b"] / given["a"] > 1.9
    assert given["c"] / given["a"] > 3.8


def test_nobody_is_held_back_while_no_other_waits() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    queue.enter(["a"], 0)
    queue.serve("a", 1.0, 100.0)
    assert queue.lead("a", 1.0, 0) is None


def test_who_was_served_while_nobody_waited_owes_nothing_to_a_newcomer() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    for now in range(LATER, LATER + 1_000):
        queue.enter(["old"], now)
        queue.serve("old", 1.0, 0.01)
    queue.enter(["new"], LATER + 1_000)
    queue.wait("new", 1, LATER + 1_000)
    lead = queue.lead("old", 1.0, LATER + 1_000)
    assert lead is not None
    assert lead > 0


def test_who_comes_back_after_a_pause_cannot_claim_the_past() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    queue.enter(["a", "b"], 0)
    for now in range(1_000):
        served(queue, "a", 1.0, now, 0.01)
    queue.enter(["b"], 1_000)
    assert queue.served("b") >= queue.served("a")


def test_who_waits_keeps_its_place() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    queue.enter(["slow", "fast"], 0)
    queue.wait("slow", 1, 0)
    place = queue.served("slow")
    for now in range(1, 100):
        served(queue, "fast", 1.0, now, 0.01)
    queue.enter(["slow"], 100)
    assert queue.served("slow") == place


def test_a_class_that_was_not_heard_for_long_waits_no_more() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    queue.enter(["a", "b"], 0)
    queue.wait("a", 1, 0)
    assert queue.lead("b", 1.0, FRESH_MS) is not None
    assert queue.lead("b", 1.0, FRESH_MS + 1) is None


def test_requests_that_are_withdrawn_wait_no_more() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    queue.enter(["a"], 0)
    queue.wait("a", 2, 0)
    queue.withdraw({"a": 1, "unknown": 3})
    assert queue.is_contended(0)
    queue.withdraw({"a": 5})
    assert not queue.is_contended(0)


def test_classes_that_are_long_gone_are_forgotten() -> None:
    queue = FairQueue(0.01, FRESH_MS)
    for number in range(1_000):
        queue.enter([f"class {number}"], number * 1_000)
        queue.serve(f"class {number}", 1.0, 0.5)
    assert len(queue.lanes) <= 122
