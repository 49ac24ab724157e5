"""The course of a simulation as a picture. Needs matplotlib, from the extra `plot`."""

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure

from sidecar.limits.simulate_trial import Sample

_STYLES = {"group": "-", "load": "--"}
_INCHES = (12, 8)


def plot(samples: Iterable[Sample], path: Path) -> None:
    """Write a PNG: above, calls admitted in each second; below, calls in line. Raises OSError."""
    lines: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        lines.setdefault((sample.kind, sample.name), []).append(sample)
    figure = Figure(figsize=_INCHES, layout="constrained")
    admitted, waiting = figure.subplots(2, 1, sharex=True)
    for (kind, name), course in lines.items():
        seconds = [sample.second for sample in course]
        style, label = _STYLES[kind], f"{kind} {name}"
        admitted.plot(seconds, [sample.admitted for sample in course], style, label=label, linewidth=1)
        waiting.plot(seconds, [sample.waiting for sample in course], style, label=label, linewidth=1)
    admitted.set_ylabel("calls admitted in a second")
    waiting.set_ylabel("calls in line")
    waiting.set_xlabel("seconds")
    admitted.legend(loc="upper right", fontsize="small")
    figure.savefig(path, format="png")
