"""An issuer changes its keys under running streams: none breaks, and the change is believed at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc

from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest, StreamGenerateRequest
from tests.support import facts, mesh, rpc
from tests.support.tokens import AUDIENCE, ISSUER, SigningKey, key_server, soon

STREAMS = 50
CHUNKS = 30
OLD, NEW = SigningKey("ES256", "old"), SigningKey("EdDSA", "new")
ASK = GenerateRequest(model=facts.MODEL, prompt="hi")
SLOW = StreamGenerateRequest(model=facts.MODEL, prompt=f"hi [[emulate: chunks={CHUNKS} gap=100ms]]")
CALLER = f"spiffe://{mesh.DOMAIN}/ns/shop/sa/web"


def shown(key: SigningKey) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {key.token(exp=soon())}")]


async def rest_of(stream: AsyncIterator[Any]) -> int:
    return len([chunk async for chunk in stream])


async def test_streams_outlive_the_keys_that_let_them_in(tmp_path: Path) -> None:
    by = mesh.authority()
    rules = {"rules": [{"name": "all", "effect": "allow", "scopes": ["gemini.generate"]}]}
    async with key_server(OLD) as keys:
        issuer = {"name": "corp", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks_url": keys.url}
        async with (
            mesh.pod(tmp_path / "pod", by, rules, identity={"issuers": [issuer]}) as pod,
            mesh.channel(pod.inbound, by, mesh.issued(by, CALLER)) as outside,
            mesh.app_channel(pod.sidecar.address) as inside,
        ):
            app, caller = GeminiServiceStub(inside), GeminiServiceStub(outside)
            stubs = [app, caller] * (STREAMS // 2)
            streams = [aiter(stub.StreamGenerate(SLOW, metadata=shown(OLD))) for stub in stubs]
            firsts = await asyncio.gather(*map(anext, streams))
            assert all(first.candidates for first in firsts)

            keys.keys = [NEW.jwk()]
            believed = await rpc.ask(app, "Generate", ASK, metadata=shown(NEW))
            assert believed.code is grpc.StatusCode.OK
            withdrawn = await rpc.ask(app, "Generate", ASK, metadata=shown(OLD))
            assert (withdrawn.code, withdrawn.facts["cause"]) == (
                grpc.StatusCode.UNAUTHENTICATED,
                "token_key",
            )
            assert pod.upstream.observed.active > 0
            assert await asyncio.gather(*map(rest_of, streams)) == [CHUNKS - 1] * STREAMS
            assert keys.asked < 20
