"""`quota simulate`: a Policy against a simulated fleet, before it is shipped."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from sidecar.cli import exits
from sidecar.cli.loads import LoadType
from sidecar.cli.options import Refused
from sidecar.cli.params import Duration
from sidecar.cli.trial import text, tree, write_series
from sidecar.config.faults import ConfigError, Unacceptable
from sidecar.config.policy import read_policy
from sidecar.limits.simulate import EPOCH
from sidecar.limits.simulate_load import Load
from sidecar.limits.simulate_plan import Plan, plan
from sidecar.limits.simulate_report import Setting
from sidecar.limits.simulate_trial import Sample, Trial

_CALLS_MAX = 2_000_000
"""More would take a quarter of an hour and gigabytes."""
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@dataclass(frozen=True, slots=True)
class Order:
    """What to simulate and where to show it; the fields are parameters of `quota simulate`."""

    policy: Path
    sidecars: int
    loads: tuple[Load, ...]
    minutes: int
    seed: int
    redis_away: float | None
    """Seconds."""
    as_json: bool
    csv_file: Path | None
    plot_file: Path | None

    @property
    def setting(self) -> Setting:
        """The conditions of the simulation."""
        return Setting(self.sidecars, self.minutes * 60, self.seed, self.redis_away or 0.0)

    def plan(self) -> Plan:
        """The loads, as the Policy places them. Raises Refused and click.UsageError."""
        reading = read_policy(self.policy, os.environ, "argument POLICY")
        if reading.policy is None:
            raise Refused(ConfigError(reading.faults))
        try:
            made = plan(reading.policy, self.loads, EPOCH.date())
        except Unacceptable as refusal:
            raise click.UsageError(f"{refusal.reason}: {refusal.remedy}") from refusal
        calls = sum(traffic.caller.per_s for traffic in made.traffic) * self.setting.seconds
        if calls > _CALLS_MAX:
            raise click.UsageError(
                f"these loads make {calls:,.0f} calls in {self.minutes}m, and {_CALLS_MAX:,} are "
                "simulated at most: take less time, or scale the Policy and the loads down"
            )
        return made

    def check(self) -> None:
        """Whether the flags go together. Raises click.UsageError."""
        name, count = Counter(load.name for load in self.loads).most_common(1)[0] if self.loads else ("", 0)
        if count > 1:
            raise click.UsageError(f"two loads are called {name}: give each a name of its own")
        if self.setting.redis_away_s >= self.setting.seconds:
            raise click.UsageError("--redis-away must be shorter than the simulated time")
        for file in (self.csv_file, self.plot_file):
            if file is not None and not file.parent.is_dir():
                raise click.UsageError(f"there is no folder {file.parent} to write {file.name} in")


@click.command()
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "--load",
    "loads",
    type=LoadType(),
    multiple=True,
    metavar="NAME=RATE[,KEY=VALUE]...",
    help="A class of callers; repeatable. [default: load=x2]",
)
@click.option(
    "--sidecars", type=click.IntRange(1, 1000), default=8, show_default=True, help="How large the fleet is."
)
@click.option(
    "--minutes", type=click.IntRange(1, 120), default=5, show_default=True, help="How long, simulated."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds make equal runs.")
@click.option(
    "--redis-away",
    type=Duration(),
    help="For how long, in the middle, no ledger answers, such as 60s.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the faults of the Policy too.")
@click.option(
    "--csv", "csv_file", type=_OUTPUT, metavar="FILE", help="Write calls admitted and in line, by second."
)
@click.option(
    "--plot",
    "plot_file",
    type=_OUTPUT,
    metavar="FILE.png",
    help="Draw them; needs matplotlib: pip install 'gemini-sidecar[plot]'",
)
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Try a Policy on a simulated fleet, before it is shipped.

    What decides is the code that serves; only time, network and callers are made up. A load is a name, a
    rate (40/s, 600/min, or x2: twice what the quotas of its model sustain) and keys:

    \b
      tokens=1000       mean of the prompt          output=250      mean of the answer
      model=NAME        default: the first          principal=ID    default: the load's name
      priority=NAME     default: the highest        patience=2s     how long a call can wait
      shape=steady      or bursty, or edge: all of it around full minutes

    \b
      gemini-sidecar quota simulate policy.yaml --sidecars 64 --load web=40/s,tokens=1200 --load batch=x1.5

    USED is of what a limit allows in that time, WORST WINDOW the fullest one wherever it begins, REFUSED the
    calls in whose way the limit stood. FAIR SHARE is what a class was served over its weighted part, HITS the
    calls that leases covered without a message. Calls take 1.9 s on average; requests have no labels.

    \b
    Exit codes: 0 no limit was exceeded, 1 one was, or a file could not be written,
                2 wrong command line or Policy, 130 interrupted.
    """
    order = Order(**given)
    order.check()
    draw = _plotter() if order.plot_file is not None else None
    try:
        trial = Trial(order.plan(), order.setting)
    except Refused as refused:
        if not order.as_json:
            raise
        click.echo(json.dumps({"faults": [asdict(fault) for fault in refused.faults]}, indent=2))
        context.exit(refused.exit_code)
    with click.progressbar(
        range(order.setting.seconds), label="simulating", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as seconds:
        for _ in seconds:
            trial.advance()
    report = trial.report()
    click.echo(json.dumps(tree(report), indent=2) if order.as_json else text(report))
    if order.csv_file is not None:
        _write(order.csv_file, lambda path: _write_csv(trial.series(), path))
    if order.plot_file is not None and draw is not None:
        _write(order.plot_file, lambda path: draw(trial.series(), path))
    context.exit(exits.FAILED if report.exceeded else exits.OK)


def _plotter() -> Callable[[Iterable[Sample], Path], None]:
    try:
        from sidecar.cli.plot import plot
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise click.UsageError("--plot needs matplotlib: pip install 'gemini-sidecar[plot]'") from error
    return plot


def _write_csv(samples: Iterable[Sample], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_series(samples, file)


def _write(path: Path, write: Callable[[Path], None]) -> None:
    try:
        write(path)
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from error
