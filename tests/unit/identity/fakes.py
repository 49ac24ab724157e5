"""A Verifier that knows its tokens by heart."""

from collections.abc import Collection, Mapping

from sidecar.core.errors import Unauthenticated
from sidecar.core.secret import Secret
from sidecar.identity.bearer import Token


class FakeVerifier:
    """Knows tokens of alice's, and what each is good for."""

    def __init__(self, scopes: Mapping[str, Collection[str]]) -> None:
        self._scopes = scopes

    async def verify(self, token: Secret) -> Token:
        if token.reveal() not in self._scopes:
            raise Unauthenticated("unknown", "token_signature")
        return Token("corp", "alice", frozenset(self._scopes[token.reveal()]))
