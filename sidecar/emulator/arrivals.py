"""The arrival log: an append-only file that tells when each request came, what was decided, how it ended.

Decides the form of the lines; `docs/emulator.md` documents it. Two lines a request, joined by `number`: one
when it is decided, with the very moment that the quotas saw, and one when it ended. So whoever holds a client
to its quotas can replay the log against limits of his own.

Invariants: lines are whole JSON objects, flushed one by one, never changed; nothing is kept in memory; no
credential and no prompt is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import Any

import orjson

from sidecar.emulator.clock import Instant, rfc3339


@unique
class Verdict(Enum):
    """What was decided on a request; the value is its name in the log."""

    ADMITTED = "admitted"
    """It fits the quotas and counts in them."""
    OVER_QUOTA = "over_quota"
    """It does not fit: 429."""
    UNMETERED = "unmetered"
    """A good request of a method that has no quota."""
    REFUSED = "refused"
    """A bad request: credentials, form or meaning. It counts in no quota."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it was decided.

    `project` is empty when the credentials were refused; `input_tokens` is 0 when the request was refused
    before they were counted; `exceeded` holds the quota ids of a 429; `fault` is the scripted fault that
    befell the request, if any.
    """

    at: Instant
    verdict: Verdict
    project: str = ""
    requests: int = 0
    input_tokens: int = 0
    exceeded: tuple[str, ...] = ()
    fault: str = ""


class ArrivalLog:
    """Appends to a file; for one event loop.

    Raises:
        OSError: at construction when the file cannot be opened, later when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def __repr__(self) -> str:
        return f"<ArrivalLog {self._path}>"

    def arrived(self, number: int, request: dict[str, str], arrival: Arrival) -> None:
        """Write that request `number` was decided; `request` holds its request_id, model and method."""
        self._write(
            "arrived",
            number,
            arrival.at,
            **request,
            project=arrival.project,
            requests=arrival.requests,
            input_tokens=arrival.input_tokens,
            verdict=arrival.verdict.value,
            exceeded=list(arrival.exceeded),
            fault=arrival.fault,
        )

    def ended(self, number: int, at: Instant, ending: str, status: int | None) -> None:
        """Write that request `number` ended, under the name of its counter in the journal."""
        self._write("ended", number, at, ending=ending, status=status)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: str, number: int, at: Instant, **facts: Any) -> None:
        stamps = {"event": event, "number": number, "mono_us": at.mono_us, "wall": rfc3339(at.wall_us)}
        # One unbuffered write for each line: it is in the file when the call returns.
        self._file.write(orjson.dumps(stamps | facts, option=orjson.OPT_APPEND_NEWLINE))
