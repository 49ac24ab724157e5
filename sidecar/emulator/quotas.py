"""Who has used how much: the verdict on each call by the quotas of its project and model.

Decides admission. Limits come from a `QuotaPlan`, the arithmetic from `windows`, the words of a refusal from
`admission`. Pure: the moment comes from the caller.

Invariants: a call is admitted only if it fits all its limits, and then counts in all of them; a refused call
counts in none. Spend is known only afterwards: a project is refused once it has spent its limit within ten
minutes, so one call may overshoot it. Of the most recent 10,000 projects nothing is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, unique

from sidecar.emulator.clock import SECOND_US, Instant
from sidecar.emulator.quota_plan import Allowance, Limits, QuotaPlan
from sidecar.emulator.windows import DailyCount, RollingWindow

MINUTE_US = 60 * SECOND_US
SPEND_SPAN_US = 600 * SECOND_US
_MAX_PROJECTS = 10_000


@unique
class Dimension(Enum):
    """What a limit counts."""

    RPM = "requests per minute"
    TPM = "input tokens per minute"
    RPD = "requests per day"
    SPEND = "spend within ten minutes"


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A limit that a call does not fit into; `wait_us` is the time until it would, 0 for a day's limit."""

    dimension: Dimension
    limit: int
    wait_us: int


class Quotas:
    """The use of all projects under one plan; for one event loop."""

    def __init__(self, plan: QuotaPlan) -> None:
        self._plan = plan
        self._projects: OrderedDict[str, _ProjectUse] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Quotas of {len(self._projects)} projects>"

    def admit(self, project: str, model: str, hits: tuple[int, int], now: Instant) -> tuple[Exceeded, ...]:
        """Book `hits` (requests, input tokens) and return nothing, or return what they exceed."""
        use = self._use(project)
        model_use = use.of_model(model)
        exceeded = (*use.exceeded(now), *model_use.exceeded(hits, now))
        if not exceeded:
            model_use.book(hits, now)
        return exceeded

    def charge(self, project: str, pico_usd: int, now: Instant) -> None:
        """Book what an admitted call has cost."""
        self._use(project).charge(pico_usd, now)

    def _use(self, project: str) -> _ProjectUse:
        use = self._projects.get(project)
        if use is None:
            use = self._projects[project] = _ProjectUse(self._plan.allowance(project))
            if len(self._projects) > _MAX_PROJECTS:
                self._projects.popitem(last=False)
        else:
            self._projects.move_to_end(project)
        return use


class _ProjectUse:
    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._limit = allowance.spend_pico_usd
        self._spend = None if self._limit is None else RollingWindow(self._limit, SPEND_SPAN_US)
        self._models: dict[str, _ModelUse] = {}

    def of_model(self, model: str) -> _ModelUse:
        """The use of a model; the catalogue bounds how many there are."""
        use = self._models.get(model)
        if use is None:
            use = self._models[model] = _ModelUse(self._allowance.limits(model))
        return use

    def exceeded(self, now: Instant) -> tuple[Exceeded, ...]:
        if self._spend is None or self._limit is None:
            return ()
        wait_us = self._spend.wait_us(now.mono_us, 1)
        return (Exceeded(Dimension.SPEND, self._limit, wait_us),) if wait_us else ()

    def charge(self, pico_usd: int, now: Instant) -> None:
        if self._spend is not None:
            self._spend.book(now.mono_us, pico_usd)


class _ModelUse:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._requests = None if limits.rpm is None else RollingWindow(limits.rpm, MINUTE_US)
        self._tokens = None if limits.tpm is None else RollingWindow(limits.tpm, MINUTE_US)
        self._day = None if limits.rpd is None else DailyCount(limits.rpd)

    def exceeded(self, hits: tuple[int, int], now: Instant) -> tuple[Exceeded, ...]:
        requests, tokens = hits
        found = []
        if self._requests and (wait_us := self._requests.wait_us(now.mono_us, requests)):
            found.append(Exceeded(Dimension.RPM, self._limits.rpm or 0, wait_us))
        if self._tokens and (wait_us := self._tokens.wait_us(now.mono_us, tokens)):
            found.append(Exceeded(Dimension.TPM, self._limits.tpm or 0, wait_us))
        if self._day and not self._day.fits(now.wall_us, requests):
            found.append(Exceeded(Dimension.RPD, self._limits.rpd or 0, 0))
        return tuple(found)

    def book(self, hits: tuple[int, int], now: Instant) -> None:
        requests, tokens = hits
        if self._requests:
            self._requests.book(now.mono_us, requests)
        if self._tokens:
            self._tokens.book(now.mono_us, tokens)
        if self._day:
            self._day.book(now.wall_us, requests)
