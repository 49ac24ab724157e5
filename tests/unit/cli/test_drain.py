"""`drain`: what it tells an Envoy by its admin socket, and how it ends."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from threading import Thread

import pytest
from click.testing import Result

Run = Callable[..., Result]


class FakeEnvoy(UnixStreamServer):
    """Answers as Envoy's admin interface; has so many calls in flight, one fewer each time it is asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler)
        self.told: list[str] = []
        self.in_flight = 2
        self.ends = True
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    server: FakeEnvoy

    def do_POST(self) -> None:
        self.server.told.append(self.path)
        self._answer(b"OK\n")

    def do_GET(self) -> None:
        value = self.server.in_flight
        self.server.in_flight -= self.server.ends
        self._answer(
            json.dumps({"stats": [{"name": "http.inbound.downstream_rq_active", "value": value}]}).encode()
        )

    def _answer(self, content: bytes) -> None:
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def envoy(tmp_path: Path) -> Iterator[FakeEnvoy]:
    with FakeEnvoy(tmp_path / "admin.sock") as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    config = tmp_path / "sidecar.yaml"
    config.write_text(f"limits: {{scope: process}}\nenvoy: {{directory: {tmp_path}}}")
    return ["--config", str(config)]


def test_envoy_is_told_once_and_waited_for(run: Run, envoy: FakeEnvoy, flags: list[str]) -> None:
    result = run("drain", *flags)
    assert (result.exit_code, result.output) == (0, "")
    assert envoy.told == ["/healthcheck/fail", "/drain_listeners?inboundonly&graceful&skip_exit"]
    assert envoy.in_flight == -1


def test_calls_that_do_not_end_in_time_are_told(run: Run, envoy: FakeEnvoy, flags: list[str]) -> None:
    envoy.ends = False
    result = run("drain", *flags, "--limit", "1ms")
    assert result.exit_code == 1
    assert "2 calls are still in flight" in result.stderr


def test_an_envoy_that_refuses_is_a_failure(run: Run, envoy: FakeEnvoy, flags: list[str]) -> None:
    envoy.status = 503
    result = run("drain", *flags)
    assert result.exit_code == 1
    assert "answers 503" in result.stderr


def test_no_envoy_is_a_failure(run: Run, flags: list[str]) -> None:
    result = run("drain", *flags)
    assert result.exit_code == 1
    assert "admin.sock does not answer" in result.stderr


def test_settings_without_a_directory_are_refused(run: Run) -> None:
    result = run("drain", "--limits-scope", "process")
    assert result.exit_code == 2
    assert "envoy.directory" in result.stderr
