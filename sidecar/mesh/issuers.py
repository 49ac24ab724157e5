"""Issuers of tokens, as Envoy knows them: whose tokens it looks at, and where their keys are.

Envoy does so only when it can for every issuer: it would refuse the tokens of one that it does not know. It
reads keys from URLs and does not notice when a file of keys changes, so with one issuer whose keys are in a
file the sidecar alone looks at tokens, as it always does."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sidecar.config.identity import IssuerSettings
from sidecar.mesh.fragments import fill, packed

_SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Where the distributions that Envoy's images are made from have them."""
_PORTS = {"https": 443, "http": 80}


def issuer_parameters(issuers: Sequence[IssuerSettings]) -> Mapping[str, Any]:
    """The parameters of the fragments that are about tokens."""
    filled = [_parameters(issuer) for issuer in issuers if issuer.jwks_url]
    if not filled or len(filled) < len(issuers):
        return {"issuers": None, "token_providers": None, "token_requirements": None}
    names = [each["issuer_cluster"] for each in filled]
    return {
        "issuers": [fill(packed("issuer"), each, packed) for each in filled],
        "token_providers": {
            name: fill(packed("token_provider"), each, packed)
            for name, each in zip(names, filled, strict=True)
        },
        "token_requirements": [*({"provider_name": name} for name in names), {"allow_missing": {}}],
    }


def _parameters(issuer: IssuerSettings) -> Mapping[str, Any]:
    url = urlsplit(issuer.jwks_url or "")
    is_secure = url.scheme == "https"
    authorities = str(issuer.ca_file.absolute()) if issuer.ca_file else _SYSTEM_AUTHORITIES
    return {
        "issuer": issuer.issuer,
        "audiences": issuer.audiences,
        "jwks_url": issuer.jwks_url,
        "issuer_cluster": f"issuer_{issuer.name}",
        "issuer_name": url.hostname,
        "issuer_host": {"address": url.hostname, "port_value": url.port or _PORTS[url.scheme]},
        "issuer_authorities": authorities if is_secure else None,
    }
