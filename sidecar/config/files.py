"""Read configuration files and notice when they change.

Only regular files are read, only so much of them, and never by waiting: a FIFO or a device named by mistake
is a fault, not a hang. Symbolic links are followed, so the swap of a mounted Kubernetes volume is a change
like any other.
"""

import os
import stat
from pathlib import Path
from typing import TypeAlias

from sidecar.config.faults import Unacceptable

Signature: TypeAlias = tuple[int, ...] | None
"""Differs when a file was replaced, written or given other rights; None when it cannot be looked at."""


def signature(path: Path) -> Signature:
    """The state of the file behind a path, links followed."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class FileReader:
    """Reads files and remembers the state in which each was read.

    `seen` is taken before the reading: a change while we read differs from it and so is never missed.
    """

    def __init__(self) -> None:
        self.seen: dict[Path, Signature] = {}

    def __repr__(self) -> str:
        return f"<FileReader of {len(self.seen)} files>"

    def read(self, path: Path, limit_bytes: int) -> bytes:
        """The content of a regular file of at most `limit_bytes`. Raises Unacceptable."""
        # Two projects may share a file: the first state counts, so that a change in between shows.
        self.seen.setdefault(path, signature(path))
        try:
            with open(path, "rb", opener=_open_without_waiting) as file:
                is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                content = file.read(limit_bytes + 1) if is_file else b""
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            raise Unacceptable(reason, "name a file that this user may read") from None
        except ValueError:  # a NUL in the name
            raise Unacceptable("is not a path", "name a file") from None
        if not is_file:
            raise Unacceptable("is not a regular file", "name a file")
        if len(content) > limit_bytes:
            raise Unacceptable(f"is larger than {limit_bytes} bytes", "name the file that is meant")
        return content


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
