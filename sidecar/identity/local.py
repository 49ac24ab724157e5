"""Callers of the local listeners: whoever shares the pod's loopback or may open its socket is the pod.

A local caller cannot be anybody else: a certificate that it says to have is not looked at. It can be less, by
showing a token: then it may do what the token is good for.
"""

from dataclasses import replace

from sidecar.core.evidence import Evidence
from sidecar.core.policy import Policy
from sidecar.core.principal import Principal
from sidecar.identity.bearer import AUTHORIZATION, Verifier, shown_token


class LocalIdentity:
    """Gives every caller the pod's own principal, with the tenant that the Policy names for it."""

    looks_at = (AUTHORIZATION,)

    def __init__(self, principal: str, verifier: Verifier) -> None:
        self._principal = principal
        self._verifier = verifier
        self._known: tuple[Policy, Principal] | None = None

    def __repr__(self) -> str:
        return f"<LocalIdentity {self._principal}>"

    async def identify(self, evidence: Evidence, policy: Policy) -> Principal:
        """The pod's principal; see `core.ports.Identity`."""
        pod = self._pod(policy)
        if not evidence:
            return pod
        token = await shown_token(evidence, self._verifier)
        return replace(pod, scopes=token.scopes, subject=token.owner) if token else pod

    def _pod(self, policy: Policy) -> Principal:
        if self._known is None or self._known[0] is not policy:
            tenant = policy.tenant_of(self._principal)
            self._known = policy, Principal(self._principal, tenant, is_pod=True)
        return self._known[1]
