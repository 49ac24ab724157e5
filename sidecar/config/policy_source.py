"""The Policy in force, replaced whole when its files change.

Theory of operation. A look takes the `stat` of the Policy file and of every file that it names, links
followed, and compares it with the state in which each was read. Only a difference makes us read again; what
was read is swapped in whole, by one assignment on the event loop, or refused whole. A refused reading
remembers the states of its own files, so it is told once and not at every look, and the next change is tried
again.

Calls hold the snapshot that they began with, so a swap needs no lock and disturbs nobody.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from sidecar.config.faults import Fault
from sidecar.config.files import Signature, signature
from sidecar.config.policy import DIGEST_SHOWN_CHARS, Reading
from sidecar.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Reload:
    """The end of one attempt to replace the Policy."""

    policy: Policy
    """In force from now on: the new one, or the old one kept."""
    faults: tuple[Fault, ...]
    """Why the new one was refused; empty when it was accepted."""


OnReload: TypeAlias = Callable[[Reload], None]
"""Told of every attempt, on the event loop. Must neither block nor raise."""


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The files behind a Policy."""

    read: Callable[[], Reading] = field(repr=False)
    """Read all of them anew; may block, so it runs in a thread."""
    seen: Mapping[Path, Signature]
    """The state in which each was read first."""
    poll_s: float
    """Seconds between two looks."""


class PolicySource:
    """Holds the Policy in force and, with files behind it, keeps it current.

    Without files (a Policy of the environment or the emulator) it holds the same one for ever.
    """

    def __init__(self, policy: Policy, on_reload: OnReload, files: PolicyFiles | None = None) -> None:
        self._current = policy
        self._on_reload = on_reload
        self._files = files
        self._seen = files.seen if files else {}
        self._is_refused = False

    def __repr__(self) -> str:
        state = "last reload refused" if self._is_refused else "current"
        return (
            f"<PolicySource {self._current.digest[:DIGEST_SHOWN_CHARS]} of {len(self._seen)} files, {state}>"
        )

    @property
    def current(self) -> Policy:
        """The Policy in force; a Call takes it once and keeps it."""
        return self._current

    async def watch(self) -> None:
        """Refresh at every poll until cancelled; return at once when there are no files. Run it as an
        owned task."""
        while self._files is not None:
            await asyncio.sleep(self._files.poll_s)
            await self.refresh()

    async def refresh(self) -> bool:
        """Look once and read anew when a file has changed. Tells whether another Policy is in force now.

        Cancelled, it changes nothing: the swap is the last step and does not await.
        """
        if self._files is None:
            return False
        reading = await asyncio.to_thread(self._look, self._files)
        return reading is not None and self._take(reading)

    def _look(self, files: PolicyFiles) -> Reading | None:
        if all(signature(path) == seen for path, seen in self._seen.items()):
            return None
        return files.read()

    def _take(self, reading: Reading) -> bool:
        self._seen = reading.seen
        if reading.policy is None:
            self._is_refused = True
            self._on_reload(Reload(self._current, reading.faults))
            return False
        is_other = reading.policy.digest != self._current.digest
        if is_other:
            self._current = reading.policy
        if (
            is_other or self._is_refused
        ):  # a refused file that was restored ends the alarm, though nothing changed
            self._is_refused = False
            self._on_reload(Reload(self._current, ()))
        return is_other
