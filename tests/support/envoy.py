"""The real Envoy in front of sidecars, as in a pod: h2c in, unix sockets out, health checks, local first.

The first socket is the local sidecar and the next ones are its peers, asked only when the ones before are
unhealthy. A call is repeated, at the next one, only where nothing was sent to a model: the connection failed,
the stream was refused, or the sidecar says `x-safe-retry`.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = str(Path(sys.executable).with_name("envoy"))
PATIENCE_S = 15.0
"""How long a test waits for what must happen; reached only by a failure."""

_API = "type.googleapis.com/envoy.extensions"
_LOOPBACK = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
_RETRY = {
    "retry_on": "connect-failure,refused-stream,reset-before-request,retriable-headers",
    "retriable_headers": [{"name": "x-safe-retry", "present_match": True}],
    "num_retries": 2,
    "retry_back_off": {"base_interval": "0.001s"},
    "retry_priority": {
        "name": "previous",
        "typed_config": {
            "@type": f"{_API}.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
            "update_frequency": 1,
        },
    },
}
_HEALTH_CHECK = {
    "interval": "0.1s",
    "no_traffic_interval": "0.1s",
    "timeout": "5s",
    "healthy_threshold": 1,
    "unhealthy_threshold": 1,
    "grpc_health_check": {"service_name": "sidecar.v1.GeminiService"},
}


class Envoy:
    """One running Envoy."""

    def __init__(self, address: str, admin_url: str) -> None:
        self.address = address
        """The gRPC target in front of the sidecars."""
        self._admin_url = admin_url

    def __repr__(self) -> str:
        return f"<Envoy at {self.address}>"

    async def counter(self, name: str) -> int:
        """A counter of the cluster of sidecars, such as `upstream_rq_retry`."""
        stats = await _get(f"{self._admin_url}/stats?format=json&filter=^cluster.sidecars.{name}$")
        return int(stats["stats"][0]["value"])


@asynccontextmanager
async def serving(folder: Path, sockets: Sequence[Path]) -> AsyncIterator[Envoy]:
    """An Envoy that is ready: each of the sidecars has been asked for its health once."""
    admin = folder / "envoy-admin"
    child = await asyncio.create_subprocess_exec(
        PROGRAM,
        *("--config-yaml", json.dumps(_bootstrap(sockets))),
        *("--admin-address-path", str(admin)),
        *("--disable-hot-restart", "--concurrency", "1", "--log-level", "info"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stderr
    log: list[str] = []
    reader = asyncio.create_task(_read(child.stderr, log, started := asyncio.Event()))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await started.wait()
        assert not reader.done(), "\n".join(log)
        admin_url = f"http://{admin.read_text().strip()}"
        listeners = await _get(f"{admin_url}/listeners?format=json")
        place = listeners["listener_statuses"][0]["local_address"]["socket_address"]
        yield Envoy(f"{place['address']}:{place['port_value']}", admin_url)
    finally:
        if not reader.done():
            child.terminate()  # Envoy takes this for an order to end at once
        await reader
        await child.wait()


async def _read(stream: asyncio.StreamReader, log: list[str], started: asyncio.Event) -> None:
    """Keep reading, so that Envoy is never held up by its own log."""
    async for line in stream:
        log.append(line.decode().rstrip("\n"))
        if b"starting workers" in line:
            started.set()
    started.set()


async def _get(url: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return json.loads(await response.text())


def _bootstrap(sockets: Sequence[Path]) -> dict[str, Any]:
    route = {
        "match": {"prefix": "/"},
        "route": {"cluster": "sidecars", "timeout": "0s", "retry_policy": _RETRY},
    }
    connection_manager = {
        "@type": f"{_API}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "codec_type": "HTTP2",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_API}.filters.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "in",
        "address": _LOOPBACK,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": connection_manager}]}],
    }
    return {
        "admin": {"address": _LOOPBACK},
        "static_resources": {"listeners": [listener], "clusters": [_cluster(sockets)]},
    }


def _cluster(sockets: Sequence[Path]) -> dict[str, Any]:
    localities = [
        {
            "priority": priority,
            "lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": str(socket)}}}}],
        }
        for priority, socket in enumerate(sockets)
    ]
    return {
        "name": "sidecars",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "sidecars", "endpoints": localities},
        "health_checks": [_HEALTH_CHECK],
        # Three by default: when a sidecar leaves, all its callers are refused and repeated at the same time.
        "circuit_breakers": {"thresholds": [{"max_retries": 1000}]},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_API}.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }
