"""The group `identity`: what callers are called, and whose word about them is believed."""

import json
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sidecar.config.checks import empty_as_none, one_line, pem_bundle, trust_domain_name
from sidecar.config.faults import Unacceptable
from sidecar.config.files import FileReader
from sidecar.config.names import Line, Name, matching
from sidecar.config.units import is_loopback
from sidecar.config.values import Slice
from sidecar.core.spiffe import trust_domain

_KEY_SET_MAX_BYTES = 256 << 10
_TAKEN = ("authorization", "content-type", "host", "te", "traceparent", "user-agent", "x-forwarded-for")
_TAKEN_PREFIXES = ("grpc-", "x-envoy-", "x-priority", "x-request-id")


def _free_key(value: str) -> str:
    """A key that is for nothing else: Envoy throws it away where callers send it, and its value is text."""
    if value in _TAKEN or value.startswith(_TAKEN_PREFIXES) or value.endswith("-bin"):
        remedy = "name the header in which the mesh's proxy says who calls, and nothing else"
        raise Unacceptable("means something else to gRPC, Envoy or this sidecar", remedy)
    return value


_MetadataKey: TypeAlias = Annotated[
    str,
    matching(r"[a-z0-9][a-z0-9-]{0,62}", "write a metadata key in lower case, such as l5d-client-id"),
    AfterValidator(_free_key),
]


def _key_set_url(value: str | None) -> str | None:
    if value is None:
        return None
    form = "write https://HOST/PATH; http is for loopback addresses alone"
    try:
        url = urlsplit(value)
        host, _ = url.hostname or "", url.port
    except ValueError:
        raise Unacceptable("is not a URL", form) from None
    if not value.isprintable() or " " in value or url.fragment or "@" in url.netloc or not host:
        raise Unacceptable("is not a plain URL of a document", form)
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise Unacceptable("can be replaced on its way by anybody: it is not https", form)
    return value


def _key_set_file(path: Path | None) -> Path | None:
    if path is None:
        return None
    content = FileReader().read(path, _KEY_SET_MAX_BYTES)
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, dict) or not isinstance(tree.get("keys"), list):
        raise Unacceptable("holds no JSON Web Key Set", 'name a file with {"keys": [...]}')
    return path


class IssuerSettings(Slice):
    """Who issues OAuth 2.0 access tokens (JSON Web Tokens) that callers may show, and what these must say."""

    name: Name
    """What principals, faults and logs call it; unique."""
    issuer: Line
    """The claim `iss` of its tokens, letter for letter."""
    audiences: Annotated[list[Line], Field(min_length=1)]
    """What stands for this sidecar in the claim `aud`: one of these must be there."""
    jwks_url: Annotated[str | None, AfterValidator(_key_set_url)] = None
    """Where its public keys are, as a JSON Web Key Set; https, or http on the loopback. Asked again every
    five minutes and for key ids that are not known."""
    jwks_file: Annotated[Path | None, AfterValidator(_key_set_file)] = None
    """A file that holds them; read again when a token comes, at most once a second."""
    ca_file: Annotated[Path | None, BeforeValidator(empty_as_none), AfterValidator(pem_bundle)] = None
    """PEM bundle of the authorities to trust for `jwks_url`, in place of the system's. None: the system's."""
    typ: Literal["at+jwt", "any"] = "at+jwt"
    """The header `typ` of its tokens. `any` for an issuer that does not write `at+jwt` (RFC 9068): then only
    the audience tells an access token from another one, so give this sidecar an audience of its own."""
    required_scopes: list[Line] = Field(default_factory=list)
    """Scopes that every token must have, whatever the Policy says."""

    @model_validator(mode="after")
    def _has_one_source_of_keys(self) -> "IssuerSettings":
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise Unacceptable(
                "names not exactly one place of the issuer's keys", "set jwks_url or jwks_file", at=("name",)
            )
        return self


class IdentitySettings(Slice):
    """What callers are called, and whose word about them is believed."""

    principal: Annotated[str, AfterValidator(one_line)] = "pod"
    """The principal of the local listeners, usually the pod's SPIFFE id; Policy gives it a tenant. A caller
    from outside with the same SPIFFE id, a replica, has the rights of the pod."""
    trust_domain: Annotated[str | None, BeforeValidator(empty_as_none), AfterValidator(trust_domain_name)] = (
        None
    )
    """The SPIFFE trust domain that callers from outside must be of. None: that of `principal`."""
    issuers: list[IssuerSettings] = Field(default_factory=list)
    """Whose OAuth 2.0 tokens are accepted. Empty: a caller that shows a token is refused."""
    mesh_header: Annotated[_MetadataKey | None, BeforeValidator(empty_as_none)] = None
    """The metadata key under which the mesh's proxy names the caller at `listen.mesh_address`:
    `x-forwarded-client-cert`, or one whose value is the name alone. The proxy must overwrite it. None:
    callers there show a token."""
    admin_scope: Line = "sidecar.admin"
    """The scope that a token needs for AdminService, and for QuotaService from outside the pod."""

    @property
    def domain(self) -> str:
        """The trust domain in force; empty: no caller with a certificate is accepted."""
        return self.trust_domain or trust_domain(self.principal)

    @model_validator(mode="after")
    def _issuers_differ(self) -> "IdentitySettings":
        for key in ("name", "issuer"):
            values = [getattr(issuer, key) for issuer in self.issuers]
            if len(set(values)) < len(values):
                raise Unacceptable(
                    f"have the same {key} twice", f"give each a {key} of its own", at=("issuers",)
                )
        return self

    @model_validator(mode="after")
    def _principal_is_of_the_trust_domain(self) -> "IdentitySettings":
        own = trust_domain(self.principal)
        if self.trust_domain and own and own != self.trust_domain:
            raise Unacceptable(
                "is not the trust domain of identity.principal",
                "set one of them to the other's",
                at=("trust_domain",),
            )
        return self
