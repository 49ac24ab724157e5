"""All limit groups that this sidecar takes part in, each with its task.

A group is made when the first call needs it and dropped when it has been idle and others want its place, so
budgets for each principal stay bounded. Another Policy changes amounts in place; other limits under the same
name replace the group, and the old one goes on until its calls are settled.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

from sidecar.core.ports import Bulletin
from sidecar.core.quota import LimitGroup
from sidecar.limits.cooldowns import Cooldowns
from sidecar.limits.group import Clocks, Group, Holding, LedgerFactory

GROUPS_MAX = 4_096
_SWEEP_S = 5.0

_log = logging.getLogger(__name__)


class Groups:
    """Make inside a running event loop; `close` when no call is left."""

    def __init__(self, ledger: LedgerFactory, holding: Holding, clocks: Clocks, bulletin: Bulletin) -> None:
        self._ledger = ledger
        self._holding = holding
        self._clocks = clocks
        self._groups: dict[str, Group] = {}
        self._retired: set[Group] = set()
        self._tasks: dict[Group, asyncio.Task[None]] = {}
        self.cooldowns = Cooldowns(bulletin, clocks, self._pause)
        """What upstreams asked to be left alone; heeded by every group, and by whoever asks without one."""
        self._heeding = _watched(self.cooldowns.run(), "limits cooldowns")

    def __repr__(self) -> str:
        return f"<Groups {sorted(self._groups)}>"

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups.values())

    def get(self, name: str) -> Group | None:
        """The group of that name; None when no call has needed it."""
        return self._groups.get(name)

    def of(self, definition: LimitGroup) -> Group:
        """The group of that name, with these limits."""
        group = self._groups.get(definition.name)
        if group is None:
            return self._start(definition)
        if group.definition is not definition and group.definition != definition:
            if group.redefine(definition):
                return group
            self._retired.add(group)
            return self._start(definition)
        return group

    def sweep(self) -> None:
        """End replaced groups that are idle, and other idle ones when there are too many."""
        for group in [group for group in self._retired if group.is_idle]:
            self._retired.discard(group)
            self._stop(group)
        if len(self._groups) > GROUPS_MAX:
            idle = [
                group for group in self._groups.values() if group.is_idle and not group.holder.lease.is_known
            ]
            for group in idle[: len(self._groups) - GROUPS_MAX]:
                del self._groups[group.definition.name]
                self._stop(group)

    async def close(self) -> None:
        """Stop every task, then sign off everywhere, at the same time and within a moment."""
        groups = list(self._tasks)
        tasks = [self._heeding, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._tasks.clear()
        await asyncio.gather(*(group.close() for group in groups), return_exceptions=True)

    def _start(self, definition: LimitGroup) -> Group:
        self.sweep()
        group = Group(definition, self._ledger(definition.name), self._holding, self._clocks)
        self._groups[definition.name] = group
        if until_ms := self.cooldowns.until_ms(definition.name):
            group.pause(until_ms)
        self._tasks[group] = _watched(group.run(), f"limits {definition.name}")
        return group

    def _pause(self, place: str, until_ms: float) -> None:
        group = self._groups.get(place)
        if group is not None:
            group.pause(until_ms)

    def _stop(self, group: Group) -> None:
        self._tasks.pop(group).cancel()


def _watched(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_say_failure)
    return task


def _say_failure(task: asyncio.Task[None]) -> None:
    """A task that ends by itself is a defect: calls of its group then wait for their deadlines."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s ended unexpectedly", task.get_name(), exc_info=error)
