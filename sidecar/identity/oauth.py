"""OAuth 2.0 access tokens, verified here: JSON Web Tokens as of RFC 9068.

What is believed and in which order: the header says which key (its algorithm must be an accepted one), the
claim `iss` says whose; nothing else is read before the signature is verified. Then the claims are checked,
against time that is passed in. Refusals name what is wrong and quote nothing of the token.

A signature takes a tenth of a millisecond to verify, and callers show the same token again and again. So the
tokens verified last are remembered by their hash: one of them needs no other look, as long as the issuer
still has the very key that verified it and its time is not over.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from sidecar.core.errors import PermissionDenied, Unauthenticated
from sidecar.core.recent import Recent
from sidecar.core.secret import Secret
from sidecar.identity.bearer import Token
from sidecar.identity.jwks import KeySource
from sidecar.identity.keys import FAMILIES, PublicKey

LEEWAY_S = 30.0
"""How far the clocks of issuer and sidecar may differ."""

_FAR_S = 1e12
"""No time of day; neither is NaN, which is not below it."""
REMEMBERED = 1024
"""Tokens; half a KB each."""
_SUBJECT_MAX_CHARS = 256
_jws = jwt.PyJWS()


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues tokens, and what they must say."""

    name: str
    """In the words of Settings."""
    issuer: str
    """The claim `iss`, letter for letter."""
    audiences: frozenset[str]
    """One of them must be in the claim `aud`."""
    typ: str
    """The header `typ`, in lower case; empty: not looked at."""
    required_scopes: frozenset[str]
    """What every token must be good for."""
    keys: KeySource


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature was verified, and by which key."""

    token: Token
    expires_s: float
    issuer: Issuer
    algorithm: str
    key_id: str
    key: PublicKey


class OAuth:
    """The Verifier of the tokens of these issuers. `now` is the time of day, in seconds since 1970."""

    def __init__(self, issuers: Sequence[Issuer], now: Callable[[], float]) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._now = now
        self._seen: Recent[bytes, _Verified] = Recent(REMEMBERED)

    def __repr__(self) -> str:
        return f"<OAuth of {', '.join(issuer.name for issuer in self._issuers.values())}>"

    def warm(self) -> None:
        """Have keys at hand before the first token comes."""
        for issuer in self._issuers.values():
            issuer.keys.warm()

    async def close(self) -> None:
        """End what is under way."""
        for issuer in self._issuers.values():
            await issuer.keys.close()

    async def verify(self, token: Secret) -> Token:
        """What a token says, proven; see `bearer.Verifier`."""
        digest = sha256(token.reveal().encode()).digest()
        verified = self._seen.get(digest)
        if verified is None or not await self._holds(verified):
            verified = await self._verified(token)
            self._seen.put(digest, verified)
        return verified.token

    async def _holds(self, verified: _Verified) -> bool:
        if self._now() >= verified.expires_s:
            return False
        return await verified.issuer.keys.find(verified.algorithm, verified.key_id) is verified.key

    async def _verified(self, token: Secret) -> _Verified:
        header, claimed = _unverified(token)
        issuer = self._issuers.get(str(claimed.get("iss", "")))
        if issuer is None:
            raise Unauthenticated("the token's issuer is not one that this sidecar trusts", "token_issuer")
        algorithm = _algorithm(header, issuer)
        key_id = str(header.get("kid", ""))
        key = await issuer.keys.find(algorithm, key_id)
        claims = _signed(token, key, algorithm)
        return _Verified(checked(claims, issuer, self._now()), claims["exp"], issuer, algorithm, key_id, key)


def checked(claims: Mapping[str, Any], issuer: Issuer, now_s: float) -> Token:
    """What verified claims say. Pure. Raises Unauthenticated, or PermissionDenied for want of a scope."""
    _check_time(claims, now_s)
    audience = claims.get("aud")
    if issuer.audiences.isdisjoint(_texts([audience] if isinstance(audience, str) else audience)):
        raise Unauthenticated("the token is for another audience", "token_audience")
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= _SUBJECT_MAX_CHARS
        or not subject.isprintable()
    ):
        raise Unauthenticated("the token has no usable subject (sub)", "token_malformed")
    scopes = scopes_of(claims)
    if missing := issuer.required_scopes - scopes:
        raise PermissionDenied(
            f"the token lacks scope {', '.join(sorted(missing))}, which every token needs here",
            metadata={"cause": "token_scope"},
        )
    return Token(issuer.name, subject, scopes)


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """The scopes of a token: `scope`, one text with spaces (RFC 8693), or `scp`, such a text or a list."""
    told = claims.get("scope", claims.get("scp"))
    return _texts(told.split() if isinstance(told, str) else told)


def _texts(value: Any) -> frozenset[str]:
    """The texts of a list; what is no list, or no text in it, counts as nothing."""
    return (
        frozenset(item for item in value if isinstance(item, str) and item)
        if isinstance(value, list)
        else frozenset()
    )


def _check_time(claims: Mapping[str, Any], now_s: float) -> None:
    expires, begins = _seconds(claims.get("exp")), _seconds(claims.get("nbf", 0))
    if now_s >= expires + LEEWAY_S:
        raise Unauthenticated("the token has expired: get another", "token_expired")
    if now_s < begins - LEEWAY_S:
        raise Unauthenticated("the token does not hold yet (nbf)", "token_not_yet_valid")


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _FAR_S:
        raise Unauthenticated("the token does not say until when it holds (exp, nbf)", "token_malformed")
    return value


def _unverified(token: Secret) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as the token has them."""
    try:
        parts = jwt.decode_complete(token.reveal(), options={"verify_signature": False})
    except (PyJWTError, ValueError, RecursionError):
        raise Unauthenticated("the token is no JSON Web Token", "token_malformed") from None
    header, claims = parts["header"], parts["payload"]
    if "crit" in header or not isinstance(claims, dict):
        raise Unauthenticated("the token is of a kind that is not understood here", "token_malformed")
    return header, claims


def _algorithm(header: Mapping[str, Any], issuer: Issuer) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in FAMILIES:
        raise Unauthenticated(f"the token must be signed by one of {', '.join(FAMILIES)}", "token_algorithm")
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    if issuer.typ and kind != issuer.typ:
        raise Unauthenticated(f"the token's type (typ) must be {issuer.typ}", "token_type")
    return algorithm


def _signed(token: Secret, key: Any, algorithm: str) -> Mapping[str, Any]:
    """The claims, once the signature is verified."""
    try:
        payload = _jws.decode(token.reveal(), key, algorithms=[algorithm])
    except (PyJWTError, ValueError, TypeError):
        raise Unauthenticated("the token's signature is wrong", "token_signature") from None
    claims: Mapping[str, Any] = json.loads(payload)
    return claims
