"""Whoever may not call is refused, with the status that says so, and it is written down: one table.

A case is tried against one pod that is there for all of them; it must leave nothing behind. What ends before
the sidecar stands in Envoy's log, what the sidecar refuses in its audit trail. Where no Envoy is the gate,
the sidecar's own listeners are tried, the one for Envoy included, as whoever got at its socket would.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from sidecar.mesh.authority import Authority, Pair
from sidecar.v1.admin_pb2 import DrainRequest
from sidecar.v1.admin_service_pb2_grpc import AdminServiceStub
from sidecar.v1.gemini_service_pb2_grpc import GeminiServiceStub
from sidecar.v1.generate_pb2 import GenerateRequest
from sidecar.v1.quota_pb2 import GetQuotaRequest
from sidecar.v1.quota_service_pb2_grpc import QuotaServiceStub
from sidecar.v1.tool_pb2 import CodeExecution, Tool
from tests.support import facts, mesh, rpc
from tests.support.tokens import AUDIENCE, DAY_S, ISSUER, SigningKey, key_server, soon, unsigned

ASK = GenerateRequest(model=facts.MODEL, prompt="hi")
STRANGER = f"spiffe://{mesh.DOMAIN}/ns/other/sa/stranger"
TUNER = f"spiffe://{mesh.DOMAIN}/ns/other/sa/tuner"
"""May do what the pod may not."""
TUNED = "gemini-2.5-pro"
"""What it may."""
READER = f"spiffe://{mesh.DOMAIN}/ns/other/sa/reader"
"""May do what its token says."""
KEY, RSA, UNKNOWN = SigningKey("ES256", "k1"), SigningKey("RS256", "k2"), SigningKey("ES256", "k3")
RULES = {
    "models": {facts.MODEL: {"aliases": ["fast"]}, TUNED: {}},
    "unknown_fields": "allow",
    "rules": [
        {"name": "no-code", "effect": "deny", "features": ["code_execution", "other_tools"]},
        {"name": "tuner", "effect": "allow", "principals": [TUNER], "models": [TUNED]},
        {"name": "alice", "effect": "allow", "principals": ["jwt:corp/alice"], "models": ["fast"]},
        {"name": "app", "effect": "allow", "principals": [mesh.ID], "scopes": ["write"], "models": ["fast"]},
        {"name": "not-the-pod", "effect": "deny", "principals": [mesh.ID], "models": [TUNED]},
        {
            "name": "reader",
            "effect": "allow",
            "namespaces": ["other"],
            "scopes": ["read"],
            "models": ["fast"],
        },
    ],
}


def claims_to_be(spiffe_id: str) -> tuple[str, str]:
    """The header by which Envoy says who calls, from somebody who is not Envoy."""
    return "x-forwarded-client-cert", f"By={mesh.ID};Hash=00;URI={spiffe_id}"


FORGED = claims_to_be(mesh.ID)


@dataclass(frozen=True, slots=True)
class Place:
    """The pod, and who is believed there."""

    pod: mesh.Pod
    by: Authority
    folder: Path

    def issued(self, spiffe_id: str = mesh.ID, lasts: timedelta = mesh.LASTS) -> Pair:
        """A certificate that the pod's authority has issued."""
        return mesh.issued(self.by, spiffe_id, lasts)

    def listener(self, name: str) -> str:
        """The target of a listener of the sidecar itself."""
        if name in ("local", "envoy"):
            return f"unix:{self.pod.folder}/{name}.sock"
        return self.pod.sidecar.addresses[0 if name == "tcp" else -1]

    @property
    def trail(self) -> list[dict[str, Any]]:
        """What the sidecar has written down."""
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]


Attempt = Callable[[Place], Awaitable[str]]
"""Tries something; returns how it ended: the name of a gRPC status, or what TLS said."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is tried, how it ends, and what of it is written down: parts of fields of a line."""

    attempt: Attempt
    ended: str
    recorded: Mapping[str, str] = field(default_factory=dict)
    """In Envoy's log."""
    audited: Mapping[str, str] = field(default_factory=dict)
    """In the sidecar's audit trail."""


