"""`quota` against a real server: what is asked, what is printed where, and the exit code."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import Result

from sidecar.cli import levels
from sidecar.cli.levels import TableScreen
from sidecar.cli.main import main
from sidecar.cli.quota import VERBS, command
from sidecar.core.errors import Draining
from sidecar.v1.quota_pb2 import GetQuotaResponse, Limit, LimitGroup, LimitLevel, LimitsMode, LimitUnit
from tests.unit.cli.fake_sidecar import FakeSidecar

PROGRAM = [sys.executable, "-c", "from sidecar.cli.main import main; main(prog_name='gemini-sidecar')"]

RPM = Limit(
    name="requests_per_minute",
    unit=LimitUnit.LIMIT_UNIT_REQUESTS,
    amount=2000,
    level=LimitLevel(used=1200, held=5, available=795, amount=2000, factor=1),
    denials=12,
)
SPEND = Limit(
    name="spend_per_day",
    unit=LimitUnit.LIMIT_UNIT_MONEY,
    amount=50_000_000,
    is_shadow=True,
    level=LimitLevel(used=1_250_000, available=48_750_000, amount=50_000_000, factor=0.9),
    denials=1,
    shadow_denials=3,
)
USED = LimitGroup(name="quota/main/flash", mode=LimitsMode.LIMITS_MODE_NORMAL, limits=[RPM, SPEND])
UNUSED = LimitGroup(name="quota/main/pro", limits=[Limit(name="requests_per_day", amount=10)])

TABLE = """\
GROUP             LIMIT                   USED/AMOUNT  HELD  AVAILABLE  FACTOR  DENIALS  MODE
quota/main/flash  requests_per_minute     1,200/2,000     5        795    1.00       12  normal
quota/main/flash  spend_per_day (shadow)    $1.25/$50    $0     $48.75    0.90        3  normal
quota/main/pro    requests_per_day               -/10     -          -       -        0  not used yet
"""

Ask = Callable[..., Result]


@pytest.fixture
def quota(run: Callable[..., Result], sidecar: FakeSidecar) -> Ask:
    sidecar.levels = [GetQuotaResponse(groups=[USED, UNUSED])]

    def ask(*arguments: str) -> Result:
        return run("quota", *arguments, "--address", sidecar.address)

    return ask


def test_a_line_tells_of_each_limit(quota: Ask) -> None:
    result = quota()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == TABLE


@pytest.mark.parametrize("verb", [(), ("show",)], ids=["default", "named"])
def test_groups_are_asked_for_by_the_beginning_of_their_names(
    quota: Ask, sidecar: FakeSidecar, verb: tuple[str, ...]
) -> None:
    quota(*verb, "quota/", "budget/checkout")
    (request,) = sidecar.requests
    assert list(request.group_prefixes) == ["quota/", "budget/checkout"]


def test_a_group_that_is_not_there_is_a_failure(quota: Ask, sidecar: FakeSidecar) -> None:
    sidecar.levels = [GetQuotaResponse()]
    result = quota("bugdet/")
    assert (result.exit_code, result.stderr) == (1, "Error: no limit group begins with bugdet/\n")


def test_without_limits_the_table_is_empty(quota: Ask, sidecar: FakeSidecar) -> None:
    sidecar.levels = [GetQuotaResponse()]
    result = quota()
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1


def test_json_is_the_message_in_lower_camel_case(quota: Ask) -> None:
    flash, _ = json.loads(quota("--json").stdout)["groups"]
    assert flash["mode"] == "LIMITS_MODE_NORMAL"
    assert flash["limits"][0]["level"] == {
        "used": "1200", "held": "5", "available": "795", "amount": "2000", "factor": 1.0
    }  # fmt: skip


def test_watching_shows_every_message_until_the_sidecar_drains(quota: Ask, sidecar: FakeSidecar) -> None:
    sidecar.levels *= 2
    sidecar.error = Draining("this sidecar is shutting down")
    result = quota("--watch", "--interval", "250ms", "quota/")
    assert result.exit_code == 1
    assert result.stdout.count("GROUP") == 2
    assert "Error: UNAVAILABLE: this sidecar is shutting down\n  reason: DRAINING" in result.stderr
    (request,) = sidecar.requests
    assert request.interval.ToMilliseconds() == 250


def test_watching_as_json_is_one_message_a_line(quota: Ask, sidecar: FakeSidecar) -> None:
    sidecar.levels *= 2
    lines = [json.loads(line) for line in quota("--watch", "--json").stdout.splitlines()]
    assert [line["groups"][1]["name"] for line in lines] == ["quota/main/pro"] * 2
    assert not sidecar.requests[0].HasField("interval")


def test_watching_goes_on_when_no_group_is_there_yet(quota: Ask, sidecar: FakeSidecar) -> None:
    """A budget for each principal is there from its first call on."""
    sidecar.levels = [GetQuotaResponse(), GetQuotaResponse(groups=[USED])]
    result = quota("--watch", "quota/main/flash")
    assert result.exit_code == 0
    assert "requests_per_minute" in result.stdout


def test_on_a_terminal_a_newer_table_takes_the_place_of_the_older(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: list[bool] = []
    monkeypatch.setattr(click, "clear", lambda: cleared.append(True))
    screen = TableScreen()
    screen.show(GetQuotaResponse(groups=[USED]))
    assert cleared == []
    screen.show(GetQuotaResponse(groups=[USED]))
    assert cleared == [True]
    assert capsys.readouterr().out.count("GROUP") == 2


def test_why_a_ledger_cannot_be_asked_goes_to_standard_error(quota: Ask, sidecar: FakeSidecar) -> None:
    group = LimitGroup(name="quota/main/flash", mode=LimitsMode.LIMITS_MODE_SHARE, trouble="no\x1banswer")
    sidecar.levels = [GetQuotaResponse(groups=[group])]
    result = quota()
    assert result.exit_code == 0
    assert result.stderr == "quota/main/flash: the ledger cannot be asked: no answer\n"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"mode": LimitsMode.LIMITS_MODE_CLOSED}, "closed"),
        ({"mode": 99}, "99"),
        ({"mode": 1, "age": timedelta(seconds=1.2)}, "normal"),
        ({"mode": 1, "age": timedelta(seconds=75)}, "normal, 75s ago"),
        ({"mode": 1, "age": timedelta(minutes=10)}, "normal, 10m ago"),
        ({"mode": 2, "blocked_for": timedelta(seconds=0.4)}, "learning, blocked for 1s"),
        ({"mode": 1, "blocked_for": timedelta(hours=3)}, "normal, blocked for 3h"),
    ],
)
def test_the_mode_says_how_limits_are_kept_and_how_old_the_levels_are(
    values: dict[str, object], told: str
) -> None:
    group = LimitGroup(name="g", limits=[RPM], **values)
    assert levels.table([group]).splitlines()[1].partition(" 12  ")[2] == told


def test_an_interval_is_for_watching(quota: Ask, sidecar: FakeSidecar) -> None:
    result = quota("--interval", "1s")
    assert result.exit_code == 2
    assert "--interval goes with --watch" in result.stderr
    assert sidecar.requests == []


@pytest.mark.parametrize("watch", [[], ["--watch"]], ids=["once", "watch"])
def test_ctrl_c_ends_it_with_130(sidecar: FakeSidecar, watch: list[str]) -> None:
    sidecar.hangs = True
    arguments = [*PROGRAM, "quota", "--address", sidecar.address, *watch]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert sidecar.called.wait(30)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=30)
    assert (program.returncode, out, err) == (130, b"", b"")


def test_help_lists_the_verbs_and_completion_offers_them(run: Callable[..., Result]) -> None:
    result = run("quota", "--help")
    assert result.exit_code == 0
    assert all(verb in result.stdout for verb in VERBS)
    offered = ShellComplete(main, {}, "gemini-sidecar", "_X").get_completions(["quota"], "")
    assert {item.value for item in offered} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_of_itself_what_the_list_says(run: Callable[..., Result], verb: str) -> None:
    known = command.get_command(click.Context(command), verb)
    assert known is not None
    assert known.get_short_help_str(limit=200) == VERBS[verb]
    assert f"Usage: gemini-sidecar quota {verb}" in run("quota", verb, "--help").stdout
