"""The command as a whole: its verbs, what they import, its exit codes."""

import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import Result

from sidecar.cli import version
from sidecar.cli.main import VERBS, main

Run = Callable[..., Result]


def test_help_lists_every_verb_and_tells_of_exit_codes_and_completion(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for told in (*VERBS, *VERBS.values(), "130 interrupted", "_GEMINI_SIDECAR_COMPLETE=bash_source"):
        assert told in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_of_itself_what_the_list_says(verb: str) -> None:
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    assert command.name == "command"
    assert command.get_short_help_str(limit=200) == VERBS[verb]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_of_lines_that_fit(run: Run, verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"Usage: gemini-sidecar {verb}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_an_unknown_verb_is_a_wrong_command_line(run: Run) -> None:
    result = run("server")
    assert result.exit_code == 2
    assert "No such command 'server'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"grpc", "aiohttp", "pydantic", "yaml", "sidecar.v1"}),
        (["version"], {"grpc", "aiohttp", "pydantic", "yaml"}),
        (["call", "--help"], {"aiohttp", "pydantic", "yaml", "uvloop"}),
        (["check", "--schema", "policy"], {"grpc", "aiohttp", "uvloop"}),
        (["serve", "--help"], {"grpc", "aiohttp", "uvloop", "redis"}),
        (["emulate", "--help"], {"grpc", "pydantic", "yaml"}),
        (["quota", "simulate", "--help"], {"grpc", "aiohttp", "matplotlib", "uvloop"}),
        (["quota", "--help"], {"grpc", "pydantic", "yaml", "sidecar.v1"}),
        (["quota", "show", "--help"], {"aiohttp", "pydantic", "yaml", "uvloop"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_verb_imports_what_it_needs_and_no_more(arguments: list[str], absent: set[str]) -> None:
    script = (
        "import sys\nfrom sidecar.cli.main import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert absent.isdisjoint(ran.stdout.rpartition("\n\n")[2].split())


def test_ctrl_c_ends_any_verb_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(version.command, "invoke", interrupted)
    assert run("version").exit_code == 130