def call(
    shown: Callable[[Place], Pair | None], *metadata: tuple[str, str], method: str = "Generate"
) -> Attempt:
    """A call from outside, by a new connection, with this certificate."""

    async def attempt(place: Place) -> str:
        async with mesh.channel(place.pod.inbound, place.by, shown(place)) as channel:
            ended = await rpc.ask(GeminiServiceStub(channel), method, ASK, metadata=metadata)
        return ended.code.name

    return attempt


def direct(
    listener: str, *metadata: tuple[str, str], request: GenerateRequest = ASK, method: str = "Generate"
) -> Attempt:
    """A call to a listener of the sidecar itself: `tcp`, `local`, `envoy` or `mesh`."""

    async def attempt(place: Place) -> str:
        async with mesh.app_channel(place.listener(listener)) as channel:
            message = rpc.REQUESTS[method].FromString(request.SerializeToString())
            ended = await rpc.ask(GeminiServiceStub(channel), method, message, metadata=metadata)
        return ended.code.name

    return attempt


def bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"


def good(**claims: Any) -> tuple[str, str]:
    """A token that is accepted, but for these claims."""
    return bearer(KEY.token(**{"exp": soon(), **claims}))


def administration(service: Any, method: str, request: Any, *metadata: tuple[str, str]) -> Attempt:
    """What is for administrators, from outside by a caller with the rights of the pod."""

    async def attempt(place: Place) -> str:
        async with mesh.channel(place.pod.inbound, place.by, place.issued()) as channel:
            return (await rpc.ask(service(channel), method, request, metadata=metadata)).code.name

    return attempt


def asking(**fields: Any) -> GenerateRequest:
    return GenerateRequest(model=facts.MODEL, prompt="hi", **fields)


