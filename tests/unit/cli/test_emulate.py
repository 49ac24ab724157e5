"""`emulate` as a process of its own: it plays, says where, and ends with 0."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from sidecar.emulator import FAULTS, KEYS

PROGRAM = [sys.executable, "-c", "from sidecar.cli.main import main; main(prog_name='gemini-sidecar')"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_plays_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with subprocess.Popen([*PROGRAM, "emulate", "--port", "0"], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        told = program.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", told)
        assert address
        examples = "".join(program.stdout.readline() for _ in range(5))
        assert examples.count(f"{address[0]}/v1beta/models") == 3
        request = urllib.request.Request(f"{address[0]}/v1beta/models", headers={"x-goog-api-key": "any"})  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as response:
            assert json.load(response)["models"]
        program.send_signal(number)
        assert program.wait(30) == 0


def test_a_port_that_is_taken_is_one_line(run: Callable[..., Result]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("emulate", "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; take another --port\n"
    )


def test_it_is_for_this_machine_alone(run: Callable[..., Result]) -> None:
    result = run("emulate", "--host", "192.0.2.1")
    assert result.exit_code == 2
    assert "take a loopback address" in result.stderr


def test_help_explains_every_key_and_every_fault(run: Callable[..., Result]) -> None:
    told = run("emulate", "--help").stdout
    assert re.search(r"Directive keys:\n +latency +wait before the first byte", told)
    assert {name for name in (*KEYS, *FAULTS) if not re.search(rf"^ +{name} ", told, re.MULTILINE)} == set()


def test_quotas_and_the_log_may_be_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "arrivals.jsonl"
    arguments = ["emulate", "--port", "0", "--rpm", "1", "--tier", "free", "--log", str(log)]
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", program.stdout.readline())
        assert address
        assert [_ask(address[0]) for _ in range(2)] == [200, 429]
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    verdicts = [line.get("verdict") for line in map(json.loads, log.read_text().splitlines())]
    assert verdicts == ["admitted", None, "over_quota", None]


def _ask(address: str) -> int:
    request = urllib.request.Request(  # noqa: S310
        f"{address}/v1/models/gemini-3.8-flash:generateContent",
        data=b'{"contents": [{"parts": [{"text": "hi"}]}]}',
        headers={"x-goog-api-key": "any", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("models: {m: {rps: 1}}", "models.m.rps: unknown name; known are rpm, tpm, rpd"),
        ("models: [", "while parsing"),
        ("", "the document: must be a mapping"),
    ],
)
def test_a_faulty_quota_file_is_refused_with_the_place(
    run: Callable[..., Result], tmp_path: Path, text: str, fault: str
) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_text(text)
    result = run("emulate", "--quota-file", str(file))
    assert result.exit_code == 2
    assert fault in result.stderr


def test_quotas_come_from_the_file_or_from_flags(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "quotas.yaml"
    file.write_text("tier: free")
    result = run("emulate", "--quota-file", str(file), "--rpm", "5", "--spend-usd", "1")
    assert result.exit_code == 2
    assert "leave out --rpm, --spend-usd, or put it into the file" in result.stderr


def test_a_log_that_cannot_be_written_is_one_line(run: Callable[..., Result], tmp_path: Path) -> None:
    log = tmp_path / "missing" / "log"
    result = run("emulate", "--port", "0", "--log", str(log))
    assert result.exit_code == 1
    assert result.stderr == f"Error: cannot write the log {log}: No such file or directory\n"
