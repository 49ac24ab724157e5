"""Where a sidecar can be called: ports and sockets, who is refused one, and what connections may do."""

import asyncio
import os
import re
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sidecar.config.faults import ConfigError, Fault
from sidecar.emulator import Emulator
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import facts, relay, rpc
from tests.support.sidecar import Served, serving, settings

ASK = GenerateRequest(model=facts.MODEL, prompt="hi")
STALL = GenerateRequest(model=facts.MODEL, prompt="hi [[emulate: fault=stall]]")
PING_INTERVAL_S = 10.0
"""How often a caller may ping an idle connection."""
TOLERATED = 2
"""Pings that may come too early. The one after them is still answered, and then the connection ends."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "local.sock"


@asynccontextmanager
async def client_of(target: object) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(str(target)) as channel:
        yield GeminiServiceStub(channel)


def mode_of(path: Path) -> int | None:
    """The permissions of a socket, None when there is none."""
    return stat.S_IMODE(path.stat().st_mode) if path.is_socket() else None


async def refusal(**groups: dict[str, Any]) -> Fault:
    """Why a sidecar cannot start."""
    with pytest.raises(ConfigError) as caught:
        async with serving(None, **groups):
            pytest.fail("it serves")
    (fault,) = caught.value.faults
    return fault


async def test_the_socket_is_for_owner_and_group(path: Path) -> None:
    async with serving(listen={"socket": path}):
        assert mode_of(path) == 0o660
        async with client_of(f"unix:{path}") as gemini:
            assert (await gemini.Generate(ASK)).candidates


async def test_the_socket_has_never_been_for_others(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who connects between bind and chmod is served like anybody else."""
    monkeypatch.delattr(os, "chmod")
    before = os.umask(0)
    try:
        async with serving(listen={"socket": path}):
            assert mode_of(path) == 0o660
            assert os.umask(0) == 0, "what the process was started with"
    finally:
        os.umask(before)


async def test_a_socket_of_another_kind_that_lives_is_refused_and_stays(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as live:
        live.bind(str(path))
        assert "served by a live process" in (await refusal(listen={"socket": path})).reason
        assert mode_of(path)


async def test_the_socket_is_gone_when_the_sidecar_is(path: Path) -> None:
    async with serving(listen={"socket": path}):
        assert mode_of(path)
    assert mode_of(path) is None


async def test_a_socket_that_a_dead_process_left_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(listen={"socket": path}), client_of(f"unix:{path}") as gemini:
        assert (await gemini.Generate(ASK)).candidates


async def test_a_socket_that_a_sidecar_serves_is_refused_and_stays_its_own(path: Path) -> None:
    async with serving(listen={"socket": path}) as first:
        fault = await refusal(listen={"socket": path})
        assert (fault.path, fault.value) == ("listen.socket", f"unix:{path}")
        assert "served by a live process" in fault.reason
        assert "--socket" in fault.remedy
        async with client_of(f"unix:{path}") as gemini:
            await gemini.Generate(ASK)
        assert first.sidecar.gate.in_flight == 0


async def test_a_socket_that_comes_to_life_after_the_settings_were_read_is_refused(path: Path) -> None:
    """The settings refuse what stands there when they are read; the listener looks again."""
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(path))
        live.listen()
        assert "served by a live process" in (await refusal(listen={"socket": path})).reason
    assert mode_of(path)


def test_what_is_no_socket_is_never_replaced(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(ValueError, match="not a socket"):
        settings(listen={"socket": path})
    assert path.read_text() == "precious"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_port_0_is_any_free_one_and_is_told(host: str) -> None:
    async with serving(listen={"address": f"{host}:0"}) as served:
        (address,) = served.sidecar.addresses
        assert re.fullmatch(re.escape(host) + r":[1-9]\d*", address)
        async with client_of(address) as gemini:
            assert (await gemini.Generate(ASK)).candidates


async def test_a_port_that_a_sidecar_serves_is_refused() -> None:
    """grpc would share it: each of the two would get half of the calls."""
    async with serving() as first:
        address = first.sidecar.addresses[0]
        fault = await refusal(listen={"address": address})
        assert (fault.path, fault.value) == ("listen.address", address)
        assert "cannot be bound" in fault.reason
        assert "--listen" in fault.remedy
        assert (await first.gemini.Generate(ASK)).candidates


async def test_a_sidecar_that_is_refused_one_place_leaves_the_others_free(path: Path) -> None:
    async with serving() as first:
        await refusal(listen={"address": first.sidecar.addresses[0], "socket": path})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        await refusal(telemetry={"address": address}, listen={"socket": path})
    async with serving(listen={"socket": path}) as served:
        assert f"unix:{path}" in served.sidecar.addresses


async def test_the_socket_for_envoy_is_for_owner_and_group_and_tells_its_health(tmp_path: Path) -> None:
    async with serving(listen={"envoy_socket": tmp_path / "envoy.sock"}) as served:
        assert mode_of(tmp_path / "envoy.sock") == 0o660
        target = f"unix:{tmp_path / 'envoy.sock'}"
        assert target in served.sidecar.addresses
        async with grpc.aio.insecure_channel(target) as channel:
            request = health_pb2.HealthCheckRequest(service="sidecar.v1.GeminiService")
            status = await health_pb2_grpc.HealthStub(channel).Check(request)
            assert status.status is health_pb2.HealthCheckResponse.SERVING


async def test_a_caller_at_the_socket_for_envoy_needs_a_certificate(tmp_path: Path) -> None:
    async with serving(listen={"envoy_socket": tmp_path / "envoy.sock"}):
        async with client_of(f"unix:{tmp_path / 'envoy.sock'}") as gemini:
            ended = await rpc.ask(gemini, "Generate", ASK)
        assert (ended.code, ended.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
        assert ended.facts["cause"] == "certificate_missing"


async def test_a_socket_for_envoy_that_a_sidecar_serves_is_refused(path: Path) -> None:
    async with serving(listen={"envoy_socket": path}):
        fault = await refusal(listen={"envoy_socket": path})
        assert (fault.path, fault.value) == ("listen.envoy_socket", f"unix:{path}")
        assert "listen.envoy_socket" in fault.remedy


@pytest.mark.parametrize("address", ["0.0.0.0:0", "192.0.2.1:50051", "[::]:0", "sidecar.test:50051"])
async def test_an_address_beyond_the_loopback_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"listen.address(.|\n)*loopback"):
        settings(listen={"address": address})


async def test_both_listeners_are_one_sidecar(path: Path, emulator: Emulator) -> None:
    policy = facts.policy(facts.gemini(emulator.base_url))
    async with (
        serving(policy, listen={"socket": path, "max_in_flight": 1}) as served,
        client_of(f"unix:{path}") as on_socket,
    ):
        first = await rpc.ask(on_socket, "Generate", ASK)
        second = await rpc.ask(served.gemini, "Generate", ASK)
        (project,) = {ended.replies[0].call.served.project for ended in (first, second)}
        assert project == policy.endpoints[0].project

        stalled = served.gemini.Generate(STALL)
        await emulator.wait_for(lambda seen: seen.active == 1)
        assert (await rpc.ask(on_socket, "Generate", ASK)).reason == "OVERLOADED"
        stalled.cancel()


async def test_both_listeners_drain(path: Path, emulator: Emulator) -> None:
    async with (
        serving(facts.policy(facts.gemini(emulator.base_url)), listen={"socket": path}) as served,
        client_of(f"unix:{path}") as on_socket,
    ):
        slow = GenerateRequest(model=facts.MODEL, prompt="hi [[emulate: latency=300ms]]")
        calls = [asyncio.create_task(rpc.ask(stub, "Generate", slow)) for stub in (served.gemini, on_socket)]
        await emulator.wait_for(lambda seen: seen.active == 2)
        await served.sidecar.drain()
        assert [(await call).code for call in calls] == [grpc.StatusCode.OK] * 2
        for address in served.sidecar.addresses:
            async with client_of(address) as late:
                assert (await rpc.ask(late, "Generate", ASK)).code is grpc.StatusCode.UNAVAILABLE


async def test_a_caller_who_vanishes_without_a_word_is_noticed(emulator: Emulator) -> None:
    """No reset and no end arrives, as when a machine is switched off: only pings tell."""
    keepalive = {"keepalive_time": 0.3, "keepalive_timeout": 0.3}
    async with (
        serving(facts.policy(facts.gemini(emulator.base_url)), listen=keepalive) as served,
        relay.serving(served.sidecar.addresses[0]) as hop,
        client_of(hop.address) as gemini,
    ):
        call = gemini.Generate(STALL)
        await emulator.wait_for(lambda seen: seen.active == 1)
        hop.freeze()
        await emulator.wait_for(lambda seen: seen.disconnected == 1)
        call.cancel()


class Http2:
    """A bare HTTP/2 connection without a call: pings when told to."""

    PING, GOAWAY, ACK = 6, 7, 1

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(4))

    async def ping(self) -> str | None:
        """Ping; returns None when that is answered, else the text of the GOAWAY that comes instead."""
        self._writer.write(self._frame(self.PING, payload=os.urandom(8)))
        while True:
            header = await self._reader.readexactly(9)
            kind, flags = header[3], header[4]
            payload = await self._reader.readexactly(int.from_bytes(header[:3], "big"))
            if kind == self.GOAWAY:
                return payload[8:].decode()
            if (kind, flags) == (self.PING, self.ACK):
                return None

    @staticmethod
    def _frame(kind: int, payload: bytes = b"") -> bytes:
        return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + bytes(4) + payload


@asynccontextmanager
async def idle_connection(served: Served) -> AsyncIterator[Http2]:
    host, _, port = served.sidecar.addresses[0].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Http2(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_caller_who_keeps_pinging_too_fast_is_sent_away() -> None:
    async with serving() as served, idle_connection(served) as connection:
        for _ in range(1 + TOLERATED + 1):
            assert await connection.ping() is None
        assert await connection.ping() == "too_many_pings"


async def test_a_ping_at_the_documented_interval_is_not_too_early() -> None:
    """What is tolerated is used up, so had this ping been too early, the next would find the end."""
    async with serving() as served, idle_connection(served) as connection:
        for _ in range(1 + TOLERATED):
            assert await connection.ping() is None
        await asyncio.sleep(PING_INTERVAL_S)  # the interval itself is under test
        assert await connection.ping() is None
        assert await connection.ping() is None
        assert await connection.ping() == "too_many_pings"
