"""The processes of a benchmark: what is measured on one core, everything else on another.

Each program prints one line when it serves, or is asked until it does. On a machine with one core, or where
cores cannot be chosen, all share what there is and the figures mean less; the table says so.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
_START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A program that serves a port."""

    port: int
    process: psutil.Process
    ready_s: float
    """From its start until the port took a connection."""


def cores() -> tuple[set[int], set[int]]:
    """The core of what is measured, and those of the rest."""
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, set(usable[1:]) or {usable[0]}


@contextmanager
def program(module: str, core: set[int]) -> Iterator[Server]:
    """A module of this package that prints its port when it serves."""
    process = _start([sys.executable, "-m", module], core, {})
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError(f"{module} ended before it served")
        yield Server(int(line), psutil.Process(process.pid), 0.0)
    finally:
        _end(process)


@contextmanager
def serving(
    command: Sequence[str], port: int, core: set[int], environ: Mapping[str, str]
) -> Iterator[Server]:
    """Any command that comes to serve `port`."""
    began = time.perf_counter()
    process = _start(command, core, environ)
    try:
        _wait_for(port, process)
        yield Server(port, psutil.Process(process.pid), time.perf_counter() - began)
    finally:
        _end(process)


def free_port() -> int:
    """A port that nobody serves now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _start(command: Sequence[str], core: set[int], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    os.sched_setaffinity(process.pid, core)
    return process


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up = time.perf_counter() + _START_TIMEOUT_S
    while process.poll() is None and time.perf_counter() < give_up:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.002)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve port {port}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
