"""The deadline of a call, over all its stages."""

import asyncio
from types import TracebackType

from sidecar.core.alarm import Alarm
from sidecar.core.errors import DeadlineExceeded
from sidecar.pipeline.settle import Journal


class within_deadline:  # noqa: N801 - reads as what it does, like `suppress`
    """Cancel what runs inside when the call's deadline comes, and raise DeadlineExceeded in its place."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __enter__(self) -> None:
        self._alarm = Alarm()
        self._timer = asyncio.get_running_loop().call_at(self._journal.arrival.deadline, self._alarm.ring)

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._alarm.caused(error):
            allowed_s = self._journal.arrival.allowed_s
            message = f"no complete answer within the {allowed_s:.3g} s that the deadline allowed"
            raise DeadlineExceeded(message, metadata=self._journal.progress()) from None
