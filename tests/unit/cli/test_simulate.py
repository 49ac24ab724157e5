"""`quota simulate`: what is printed and written, and the exit code."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from sidecar.cli import simulate as simulate_verb
from sidecar.cli.loads import parse_load
from sidecar.core.quota import Unit
from sidecar.limits.simulate_load import Shape
from sidecar.limits.simulate_report import GroupFigures, LimitFigures, LoadFigures, Report, Setting, Waits
from sidecar.limits.simulate_trial import Trial

Run = Callable[..., Result]
GOLDEN = Path(__file__).parents[2] / "golden" / "cli"
PNG = b"\x89PNG\r\n"

POLICY = """\
projects: [{name: main, api: gemini, key: {env: GEMINI_API_KEY}}]
models: {gemini-3.8-flash: {aliases: [fast]}}
unlisted_models: deny
tenants: {shop: {principals: [shop], priority: critical}}
quotas:
  - project: main
    models: [gemini-3.8-flash]
    requests_per_minute: 300
    input_tokens_per_minute: 1M
    concurrent_calls: 30
    shadow: [concurrent_calls]
budgets:
  - {name: nightly, principals: [nightly], tokens_per_minute: 60k, spend_per_day: $5}
"""
LOADS = (
    "--load",
    "shop=2/s,principal=shop",
    "--load",
    "web=6/s,tokens=2k",
    "--load",
    "nightly=2/s,priority=batch",
)


@pytest.fixture
def simulate(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`quota simulate` of POLICY, for one minute unless told otherwise."""
    monkeypatch.setenv("GEMINI_API_KEY", "a-key-nobody-may-read")
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)

    def ask(*arguments: str) -> Result:
        return run("quota", "simulate", str(file), "--minutes", "1", *arguments)

    return ask


def test_a_small_simulation_reads_as_it_always_did(simulate: Run) -> None:
    result = simulate(*LOADS, "--sidecars", "4")
    assert result.stderr == ""
    assert result.stdout == (GOLDEN / "simulate.txt").read_text()
    assert result.exit_code == 0


def test_json_has_the_same_figures(simulate: Run) -> None:
    tree = json.loads(simulate(*LOADS, "--sidecars", "4", "--json").stdout)
    assert set(tree) == {
        "setting",
        "offered",
        "admitted",
        "exchanges",
        "exchanges_per_call",
        "exceeded",
        "groups",
        "loads",
    }
    assert tree["setting"] == {"sidecars": 4, "seconds": 60, "seed": 1, "redis_away_s": 0.0}
    assert tree["exceeded"] == []
    budget, quota = tree["groups"]
    assert set(quota) == {"name", "offered", "admitted", "refused", "waits", "limits"}
    assert set(quota["waits"]) == {"p50_ms", "p99_ms"}
    assert set(quota["limits"][0]) == {
        "name",
        "unit",
        "amount",
        "offered",
        "admitted",
        "worst",
        "used",
        "refused",
        "is_shadow",
    }
    assert [limit["unit"] for limit in budget["limits"]] == ["tokens", "money"]
    assert [load["name"] for load in tree["loads"]] == ["shop", "web", "nightly"]
    assert set(tree["loads"][0]) == {
        "name",
        "share",
        "offered",
        "admitted",
        "refused",
        "too_large",
        "fair",
        "hits",
        "waits",
    }


def test_without_loads_the_first_model_is_overloaded_twice(simulate: Run) -> None:
    tree = json.loads(simulate("--json").stdout)
    assert tree["offered"] == pytest.approx(2 * 300, rel=0.15)
    assert [load["name"] for load in tree["loads"]] == ["load"]


