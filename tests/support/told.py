"""What a sidecar in the test's process logs, as it happens: the way to wait for what shows nowhere else."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.rpc import PATIENCE_S


class Told(logging.Handler):
    """Keeps the messages and fields of the sidecar's log, and lets a test wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, Mapping[str, Any]]] = []
        self._told = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record. Called on the event loop, where the product logs what tests wait for."""
        self.lines.append((record.getMessage(), getattr(record, "fields", {})))
        self._told.set()
        self._told = asyncio.Event()

    async def line(self, message: str, count: int = 1) -> Mapping[str, Any]:
        """The fields of the line number `count` with this message, waited for if need be."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(found := self._with(message)) < count:
                    await self._told.wait()
                return found[count - 1]
        except TimeoutError:
            raise AssertionError(
                f"waited {PATIENCE_S:g} s for line {message!r}; told: {self.lines}"
            ) from None

    def _with(self, message: str) -> list[Mapping[str, Any]]:
        return [fields for told, fields in self.lines if told == message]


class Tracebacks(logging.Handler):
    """Collects what anybody logs with a traceback, and what asyncio complains of: the marks of a failure that
    nobody foresaw.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record if it is one of those."""
        if record.exc_info or record.name == "asyncio":
            self.texts.append(self.format(record))


@contextmanager
def no_tracebacks() -> Iterator[None]:
    """Fail at the end of the block if there was a failure that nobody foresaw."""
    tracebacks, root = Tracebacks(), logging.getLogger()
    root.addHandler(tracebacks)
    try:
        yield
    finally:
        root.removeHandler(tracebacks)
    assert tracebacks.texts == []


@contextmanager
def listening() -> Iterator[Told]:
    """Hear what the sidecar logs during the block."""
    told, logger = Told(), logging.getLogger("sidecar")
    logger.addHandler(told)
    try:
        yield told
    finally:
        logger.removeHandler(told)
