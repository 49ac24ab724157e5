"""What a sidecar in the test's process leaves behind: the log lines of calls, tasks, connections."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import psutil

from sidecar.telemetry.record import CallRecord

PATIENCE_S = 5.0
"""How long a test waits for what must happen; reached only by a failure."""


class CallLog(logging.Handler):
    """The log lines of calls that have ended; waits for the next."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []
        self._grown = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the fields of a line. Calls end on the event loop, so nothing here is locked."""
        self.lines.append(cast(CallRecord, record).fields)
        self._grown.set()

    async def ended(self, count: int = 1) -> dict[str, Any]:
        """Wait for so many calls in all; returns the last of them."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.lines) < count:
                self._grown.clear()
                await self._grown.wait()
        return self.lines[count - 1]


@contextmanager
def call_log() -> Iterator[CallLog]:
    """The calls of the block; needs a sidecar whose log level is `info`."""
    handler = CallLog()
    logger = logging.getLogger("sidecar.call")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


async def left_over(before: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """The tasks begun since `before` that do not end by themselves, but for those in which listeners wait for
    the next call.
    """
    begun = {task for task in asyncio.all_tasks() - before if not _waits_for_calls(task)}
    begun.discard(cast("asyncio.Task[Any]", asyncio.current_task()))
    if not begun:
        return set()
    _, pending = await asyncio.wait(begun, timeout=PATIENCE_S)
    return pending


def _waits_for_calls(task: asyncio.Task[Any]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "") == "AioServer._request_call"


def connections_to(base_url: str, pid: int | None = None) -> int:
    """How many connections a process, this one by default, holds to a server on this machine."""
    port = urlsplit(base_url).port
    return sum(connection.raddr.port == port for connection in _connections(pid))


def connections_at(address: str, pid: int) -> int:
    """How many connections a process holds that it has accepted at `address`, `host:port`."""
    port = int(address.rpartition(":")[2])
    return sum(connection.laddr.port == port for connection in _connections(pid))


def _connections(pid: int | None) -> list[Any]:
    return [found for found in psutil.Process(pid).net_connections(kind="tcp") if found.raddr]
