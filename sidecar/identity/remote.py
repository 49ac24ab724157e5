"""Callers from outside the pod: they are who a proxy has verified, or whom their token was issued for.

Which of the two, the listener decides. Behind Envoy (`envoy.sock`, which nobody else can open) every caller
has a certificate, and Envoy says whose; a token is shown beside it, when the Policy asks for one or the
caller has one. On the mesh's listener the caller shows a token, or the mesh's proxy names it in a header
that Settings trust.

A certificate makes the principal and a token its scopes: what a token is good for does not depend on who
holds it, but who holds it must be known. The principal of a token alone is `jwt:ISSUER/SUBJECT`, which no
certificate and no Settings can give to anybody else.
"""

import re
from dataclasses import dataclass

from sidecar.core.errors import Unauthenticated
from sidecar.core.evidence import Evidence, values
from sidecar.core.policy import Policy
from sidecar.core.principal import Principal
from sidecar.core.spiffe import trust_domain
from sidecar.identity.bearer import AUTHORIZATION, Token, Verifier, shown_token
from sidecar.identity.spiffe import NoSpiffeId, forwarded_id

FORWARDED_CERTIFICATE = "x-forwarded-client-cert"
"""The metadata key under which Envoy says whose certificate it has verified."""

_MESH_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
"""What a mesh that does not speak SPIFFE calls a workload: a name as of DNS, such as Linkerd's."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is common to all callers from outside."""

    pod: str
    """The pod's own principal."""
    domain: str
    """The trust domain that SPIFFE ids must be of; empty: none is accepted."""
    verifier: Verifier

    def principal(self, name: str, token: Token | None, policy: Policy) -> Principal:
        """The caller of this name. It is the pod only by the pod's SPIFFE id: any other name may be
        anybody's.

        Raises Unauthenticated when the Policy asks for a token and it shows none. A replica need not: the app
        that calls it, because its own sidecar is not well, has none to show.
        """
        is_pod = name == self.pod and bool(trust_domain(name))
        if token is None and policy.asks_for_tokens and not is_pod:
            raise Unauthenticated(
                "the Policy asks callers from outside the pod for a token: send `authorization: Bearer T`",
                "token_missing",
            )
        return Principal(
            name,
            policy.tenant_of(name),
            is_pod=is_pod,
            scopes=token.scopes if token else None,
            subject=token.owner if token else "",
        )

    def checked(self, spiffe_id: str) -> str:
        """The id, when it is of the trust domain. Raises Unauthenticated."""
        if not self.domain or trust_domain(spiffe_id) != self.domain:
            raise Unauthenticated("the caller's certificate is of another trust domain", "trust_domain")
        return spiffe_id


class EnvoyIdentity:
    """Callers whose certificate Envoy has verified."""

    looks_at = (FORWARDED_CERTIFICATE, AUTHORIZATION)

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    def __repr__(self) -> str:
        return f"<EnvoyIdentity of {self._trust.domain or 'nobody'}>"

    async def identify(self, evidence: Evidence, policy: Policy) -> Principal:
        """Whose certificate it is; see `core.ports.Identity`."""
        name = _certified(evidence, self._trust)
        token = await shown_token(evidence, self._trust.verifier)
        return self._trust.principal(name, token, policy)


class MeshIdentity:
    """Callers that show a token, or whom the mesh's proxy names in metadata `header`; empty: tokens alone."""

    def __init__(self, trust: Trust, header: str = "") -> None:
        self._trust = trust
        self._header = header
        self.looks_at = (AUTHORIZATION, *([header] if header else []))

    def __repr__(self) -> str:
        return f"<MeshIdentity by token{f' or {self._header}' if self._header else ''}>"

    async def identify(self, evidence: Evidence, policy: Policy) -> Principal:
        """Who was named, or whose token it is; see `core.ports.Identity`."""
        token = await shown_token(evidence, self._trust.verifier)
        if values(evidence, self._header):
            return self._trust.principal(self._named(evidence), token, policy)
        if token is None:
            raise Unauthenticated(
                "nothing tells who calls: send `authorization: Bearer TOKEN`", "token_missing"
            )
        return self._trust.principal(token.owner, token, policy)

    def _named(self, evidence: Evidence) -> str:
        if self._header == FORWARDED_CERTIFICATE:
            return _certified(evidence, self._trust)
        name, *others = values(evidence, self._header)
        if trust_domain(name) and not others:
            return self._trust.checked(name)
        if others or not _MESH_NAME.fullmatch(name):
            raise Unauthenticated(f"{self._header} does not name one caller", "name_malformed")
        return name


def _certified(evidence: Evidence, trust: Trust) -> str:
    """The SPIFFE id of the one certificate that a proxy has verified."""
    shown = values(evidence, FORWARDED_CERTIFICATE)
    if not shown:
        raise Unauthenticated(f"no certificate: {FORWARDED_CERTIFICATE} is missing", "certificate_missing")
    if len(shown) > 1:
        raise Unauthenticated(f"{FORWARDED_CERTIFICATE} is given twice", "certificate_malformed")
    try:
        spiffe_id = forwarded_id(shown[0])
    except NoSpiffeId as error:
        raise Unauthenticated(f"{FORWARDED_CERTIFICATE}: {error}", "certificate_malformed") from None
    return trust.checked(spiffe_id)
