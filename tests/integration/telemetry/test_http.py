"""The HTTP port as clients see it: a real server on loopback, a real client, raw bytes where that refuses."""

import asyncio
import socket
import threading
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from sidecar.core.levels import GroupState, LimitsMode, LimitsReading
from sidecar.telemetry.http import TelemetryServer
from sidecar.telemetry.instruments import Instruments

ROUTES = ["/metrics", "/healthz", "/readyz"]


class Slow(Instruments):
    """Instruments whose exposition takes until `go` is set."""

    def __init__(self):
        super().__init__("1.2.3", {}, lambda: 0)
        self.go = threading.Event()

    def exposition(self, accept):
        self.go.wait(30)
        return super().exposition(accept)


class Limits:
    """A LimitsView of one group that is read anew with every scrape."""

    mode = LimitsMode.SHARE

    def __init__(self):
        self.readings = 0

    async def reading(self):
        self.readings += 1
        return LimitsReading([GroupState("budget/all", self.mode, (), waiting=self.readings)])


@asynccontextmanager
async def serving(instruments=None, why_unready=lambda: None, address="127.0.0.1:0"):
    made = instruments or Instruments("1.2.3", {}, lambda: 0)
    server = TelemetryServer(address, made, Limits(), why_unready)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def client_of(server):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as client:
        yield client


async def get(server, path):
    async with client_of(server) as client, client.get(path) as response:
        return response.status, await response.text()


async def exchange(server, request):
    """What comes back for these bytes, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_health_is_ok_while_it_runs():
    async with serving(why_unready=lambda: "draining") as server:
        assert await get(server, "/healthz") == (200, "ok\n")


async def test_readiness_is_asked_on_every_request():
    answers = ["starting", None, "draining"]
    async with serving(why_unready=lambda: answers.pop(0)) as server:
        assert await get(server, "/readyz") == (503, "starting\nlimits: share\n")
        assert await get(server, "/readyz") == (200, "ready\nlimits: share\n")
        assert await get(server, "/readyz") == (503, "draining\nlimits: share\n")


async def test_metrics_are_prometheus_text():
    async with serving() as server, client_of(server) as client, client.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        names = {family.name for family in parse_prometheus(await response.text())}
    assert "sidecar_build_info" in names


async def test_limits_are_read_with_every_scrape():
    async with serving() as server:
        for number in (1, 2):
            _, text = await get(server, "/metrics")
            assert f'sidecar_limit_waiting_calls{{group="budget/all"}} {number}.0' in text


async def test_metrics_are_openmetrics_for_a_prometheus_that_prefers_it():
    accept = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"}
    async with (
        serving() as server,
        client_of(server) as client,
        client.get("/metrics", headers=accept) as got,
    ):
        assert got.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        names = {family.name for family in parse_openmetrics(await got.text())}
    assert "sidecar_calls_shed" in names


@pytest.mark.parametrize("path", ROUTES)
async def test_head_is_get_without_a_body(path):
    async with serving() as server, client_of(server) as client, client.head(path) as response:
        assert response.status == 200
        assert await response.read() == b""
        assert int(response.headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_not_allowed(method, path):
    async with serving() as server, client_of(server) as client, client.request(method, path) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metrics/x", "/../etc/passwd", "/favicon.ico"])
async def test_other_paths_are_not_found(path):
    async with serving() as server, client_of(server) as client, client.get(path) as response:
        assert response.status == 404


@pytest.mark.parametrize("path", [*ROUTES, "/nowhere"])
async def test_no_answer_names_the_versions_of_the_server(path):
    async with serving() as server, client_of(server) as client:
        for method in ("GET", "POST"):
            async with client.request(method, path) as response:
                assert "Server" not in response.headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /healthz?" + b"x" * 3000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X-H: v\r\n" * 70 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-H: " + b"v" * 9000 + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["long-line", "many-headers", "long-header", "not-http", "tls"],
)
async def test_requests_out_of_bounds_are_refused_and_the_next_is_served(request_bytes):
    async with serving() as server:
        assert (await exchange(server, request_bytes)).startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
        assert await get(server, "/healthz") == (200, "ok\n")


async def test_a_body_that_never_comes_is_not_waited_for():
    request = b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    async with serving() as server:
        assert (await exchange(server, request)).startswith(b"HTTP/1.1 405")


async def test_a_slow_scrape_holds_up_nothing_and_a_crowd_of_them_is_refused():
    slow = Slow()
    async with serving(slow) as server, client_of(server) as client:

        async def scrape():
            async with client.get("/metrics") as response:
                return response.status

        async with asyncio.TaskGroup() as group:
            scrapes = [group.create_task(scrape()) for _ in range(5)]
            done, waiting = await asyncio.wait(scrapes, return_when=asyncio.FIRST_COMPLETED)
            assert [task.result() for task in done] == [503]
            assert await get(server, "/healthz") == (200, "ok\n")
            slow.go.set()
            assert [await task for task in waiting] == [200] * 4
        assert await scrape() == 200


async def test_an_address_in_use_raises_oserror():
    async with serving() as server:
        second = TelemetryServer(
            f"127.0.0.1:{server.port}", Instruments("1", {}, lambda: 0), Limits(), lambda: None
        )
        with pytest.raises(OSError, match="in use"):
            await second.start()
        await second.close()


async def test_closing_closes_idle_connections_and_the_port():
    async with serving() as server, client_of(server) as client:
        async with client.get("/healthz"):
            pass
        await server.close()
        await server.close()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get("/healthz")


@pytest.mark.parametrize("address", ["9464", ":9464", "127.0.0.1:http"])
def test_an_address_is_host_and_port(address):
    with pytest.raises(ValueError, match=r"host|port"):
        TelemetryServer(address, Instruments("1", {}, lambda: 0), Limits(), lambda: None)


async def test_ipv6_addresses_are_written_in_brackets():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with serving(address="[::1]:0") as server:
        reader, writer = await asyncio.open_connection("::1", server.port)
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"ok\n")
        writer.close()
        await writer.wait_closed()


async def test_repr_tells_whether_it_serves():
    server = TelemetryServer("127.0.0.1:0", Instruments("1", {}, lambda: 0), Limits(), lambda: None)
    assert repr(server) == "<TelemetryServer not serving 127.0.0.1:0>"
    await server.start()
    assert repr(server) == f"<TelemetryServer serving 127.0.0.1:{server.port}>"
    await server.close()
    assert server.port != 0
