"""Pods as they are run: a sidecar in a process of its own, and beside it the real Envoy, told what the
product tells it."""

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio

from sidecar.config.load import Flags, load_settings
from sidecar.emulator import Emulator
from sidecar.mesh import files
from sidecar.mesh.authority import Authority, Pair
from sidecar.mesh.bootstrap import ARGUMENTS, render
from sidecar.mesh.peers import endpoints
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from tests.support import process

PROGRAM = str(Path(sys.executable).with_name("envoy"))
PATIENCE_S = 15.0
"""How long a test waits for what must happen; reached only by a failure."""
DOMAIN = "mesh.test"
ID = f"spiffe://{DOMAIN}/ns/shop/sa/cart"
"""Who the pods are; replicas are one and the same."""
LASTS = timedelta(hours=1)
_ANY = "127.0.0.1:0"
_LOOK_S = 0.02
_ARGUMENTS = (*ARGUMENTS[:-1], "50")
"""As the product says, but the log is written more often: a test waits for its lines."""


def authority(trust_domain: str = DOMAIN) -> Authority:
    """An authority of the moment."""
    return Authority.new(trust_domain, datetime.now(UTC), LASTS)


def issued(by: Authority, spiffe_id: str = ID, lasts: timedelta = LASTS) -> Pair:
    """A certificate valid from now on; one that has expired when it `lasts` less than nothing."""
    return by.issue(spiffe_id, datetime.now(UTC), lasts)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds that nobody tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(_LOOK_S)


class Envoy:
    """One running Envoy."""

    def __init__(self, child: asyncio.subprocess.Process, admin_socket: Path) -> None:
        self.log: list[str] = []
        self._child = child
        self._admin_socket = admin_socket
        self._ports: dict[str, int] = {}
        self._reader = asyncio.create_task(self._read())

    def __repr__(self) -> str:
        return f"<Envoy {self.pid} at {self._ports}>"

    @property
    def pid(self) -> int:
        return self._child.pid

    def address(self, listener: str) -> str:
        """`host:port` of a listener."""
        return f"127.0.0.1:{self._ports[listener]}"

    async def stat(self, name: str) -> int:
        """A counter or gauge by its full name; 0 for one that does not exist yet."""
        stats = (await self._get(f"/stats?format=json&filter=^{name}$"))["stats"]
        return sum(int(each["value"]) for each in stats)

    async def until(self, name: str, value: int) -> None:
        """Wait for a counter or gauge to have a value."""

        async def has_come() -> bool:
            return await self.stat(name) == value

        await until(has_come)

    async def until_ready(self) -> None:
        """Wait until it serves. Fails when it ends instead."""

        async def is_live() -> bool:
            assert not self._reader.done(), "\n".join(self.log)
            try:
                return bool((await self._get("/server_info"))["state"] == "LIVE")
            except (aiohttp.ClientError, OSError):
                return False

        await until(is_live)
        for each in (await self._get("/listeners?format=json"))["listener_statuses"]:
            self._ports[each["name"]] = each["local_address"]["socket_address"]["port_value"]

    async def stop(self) -> None:
        """End it at once."""
        if self._child.returncode is None:
            self._child.terminate()
        await self._reader
        await self._child.wait()

    async def _get(self, target: str) -> Any:
        connector = aiohttp.UnixConnector(str(self._admin_socket))
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.get(f"http://envoy{target}") as response,
        ):
            return json.loads(await response.text())

    async def _read(self) -> None:
        """Keep reading, so that Envoy is never held up by its own log."""
        assert self._child.stderr
        async for line in self._child.stderr:
            self.log.append(line.decode().rstrip("\n"))


@dataclass(frozen=True, slots=True)
class Pod:
    """A sidecar and the Envoy beside it."""

    folder: Path
    upstream: Emulator
    sidecar: process.SidecarProcess
    envoy: Envoy

    @property
    def app(self) -> str:
        """Where the app of the pod calls."""
        return self.envoy.address("app")

    @property
    def inbound(self) -> str:
        """Where callers from outside arrive."""
        return self.envoy.address("inbound")

    @property
    def config(self) -> Path:
        """The settings file of both."""
        return self.folder / "settings.yaml"

    @property
    def access_log(self) -> list[dict[str, Any]]:
        """What Envoy has written down; complete only once it has ended."""
        return lines_of(self.folder / "access.jsonl")


@asynccontextmanager
async def pod(
    folder: Path, by: Authority, rules: Mapping[str, Any] | None = None, **groups: Mapping[str, Any]
) -> AsyncIterator[Pod]:
    """A pod that serves, with certificates of an authority; `rules` are further keys of the Policy, and
    `groups` settings, on top of the usual ones."""
    install(folder, by, issued(by))
    flags = partial(process.configured, folder, rules=rules, **_settings(folder, groups))
    async with (
        Emulator() as upstream,
        process.serving(*flags(upstream.base_url)) as sidecar,
        envoy(folder) as running,
    ):
        yield Pod(folder, upstream, sidecar, running)


