"""Gemini's REST and SSE wire on a local socket: deterministic replies, scripted faults, no account, no cost.

The package is a product of its own: it imports nothing from the rest of the sidecar, so it can judge it. The
way of a request is the way through the modules: `server` (socket, journal) -> `routes` -> `call` (`auth`,
`decode` along the table in `fields`, `script`) -> `service` (`prepare` with `models`, `rules`, `storage`,
`reply` and `embeddings`; then `admission` by the quotas, then `faults`) -> `answer` -> `player`. A page for
users is docs/emulator.md.

    async with Emulator() as emulator:
        client = genai.Client(api_key="any", http_options={"base_url": emulator.base_url})
"""

from sidecar.emulator.clock import Clock, Instant, ManualClock
from sidecar.emulator.faults import FAULTS, Fault
from sidecar.emulator.observed import Ending, Observed, RequestRecord
from sidecar.emulator.quota_plan import Allowance, Limits, QuotaPlan, parse_plan
from sidecar.emulator.script import KEYS, Key
from sidecar.emulator.server import Emulator

__all__ = [
    "FAULTS",
    "KEYS",
    "Allowance",
    "Clock",
    "Emulator",
    "Ending",
    "Fault",
    "Instant",
    "Key",
    "Limits",
    "ManualClock",
    "Observed",
    "QuotaPlan",
    "RequestRecord",
    "parse_plan",
]