def refused_token(name: str, token: tuple[str, str], cause: str) -> dict[str, Case]:
    """Cases of a token that the sidecar refuses: from the app, and from whoever got at Envoy's socket."""
    ended = "PERMISSION_DENIED" if cause == "token_scope" else "UNAUTHENTICATED"
    return {
        f"{name}, by TCP": Case(
            direct("tcp", token), ended, audited={"cause": cause, "listener": "local", "principal": ""}
        ),
        f"{name}, behind Envoy": Case(
            direct("envoy", claims_to_be(READER), token), ended, audited={"cause": cause, "listener": "envoy"}
        ),
    }


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
        reflection,
        "PERMISSION_DENIED",
        {"status": "PERMISSION_DENIED", "peer": mesh.ID},
        {"method": "ServerReflection", "principal": mesh.ID, "listener": "envoy"},
    ),
    # who somebody says to be
    "forged x-forwarded-client-cert over TCP": Case(
        direct("tcp", claims_to_be(TUNER), request=GenerateRequest(model=TUNED, prompt="hi")),
        "PERMISSION_DENIED",
        audited={"principal": mesh.ID, "listener": "local", "rule": "not-the-pod"},
    ),
    "forged x-forwarded-client-cert over local.sock": Case(
        direct("local", claims_to_be(TUNER), request=GenerateRequest(model=TUNED, prompt="hi")),
        "PERMISSION_DENIED",
        audited={"principal": mesh.ID, "listener": "local", "rule": "not-the-pod"},
    ),
    "forged x-forwarded-client-cert on the mesh's port": Case(
        direct("mesh", FORGED), "UNAUTHENTICATED", audited={"cause": "token_missing", "listener": "mesh"}
    ),
    "no certificate told by Envoy": Case(
        direct("envoy"), "UNAUTHENTICATED", audited={"cause": "certificate_missing", "principal": ""}
    ),
    "a certificate told by two hops": Case(
        direct("envoy", ("x-forwarded-client-cert", f"URI={STRANGER},URI={mesh.ID}")),
        "UNAUTHENTICATED",
        audited={"cause": "certificate_malformed"},
    ),
    "a certificate told twice": Case(
        direct("envoy", claims_to_be(STRANGER), FORGED),
        "UNAUTHENTICATED",
        audited={"cause": "certificate_malformed"},
    ),
    "a certificate of another trust domain told by Envoy": Case(
        direct("envoy", claims_to_be("spiffe://other.test/ns/shop/sa/cart")),
        "UNAUTHENTICATED",
        audited={"cause": "trust_domain"},
    ),
    # tokens, where no Envoy is the gate
    **refused_token("expired token", good(exp=soon() - 2 * DAY_S), "token_expired"),
    **refused_token("token that is not valid yet", good(nbf=soon()), "token_not_yet_valid"),
    **refused_token("token of alg none", bearer(unsigned(exp=soon())), "token_algorithm"),
    **refused_token("token for another audience", good(aud="other"), "token_audience"),
    **refused_token("token of another issuer", good(iss="https://evil.test"), "token_issuer"),
    **refused_token("token without the scope that all need", good(scope="read"), "token_scope"),
    **refused_token(
        "token of HS256 with the public key", bearer(RSA.confused(exp=soon())), "token_algorithm"
    ),
    **refused_token("token of an unknown key", bearer(UNKNOWN.token(exp=soon())), "token_key"),
    **refused_token(
        "token of another key by a known id",
        bearer(UNKNOWN.token(exp=soon(), headers={"kid": "k1"})),
        "token_signature",
    ),
    **refused_token("ID token", bearer(KEY.token(exp=soon(), headers={"typ": "JWT"})), "token_type"),
    **refused_token("no bearer token", ("authorization", "Basic YTpi"), "token_malformed"),
    # tokens through Envoy, which looks first
    "expired token through Envoy": Case(
        call(lambda place: place.issued(READER), good(exp=soon() - 2 * DAY_S)),
        "UNAUTHENTICATED",
        {"status": "UNAUTHENTICATED", "peer": READER},
    ),
    "token of alg none through Envoy": Case(
        call(lambda place: place.issued(READER), bearer(unsigned(exp=soon()))),
        "UNAUTHENTICATED",
        {"status": "UNAUTHENTICATED", "peer": READER},
    ),
    "token of HS256 with the public key through Envoy": Case(
        call(lambda place: place.issued(READER), bearer(RSA.confused(exp=soon()))),
        "UNAUTHENTICATED",
        {"status": "UNAUTHENTICATED", "peer": READER},
    ),
    "token for another audience through Envoy": Case(
        call(lambda place: place.issued(READER), good(aud="other")),
        "PERMISSION_DENIED",
        {"status": "PERMISSION_DENIED", "peer": READER},
    ),
    "ID token through Envoy": Case(
        call(lambda place: place.issued(READER), bearer(KEY.token(exp=soon(), headers={"typ": "JWT"}))),
        "UNAUTHENTICATED",
        {"status": "UNAUTHENTICATED", "peer": READER},
        {"cause": "token_type", "listener": "envoy"},
    ),
    "expired token that Envoy takes for none": Case(
        call(
            lambda place: place.issued(READER),
            ("authorization", f"bearer {KEY.token(exp=soon() - 2 * DAY_S)}"),
        ),
        "UNAUTHENTICATED",
        {"peer": READER},
        {"cause": "token_expired", "listener": "envoy"},
    ),
    # what rules deny
    "caller without the scope that its rule asks for": Case(
        call(lambda place: place.issued(READER), good(scope="gemini")),
        "PERMISSION_DENIED",
        {"peer": READER},
        {"principal": READER, "subject": "jwt:corp/alice", "rule": "default"},
    ),
    "app that narrows itself by a token": Case(
        direct("tcp", good(scope="gemini")), "PERMISSION_DENIED", audited={"rule": "default"}
    ),
    "model under its name as a resource": Case(
        direct("tcp", request=GenerateRequest(model=f"publishers/google/models/{TUNED}", prompt="hi")),
        "PERMISSION_DENIED",
        audited={"rule": "not-the-pod"},
    ),
    "code execution": Case(
        direct("tcp", request=asking(tools=[Tool(code_execution=CodeExecution())])),
        "PERMISSION_DENIED",
        audited={"rule": "no-code", "principal": mesh.ID},
    ),
    "code execution hidden in snake case": Case(
        direct("tcp", request=asking(extra_json='{"newer": {"tools": [{"code_execution": {}}]}}')),
        "PERMISSION_DENIED",
        audited={"rule": "no-code"},
    ),
    "code execution hidden in camel case": Case(
        direct("tcp", request=asking(extra_json='{"newer": [{"deep": {"codeExecution": {}}}]}')),
        "PERMISSION_DENIED",
        audited={"rule": "no-code"},
    ),
    "tool that nobody here knows": Case(
        direct("tcp", request=asking(tools=[Tool(extra_json='{"teleport": {}}')])),
        "PERMISSION_DENIED",
        audited={"rule": "no-code"},
    ),
    "code execution on a stream": Case(
        direct("tcp", request=asking(tools=[Tool(code_execution=CodeExecution())]), method="StreamGenerate"),
        "PERMISSION_DENIED",
        audited={"rule": "no-code", "method": "StreamGenerate"},
    ),
    # administration from outside
    "remote drain by a replica": Case(
        administration(AdminServiceStub, "Drain", DrainRequest()),
        "PERMISSION_DENIED",
        {"status": "PERMISSION_DENIED", "peer": mesh.ID},
        {"method": "AdminService/Drain", "principal": mesh.ID, "scope": "sidecar.admin"},
    ),
    "remote drain by a token without the scope": Case(
        administration(AdminServiceStub, "Drain", DrainRequest(), good(scope="gemini read")),
        "PERMISSION_DENIED",
        {"status": "PERMISSION_DENIED"},
        {"method": "AdminService/Drain", "subject": "jwt:corp/alice"},
    ),
    "remote look at limits": Case(
        administration(QuotaServiceStub, "GetQuota", GetQuotaRequest()),
        "PERMISSION_DENIED",
        {"status": "PERMISSION_DENIED"},
        {"method": "QuotaService/GetQuota"},
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("refused")
    by = mesh.authority()
    async with key_server(KEY, RSA) as keys:
        issuer = {"name": "corp", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks_url": keys.url}
        groups: dict[str, dict[str, Any]] = {
            "identity": {"issuers": [{**issuer, "required_scopes": ["gemini"]}]},
            "listen": {"mesh_address": "127.0.0.1:0"},
            "audit": {"file": str(folder / "audit.jsonl")},
        }
        async with mesh.pod(folder / "pod", by, RULES, **groups) as pod:
            yield Place(pod, by, folder)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_it_is_refused_and_written_down(case: Case, place: Place) -> None:
    logged, audited = len(place.pod.access_log), len(place.trail)
    received = place.pod.upstream.observed.received
    assert await case.attempt(place) == case.ended

    async def is_recorded() -> bool:
        return has_line(place.pod.access_log[logged:], case.recorded) and has_line(
            place.trail[audited:], {"event": "denied"} | dict(case.audited) if case.audited else {}
        )

    await mesh.until(is_recorded)
    assert place.pod.upstream.observed.received == received


def has_line(lines: Sequence[Mapping[str, Any]], parts: Mapping[str, str]) -> bool:
    """Whether one of the lines has all of these parts in its fields; without any, nothing is asked."""
    return not parts or any(
        all(part in str(line.get(name, "absent")) for name, part in parts.items()) for line in lines
    )


def test_the_table_is_whole() -> None:
    assert len(REFUSED) >= 25
    assert all(case.recorded or case.audited for case in REFUSED.values())


@pytest.mark.asyncio(loop_scope="module")
async def test_the_trail_has_no_gap_and_no_token(place: Place) -> None:
    await direct("tcp", good(exp=soon() - 2 * DAY_S))(place)
    numbers = [line["seq"] for line in place.trail]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "eyJ" not in str(place.trail)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "attempt",
    [
        call(lambda place: place.issued(READER), good(scope="gemini read")),
        direct("envoy", claims_to_be(TUNER), request=GenerateRequest(model=TUNED, prompt="hi")),
        direct("tcp", good(scope="gemini write")),
        direct("mesh", good(scope="gemini")),
    ],
    ids=["token through Envoy", "tuner", "app", "token on the mesh's port"],
)
async def test_who_may_is_answered(attempt: Attempt, place: Place) -> None:
    """By a rule each; else the table would hold for rules that refuse everybody."""
    assert await attempt(place) == "OK"


@pytest.mark.asyncio(loop_scope="module")
async def test_who_may_call_is_answered_at_the_same_place(place: Place) -> None:
    """Else the table would hold for a pod that refuses everybody."""
    attempt = call(lambda place: place.issued())
    assert await asyncio.wait_for(attempt(place), mesh.PATIENCE_S) == "OK"
