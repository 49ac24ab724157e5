"""`make bench`: every figure, as a table for people and as `build/bench.json` for programs.

Figures named `A_vs_B` are ratios of throughput, medians of pairs measured back to back; the others are what
their unit says. A figure on the wrong side of its floor in `floors.json` ends the run with exit code 1.
"""

import argparse
import asyncio
import json
import os
import sys

import uvloop

from bench import figures, limits, mesh, pool
from bench.figures import Bench, Found
from bench.peers import figures as peer_figures
from bench.processes import ROOT, cores

_FIGURES = {**figures.FIGURES, **limits.FIGURES, **pool.FIGURES, **mesh.FIGURES, **peer_figures.FIGURES}

_FLOORS = ROOT / "bench" / "floors.json"
_RESULT = ROOT / "build" / "bench.json"


def main() -> int:
    """Measure, print, write, compare. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure what the sidecar costs.")
    parser.add_argument(
        "figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(_FIGURES)}; default: all"
    )
    parser.add_argument("--pairs", type=int, default=30, help="pairs of a ratio (default: 30)")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="length of one side of a pair (default: 1)"
    )
    options = parser.parse_args()
    if unknown := set(options.figures) - set(_FIGURES):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")

    measured, rest = cores()
    os.sched_setaffinity(0, rest)
    bench = Bench(options.pairs, options.seconds, measured, rest)
    found: dict[str, Found] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for name in options.figures or _FIGURES:
            if (figure := runner.run(_FIGURES[name](bench))) is not None:
                found[name] = figure
                _say(f"{name:20} {figure.value:8.3f}  {figure.remark}")
    _RESULT.parent.mkdir(exist_ok=True)
    _RESULT.write_text(
        json.dumps({name: round(figure.value, 4) for name, figure in found.items()}, indent=2) + "\n"
    )
    return _compared({name: figure.value for name, figure in found.items()})


def _compared(values: dict[str, float]) -> int:
    """1 when a figure is on the wrong side of its floor: below it, or above it for figures with a unit."""
    floors: dict[str, float] = json.loads(_FLOORS.read_text())
    worse = [
        f"{name}: {value:.3f}, floor {floors[name]}"
        for name, value in values.items()
        if name in floors
        and (value < floors[name] if "vs_" in name or "kept" in name else value > floors[name])
    ]
    for line in worse:
        _say(f"below its floor: {line}")
    return 1 if worse else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
