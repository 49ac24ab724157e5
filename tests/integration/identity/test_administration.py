"""AdminService and the audit trail of a real sidecar, by its local listener and from outside."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from sidecar.config.faults import ConfigError
from sidecar.core.policy import Policy
from sidecar.core.rules import Effect, Rules
from sidecar.v1.admin_pb2 import DrainRequest, ExplainRequest, SidecarHealth, WatchRequest
from sidecar.v1.admin_service_pb2_grpc import AdminServiceStub
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from sidecar.v1.quota_pb2 import GetQuotaRequest
from sidecar.v1.quota_service_pb2_grpc import QuotaServiceStub
from tests.support import facts, rpc
from tests.support.sidecar import Served, serving
from tests.support.tokens import AUDIENCE, ISSUER, SigningKey, key_set

HI = GenerateRequest(model=facts.MODEL, prompt="hi")
KEY = SigningKey()
POD = "spiffe://corp/ns/ai/sa/gemini"


def bearer(**claims: Any) -> list[tuple[str, str]]:
    """Metadata with a token that holds now."""
    expires = int(datetime.now(UTC).timestamp()) + 600
    return [("authorization", f"Bearer {KEY.token(**{'exp': expires, **claims})}")]


def certified(spiffe_id: str) -> list[tuple[str, str]]:
    return [("x-forwarded-client-cert", f"By={POD};Hash=00;URI={spiffe_id}")]


@asynccontextmanager
async def administered(folder: Path, policy: Policy | None = None) -> AsyncIterator[tuple[Served, Any]]:
    """A sidecar with a trail and a socket for Envoy, and a channel to that socket."""
    (folder / "keys.json").write_bytes(key_set(KEY.jwk()))
    issuer = {
        "name": "corp",
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "jwks_file": folder / "keys.json",
    }
    socket = folder / "envoy.sock"
    async with (
        serving(
            policy,
            identity={"principal": POD, "issuers": [issuer]},
            listen={"address": "127.0.0.1:0", "envoy_socket": socket},
            audit={"file": folder / "audit.jsonl"},
        ) as served,
        grpc.aio.insecure_channel(f"unix:{socket}") as remote,
    ):
        yield served, remote


def trail(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


async def test_the_pod_drains_its_sidecar_and_watches_it_leave(tmp_path: Path) -> None:
    async with administered(tmp_path) as (served, _):
        admin = AdminServiceStub(served.channel)
        watch = admin.Watch(WatchRequest())
        assert (await watch.read()).health == SidecarHealth.SIDECAR_HEALTH_SERVING
        assert (await admin.Drain(DrainRequest())).in_flight == 0
        assert (await watch.read()).health == SidecarHealth.SIDECAR_HEALTH_DRAINING
        assert await watch.read() is grpc.aio.EOF
        ended = await rpc.ask(served.gemini, "Generate", HI)
        assert (ended.reason, ended.trailers["x-safe-retry"]) == ("DRAINING", "1")
        assert (await admin.Drain(DrainRequest())).in_flight == 0
    assert [record["event"] for record in trail(tmp_path)] == [
        "started",
        "policy",
        *["administered"] * 2,
        "stopped",
    ]


async def test_from_outside_the_scope_of_administrators_is_needed(tmp_path: Path) -> None:
    async with administered(tmp_path) as (_, remote):
        admin, quota = AdminServiceStub(remote), QuotaServiceStub(remote)
        for metadata in (certified(POD), [*certified(POD), *bearer(scope="gemini.generate")]):
            for ended in (
                await rpc.ask(admin, "Drain", DrainRequest(), metadata=metadata),
                await rpc.ask(quota, "GetQuota", GetQuotaRequest(), metadata=metadata),
            ):
                assert (ended.code, ended.reason) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
                assert ended.facts["scope"] == "sidecar.admin"
        allowed = [*certified(POD), *bearer(scope="sidecar.admin")]
        assert (await rpc.ask(quota, "GetQuota", GetQuotaRequest(), metadata=allowed)).replies
        told = (await rpc.ask(admin, "Explain", ExplainRequest(model="m"), metadata=allowed)).replies[0]
        assert (told.principal, told.listener, told.subject) == (POD, "envoy", "jwt:corp/alice")
    assert [record["event"] for record in trail(tmp_path)] == [
        "started",
        "policy",
        *["denied"] * 4,
        "stopped",
    ]


async def test_a_stranger_is_let_in_by_the_policy_alone(tmp_path: Path, emulator: Any) -> None:
    web = "spiffe://corp/ns/shop/sa/web"
    endpoint = facts.gemini(emulator.base_url)
    for default, code in ((None, "PERMISSION_DENIED"), (Effect.ALLOW, "OK")):
        policy = facts.policy(endpoint, rules=Rules((), default))
        async with administered(tmp_path, policy) as (_, remote):
            ended = await rpc.ask(GeminiServiceStub(remote), "Generate", HI, metadata=certified(web))
            assert ended.code.name == code
    (denied,) = (record for record in trail(tmp_path) if record["event"] == "denied")
    assert (denied["principal"], denied["rule"], denied["method"]) == (web, "default", "Generate")


async def test_a_trail_that_cannot_be_written_keeps_a_sidecar_from_starting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"audit\.file(.|\n)*cannot be written to"):
        async with serving(audit={"file": tmp_path / "nowhere" / "audit.jsonl"}):
            pass
