"""The audit trail: a file of its own, one JSON object a line, that tells when something is missing from it.

Theory of operation. Each record gets the next number of this start, and each start an id of its own, whether
or not the record can be written: so a gap in the numbers is a loss, and a start without a stop before it a
crash. The event loop only numbers records and puts them into a bounded queue; a thread writes. What finds
the queue full, or a disk that takes nothing, is dropped and counted, and its number is missed.

The file is appended to and never read but for its last byte: a line that a crash cut short is ended first.
Above its limit it becomes `FILE.1`, that `FILE.2`, and so on; the oldest goes.
"""

import json
import logging
import os
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

from sidecar.config.faults import ConfigError, Fault
from sidecar.config.settings import AuditSettings
from sidecar.core.audit import AuditKind, AuditRecord
from sidecar.core.batches import waiting

CAPACITY = 10_000
"""Records that may wait to be written; half a KB each."""
_BATCH = 500
_FACT_CHARS = 1000
_MODE = 0o640

_log = logging.getLogger(__name__)
_Queue: TypeAlias = "SimpleQueue[tuple[int, datetime, AuditRecord] | None]"
"""None is the end."""


class NoAudit:
    """The Audit of a sidecar that keeps none."""

    def record(self, record: AuditRecord) -> None:
        """Nothing is written down."""


def audit_trail(file: Path, settings: AuditSettings, version: str) -> "AuditTrail":
    """A trail that has begun. Raises ConfigError when its file cannot be written to."""
    try:
        trail = AuditTrail(RotatedFile(file, settings.size_limit, settings.keep))
    except OSError as error:
        remedy = "name a file that this user may write to, in a directory that exists"
        reason = f"cannot be written to: {error.strerror}"
        raise ConfigError([Fault("audit.file", str(file), reason, remedy)]) from error
    trail.record(AuditRecord(AuditKind.STARTED, {"version": version}))
    return trail


class AuditTrail:
    """Writes records from its construction until `close`. `record` is for one thread, the event loop's.

    Raises OSError when the file cannot be written to. `now` is the time of day.
    """

    def __init__(
        self, files: "RotatedFile", now: Callable[[], datetime] | None = None, capacity: int = CAPACITY
    ) -> None:
        self._files = files
        self._now = now or _utc
        self._capacity = capacity
        self._start = secrets.token_hex(8)
        self._number = 0
        self._refused = 0
        self._unwritten = 0
        self._is_failing = False
        self._queue: _Queue = SimpleQueue()
        files.open()
        self._writer = threading.Thread(target=self._write_until_closed, name="audit-writer", daemon=True)
        self._writer.start()

    def __repr__(self) -> str:
        return f"<AuditTrail {self._files!r}: {self._number} records, {self.dropped} dropped>"

    @property
    def dropped(self) -> int:
        """Records that were lost since the start."""
        return self._refused + self._unwritten

    def record(self, record: AuditRecord) -> None:
        """Number a record and have it written; see `core.ports.Audit`."""
        self._number += 1
        if self._queue.qsize() >= self._capacity:
            self._refused += 1
        else:
            self._queue.put((self._number, self._now(), record))

    def close(self, timeout_s: float = 2.0) -> None:
        """Say that the trail ends here, and write what waits; a disk that hangs is left behind."""
        self.record(AuditRecord(AuditKind.STOPPED, {}))
        self._queue.put(None)
        self._writer.join(timeout_s)

    def _write_until_closed(self) -> None:
        ended = False
        while not ended:
            batch = [self._queue.get(), *waiting(self._queue, _BATCH - 1)]
            ended = None in batch
            lines = [self._line(*entry) for entry in batch if entry is not None]
            try:
                self._files.write(lines)
            except OSError as error:
                self._fails(len(lines), error)
            else:
                self._is_failing = False
        self._files.close()

    def _fails(self, lines: int, error: OSError) -> None:
        self._unwritten += lines
        if not self._is_failing:
            told = {"file": str(self._files), "error": error.strerror}
            _log.error("the audit trail cannot be written; records are lost", extra={"fields": told})
        self._is_failing = True

    def _line(self, number: int, at: datetime, record: AuditRecord) -> bytes:
        head = {"time": at.isoformat(timespec="milliseconds"), "start": self._start, "seq": number}
        facts = {key: value[:_FACT_CHARS] for key, value in record.facts.items()}
        # Escaped to ASCII: no text can end its line for any reader, or be one that UTF-8 does not take.
        return json.dumps({**head, "event": record.kind, **facts}).encode() + b"\n"


class RotatedFile:
    """A file that is appended to, and its predecessors."""

    def __init__(self, path: Path, limit_bytes: int, keep: int) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._keep = keep
        self._descriptor: int | None = None
        self._size = 0

    def __repr__(self) -> str:
        return f"<RotatedFile {self._path}, {self._size} bytes>"

    def __str__(self) -> str:
        return str(self._path)

    def open(self) -> int:
        """Open it, made if need be; links are not followed. Raises OSError."""
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            self._descriptor = os.open(self._path, flags, _MODE)
            self._size = os.fstat(self._descriptor).st_size
            if self._size and os.pread(self._descriptor, 1, self._size - 1) != b"\n":
                self._append(b"\n")
        return self._descriptor

    def write(self, lines: list[bytes]) -> None:
        """Append whole lines. Raises OSError, and then none of these lines need be there."""
        for line in lines:
            if self._size and self._size + len(line) > self._limit_bytes:
                self._rotate()
            self._append(line)

    def close(self) -> None:
        """Close it. May be repeated; `write` opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, line: bytes) -> None:
        try:
            written = os.write(self.open(), line)
        except OSError:
            self.close()  # whatever was the matter, the next write begins with what is there then
            raise
        self._size += written
        if written < len(line):
            self.close()
            raise OSError(28, "the disk is full")

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                os.replace(newer, older)
        self.open()


def _utc() -> datetime:
    return datetime.now(UTC)
