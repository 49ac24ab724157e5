"""Ending a task from within, and knowing afterwards that it was us.

The bookkeeping of `asyncio.timeout` without its timer: alarms that share one task each tell their own
cancellation from those of the others, and from that of a caller who goes away. When an alarm rings is its
owner's affair: a bound costs no more than the timer that it needs, and none where it needs none.
"""

import asyncio


class Alarm:
    """Cancels the task that made it when it rings. Ask `caused` once, in that task, on the way out."""

    __slots__ = ("_cancelling", "_has_rung", "_task")

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an alarm ends a task, and none is running")
        self._task = task
        self._cancelling = task.cancelling()
        self._has_rung = False

    def __repr__(self) -> str:
        return f"<Alarm {'rung' if self._has_rung else 'set'}>"

    def ring(self) -> None:
        """End the task. May be repeated: the second time nothing happens."""
        if not self._has_rung:
            self._has_rung = True
            self._task.cancel()

    def caused(self, error: BaseException | None) -> bool:
        """Whether `error` is the cancellation by this alarm; if so, it is to be replaced by another error."""
        if not self._has_rung:
            return False
        return self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)
