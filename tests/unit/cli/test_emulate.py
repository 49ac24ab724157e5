"""`emulate` as a process of its own: it plays, says where, and ends with 0."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable

import pytest
from click.testing import Result

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
