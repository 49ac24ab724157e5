"""How `quota simulate` shows what came of a simulation: tables for a person, JSON and CSV for a program."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, fields
from typing import Any, TextIO

from sidecar.cli.columns import columns
from sidecar.config.amounts import format_money
from sidecar.config.units import format_duration
from sidecar.core.quota import Unit
from sidecar.limits.simulate_report import GroupFigures, LoadFigures, Report, Waits
from sidecar.limits.simulate_trial import Sample

_LIMITS_HEAD = (
    "GROUP",
    "LIMIT",
    "AMOUNT",
    "OFFERED",
    "ADMITTED",
    "USED",
    "WORST WINDOW",
    "REFUSED",
    "WAIT P50",
    "WAIT P99",
)
_LOADS_HEAD = (
    "LOAD",
    "CLASS",
    "OFFERED",
    "SERVED",
    "FAIR SHARE",
    "REFUSED",
    "HITS",
    "WAIT P50",
    "WAIT P99",
)
_NOTHING = "-"


def text(report: Report) -> str:
    """The tables, and what they come to."""
    limits = [_LIMITS_HEAD, *(row for group in report.groups for row in _group_rows(group))]
    loads = [_LOADS_HEAD, *map(_load_row, report.loads)]
    return "\n".join(
        [
            _headline(report),
            "",
            columns(limits, range(2, len(_LIMITS_HEAD))),
            "",
            columns(loads, range(2, len(_LOADS_HEAD))),
            "",
            *_verdict(report),
        ]
    )


def tree(report: Report) -> dict[str, Any]:
    """The same as plain JSON types; amounts in the unit of their limit, money in micro-dollars."""
    return {**asdict(report), "exchanges_per_call": report.exchanges_per_call, "exceeded": report.exceeded}


def write_series(samples: Iterable[Sample], file: TextIO) -> None:
    """Every sample as a line of CSV, under a head."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(field.name for field in fields(Sample))
    writer.writerows(map(astuple, samples))


def _headline(report: Report) -> str:
    setting = report.setting
    away = f", ledgers away for {format_duration(setting.redis_away_s)}" if setting.redis_away_s else ""
    sidecars = "1 sidecar" if setting.sidecars == 1 else f"{setting.sidecars} sidecars"
    return (
        f"{sidecars}, {format_duration(setting.seconds)}, seed {setting.seed}{away}: "
        f"{report.offered:,} calls offered, {report.admitted:,} served, "
        f"{report.exchanges_per_call:.2f} ledger exchanges for each"
    )


def _group_rows(group: GroupFigures) -> Iterator[Sequence[str]]:
    for limit in group.limits:
        yield (
            group.name,
            f"{limit.name} (shadow)" if limit.is_shadow else limit.name,
            *(_amount(each, limit.unit) for each in (limit.amount, limit.offered, limit.admitted)),
            f"{limit.used:.1%}",
            _amount(limit.worst, limit.unit),
            f"{limit.refused:,}",
            *_waits(group.waits),
        )


def _load_row(load: LoadFigures) -> Sequence[str]:
    return (
        load.name,
        load.share,
        f"{load.offered:,}",
        f"{load.admitted:,}",
        _NOTHING if load.fair is None else f"{load.fair:.2f}",
        f"{load.refused:,}",
        f"{load.hits:.0%}",
        *_waits(load.waits),
    )


def _verdict(report: Report) -> Iterator[str]:
    for load in report.loads:
        if load.too_large:
            yield (
                f"{load.name}: {load.too_large:,} calls could cost more than a limit allows in all "
                "and were refused for that"
            )
    for group in report.groups:
        for limit in group.limits:
            if limit.is_exceeded:
                worst, amount = _amount(limit.worst, limit.unit), _amount(limit.amount, limit.unit)
                yield f"{group.name}: {limit.name} was exceeded: {worst} in a window that allows {amount}"
    if not report.exceeded:
        yield "No limit was exceeded in any window."


def _waits(waits: Waits) -> tuple[str, str]:
    return f"{waits.p50_ms:.1f}ms", f"{waits.p99_ms:.1f}ms"


def _amount(amount: int, unit: Unit) -> str:
    return format_money(amount) if unit is Unit.MONEY else f"{amount:,}"
