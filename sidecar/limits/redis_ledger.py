"""Ledgers in the Redis that a fleet shares: limits hold for all sidecars together (`limits.scope: redis`).

The ledger itself is the script `lua/ledger.lua`; here its keys are named, and what it replies is read with
mistrust: a reply that is not one of ours is an outage, for nothing that it grants may be spent.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Protocol

from sidecar.limits.group import LedgerUnavailable
from sidecar.limits.message import OF_A_LIMIT, SCALARS, Answer, Report
from sidecar.store.errors import StoreUnavailable

_TIMEOUT_S = 0.25
"""As long as an exchange may take at all; `redis.timeout` may be less."""


class ScriptRunner(Protocol):
    """One script in Redis, as `store.scripts.Script`."""

    async def run(self, keys: Sequence[str], args: Sequence[bytes], timeout_s: float) -> Any:
        """What the script returns. Raises StoreUnavailable."""
        ...


class MalformedAnswer(LedgerUnavailable):
    """Redis answered with something that is no answer of the ledger."""

    def __init__(self) -> None:
        super().__init__("Redis answered with something else than an answer of the ledger's script")


def ledger_script() -> str:
    """The text of the script."""
    return (files("sidecar.limits") / "lua" / "ledger.lua").read_text(encoding="utf-8")


def ledger_keys(prefix: str, group: str) -> tuple[str, ...]:
    """The keys of a group's ledger, in the order of the script; all in one slot of a cluster."""
    return tuple(f"{prefix}:{{{group}}}:{part}" for part in ("m", "x", "s", "l"))


class RedisLedger:
    """The ledger of one group; see `group.GroupLedger`. `prefix` begins the names of its keys."""

    def __init__(self, script: ScriptRunner, group: str, prefix: str) -> None:
        self._script = script
        self._group = group
        self._keys = ledger_keys(prefix, group)

    def __repr__(self) -> str:
        return f"<RedisLedger of {self._group}>"

    async def exchange(self, report: Report) -> Answer:
        """Take a report and answer it. Raises LedgerUnavailable, and then the report may have been taken."""
        try:
            raw = await self._script.run(self._keys, [report.to_json()], _TIMEOUT_S)
        except StoreUnavailable as error:
            raise LedgerUnavailable(str(error)) from error
        return read_answer(raw, report)


def read_answer(raw: Any, report: Report) -> Answer:
    """The script's reply to a report. Raises MalformedAnswer."""
    limits = len(report.terms)
    if not _is_reply(raw, limits):
        raise MalformedAnswer
    try:
        answer = Answer.from_resp(raw, limits)
    except UnicodeDecodeError as error:
        raise MalformedAnswer from error
    if answer.denied >= limits:
        raise MalformedAnswer
    return answer


def _is_reply(raw: Any, limits: int) -> bool:
    if not _fits(raw, SCALARS + OF_A_LIMIT * limits):
        return False
    grants, row = raw[len(SCALARS) - 1], (bytes, *[int] * limits, int)
    return _fits(grants, row * (len(grants) // len(row)))


def _fits(raw: Any, types: tuple[type, ...]) -> bool:
    return isinstance(raw, list) and len(raw) == len(types) and all(map(isinstance, raw, types))
