"""`make mesh`: two pods on this machine, each a sidecar and its Envoy, with Redis and the emulator behind
them.

Prints how to call them, through mutual TLS and as the app of a pod, and runs until Ctrl-C or until one of its
programs ends by itself. All files are in a temporary directory and all programs are children: nothing is left
behind. Exits 1 when something could not start or has ended.
"""

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from sidecar.mesh.bootstrap import ARGUMENTS

BIN = Path(sys.executable).parent
DOMAIN = "dev.example"
POD_ID, CALLER_ID = (f"spiffe://{DOMAIN}/ns/dev/sa/{name}" for name in ("pod", "caller"))
PLUS = {"a": 0, "b": 10}
"""How much is added to each port of a pod; the first argument is added to all."""
READY_S = 30.0
_END_S = 30.0
_TAIL_LINES = 20

_TOLD = """
Two pods serve. Ctrl-C ends them and leaves nothing behind. The last column tells whose log is where:
{places}

As a caller from outside, by mutual TLS; the Policy allows it, and only it:
  grpcurl -cacert {certs}/ca.crt -cert {caller}/tls.crt -key {caller}/tls.key -import-path protos \\
    -proto sidecar/v1/gemini_service.proto -d '{{"model": "gemini-3.8-flash", "prompt": "hi"}}' \\
    127.0.0.1:{inbound} sidecar.v1.GeminiService/Generate
  {bin}/buf curl --protocol grpc --schema protos --cacert {certs}/ca.crt --cert {caller}/tls.crt \\
    --key {caller}/tls.key -d '{{"model": "gemini-3.8-flash", "prompt": "hi"}}' \\
    https://127.0.0.1:{inbound}/sidecar.v1.GeminiService/Generate

As the app of pod a, through its Envoy; when you stop that sidecar (kill -STOP {pid}), pod b answers:
  grpcurl -plaintext -d '{{"model": "gemini-3.8-flash", "prompt": "hi"}}' \\
    127.0.0.1:{app} sidecar.v1.GeminiService/Generate
  {bin}/buf curl --protocol grpc --http2-prior-knowledge --schema protos \\
    -d '{{"model": "gemini-3.8-flash", "prompt": "hi"}}' http://127.0.0.1:{app}/sidecar.v1.GeminiService/Generate

Replace the certificates, or drain pod a, while calls run:
  {bin}/gemini-sidecar certs dev {certs} ns/dev/sa/pod ns/dev/sa/caller
  {bin}/gemini-sidecar drain --config {folder}/a/settings.yaml
"""


class Ended(Exception):
    """A program of the mesh cannot run or has ended."""


@dataclass(frozen=True, slots=True)
class Program:
    """A child, and where it writes."""

    name: str
    child: asyncio.subprocess.Process
    log: Path

    def tail(self) -> str:
        """The last that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])

    def check(self) -> None:
        """Raise Ended when it runs no more."""
        if self.child.returncode is not None:
            raise Ended(f"{self.name} has ended with {self.child.returncode}:\n{self.tail()}")


class Mesh:
    """The running programs, in the order in which they were started."""

    def __init__(self, folder: Path, plus: int) -> None:
        self.folder = folder
        self.plus = {pod: PLUS[pod] + plus for pod in PLUS}
        self.programs: list[Program] = []

    async def start(self, name: str, *command: str | Path) -> Program:
        """Start a program; it gets no Ctrl-C of its own, so that they end in our order."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as file:
            child = await asyncio.create_subprocess_exec(
                *command, stdout=file, stderr=file, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
            )
        program = Program(name, child, log)
        self.programs.append(program)
        return program

    async def stop(self) -> None:
        """End all programs, the last first; who does not heed is killed."""
        for program in reversed(self.programs):
            with suppress(ProcessLookupError):
                program.child.send_signal(signal.SIGCONT)
                program.child.terminate()
            try:
                async with asyncio.timeout(_END_S):
                    await program.child.wait()
            except TimeoutError:
                program.child.kill()
                await program.child.wait()


def settings(folder: Path, place: Path, plus: int) -> Mapping[str, Any]:
    """The settings of a pod, for its sidecar and its Envoy."""
    return {
        "listen": {
            "address": f"127.0.0.1:{50051 + plus}",
            "socket": str(place / "local.sock"),
            "envoy_socket": str(place / "envoy.sock"),
        },
        "telemetry": {"address": f"127.0.0.1:{9464 + plus}", "log_format": "json"},
        "limits": {"scope": "redis"},
        "redis": {"addresses": f"unix:{folder}/redis.sock"},
        "identity": {"principal": POD_ID},
        "policy": {"file": str(folder / "policy.yaml")},
        "envoy": {
            "directory": str(place),
            "certificates": str(folder / "certs" / "pod"),
            "address": f"127.0.0.1:{8443 + plus}",
            "app_address": f"127.0.0.1:{50050 + plus}",
            "probe_address": f"127.0.0.1:{15021 + plus}",
            "peers": "bulletin",
            "advertise": f"127.0.0.1:{8443 + plus}",
        },
    }


