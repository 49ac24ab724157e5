"""The page `GET /emulator/state`: the emulator's journal for tests that run in another process.

Decides the query language of the page: `until=idle` (no request is being answered), or `received=N`,
`finished=N`, `disconnected=N`, `cut=N` (at least so many), several of them together; `timeout=5s` bounds the
wait. Without a condition the page answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from sidecar.emulator.answer import JSON_TYPE
from sidecar.emulator.errors import ApiError
from sidecar.emulator.observed import Journal, Observed
from sidecar.emulator.script import parse_duration

STATE_PATH = "/emulator/state"

_COUNTERS = ("received", "finished", "disconnected", "cut")
_DEFAULT_TIMEOUT = "10s"

Condition = Callable[[Observed], bool]


async def state_page(journal: Journal, query: Mapping[str, str]) -> web.Response:
    """Return the page: 200 with the state, or 408 with the state when the condition was not met in time.

    Raises:
        ApiError: 400 when the query is faulty.
    """
    condition, timeout_s = _parse(query)
    status = 200
    try:
        seen = await journal.wait_for(condition, timeout_s)
    except TimeoutError:
        status, seen = 408, journal.snapshot()
    page: dict[str, Any] = {**seen.counts(), "requests": [record.as_json() for record in seen.requests]}
    return web.Response(status=status, body=orjson.dumps(page), headers={"Content-Type": JSON_TYPE})


def _parse(query: Mapping[str, str]) -> tuple[Condition, float]:
    wanted: dict[str, int] = {}
    for name, value in query.items():
        if name in _COUNTERS and value.isdecimal():
            wanted[name] = int(value)
        elif (name, value) != ("until", "idle") and name != "timeout":
            known = ", ".join(f"{counter}=N" for counter in _COUNTERS)
            raise ApiError(400, f"Bad condition '{name}={value}'; write until=idle, {known} or timeout=5s.")
    must_be_idle = "until" in query
    timeout_s = float(parse_duration(query.get("timeout", _DEFAULT_TIMEOUT)))

    def condition(seen: Observed) -> bool:
        counts = seen.counts()
        return not (must_be_idle and seen.active) and all(
            counts[name] >= least for name, least in wanted.items()
        )

    return condition, timeout_s
