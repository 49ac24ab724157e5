"""Lua scripts, sent by their SHA."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Protocol

from sidecar.store.lane import Word
from sidecar.store.slots import Key


class Evaluator(Protocol):
    """What runs scripts."""

    async def evaluate(
        self, sha: str, text: str, keys: Sequence[Key], args: Sequence[Word], timeout_s: float
    ) -> Any:
        """Run one."""
        ...


class Script:
    """One script. A server that has lost it (restart, failover, SCRIPT FLUSH) gets its text with the call."""

    def __init__(self, text: str, evaluator: Evaluator) -> None:
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._text = text
        self._evaluator = evaluator

    def __repr__(self) -> str:
        return f"<Script {self.sha[:12]}>"

    async def run(self, keys: Sequence[Key], args: Sequence[Word], timeout_s: float) -> Any:
        """What the script returns, as RESP 2 has it: bytes, integers, None, lists.

        `keys` must be all keys that the script touches, in one slot of a cluster. Within `timeout_s`, in
        seconds and capped by `redis.timeout`, it raises StoreUnavailable or returns. Whoever is cancelled or
        gets an error cannot know whether the script was run.
        """
        return await self._evaluator.evaluate(self.sha, self._text, keys, args, timeout_s)


def source(name: str) -> str:
    """The text of a script of this package, by its file's name in `lua/`."""
    return (files("sidecar.store") / "lua" / name).read_text(encoding="utf-8")
