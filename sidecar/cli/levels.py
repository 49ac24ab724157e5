"""How `quota show` prints limits: as a table for a person, or as JSON for a program."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

import click
from google.protobuf.json_format import MessageToJson

from sidecar.cli.columns import columns
from sidecar.config.amounts import format_money
from sidecar.config.units import format_duration
from sidecar.v1.quota_pb2 import (
    GetQuotaResponse,
    Limit,
    LimitGroup,
    LimitsMode,
    LimitUnit,
    WatchQuotaResponse,
)

Levels: TypeAlias = GetQuotaResponse | WatchQuotaResponse

_HEAD = ("GROUP", "LIMIT", "USED/AMOUNT", "HELD", "AVAILABLE", "FACTOR", "DENIALS", "MODE")
_NUMBERS = range(2, 7)
"""Columns that are aligned to the right."""
_OLD_S = 5
"""Levels that are older say so: while a group is used, they are not."""
_NOTHING = "-"


class Screen(Protocol):
    """Where levels are shown, once or again and again."""

    def show(self, levels: Levels) -> None:
        """Show levels in place of those before."""
        ...


class JsonScreen:
    """One message as an indented object, or a stream of them as one object a line."""

    def __init__(self, *, is_stream: bool) -> None:
        self._indent = None if is_stream else 2

    def show(self, levels: Levels) -> None:
        """Print the message as protobuf's JSON."""
        click.echo(MessageToJson(levels, indent=self._indent, ensure_ascii=False))


class TableScreen:
    """A line for each limit; on a terminal a newer table takes the place of the older."""

    def __init__(self) -> None:
        self._is_first = True

    def show(self, levels: Levels) -> None:
        """Print the table, and on standard error why a ledger could not be asked."""
        if not self._is_first:
            click.clear()
            click.echo()
        self._is_first = False
        click.echo(table(levels.groups))
        for group in levels.groups:
            if group.trouble:
                click.echo(f"{group.name}: the ledger cannot be asked: {_printable(group.trouble)}", err=True)


def table(groups: Iterable[LimitGroup]) -> str:
    """Limits as lines of columns, under a heading."""
    rows = [_HEAD, *(_row(group, limit) for group in groups for limit in group.limits)]
    return columns(rows, _NUMBERS)


def _row(group: LimitGroup, limit: Limit) -> Sequence[str]:
    name = f"{limit.name} (shadow)" if limit.is_shadow else limit.name
    denials = f"{limit.shadow_denials if limit.is_shadow else limit.denials:,}"
    level, unit = limit.level, limit.unit
    if limit.HasField("level"):
        used = f"{_amount(level.used, unit)}/{_amount(level.amount, unit)}"
        held, available = _amount(level.held, unit), _amount(level.available, unit)
        factor = f"{level.factor:.2f}"
    else:
        used = f"{_NOTHING}/{_amount(limit.amount, unit)}"
        held = available = factor = _NOTHING
    return _printable(group.name), name, used, held, available, factor, denials, _mode(group)


def _amount(amount: int, unit: int) -> str:
    return format_money(amount) if unit == LimitUnit.LIMIT_UNIT_MONEY else f"{amount:,}"


def _mode(group: LimitGroup) -> str:
    """How the group is kept, for how long nothing is granted, and how old its levels are."""
    if group.mode == LimitsMode.LIMITS_MODE_UNSPECIFIED:
        return "not used yet"
    known = group.mode in LimitsMode.values()
    words = [LimitsMode.Name(group.mode).removeprefix("LIMITS_MODE_").lower() if known else str(group.mode)]
    if group.HasField("blocked_for"):
        words.append(f"blocked for {_seconds(group.blocked_for.ToMilliseconds() / 1000)}")
    if group.age.ToMilliseconds() >= _OLD_S * 1000:
        words.append(f"{_seconds(group.age.ToMilliseconds() / 1000)} ago")
    return ", ".join(words)


def _seconds(seconds: float) -> str:
    """A duration to whole seconds, or minutes where it is long."""
    return format_duration(max(1, round(seconds)) if seconds < 120 else round(seconds / 60) * 60)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
