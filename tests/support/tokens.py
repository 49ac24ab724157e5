"""An issuer of tokens for tests: its keys, its key set, and tokens good and bad."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://login.test"
AUDIENCE = "gemini-sidecar"
DAY_S = 24 * 3600
NOW = 1_800_000_000
"""The time of day in tests that make it up."""


class SigningKey:
    """A private key of an issuer."""

    def __init__(self, algorithm: str = "ES256", key_id: str = "k1") -> None:
        self.algorithm = algorithm
        self.key_id = key_id
        self._key = _private_key(algorithm)

    def jwk(self, **members: Any) -> dict[str, Any]:
        """Its public half, as a key set has it."""
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        public = algorithm.to_jwk(self._key.public_key(), as_dict=True)
        public.pop("key_ops", None)
        return {**public, "kid": self.key_id, "alg": self.algorithm, "use": "sig", **members}

    def private_jwk(self) -> dict[str, Any]:
        """The whole key, which no issuer should publish."""
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        return {**algorithm.to_jwk(self._key, as_dict=True), "kid": self.key_id}

    def token(self, *, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token with these claims on top of good ones; None takes a claim or a header away."""
        head = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.key_id, **(headers or {})}
        kept = {key: value for key, value in head.items() if value is not None}
        signed = f"{_part(kept)}.{_part(good_claims(**claims))}"
        signature = jwt.get_algorithm_by_name(self.algorithm).sign(signed.encode(), self._key)
        return f"{signed}.{_base64(signature)}"

    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def confused(self, **claims: Any) -> str:
        """A token whose HMAC was made with the public key, which everybody knows, as the secret."""
        signed = (
            f"{_part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': self.key_id})}.{_part(good_claims(**claims))}"
        )
        digest = hmac.new(self.public_pem(), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_base64(digest)}"


class KeyServer:
    """Where an issuer has its keys; they may be changed at any time."""

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        self.url = ""
        self.keys = keys
        self.asked = 0


@asynccontextmanager
async def key_server(*keys: SigningKey) -> AsyncIterator[KeyServer]:
    """A server on the loopback that has these keys."""
    server = KeyServer([key.jwk() for key in keys])

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        server.asked += 1
        return web.Response(body=key_set(*server.keys), content_type="application/json")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
        yield server
    finally:
        await runner.cleanup()


def good_claims(now_s: float = NOW, **claims: Any) -> dict[str, Any]:
    """Claims that are accepted, with these in their place; None takes one away."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": now_s + 300, "scope": "gemini.generate"}
    return {key: value for key, value in {**good, **claims}.items() if value is not None}


def soon() -> int:
    """An expiry for tokens that are to hold now, and as long as a run of all tests takes that made them when
    it began.
    """
    return int(datetime.now(UTC).timestamp()) + DAY_S


def unsigned(**claims: Any) -> str:
    """A token that says `alg: none`."""
    return f"{_part({'alg': 'none', 'typ': 'at+jwt'})}.{_part(good_claims(**claims))}."


def key_set(*keys: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def _private_key(algorithm: str) -> Any:
    if algorithm in ("RS256", "PS256"):
        return rsa.generate_private_key(65537, 2048)
    return (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm == "ES256"
        else ed25519.Ed25519PrivateKey.generate()
    )


def _part(tree: Mapping[str, Any]) -> str:
    return _base64(json.dumps(tree).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