def test_csv_has_a_line_for_every_second_of_every_group_and_load(simulate: Run, tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    admitted = json.loads(simulate(*LOADS, "--csv", str(file), "--json").stdout)["admitted"]
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert list(rows[0]) == ["second", "kind", "name", "admitted", "waiting"]
    assert len(rows) == 60 * (2 + 3)
    assert sum(int(row["admitted"]) for row in rows if row["kind"] == "load") == admitted


@pytest.mark.optional
def test_plot_draws_a_png(simulate: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "series.png"
    assert simulate(*LOADS, "--plot", str(file)).exit_code == 0
    assert file.read_bytes().startswith(PNG)


def test_plot_without_matplotlib_says_what_to_install(
    simulate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "sidecar.cli.plot", raising=False)
    result = simulate("--plot", str(tmp_path / "series.png"))
    assert result.exit_code == 2
    assert "--plot needs matplotlib: pip install 'gemini-sidecar[plot]'" in result.stderr
    assert result.stdout == ""


def test_every_fault_of_the_policy_is_told_as_check_tells_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("projects: [{name: main, api: gemini, key: {env: NO_KEY}}]\nquotas: [{project: us}]\n")
    told = run("quota", "simulate", str(file))
    assert (told.exit_code, told.stdout) == (2, "")
    checked = run("check", "--limits-scope", "process", "--policy", str(file))
    assert told.stderr == checked.stderr
    faults = json.loads(run("quota", "simulate", str(file), "--json").stdout)["faults"]
    assert (
        faults
        == json.loads(run("check", "--limits-scope", "process", "--policy", str(file), "--json").stdout)[
            "faults"
        ]
    )


def test_a_policy_file_that_is_missing_is_a_fault(run: Run, tmp_path: Path) -> None:
    result = run("quota", "simulate", str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert "none.yaml" in result.stderr
    assert "argument POLICY" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--load", "web"], "web: has no rate: write calls such as 40/s or 600/min, or x2"),
        (["--load", "web=40"], "web=40: has no rate in '40'"),
        (["--load", "web=0/s"], "asks for nothing"),
        (["--load", "=4/s"], "does not begin with a name: write NAME=RATE, such as web=40/s"),
        (["--load", "web=4/s,tokns=3"], "has no tokns: take tokens, output, model, principal"),
        (["--load", "web=4/s,"], "has no empty key"),
        (["--load", "web=4/s,tokens=1,tokens=2"], "says tokens twice: say it once"),
        (["--load", "web=4/s,tokens=many"], "tokens=many is not a count"),
        (["--load", "web=4/s,patience=0s"], "patience=0s is out of range"),
        (["--load", "web=4/s,shape=saw"], "shape=saw is no shape of a load: take steady, bursty, edge"),
        (["--load", "web=4/s,principal="], "principal= is empty"),
        (
            ["--load", "web=4/s,model=gpt"],
            "load web asks for model 'gpt', which the Policy denies: take one of fast",
        ),
        (
            ["--load", "web=4/s,priority=hi"],
            "load web asks for priority 'hi', which the Policy does not have",
        ),
        (["--load", "web=4/s", "--load", "web=x2"], "two loads are called web"),
        (["--load", "web=900000/s"], "these loads make 54,000,000 calls in 1m,"),
        (["--redis-away", "1m"], "--redis-away must be shorter than the simulated time"),
        (["--csv", "no/such/folder.csv"], "there is no folder no/such to write folder.csv in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_command_line_is_told_before_anything_runs(
    simulate: Run, arguments: list[str], told: str
) -> None:
    result = simulate(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in " ".join(result.stderr.split())


def test_the_fields_of_a_load_have_their_units() -> None:
    load = parse_load("web=600/min,tokens=2k,output=0,patience=500ms,shape=edge")
    assert (load.rate, load.is_relative) == (10.0, False)
    assert (load.tokens, load.output, load.patience_s) == (2_000.0, 0.0, 0.5)
    assert load.shape is Shape.EDGE
    assert parse_load("web=x1.5").is_relative


EXCEEDED = Report(
    setting=Setting(sidecars=1, seconds=60, seed=1, redis_away_s=30),
    offered=12,
    admitted=0,
    exchanges=3,
    groups=(
        GroupFigures(
            name="quota/main",
            offered=12,
            admitted=11,
            refused=1,
            waits=Waits(0.0, 1.25),
            limits=(LimitFigures("spend_per_day", Unit.MONEY, 1_000_000, 1, 1, 1_250_000, 1.25, 1, False),),
        ),
    ),
    loads=(LoadFigures("web", "/standard", 12, 0, 1, 7, None, 0.0, Waits(0.0, 0.0)),),
)


def test_an_exceeded_limit_fails_and_says_by_how_much(simulate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trial, "report", lambda _trial: EXCEEDED)
    monkeypatch.setattr(Trial, "advance", lambda _trial: None)
    result = simulate()
    assert result.exit_code == 1
    head, *_, large, over = result.stdout.splitlines()
    assert head.startswith("1 sidecar, 1m, seed 1, ledgers away for 30s: 12 calls offered, 0 served, 0.00 ")
    assert large == "web: 7 calls could cost more than a limit allows in all and were refused for that"
    assert over == "quota/main: spend_per_day was exceeded: $1.25 in a window that allows $1"


def test_a_file_that_cannot_be_written_is_a_failure(
    simulate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(simulate_verb, "write_series", full)
    result = simulate("--csv", str(tmp_path / "series.csv"))
    assert result.exit_code == 1
    assert "series.csv: No space left on device" in result.stderr
