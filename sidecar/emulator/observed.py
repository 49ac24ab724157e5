"""What the emulator has seen: a bounded journal of requests, and a way to wait for what is yet to come.

Decides what is recorded of a request and how endings are counted. Records hold no credential: of the headers
only those in `_RECORDED_HEADERS` and the Vertex AI request-type family, of the query nothing.

Invariants: `received == active + finished + disconnected + cut`; counters never go back, `active` apart; the
journal keeps at most so many requests and so many bytes of bodies, the oldest go first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, unique
from typing import Any

_RECORDED_HEADERS = frozenset(
    {
        "x-request-id",
        "x-server-timeout",
        "x-goog-user-project",
        "x-goog-api-client",
        "user-agent",
        "content-type",
        "content-encoding",
        "accept",
        "accept-encoding",
        "traceparent",
    }
)
_RECORDED_PREFIX = "x-vertex-ai-"


@unique
class Ending(Enum):
    """How a request stands; the value is the name of its counter."""

    ACTIVE = "active"
    FINISHED = "finished"
    """The reply went out whole, be it good or an error."""
    DISCONNECTED = "disconnected"
    """The client left before the end of the reply."""
    CUT = "cut"
    """The emulator closed the connection: a scripted fault, or its own stop."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it was on the wire.

    `number` counts from 1 in order of arrival; `path` has no query; `body` is the parsed JSON in the client's
    own spelling (None without one, or when it was no JSON); `headers` has lower-case names; `status` is the
    HTTP status of the reply, whether or not it has left; None as long as the request is active.
    """

    number: int
    method: str
    path: str
    model: str
    headers: Mapping[str, str]
    body: Any
    size_bytes: int
    ending: Ending = Ending.ACTIVE
    status: int | None = None

    @property
    def request_id(self) -> str:
        """The client's `x-request-id`, or an empty text."""
        return self.headers.get("x-request-id", "")

    def as_json(self) -> dict[str, Any]:
        """Return the record for the state page."""
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "model": self.model,
            "headers": dict(self.headers),
            "body": self.body,
            "ending": self.ending.value,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Observed:
    """A snapshot: counts of requests by how they stand, and the last requests, oldest first."""

    received: int = 0
    active: int = 0
    finished: int = 0
    disconnected: int = 0
    cut: int = 0
    requests: tuple[RequestRecord, ...] = field(default=(), repr=False)

    def counts(self) -> dict[str, int]:
        """Return the counters by name."""
        return {
            "received": self.received,
            "active": self.active,
            "finished": self.finished,
            "disconnected": self.disconnected,
            "cut": self.cut,
        }


def recorded_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those of `headers` that a record may hold, with lower-case names."""
    lowered = ((name.lower(), value) for name, value in headers.items())
    return {
        name: value
        for name, value in lowered
        if name in _RECORDED_HEADERS or name.startswith(_RECORDED_PREFIX)
    }


class Journal:
    """Counts requests and keeps the last of them; for one event loop."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._kept_bytes = 0
        self._records: dict[int, RequestRecord] = {}
        self._received = 0
        self._count = dict.fromkeys(Ending, 0)
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Journal {self._received} received, {self._count[Ending.ACTIVE]} active>"

    def snapshot(self) -> Observed:
        """Return the state of this moment."""
        count = self._count
        return Observed(
            received=self._received,
            active=count[Ending.ACTIVE],
            finished=count[Ending.FINISHED],
            disconnected=count[Ending.DISCONNECTED],
            cut=count[Ending.CUT],
            requests=tuple(self._records.values()),
        )

    def open(self, method: str, path: str, model: str, headers: Mapping[str, str]) -> int:
        """Record a request that has just arrived and return its number."""
        self._received += 1
        self._count[Ending.ACTIVE] += 1
        number = self._received
        self._records[number] = RequestRecord(number, method, path, model, recorded_headers(headers), None, 0)
        self._evict()
        self._notify()
        return number

    def read(self, number: int, body: Any, size_bytes: int) -> None:
        """Add to a record the body, now that it has arrived."""
        if record := self._records.get(number):
            self._records[number] = replace(record, body=body, size_bytes=size_bytes)
            self._kept_bytes += size_bytes
            self._evict()

    def close(self, number: int, ending: Ending, status: int | None) -> None:
        """Record how a request ended."""
        self._count[Ending.ACTIVE] -= 1
        self._count[ending] += 1
        if record := self._records.get(number):
            self._records[number] = replace(record, ending=ending, status=status)
        self._notify()

    async def wait_for(self, predicate: Callable[[Observed], bool], timeout_s: float) -> Observed:
        """Return the first snapshot seen that satisfies `predicate`.

        Changes of one turn of the event loop are seen together, so ask for what stays true.

        Raises:
            TimeoutError: after `timeout_s` seconds; the text says what was seen last.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not predicate(seen := self.snapshot()):
                    await self._changed.wait()
                return seen
        except TimeoutError:
            raise TimeoutError(
                f"waited {timeout_s}s for the emulator; it has seen {self.snapshot()}"
            ) from None

    def _evict(self) -> None:
        records = self._records
        while len(records) > self._max_requests or (self._kept_bytes > self._max_bytes and len(records) > 1):
            oldest = records.pop(next(iter(records)))
            self._kept_bytes -= oldest.size_bytes

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