def _settings(folder: Path, groups: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {
        "listen": {"socket": f"{folder}/local.sock", "envoy_socket": f"{folder}/envoy.sock"},
        "identity": {"principal": ID, "trust_domain": DOMAIN},
        "envoy": {
            "directory": str(folder),
            "certificates": f"{folder}/certs",
            "access_log": f"{folder}/access.jsonl",
            **dict.fromkeys(("address", "app_address", "probe_address"), _ANY),
        },
    }
    for name, values in groups.items():
        settings[name] = settings.get(name, {}) | dict(values)
    return settings


@asynccontextmanager
async def envoy(folder: Path) -> AsyncIterator[Envoy]:
    """The Envoy of a folder with `settings.yaml`, ready."""
    settings = load_settings(Flags(config=folder / "settings.yaml"), {})
    shared = files.Shared.of(settings)
    files.install(settings, render(settings))
    child = await asyncio.create_subprocess_exec(
        *(PROGRAM, "-c", str(shared.bootstrap), "--log-level", "warning", *_ARGUMENTS),
        stderr=asyncio.subprocess.PIPE,
    )
    running = Envoy(child, shared.admin_socket)
    try:
        await running.until_ready()
        yield running
    finally:
        await running.stop()


@dataclass(frozen=True, slots=True)
class Replicas:
    """Two pods of one kind. The app is in the first and reaches the second when its own sidecar is not
    well."""

    by: Authority
    local: Pod
    peer: Pod
    gemini: Any
    """The app's client, through the Envoy of its pod."""

    @property
    def received(self) -> list[int]:
        """How many requests the upstream of each got."""
        return [pod.upstream.observed.received for pod in (self.local, self.peer)]


@asynccontextmanager
async def replicas(folder: Path, **groups: Mapping[str, Any]) -> AsyncIterator[Replicas]:
    """Two pods that serve and know of each other's health."""
    by = authority()
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(pod(folder / "peer", by, **groups))
        port = peer.inbound.rpartition(":")[2]
        told = {"peers": "dns", "peers_address": f"localhost:{port}"}
        local = await stack.enter_async_context(pod(folder / "local", by, **groups, envoy=told))
        await local.envoy.until("cluster.peers.membership_healthy", 1)
        channel = await stack.enter_async_context(app_channel(local.app))
        yield Replicas(by, local, peer, GeminiServiceStub(channel))


@asynccontextmanager
async def gateway(folder: Path, by: Authority, pods: Sequence[Pod]) -> AsyncIterator[Any]:
    """A client through an Envoy that has peers and whose own sidecar never was."""
    install(folder, by, issued(by))
    files.write_json(folder / "peers.json", endpoints(pod.inbound for pod in pods))
    own = {
        "directory": str(folder),
        "certificates": f"{folder}/certs",
        "peers": "bulletin",
        "advertise": "127.0.0.1:1",
        "app_address": "127.0.0.1:0",
        "probe_address": "127.0.0.1:0",
        "access_log": "",
    }
    tree = {
        "listen": {"socket": f"{folder}/local.sock"},
        "limits": {"scope": "redis"},
        "identity": {"principal": ID},
        "redis": {"addresses": "127.0.0.1:1"},
        "envoy": own,
    }
    process.written(folder / "settings.yaml", tree)
    async with envoy(folder) as running:
        await running.until("cluster.peers.membership_healthy", len(pods))
        async with app_channel(running.address("app")) as channel:
            yield GeminiServiceStub(channel)


def install(folder: Path, by: Authority, pair: Pair) -> None:
    """Put certificates where the Envoy of a folder reads them, at any time."""
    certificates = folder / "certs"
    certificates.mkdir(parents=True, exist_ok=True)
    files.write(certificates / "ca.crt", by.pair.certificate, 0o644)
    files.write(certificates / "tls.key", pair.key, 0o600)
    files.write(certificates / "tls.crt", pair.certificate, 0o644)


def channel(target: str, by: Authority, pair: Pair | None) -> grpc.aio.Channel:
    """A caller from outside who believes an authority and shows a certificate, or none."""
    shown = (pair.key, pair.certificate) if pair else (None, None)
    credentials = grpc.ssl_channel_credentials(by.pair.certificate, *shown)
    return grpc.aio.secure_channel(target, credentials, options=_OWN_CONNECTIONS)


def app_channel(target: str) -> grpc.aio.Channel:
    """The app, which shows nothing."""
    return grpc.aio.insecure_channel(target, options=_OWN_CONNECTIONS)


_OWN_CONNECTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0))
"""Channels to one target would share a connection; and a client that repeats calls would hide what was
lost."""


def tls(folder: Path, by: Authority, pair: Pair | None) -> ssl.SSLContext:
    """TLS as a caller from outside has it, who believes an authority and shows a certificate, or none."""
    context = ssl.create_default_context(cadata=by.pair.certificate.decode())
    context.set_alpn_protocols(["h2"])
    if pair:
        path = folder / "shown.pem"
        path.write_bytes(pair.certificate + pair.key)
        context.load_cert_chain(path)
    return context


async def shown_by(target: str, context: ssl.SSLContext) -> bytes:
    """The certificate, in PEM, that a listener shows in a new handshake."""
    host, _, port = target.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    try:
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return ssl.DER_cert_to_PEM_cert(certificate).encode()
    finally:
        writer.close()


def write_settings(folder: Path, groups: Mapping[str, Mapping[str, Any]]) -> None:
    """The settings file of a pod, for an Envoy without a sidecar."""
    tree = {"limits": {"scope": "process"}, **_settings(folder, groups)}
    process.written(folder / "settings.yaml", tree)


def lines_of(log: Path) -> list[dict[str, Any]]:
    """The whole lines of a log of JSON."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


async def http_status(url: str) -> int:
    """What a GET is answered with."""
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status
