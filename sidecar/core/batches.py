"""Taking from a queue whatever waits in it. Standard library only, blocks on nothing."""

from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")


def waiting(queue: SimpleQueue[Item], most: int) -> list[Item]:
    """What waits in the queue now, oldest first, at most so many."""
    taken: list[Item] = []
    while len(taken) < most:
        try:
            taken.append(queue.get_nowait())
        except Empty:
            break
    return taken
