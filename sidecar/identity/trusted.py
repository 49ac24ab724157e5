"""The issuers that Settings name, put together. Imports the cryptography: only for who trusts any."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from sidecar.config.identity import IssuerSettings
from sidecar.identity.fetch import FileDocument, RemoteDocument
from sidecar.identity.jwks import FILE, REMOTE, CachedKeys
from sidecar.identity.oauth import Issuer, OAuth


def oauth_of(issuers: Iterable[IssuerSettings]) -> OAuth:
    """The Verifier of the tokens of these issuers; to be closed."""
    return OAuth(tuple(map(_issuer, issuers)), now=lambda: datetime.now(UTC).timestamp())


def _issuer(settings: IssuerSettings) -> Issuer:
    return Issuer(
        name=settings.name,
        issuer=settings.issuer,
        audiences=frozenset(settings.audiences),
        typ="" if settings.typ == "any" else settings.typ,
        required_scopes=frozenset(settings.required_scopes),
        keys=_keys(settings),
    )


def _keys(settings: IssuerSettings) -> CachedKeys:
    if settings.jwks_file is not None:
        return CachedKeys(settings.name, FileDocument(settings.jwks_file), FILE, time.monotonic)
    return CachedKeys(
        settings.name, RemoteDocument(settings.jwks_url or "", settings.ca_file), REMOTE, time.monotonic
    )
