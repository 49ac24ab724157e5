"""`gemini-sidecar drain` lets callers from outside go elsewhere: what runs may finish, nothing is cut."""

import asyncio
from pathlib import Path

import grpc

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import StreamGenerateRequest
from tests.support import facts, mesh, process, rpc, steady

STREAMS = 50
PER_SECOND = 25
CHUNKS = 20
LONG = StreamGenerateRequest(model=facts.MODEL, prompt=f"hi [[emulate: words=200 chunks={CHUNKS} gap=250ms]]")
"""Five seconds."""
SHORT = StreamGenerateRequest(model=facts.MODEL, prompt="hi")


async def test_streams_finish_while_new_calls_go_elsewhere(tmp_path: Path) -> None:
    """An app without a sidecar of its own calls two pods through its Envoy; one of them is drained."""
    by = mesh.authority()
    async with (
        mesh.pod(tmp_path / "leaving", by) as leaving,
        mesh.pod(tmp_path / "staying", by) as staying,
        mesh.gateway(tmp_path / "gateway", by, [leaving, staying]) as gemini,
    ):
        running = [asyncio.create_task(rpc.ask(gemini, "StreamGenerate", LONG)) for _ in range(STREAMS)]
        await both_have(leaving, staying, STREAMS)
        async with steady.load(gemini, PER_SECOND) as load:
            assert leaving.upstream.observed.active > 0, "else there is nothing to drain"
            drained = await process.run("drain", "--config", str(leaving.config), "--limit", "14s")
            assert (drained.code, drained.stderr) == (0, "")
            ends = await asyncio.gather(*running)
            received = leaving.upstream.observed.received
            before = staying.upstream.observed.finished
            await staying.upstream.wait_for(lambda seen: seen.finished > before + PER_SECOND)
            assert leaving.upstream.observed.received == received
        assert load.failed == []
        assert {(end.code, len(end.replies)) for end in ends} == {(grpc.StatusCode.OK, CHUNKS)}
        assert leaving.upstream.observed.cut == staying.upstream.observed.cut == 0


async def test_the_probe_and_the_app_tell_a_drain_apart(tmp_path: Path) -> None:
    """The kubelet sees that the pod takes no more callers; the app of the pod itself is served to the end."""
    by = mesh.authority()
    async with mesh.pod(tmp_path / "pod", by) as pod, mesh.app_channel(pod.app) as app:
        gemini = GeminiServiceStub(app)
        assert await mesh.http_status(f"http://{pod.envoy.address('probe')}/healthz") == 200
        assert await mesh.http_status(f"http://{pod.envoy.address('probe')}/stats") == 404
        assert (await process.run("drain", "--config", str(pod.config))).code == 0
        assert await mesh.http_status(f"http://{pod.envoy.address('probe')}/healthz") == 503
        before = await pod.envoy.stat("http.app.downstream_cx_total")
        for _ in range(5):
            assert (await rpc.ask(gemini, "StreamGenerate", SHORT)).code is grpc.StatusCode.OK
        assert await pod.envoy.stat("http.app.downstream_cx_total") - before <= 1


async def both_have(leaving: mesh.Pod, staying: mesh.Pod, together: int) -> None:
    """Wait until each of two pods has its part of the streams."""

    async def have() -> bool:
        parts = [pod.upstream.observed.received for pod in (leaving, staying)]
        return sum(parts) == together and min(parts) > together // 5

    await mesh.until(have)
