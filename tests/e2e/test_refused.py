"""Whoever may not call is refused, with the status that says so, and it is written down: one table.

A case is tried against one pod that is there for all of them; it must leave nothing behind.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from sidecar.mesh.authority import Authority, Pair
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from tests.support import facts, mesh, rpc

ASK = GenerateRequest(model=facts.MODEL, prompt="hi")
STRANGER = f"spiffe://{mesh.DOMAIN}/ns/other/sa/stranger"
FORGED = ("x-forwarded-client-cert", f"URI={mesh.ID}")


@dataclass(frozen=True, slots=True)
class Place:
    """The pod, and who is believed there."""

    pod: mesh.Pod
    by: Authority
    folder: Path

    def issued(self, spiffe_id: str = mesh.ID, lasts: timedelta = mesh.LASTS) -> Pair:
        """A certificate that the pod's authority has issued."""
        return mesh.issued(self.by, spiffe_id, lasts)


Attempt = Callable[[Place], Awaitable[str]]
"""Tries something; returns how it ended: the name of a gRPC status, or what TLS said."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is tried, how it ends, and what of it is written down: parts of fields of a line of Envoy's
    log."""

    attempt: Attempt
    ended: str
    recorded: Mapping[str, str]


def call(
    shown: Callable[[Place], Pair | None], *metadata: tuple[str, str], method: str = "Generate"
) -> Attempt:
    """A call from outside, by a new connection, with this certificate."""

    async def attempt(place: Place) -> str:
        async with mesh.channel(place.pod.inbound, place.by, shown(place)) as channel:
            ended = await rpc.ask(GeminiServiceStub(channel), method, ASK, metadata=metadata)
        return ended.code.name

    return attempt


async def reflection(place: Place) -> str:
    """The list of services, asked for from outside by a caller with the rights of the pod."""

    async def requests() -> AsyncIterator[Any]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")

    async with mesh.channel(place.pod.inbound, place.by, place.issued()) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        try:
            async for _ in stub.ServerReflectionInfo(requests(), timeout=mesh.PATIENCE_S):
                return "answered"
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "ended"


async def tls_1_2(place: Place) -> str:
    """A handshake of the version before the one that is required."""
    context = mesh.tls(place.folder, place.by, place.issued())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        await mesh.shown_by(place.pod.inbound, context)
    except ssl.SSLError as error:
        return str(error.reason)
    return "accepted"


async def plaintext(place: Place) -> str:
    """HTTP/2 without TLS."""
    async with mesh.app_channel(place.pod.inbound) as channel:
        return (await rpc.ask(GeminiServiceStub(channel), "Generate", ASK)).code.name


def foreign(place: Place) -> Pair:
    return mesh.issued(mesh.authority())


def nameless(place: Place) -> Pair:
    """A certificate of the right authority that names a host and nobody."""
    return place.issued("https://shop.test/cart")


REFUSED: Mapping[str, Case] = {
    "no client certificate": Case(
        call(lambda place: None), "UNAVAILABLE", {"refused": "PEER_DID_NOT_RETURN_A_CERTIFICATE"}
    ),
    "foreign authority": Case(call(foreign), "UNAVAILABLE", {"refused": "CERTIFICATE_VERIFY_FAILED"}),
    "wrong trust domain": Case(
        call(lambda place: place.issued("spiffe://other.test/ns/shop/sa/cart")),
        "UNAVAILABLE",
        {"refused": "CERTIFICATE_VERIFY_FAILED"},
    ),
    "trust domain that begins alike": Case(
        call(lambda place: place.issued(f"spiffe://{mesh.DOMAIN}.evil.test/ns/shop/sa/cart")),
        "UNAVAILABLE",
        {"refused": "CERTIFICATE_VERIFY_FAILED"},
    ),
    "certificate without a SPIFFE id": Case(
        call(nameless), "UNAVAILABLE", {"refused": "CERTIFICATE_VERIFY_FAILED"}
    ),
    "expired certificate": Case(
        call(lambda place: place.issued(lasts=timedelta(minutes=-1))),
        "UNAVAILABLE",
        {"refused": "CERTIFICATE_VERIFY_FAILED"},
    ),
    "TLS 1.2": Case(tls_1_2, "TLSV1_ALERT_PROTOCOL_VERSION", {"refused": "UNSUPPORTED_PROTOCOL"}),
    "no TLS": Case(plaintext, "UNAVAILABLE", {"refused": "WRONG_VERSION_NUMBER"}),
    "forged x-forwarded-client-cert through Envoy": Case(
        call(lambda place: place.issued(STRANGER), FORGED),
        "PERMISSION_DENIED",
        {"status": "PERMISSION_DENIED", "peer": STRANGER},
    ),
    "remote reflection": Case(
        reflection, "PERMISSION_DENIED", {"status": "PERMISSION_DENIED", "peer": mesh.ID}
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("refused")
    by = mesh.authority()
    async with mesh.pod(folder / "pod", by) as pod:
        yield Place(pod, by, folder)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_it_is_refused_and_written_down(case: Case, place: Place) -> None:
    before = len(place.pod.access_log)
    received = place.pod.upstream.observed.received
    assert await case.attempt(place) == case.ended

    async def is_recorded() -> bool:
        lines = place.pod.access_log[before:]
        return any(
            all(part in str(line.get(field)) for field, part in case.recorded.items()) for line in lines
        )

    await mesh.until(is_recorded)
    assert place.pod.upstream.observed.received == received


@pytest.mark.asyncio(loop_scope="module")
async def test_who_may_call_is_answered_at_the_same_place(place: Place) -> None:
    """Else the table would hold for a pod that refuses everybody."""
    attempt = call(lambda place: place.issued())
    assert await asyncio.wait_for(attempt(place), mesh.PATIENCE_S) == "OK"
