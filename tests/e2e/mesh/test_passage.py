"""What reaches a sidecar through Envoy, and what does not: headers, deadlines, traces, connections. A
stand-in sits where the sidecar would, and keeps what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub, add_GeminiServiceServicer_to_server
from sidecar.v1.generate_pb2 import GenerateRequest, GenerateResponse
from tests.support import facts, mesh, rpc

ASK = GenerateRequest(model=facts.MODEL, prompt="hi")
DEADLINE_S = 30.0
CALLER = f"spiffe://{mesh.DOMAIN}/ns/other/sa/caller"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class StandIn:
    """Answers as a sidecar that is well, and keeps the metadata and the time left of the last call."""

    told: dict[str, list[str]] = field(default_factory=dict)
    left_s: float = 0.0

    async def Generate(self, request: GenerateRequest, context: Any) -> GenerateResponse:
        self.told = {}
        for key, value in context.invocation_metadata():
            self.told.setdefault(key, []).append(value)
        self.left_s = context.time_remaining()
        return GenerateResponse()

    async def Check(self, request: Any, context: Any) -> health_pb2.HealthCheckResponse:
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

    def __getattr__(self, name: str) -> Any:
        """The other methods of the services, which nobody calls."""
        return None


@dataclass(frozen=True, slots=True)
class Place:
    by: mesh.Authority
    envoy: mesh.Envoy
    sidecar: StandIn
    app: Any
    log: Path


@asynccontextmanager
async def place(folder: Path, **groups: dict[str, Any]) -> AsyncIterator[Place]:
    """An Envoy in front of a stand-in on both sockets."""
    by, sidecar = mesh.authority(), StandIn()
    async with AsyncExitStack() as stack:
        mesh.install(folder, by, mesh.issued(by))
        for name in ("local.sock", "envoy.sock"):
            server = grpc.aio.server()
            add_GeminiServiceServicer_to_server(sidecar, server)
            health_pb2_grpc.add_HealthServicer_to_server(sidecar, server)
            server.add_insecure_port(f"unix:{folder}/{name}")
            await server.start()
            stack.push_async_callback(server.stop, 0)
        mesh.write_settings(folder, groups)
        envoy = await stack.enter_async_context(mesh.envoy(folder))
        channel = await stack.enter_async_context(mesh.app_channel(envoy.address("app")))
        yield Place(by, envoy, sidecar, GeminiServiceStub(channel), folder / "access.jsonl")


FORGED = (
    ("x-forwarded-client-cert", f"By=x;URI={mesh.ID}"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-envoy-retry-on", "5xx"),
    ("x-envoy-max-retries", "9"),
    ("x-envoy-upstream-rq-timeout-ms", "1"),
    ("x-envoy-external-address", "10.0.0.1"),
    ("l5d-client-id", "somebody.else"),
)
OWN_WORD = "x-forwarded-proto"
"""What Envoy says itself."""
KEPT = (("x-request-id", "r-1"), ("x-priority", "batch"), ("authorization", "Bearer t"), ("own_key", "kept"))


async def test_what_the_app_says_of_itself_passes_and_what_it_forges_does_not(tmp_path: Path) -> None:
    async with place(tmp_path, identity={"mesh_header": "l5d-client-id"}) as there:
        metadata = [*FORGED, *KEPT]
        assert (await rpc.ask(there.app, "Generate", ASK, metadata=metadata)).code is grpc.StatusCode.OK
        told = there.sidecar.told
        assert {key: told.get(key) for key, _ in KEPT} == {key: [value] for key, value in KEPT}
        assert {key for key in told if key.startswith(("x-envoy-", "x-forwarded-", "l5d-"))} <= {OWN_WORD}


@pytest.mark.parametrize("mesh_header", ["l5d-client-id", "x-forwarded-client-cert"])
async def test_a_caller_from_outside_is_named_by_its_certificate_alone(
    mesh_header: str, tmp_path: Path
) -> None:
    async with (
        place(tmp_path, identity={"mesh_header": mesh_header}) as there,
        mesh.channel(there.envoy.address("inbound"), there.by, mesh.issued(there.by, CALLER)) as channel,
    ):
        ended = await rpc.ask(GeminiServiceStub(channel), "Generate", ASK, metadata=[*FORGED, *KEPT])
        assert ended.code is grpc.StatusCode.OK
        told = there.sidecar.told
        forged = {key for key, _ in FORGED} & set(told)
        assert forged - {"l5d-client-id"} == {"x-forwarded-client-cert"}
        assert ("l5d-client-id" in forged) is (mesh_header != "l5d-client-id"), "it means nothing then"
        (named,) = there.sidecar.told["x-forwarded-client-cert"]
        elements = dict(element.split("=", 1) for element in named.split(";"))
        assert set(elements) == {"By", "Hash", "URI"}
        assert (elements["URI"], elements["By"]) == (CALLER, mesh.ID)
        assert there.sidecar.told["authorization"] == ["Bearer t"]


@pytest.mark.parametrize(("timeout_s", "least_s", "most_s"), [(5.0, 0.0, 5.0), (None, 30.0, 35.0)])
async def test_the_sidecar_knows_the_deadline_of_the_caller_or_the_default(
    tmp_path: Path, timeout_s: float | None, least_s: float, most_s: float
) -> None:
    async with place(tmp_path, deadline={"default": "30s"}) as there:
        ended = await rpc.ask(there.app, "Generate", ASK, timeout_s=timeout_s)
        assert ended.code is grpc.StatusCode.OK
        assert least_s < there.sidecar.left_s <= most_s


async def test_each_request_is_a_line_of_json(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        await rpc.ask(there.app, "Generate", ASK, metadata=KEPT)

        async def is_there() -> bool:
            return bool(mesh.lines_of(there.log))

        await mesh.until(is_there)
        (line,) = mesh.lines_of(there.log)
        wanted = {
            "kind": "request",
            "listener": "app",
            "method": "/sidecar.v1.GeminiService/Generate",
            "status": "OK",
            "attempts": 1,
            "request_id": "r-1",
        }
        assert {key: line.get(key) for key in wanted} == wanted
        assert "Bearer" not in json.dumps(line)


async def test_traces_go_to_the_collector(tmp_path: Path) -> None:
    exported: asyncio.Queue[bytes] = asyncio.Queue(maxsize=100)

    async def export(request: bytes, context: Any) -> bytes:
        exported.put_nowait(request)
        return b""

    handler = grpc.unary_unary_rpc_method_handler(export)
    service, method = EXPORT[1:].split("/")
    collector = grpc.aio.server()
    collector.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    port = collector.add_insecure_port("127.0.0.1:0")
    await collector.start()
    async with place(tmp_path, envoy={"otlp_address": f"127.0.0.1:{port}"}) as there:
        parent = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        await rpc.ask(there.app, "Generate", ASK, metadata=[parent])
        assert there.sidecar.told["traceparent"][0].startswith("00-0af7651916cd43dd8448eb211c80319c-")
        spans = await asyncio.wait_for(exported.get(), mesh.PATIENCE_S)
        assert bytes.fromhex("0af7651916cd43dd8448eb211c80319c") in spans
    await collector.stop(0)


async def test_more_connections_than_allowed_are_closed_as_they_come(tmp_path: Path) -> None:
    async with place(tmp_path, envoy={"max_connections": 2}) as there:
        await rpc.ask(there.app, "Generate", ASK)
        async with AsyncExitStack() as stack:
            codes = []
            for _ in range(3):
                caller = mesh.channel(there.envoy.address("inbound"), there.by, mesh.issued(there.by, CALLER))
                channel = await stack.enter_async_context(caller)
                ended = await rpc.ask(GeminiServiceStub(channel), "Generate", ASK)
                codes.append(ended.code)
        assert codes == [grpc.StatusCode.OK, grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE]


async def test_strangers_who_take_all_connections_keep_neither_app_nor_kubelet_out(tmp_path: Path) -> None:
    async with place(tmp_path, envoy={"max_connections": 4}) as there:
        host, port = there.envoy.address("inbound").rsplit(":", 1)
        strangers = [await asyncio.open_connection(host, int(port)) for _ in range(8)]
        try:
            async with mesh.app_channel(there.envoy.address("app")) as channel:
                ended = await rpc.ask(GeminiServiceStub(channel), "Generate", ASK, timeout_s=10.0)
            assert ended.code is grpc.StatusCode.OK
            assert await mesh.http_status(f"http://{there.envoy.address('probe')}/healthz") == 200
        finally:
            for _, writer in strangers:
                writer.close()
