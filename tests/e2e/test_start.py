"""The beginning of a sidecar's life, in a process of its own: how soon it is ready, how small it is, and what
a configuration that cannot be used is told.
"""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import grpc.aio
import psutil
import pytest

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import process

READY_S = 3.0
"""Meant are 0.8 s on a machine of one's own; this one may be shared."""
IDLE_BYTES = 80 << 20
NOWHERE = ("--listen", "127.0.0.1:0", "--telemetry-address", "")


async def test_a_sidecar_is_ready_soon_and_small_when_idle(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    flags = process.configured(tmp_path, "https://gemini.test")
    began = perf_counter()
    async with process.serving(*flags) as sidecar:
        ready_s = perf_counter() - began
        idle_bytes = psutil.Process(sidecar.pid).memory_info().rss
    record_property("ready_s", ready_s)
    record_property("idle_rss_bytes", idle_bytes)
    assert ready_s < READY_S
    assert idle_bytes < IDLE_BYTES


async def test_a_sidecar_that_says_it_serves_answers_at_once() -> None:
    async with (
        process.serving("--limits-scope", "process", "--emulator") as sidecar,
        grpc.aio.insecure_channel(sidecar.address) as channel,
    ):
        answer = await GeminiServiceStub(channel).Generate(
            GenerateRequest(model="gemini-3.8-flash", prompt="hi"), timeout=5
        )
        assert answer.candidates


async def refused(*flags: str, **environment: str) -> str:
    """What is told of a configuration that cannot be used; it is told on stderr, and no traceback with it."""
    ended = await process.run("serve", *NOWHERE, *flags, **environment)
    assert (ended.code, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    return ended.stderr


async def test_without_credentials_and_scope_both_are_told_at_once() -> None:
    told = await refused()
    assert told.startswith("The configuration has 2 faults:")
    assert "limits.scope" in told
    assert "no credentials" in told


async def test_without_credentials_there_is_no_start() -> None:
    told = await refused("--limits-scope", "process")
    assert told.startswith("The configuration has 1 fault:")
    assert "GEMINI_API_KEY" in told


async def test_without_a_scope_of_limits_there_is_no_start() -> None:
    told = await refused("--emulator")
    assert told.startswith("The configuration has 1 fault:")
    assert "limits.scope: process" in told


async def test_an_emulator_beside_a_policy_file_is_refused(tmp_path: Path) -> None:
    told = await refused(*process.configured(tmp_path, "https://gemini.test"), "--emulator")
    assert told.startswith("The configuration has 1 fault:")
    assert "--emulator" in told


async def test_a_bad_settings_file_is_told_with_its_place(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("limits: {scope: process}\nlisten: {address: [}\n")
    told = await refused("--config", str(settings), "--emulator")
    assert f"{settings}:2" in told


async def test_a_key_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    flags = process.configured(tmp_path, "https://gemini.test")
    key = tmp_path / "key"
    key.unlink()
    key.mkdir()  # no permission would keep root from reading
    told = await refused(*flags)
    assert "projects[0].key" in told
    assert str(key) in told


async def test_an_address_beyond_the_loopback_is_refused() -> None:
    told = await refused("--limits-scope", "process", "--emulator", "--listen", "0.0.0.0:50051")
    assert "listen.address" in told
    assert "loopback" in told


@pytest.mark.parametrize(
    ("flag", "key"), [("--listen", "listen.address"), ("--telemetry-address", "telemetry.address")]
)
async def test_a_port_that_is_taken_is_refused(flag: str, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        told = await refused("--limits-scope", "process", "--emulator", flag, address)
    assert told.startswith("The configuration has 1 fault:")
    assert key in told
    assert address in told


async def test_a_socket_that_a_live_sidecar_serves_is_refused(tmp_path: Path) -> None:
    flags = ["--limits-scope", "process", "--emulator", "--socket", str(tmp_path / "local.sock")]
    async with process.serving(*flags):
        told = await refused(*flags)
    assert "listen.socket" in told
    assert "served by a live process" in told


async def test_grpc_has_nothing_to_say_of_how_it_is_set() -> None:
    """It complains of experiments that it does not know, amid our lines: then calls cost more as well."""
    async with process.serving("--limits-scope", "process", "--emulator") as sidecar:
        assert sidecar.noise == []
    async with process.serving(
        "--limits-scope", "process", "--emulator", GRPC_EXPERIMENTS="-no_such_word"
    ) as sidecar:
        assert "no_such_word" in "".join(sidecar.noise), "the assertion above could not fail"


@pytest.mark.skipif(sys.platform != "linux", reason="the policies of Linux")
async def test_all_threads_but_the_loops_give_way() -> None:
    async with process.serving("--limits-scope", "process", "--emulator") as sidecar:
        threads = [thread.id for thread in psutil.Process(sidecar.pid).threads()]
        policies = {thread: os.sched_getscheduler(thread) for thread in threads}
    assert policies.pop(sidecar.pid) == os.SCHED_OTHER
    assert set(policies.values()) == {os.SCHED_BATCH}
