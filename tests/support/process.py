"""A sidecar in a process of its own: `gemini-sidecar serve`, started as an operator starts it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = str(Path(sys.executable).with_name("gemini-sidecar"))
"""The installed command, beside the interpreter that runs the tests."""
API_KEY = "AIza-made-up-key"
PATIENCE_S = 40.0
"""How long a test waits for what must happen; reached only by a failure."""

_FREE_PORTS = ("--listen", "127.0.0.1:0", "--telemetry-address", "127.0.0.1:0")
_LINE_BYTES = 1 << 20


class SidecarProcess:
    """One running child: where it serves, what it has logged, how it ended."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self.log: list[dict[str, Any]] = []
        """Its log lines, oldest first."""
        self.noise: list[str] = []
        """What came on stderr that is no log line, such as a traceback."""
        self._child = child
        self._grown = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    def __repr__(self) -> str:
        code = self._child.returncode
        return f"<SidecarProcess {self.pid}, {'running' if code is None else f'ended with {code}'}>"

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def address(self) -> str:
        """The gRPC target of the TCP listener."""
        return self.addresses[0]

    @property
    def addresses(self) -> list[str]:
        """The gRPC targets of all listeners, in the order of their settings."""
        return list(map(str, self._logged("serving")["addresses"]))

    @property
    def telemetry_url(self) -> str:
        """Where /metrics, /healthz and /readyz are."""
        return f"http://{self._logged('telemetry')['address']}"

    def calls(self) -> list[dict[str, Any]]:
        """The log lines of calls that have ended."""
        return [line for line in self.log if line["message"] == "call ended"]

    async def logs(self, message: str) -> dict[str, Any]:
        """Wait for a log line with this message. Fails when the process ends without it."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := self._find(message)):
                assert not self._reader.done(), f"{self} said {self.log + self.noise} but not {message!r}"
                await self._grown.wait()
        return found

    def signal(self, signum: signal.Signals) -> None:
        """Send a signal."""
        self._child.send_signal(signum)

    async def ends(self) -> int:
        """Wait for the end; returns the exit code."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
            return await self._child.wait()

    async def _stop(self) -> None:
        with suppress(ProcessLookupError):  # it has ended
            self._child.kill()
        await self.ends()

    def _find(self, message: str) -> dict[str, Any] | None:
        return next((line for line in self.log if line["message"] == message), None)

    def _logged(self, message: str) -> dict[str, Any]:
        line = self._find(message)
        assert line, f"{self} has not logged {message!r}"
        return line

    async def _read(self) -> None:
        assert self._child.stderr
        async for raw in self._child.stderr:
            text = raw.decode().rstrip("\n")
            try:
                self.log.append(json.loads(text))
            except ValueError:
                self.noise.append(text)
            self._grown.set()
            self._grown = asyncio.Event()
        self._grown.set()


@asynccontextmanager
async def serving(*flags: str, **environment: str) -> AsyncIterator[SidecarProcess]:
    """A sidecar that is ready, killed at the end if it still runs. Its ports are free ones unless flags say
    otherwise.
    """
    child = await asyncio.create_subprocess_exec(
        PROGRAM,
        "serve",
        *_FREE_PORTS,
        *flags,
        env=_environment(environment),
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    process = SidecarProcess(child)
    try:
        await process.logs("serving")
        yield process
    finally:
        await process._stop()


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has run to its end."""

    code: int
    stdout: str
    stderr: str


async def run(*arguments: str, **environment: str) -> Ended:
    """Run the command to its end. Fails when it does not come."""
    child = await asyncio.create_subprocess_exec(
        PROGRAM,
        *arguments,
        env=_environment(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            stdout, stderr = await child.communicate()
    except TimeoutError:
        child.kill()
        stdout, stderr = await child.communicate()
        raise AssertionError(f"{arguments} did not end and said {stderr.decode()}") from None
    assert child.returncode is not None
    return Ended(child.returncode, stdout.decode(), stderr.decode())


def configured(
    folder: Path, base_url: str, rules: Mapping[str, Any] | None = None, **groups: dict[str, Any]
) -> tuple[str, ...]:
    """Flags for a sidecar whose one project, `main`, is at `base_url`; `rules` are further keys of the
    Policy, and `groups` settings. The files go into `folder`.
    """
    key = folder / "key"
    key.write_text(API_KEY)
    project = {"name": "main", "api": "gemini", "base_url": base_url, "key": {"file": str(key)}}
    policy = written(folder / "policy.yaml", {"projects": [project], **(rules or {})})
    settings = written(folder / "settings.yaml", {"limits": {"scope": "process"}, **groups})
    return "--config", str(settings), "--policy", str(policy)


def written(path: Path, tree: Mapping[str, Any]) -> Path:
    """`path`, holding `tree`; JSON is YAML too."""
    path.write_text(json.dumps(tree))
    return path


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """No setting and no key of whoever runs the tests reaches the child."""
    inherited = ("PATH", "HOME", "TMPDIR", "LANG")
    return {name: os.environ[name] for name in inherited if name in os.environ} | dict(own)
