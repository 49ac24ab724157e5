"""A sidecar that says UNAVAILABLE because its upstream is down stays where it is: any other would say the
same."""

from pathlib import Path

import grpc

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import facts, mesh, rpc

DOWN = GenerateRequest(model=facts.MODEL, prompt="hi [[emulate: fault=unavailable]]")
ASK = GenerateRequest(model=facts.MODEL, prompt="hi")
CALLS = 10
"""Many times what would eject a place that is counted as failing."""


async def test_a_sidecar_whose_upstream_is_down_is_not_ejected(tmp_path: Path) -> None:
    async with (
        mesh.replicas(tmp_path) as both,
        mesh.channel(both.local.inbound, both.by, mesh.issued(both.by)) as outside,
    ):
        for gemini in (both.gemini, GeminiServiceStub(outside)):
            for _ in range(CALLS):
                ended = await rpc.ask(gemini, "Generate", DOWN)
                assert (ended.code, ended.reason) == (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
            assert (await rpc.ask(gemini, "Generate", ASK)).code is grpc.StatusCode.OK
        for cluster in ("local", "remote"):
            assert (
                await both.local.envoy.stat(f"cluster.{cluster}.outlier_detection.ejections_enforced_total")
                == 0
            )
            assert await both.local.envoy.stat(f"cluster.{cluster}.membership_healthy") == 1
        received, by_the_peer = both.received
        assert received >= 2 * (CALLS + 1), "what the sidecar itself repeats comes on top"
        assert by_the_peer == 0
