"""The documentation against what it documents."""

import re
from pathlib import Path

import yaml

from sidecar.emulator import FAULTS, KEYS, parse_plan
from sidecar.emulator.arrivals import Verdict
from sidecar.emulator.observed import Ending

_TEXT = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text()


def _rows(heading: str) -> dict[str, str]:
    """The first two columns of the table under a heading."""
    section = _TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE))


def test_every_directive_key_is_documented_in_its_own_words():
    assert _rows("Directives") == {name: key.meaning for name, key in KEYS.items()}


def test_every_fault_is_documented_in_its_own_words():
    assert _rows("Faults") == {name: fault.meaning for name, fault in FAULTS.items()}


def test_the_quota_file_of_the_documentation_is_one():
    [example] = re.findall(r"```yaml\n(.*?)```", _TEXT, re.DOTALL)
    plan = parse_plan(yaml.safe_load(example))
    assert plan.allowance("alpha").limits("gemini-3.8-flash").rpm == 5


def test_every_verdict_and_ending_of_the_log_is_documented():
    section = _TEXT.split("\n## The arrival log\n")[1].split("\n## ")[0]
    words = {verdict.value for verdict in Verdict} | {ending.value for ending in Ending} - {"active"}
    assert {word for word in words if f"`{word}`" not in section} == set()
