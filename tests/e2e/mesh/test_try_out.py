"""`make mesh`, as a newcomer uses it: start it, paste the printed lines, press Ctrl-C."""

import asyncio
import json
import re
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.support import mesh

ROOT = Path(__file__).parents[3]
PORTS = (50051, 9464, 8443, 50050, 15021)
PODS_PLUS = (0, 10)


def free_plus() -> int:
    """How much to add to all ports so that none is taken."""
    for plus in range(1000, 10_000, 100):
        if all(_is_free(port + pod + plus) for port in PORTS for pod in PODS_PLUS):
            return plus
    raise AssertionError("no free ports")


def is_gone(folder: str) -> bool:
    return not Path(folder).exists()


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def read_until(stream: asyncio.StreamReader, last: str) -> str:
    told = ""
    async with asyncio.timeout(40):
        while last not in told:
            line = await stream.readline()
            assert line, f"it ended and had said:\n{told}"
            told += line.decode()
    return told


@pytest.mark.timeout(150)  # six programs start, one after the other
async def test_the_printed_lines_work_and_ctrl_c_leaves_nothing_behind() -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.mesh", str(free_plus())), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout
    try:
        told = await read_until(child.stdout, "gemini-sidecar drain")
        children = psutil.Process(child.pid).children(recursive=True)
        assert len(children) == 6, "Redis, the emulator, two sidecars, two Envoys"
        (folder,) = set(re.findall(r"\S+/gs-mesh-\w+", told))

        lines = re.findall(r"^  (\S+/buf curl.*?[^\\])$", told, flags=re.MULTILINE | re.DOTALL)
        assert len(lines) == 2
        for line in lines:
            assert "gemini-3.8-flash" in (await shell(line))["modelVersion"]

        (stop,) = re.findall(r"kill -STOP \d+", told)
        await run(stop)
        await mesh.until(lambda: _answers(lines[1]))
    finally:
        child.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(child.wait(), 40)
    assert code == 0
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert is_gone(folder)


async def _answers(line: str) -> bool:
    return bool((await run(line))[0] == 0)


async def shell(line: str) -> dict[str, str]:
    code, output = await run(line)
    assert code == 0, output
    answer: dict[str, str] = json.loads(output)
    return answer


async def run(line: str) -> tuple[int, str]:
    """A line as it is pasted into a shell, in the folder where `make mesh` was typed."""
    child = await asyncio.create_subprocess_shell(
        line, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(mesh.PATIENCE_S):
        output, told = await child.communicate()
    assert child.returncode is not None
    return child.returncode, (output or told).decode()
