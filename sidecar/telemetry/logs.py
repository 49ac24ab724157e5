"""The way of a log record from any thread to stderr, without holding up who wrote it.

A record becomes its line where it is logged: what it tells of is at hand there, cannot change before it is
told, and need not be kept. But most of the log are the ends of calls, and what tells of them cannot change
(`record`): their lines are made by the thread that writes them, and no call waits for that. The queue between
is bounded, and what is in it is written in batches. A full queue drops new records and counts them, and the
writer reports how many as soon as it gets on. The standard QueueListener is not used: it writes record by
record, cannot report drops, and stopping it fails or waits without bound when the queue is full and nobody
reads stderr.

Everything that logs goes this way: the `sidecar` loggers from the level asked for, every library (grpc,
aiohttp, asyncio and the rest) from WARNING. Nothing is configured on import: `setup` does it,
`LogPipeline.close` undoes it.
"""

import logging
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import BinaryIO, Literal, TypeAlias

from sidecar.core.batches import waiting
from sidecar.telemetry.logformat import human_line, json_line
from sidecar.telemetry.record import CallRecord

LogFormat: TypeAlias = Literal["auto", "json", "human"]

CAPACITY = 10_000
"""Lines that may wait for the writer; a call's has some 400 bytes, and before it is made some 1,500."""
_BATCH = 500
_GATHER_S = 0.02
"""How long a batch may gather: each wake-up of the writer takes the interpreter lock from the event loop."""
_MAX_MESSAGE = 8192

_Render: TypeAlias = Callable[[logging.LogRecord], bytes]
_Queue: TypeAlias = "SimpleQueue[bytes | CallRecord | None]"
"""Lines, and records whose lines are yet to be made; None is the end."""


class LogPipeline:
    """A queue, the handler that fills it and the thread that empties it; open until `close`.

    Takes in records of `sidecar` from `level` up, and of everything else from `level`, but at least WARNING,
    up.
    """

    def __init__(
        self,
        stream: BinaryIO,
        render: _Render,
        level: int,
        capacity: int = CAPACITY,
    ) -> None:
        self._stream = stream
        self._render = render
        self._queue: _Queue = SimpleQueue()
        self._handler = _Enqueue(self._queue, render, capacity)
        self._unwritten = 0
        self._reported = 0
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._write_until_closed, name="log-writer", daemon=True)
        self._writer.start()
        root, own = logging.getLogger(), logging.getLogger("sidecar")
        self._restore = [(root, root.level), (own, own.level)]
        root.setLevel(max(level, logging.WARNING))
        own.setLevel(level)
        root.addHandler(self._handler)

    def __repr__(self) -> str:
        state = "closed" if self._closing.is_set() else "open"
        return f"<LogPipeline {state}, {self._queue.qsize()} waiting, {self.dropped} dropped>"

    @property
    def dropped(self) -> int:
        """Records lost since the start: the queue was full, or stderr could not be written."""
        return self._handler.dropped + self._unwritten

    def close(self, timeout_s: float = 2.0) -> bool:
        """Take no more records, write those that wait, and say whether that was done in time. Idempotent.

        When it was not, because nobody reads stderr, the writer is left behind; it does not keep the process
        alive.
        """
        if not self._closing.is_set():
            logging.getLogger().removeHandler(self._handler)
            for logger, level in self._restore:
                logger.setLevel(level)
            self._queue.put(None)
            self._closing.set()
        self._writer.join(timeout_s)
        return not self._writer.is_alive()

    def _write_until_closed(self) -> None:
        ended = False
        while not ended:
            batch = [self._queue.get()]
            self._closing.wait(_GATHER_S)
            batch += waiting(self._queue, _BATCH - 1)
            ended = None in batch
            self._write([self._line(item) for item in batch if item is not None])

    def _line(self, item: bytes | CallRecord) -> bytes:
        return item if isinstance(item, bytes) else self._render(item)

    def _write(self, lines: list[bytes]) -> None:
        dropped, report = self.dropped, b""
        if dropped > self._reported:
            report = self._render(_drop_report(dropped - self._reported))
        try:
            self._stream.write(b"".join((*lines, report)))
            self._stream.flush()
        except (OSError, ValueError):  # the reader is gone, or the stream was closed under us
            self._unwritten += len(lines)
        else:
            self._reported = dropped


class _Enqueue(logging.Handler):
    """Puts the lines of records in the queue, and whole records that cannot change; the handler's own lock,
    held during `emit`, guards bound and count.
    """

    def __init__(self, queue: _Queue, render: _Render, capacity: int) -> None:
        super().__init__()
        self._queue = queue
        self._render = render
        self._capacity = capacity
        self.dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line, or count it as dropped."""
        if self._queue.qsize() >= self._capacity:
            self.dropped += 1
            return
        if isinstance(record, CallRecord):
            self._queue.put(record)
            return
        try:
            text = record.getMessage()
        except (TypeError, ValueError, LookupError, AttributeError):
            text = f"{record.msg} (its arguments do not fit)"
        record.msg, record.args = text[:_MAX_MESSAGE], None
        self._queue.put(self._render(record))


def setup(
    log_format: LogFormat, level: str, stream: BinaryIO | None = None, capacity: int = CAPACITY
) -> LogPipeline:
    """Route all logging to stderr (or `stream`) and return the pipeline, to be closed last of all.

    `auto` is the human format on a terminal and JSON elsewhere. `level` is a level name of the standard
    library in any case; an unknown one raises ValueError.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level {level!r} is not known: use debug, info, warning or error")
    out = sys.stderr.buffer if stream is None else stream
    human = log_format == "human" or (log_format == "auto" and out.isatty())
    return LogPipeline(out, human_line if human else json_line, number, capacity)


def _drop_report(count: int) -> logging.LogRecord:
    record = logging.LogRecord(
        "sidecar.logs", logging.WARNING, __file__, 0, "log records were dropped", None, None
    )
    record.fields = {"dropped": count}
    return record