def policy(folder: Path, emulator_url: str) -> Mapping[str, Any]:
    """One project, played by the emulator, and one caller from outside who may ask it."""
    key = {"file": str(folder / "key")}
    return {
        "projects": [{"name": "emulator", "api": "gemini", "base_url": emulator_url, "key": key}],
        "rules": [{"name": "caller", "effect": "allow", "principals": [CALLER_ID]}],
    }


async def run_once(*command: str | Path) -> None:
    """Run a command to its end. Raises Ended when that is not a good one."""
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await child.communicate()
    if child.returncode:
        raise Ended(f"{' '.join(map(str, command))} failed:\n{output.decode()}")


async def printed(program: Program, beginning: str) -> str:
    """The rest of the line that a program begins so, once it is there. Raises Ended."""
    while True:
        program.check()
        for line in program.log.read_text(errors="replace").splitlines():
            if line.startswith(beginning):
                return line.removeprefix(beginning)
        await asyncio.sleep(0.05)


async def healthy(program: Program, url: str) -> None:
    """Wait until a GET of what a program serves is answered with 200. Raises Ended."""
    async with aiohttp.ClientSession() as http:
        while True:
            program.check()
            with suppress(aiohttp.ClientError):
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(plus: int) -> AsyncIterator[Mesh]:
    """A mesh of programs that have been started; all have ended afterwards."""
    async with AsyncExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="gs-mesh-")))
        mesh = Mesh(folder, plus)
        closing.push_async_callback(mesh.stop)
        yield mesh


async def build(mesh: Mesh) -> str:
    """Start everything, wait until it serves, and return what to tell of it."""
    folder, cli = mesh.folder, BIN / "gemini-sidecar"
    await run_once(cli, "certs", "dev", folder / "certs", "ns/dev/sa/pod", "ns/dev/sa/caller")
    redis = ("redis-server", "--port", "0", "--save", "", "--dir", folder)
    await mesh.start("redis", *redis, "--unixsocket", folder / "redis.sock")
    emulator = await mesh.start("emulator", cli, "emulate", "--port", "0")
    emulator_url = (await printed(emulator, "Playing the Gemini API at ")).removesuffix(". Try it:")
    (folder / "key").write_text("any")
    (folder / "policy.yaml").write_text(json.dumps(policy(folder, emulator_url)))
    places = []
    for pod, plus in mesh.plus.items():
        config = folder / pod / "settings.yaml"
        config.parent.mkdir()
        config.write_text(json.dumps(settings(folder, config.parent, plus)))
        await run_once(cli, "envoy", "--config", config, "--write")
        sidecar = await mesh.start(f"sidecar-{pod}", cli, "serve", "--config", config)
        await healthy(sidecar, f"http://127.0.0.1:{9464 + plus}/readyz")
        bootstrap = config.with_name("bootstrap.json")
        envoy = await mesh.start(f"envoy-{pod}", BIN / "envoy", "-c", bootstrap, "-l", "warning", *ARGUMENTS)
        await healthy(envoy, f"http://127.0.0.1:{15021 + plus}/healthz")
        places += [
            f"  pod {pod}: sidecar 127.0.0.1:{50051 + plus}, metrics :{9464 + plus}  {sidecar.log}",
            f"         Envoy 127.0.0.1:{8443 + plus}, for the app 127.0.0.1:{50050 + plus}  {envoy.log}",
        ]
    return _TOLD.format(
        places="\n".join(places),
        certs=folder / "certs",
        caller=folder / "certs" / "caller",
        folder=folder,
        bin=BIN,
        inbound=8443 + mesh.plus["a"],
        app=50050 + mesh.plus["a"],
        pid=next(each.child.pid for each in mesh.programs if each.name == "sidecar-a"),
    )


async def live(mesh: Mesh) -> None:
    """Start everything, tell of it, and wait for an end that nobody has asked for. Raises Ended."""
    async with asyncio.timeout(READY_S):
        told = await build(mesh)
    print(told, flush=True)
    await asyncio.wait(
        [asyncio.ensure_future(program.child.wait()) for program in mesh.programs],
        return_when=asyncio.FIRST_COMPLETED,
    )
    for program in mesh.programs:
        program.check()


async def main(plus: int) -> int:
    """Run the mesh until Ctrl-C; the exit status."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        async with running(plus) as mesh:
            living, stopping = asyncio.ensure_future(live(mesh)), asyncio.ensure_future(stopped.wait())
            await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living
            print("mesh: stopping", flush=True)
    except (Ended, TimeoutError) as error:
        print(f"mesh: {error or 'it did not come to serve in time'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)))
