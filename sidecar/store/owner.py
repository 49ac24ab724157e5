"""Tasks that belong to somebody."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Owner:
    """Keeps its tasks until they end and ends them when it is closed.

    In place of a TaskGroup because a failure here must end neither its neighbours nor the body of an `async
    with`. A task handles its own failures; one that it does not handle is a defect, and asyncio logs it.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Owner of {len(self._tasks)} tasks>"

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel all tasks and wait for their ends."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
