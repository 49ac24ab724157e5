"""Whether requirements/*.txt still answer to pyproject.toml. Reads files only: no network, no resolver.

For each set of requirements: every requirement of pyproject.toml is pinned to a version that it accepts,
nothing else is named as wanted by the project, and every pin has hashes. What the pins need in turn is the
resolver's work, done by `make lock`; `pip check` notices a gap.

Exits 1 with one line per fault.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Pin:
    """One package of a requirements file: the version, and what is written below it."""

    name: str
    version: str
    has_hash: bool
    is_direct: bool


def read_pins(text: str) -> Iterator[Pin]:
    """The pins of a file written by `uv pip compile --generate-hashes`."""
    for block in re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]:
        name, version = re.split("==| ", block, maxsplit=2)[:2]
        yield Pin(
            name=canonicalize_name(name),
            version=version,
            has_hash="--hash=sha256:" in block,
            is_direct="gemini-sidecar (pyproject.toml" in block,
        )


def find_faults(wanted: Iterable[str], text: str) -> Iterator[str]:
    """One line for each way in which a requirements file does not answer to the wanted requirements."""
    requirements = {canonicalize_name(each.name): each for each in map(Requirement, wanted)}
    pins = {pin.name: pin for pin in read_pins(text)}
    for name, requirement in requirements.items():
        if name not in pins:
            yield f"{requirement} is not pinned"
        elif not requirement.specifier.contains(pins[name].version, prereleases=True):
            yield f"{requirement} is pinned to {pins[name].version}"
    for pin in pins.values():
        if pin.is_direct and pin.name not in requirements:
            yield f"{pin.name} is pinned but no longer wanted"
        if not pin.has_hash:
            yield f"{pin.name} has no hash"


def main() -> int:
    """Check every set; the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sets = {"run": project["project"]["dependencies"], **project["dependency-groups"]}
    faults = [
        f"requirements/{name}.txt: {fault}"
        for name, wanted in sets.items()
        for fault in find_faults(wanted, (ROOT / f"requirements/{name}.txt").read_text())
    ]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print("check_requirements: the pins differ from pyproject.toml. Type:  make lock", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
