"""A second opinion on quotas: all that was ever admitted, looked through from scratch at each question.

Shares no code and no idea with `sidecar.emulator.windows`: sums come from prefix sums and bisection over the
whole history, days from the calendar date in Los Angeles.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

_PACIFIC = ZoneInfo("America/Los_Angeles")


class History:
    """Amounts by moment; `within` sums those of (now - span, now]."""

    def __init__(self) -> None:
        self.moments: list[int] = []
        self._sums = [0]

    def add(self, moment: int, amount: int) -> None:
        self.moments.append(moment)
        self._sums.append(self._sums[-1] + amount)

    def within(self, now: int, span: int) -> int:
        first, last = bisect_right(self.moments, now - span), bisect_right(self.moments, now)
        return self._sums[last] - self._sums[first]


class ExactModel:
    """Verdicts on the calls of one project and one model."""

    def __init__(self, rpm: int, tpm: int, rpd: int, spend: int) -> None:
        self.limits = {"RPM": rpm, "TPM": tpm, "RPD": rpd, "SPEND": spend}
        self.requests, self.tokens, self.spend = History(), History(), History()
        self.days: Counter[str] = Counter()

    def exceeded(self, mono_us: int, wall_us: int, tokens: int) -> set[str]:
        would_be = {
            "RPM": self.requests.within(mono_us, 60_000_000) + 1,
            "TPM": self.tokens.within(mono_us, 60_000_000) + tokens,
            "RPD": self.days[_date(wall_us)] + 1,
            "SPEND": self.spend.within(mono_us, 600_000_000) + 1,
        }
        return {name for name, amount in would_be.items() if amount > self.limits[name]}

    def admit(self, mono_us: int, wall_us: int, tokens: int, cost: int) -> None:
        self.requests.add(mono_us, 1)
        self.tokens.add(mono_us, tokens)
        self.days[_date(wall_us)] += 1
        self.spend.add(mono_us, cost)


def _date(wall_us: int) -> str:
    return datetime.fromtimestamp(wall_us // 1_000_000, _PACIFIC).date().isoformat()
