"""Portkey's gateway as it is measured: one Node.js process, no cache, no retries, no log page.

It is told its provider and its host by headers, call by call; that is how it is meant to be used without an
account.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bench.peers.http_load import HttpQuestion
from bench.peers.peer import FOLDER, Peer, chat
from bench.processes import Server, free_port, serving

_VERSION = "1.15.2"
_FOLDER = FOLDER / "portkey"
_PACKAGE = _FOLDER / "node_modules" / "@portkey-ai" / "gateway"


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not on PATH: install Node.js")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", f"--prefix={_FOLDER}", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run([*command, f"@portkey-ai/gateway@{_VERSION}"], check=True)


def _obstacle() -> str | None:
    if shutil.which("node") is None:
        return "node is not on PATH"
    try:
        package = json.loads((_PACKAGE / "package.json").read_text())
    except FileNotFoundError:
        package = {}
    return None if package.get("version") == _VERSION else f"{_VERSION} is not installed"


@contextmanager
def _serving(_upstream_port: int, core: set[int]) -> Iterator[Server]:
    node = shutil.which("node")
    if node is None:
        raise FileNotFoundError("node is not on PATH")
    port = free_port()
    command = [node, str(_PACKAGE / "build" / "start-server.js"), "--headless", f"--port={port}"]
    with serving(command, port, core, {"NODE_ENV": "production"}) as server:
        yield server


def _question(upstream_port: int) -> HttpQuestion:
    return chat(
        {
            "Authorization": "Bearer bench",
            "x-portkey-provider": "google",
            "x-portkey-custom-host": f"http://127.0.0.1:{upstream_port}",
        }
    )


PORTKEY = Peer("portkey", _VERSION, _install, _obstacle, _serving, _question)
