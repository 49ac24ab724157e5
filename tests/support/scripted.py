"""The ledger's script in a real Redis, called like the model and on the same clock."""

from redis import Redis

from sidecar.core.quota import LimitGroup
from sidecar.limits.message import Answer, Report
from sidecar.limits.redis_ledger import ledger_keys, ledger_script, read_answer


class ScriptedLedger:
    """One group; see `limits.ledger.Ledger`. `text` may be another script."""

    def __init__(self, client: Redis, group: str = "quota/test", text: str | None = None) -> None:
        self.client = client
        self.keys = ledger_keys("gs", group)
        self._run = client.register_script(ledger_script() if text is None else text)

    def exchange(self, report: Report, wall_ms: int, run: str = "") -> Answer:
        """Let the script take a report and answer it."""
        raw = self._run(keys=self.keys, args=[report.to_json(), wall_ms, run])
        return read_answer(raw, report)

    def forget(self) -> None:
        """Lose everything."""
        self.client.flushall()

    def size_bytes(self) -> int:
        """The memory that Redis needs for it."""
        return sum(self.client.memory_usage(key, samples=0) or 0 for key in self.keys)

    def save(self) -> list[bytes | None]:
        """All that it knows now."""
        return [self.client.dump(key) for key in self.keys]

    def restore(self, saved: list[bytes | None]) -> None:
        """Know what it knew then."""
        self.client.delete(*self.keys)
        for key, value in zip(self.keys, saved, strict=True):
            if value is not None:
                self.client.restore(key, 0, value)


class ScriptedLedgers:
    """Those of all groups, for a simulated fleet; see `simulate.LedgerPort`."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._ledgers: dict[str, ScriptedLedger] = {}

    def exchange(self, group: LimitGroup, report: Report, wall_ms: int) -> Answer:
        """Answer a report at a moment of the server's clock."""
        if group.name not in self._ledgers:
            self._ledgers[group.name] = ScriptedLedger(self._client, group.name)
        return self._ledgers[group.name].exchange(report, wall_ms)
