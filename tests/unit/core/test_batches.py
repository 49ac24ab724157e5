"""Whatever waits in a queue, in order and bounded."""

from queue import SimpleQueue

from sidecar.core.batches import waiting


def holding(*items: int) -> SimpleQueue[int]:
    queue: SimpleQueue[int] = SimpleQueue()
    for item in items:
        queue.put(item)
    return queue


def test_what_waits_is_taken_in_order() -> None:
    assert waiting(holding(1, 2, 3), 10) == [1, 2, 3]


def test_no_more_is_taken_than_asked_for_and_the_rest_stays() -> None:
    queue = holding(1, 2, 3)
    assert waiting(queue, 2) == [1, 2]
    assert waiting(queue, 2) == [3]


def test_of_an_empty_queue_nothing_is_waited_for() -> None:
    assert waiting(holding(), 10) == []
