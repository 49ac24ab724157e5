"""The OAuth 2.0 bearer token that a caller shows, and what is known of it once it is verified.

Whoever can verify one stands behind the Verifier port: `oauth`, or Unverifiable where Settings name no
issuer. A token that cannot be verified is refused and never passed over: who shows one wants to be held to
it.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from sidecar.core.errors import Unauthenticated
from sidecar.core.evidence import Evidence, values
from sidecar.core.secret import Secret

AUTHORIZATION = "authorization"
"""The metadata key that holds it."""

_TOKEN_MAX_CHARS = 16 * 1024
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)", re.ASCII)
"""RFC 6750, section 2.1."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was verified."""

    issuer: str
    """The issuer's name in Settings."""
    subject: str
    """Whom it was issued for, in the issuer's words."""
    scopes: frozenset[str]
    """What it is good for."""

    @property
    def owner(self) -> str:
        """Its subject in words that no other issuer's subject, and no SPIFFE id, can be."""
        return f"jwt:{self.issuer}/{self.subject}"


class Verifier(Protocol):
    """Knows the tokens of some issuers."""

    async def verify(self, token: Secret) -> Token:
        """What a token says, proven. Raises Unauthenticated, PermissionDenied for one that lacks a scope
        which every token must have, and IdentityUnavailable.
        """
        ...


class Unverifiable:
    """The Verifier of a sidecar that trusts no issuer."""

    async def verify(self, token: Secret) -> Token:
        """Refuse it."""
        raise Unauthenticated(
            "a token is shown, but this sidecar trusts no issuer and cannot verify it; leave it out, "
            "or ask the platform team to set identity.issuers",
            "token_issuer",
        )


async def shown_token(evidence: Evidence, verifier: Verifier) -> Token | None:
    """The caller's token, verified; None when it shows none. Raises what the verifier raises, and
    Unauthenticated for what is no bearer token.
    """
    shown = values(evidence, AUTHORIZATION)
    if not shown:
        return None
    if len(shown) > 1:
        raise Unauthenticated("the authorization metadata is given twice: send it once", "token_malformed")
    match = _BEARER.fullmatch(shown[0]) if len(shown[0]) <= _TOKEN_MAX_CHARS else None
    if match is None:
        form = "the authorization metadata is no bearer token: send `authorization: Bearer TOKEN`"
        raise Unauthenticated(form, "token_malformed")
    return await verifier.verify(Secret(match[1]))
