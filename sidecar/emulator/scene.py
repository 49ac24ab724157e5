"""The scene of a fault: a call, its script, and the good reply that it would have had.

Decides nothing; it is what the functions in `spoil` and `faults` look at. There is a scene only for a call
that has a good reply: what is wrong with a request itself is told before any fault is played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import orjson

from sidecar.emulator.answer import Answer, Framing, Step, Wait, error_answer, json_answer, stream_answer
from sidecar.emulator.errors import ApiError, Json
from sidecar.emulator.script import Script


@dataclass(frozen=True, slots=True)
class Scene:
    """One call as a fault sees it.

    `framing` is None unless the call streams; `reply` shows the good reply whole, `chunks` shows it as a
    stream.
    """

    model: str
    version: str
    method: str
    service: str
    script: Script
    framing: Framing | None
    reply: Callable[[], Json]
    chunks: Callable[[], Iterator[Json]]

    @property
    def gap_s(self) -> float:
        """Seconds between two chunks."""
        return float(self.script.gap)

    def good(self) -> Answer:
        """Return the answer without a fault."""
        if self.framing:
            return stream_answer(self.framing, self.chunks(), self.gap_s)
        return json_answer(self.reply())

    def error(self, error: ApiError) -> Answer:
        """Return the answer that refuses with `error`."""
        return error_answer(error, self.framing)

    def frames(self, framing: Framing, count: int | None = None) -> Iterator[Step]:
        """Yield the good stream without its end; at most `count` of its events."""
        for index, chunk in enumerate(islice(self.chunks(), count)):
            if index and self.gap_s:
                yield Wait(self.gap_s)
            yield framing.frame(index, orjson.dumps(chunk))
