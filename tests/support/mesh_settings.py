"""Settings of sidecars behind Envoy, in the variants that operators may want."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar.config.settings import Settings

DOMAIN = "mesh.test"
ID = f"spiffe://{DOMAIN}/ns/shop/sa/cart"
ISSUER = {
    "name": "idp",
    "issuer": "https://idp.test/",
    "audiences": ["gemini-sidecar"],
    "jwks_url": "https://idp.test/keys.json",
}
OTHER_ISSUER = {"name": "partner", "issuer": "https://partner.test/", "jwks_url": "https://keys.test:444/j"}

INSIDE: Mapping[str, Any] = {"listen": {"socket": "local.sock"}}
OUTSIDE: Mapping[str, Any] = {
    "listen": {"envoy_socket": "envoy.sock"},
    "envoy": {"certificates": "certs"},
}
DNS: Mapping[str, Any] = {
    "listen": {"socket": "local.sock"},
    "envoy": {"certificates": "certs", "peers": "dns", "peers_address": "peers.test:8443"},
}
BULLETIN: Mapping[str, Any] = {
    "limits": {"scope": "redis"},
    "redis": {"addresses": "redis.test:6379"},
    "listen": {"socket": "local.sock"},
    "envoy": {"certificates": "certs", "peers": "bulletin", "advertise": "10.0.0.7:8443"},
}
TOKENS: Mapping[str, Any] = {"identity": {"issuers": [ISSUER, {**ISSUER, **OTHER_ISSUER}]}}
LOCAL_KEYS: Mapping[str, Any] = {
    "identity": {
        "issuers": [ISSUER | {"jwks_url": "http://127.0.0.1:8080/keys"}],
        "mesh_header": "l5d-client-id",
    }
}
TRACED: Mapping[str, Any] = {"envoy": {"otlp_address": "collector.test:4317"}}
SILENT: Mapping[str, Any] = {"envoy": {"access_log": ""}}
IPV6: Mapping[str, Any] = {"envoy": {"address": "[::]:8443", "app_address": "[::1]:50050"}}

VARIANTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "inside": (INSIDE,),
    "outside": (OUTSIDE,),
    "pod": (INSIDE, OUTSIDE),
    "pod-silent": (INSIDE, OUTSIDE, SILENT),
    "pod-tokens": (INSIDE, OUTSIDE, TOKENS),
    "pod-keys-on-loopback": (INSIDE, OUTSIDE, LOCAL_KEYS),
    "pod-ipv6": (INSIDE, OUTSIDE, IPV6),
    "replicas-by-dns": (DNS, OUTSIDE, TRACED, TOKENS),
    "replicas-by-bulletin": (BULLETIN, OUTSIDE),
    "app-with-peers": (DNS,),
}
"""By name: the groups that make it, later ones on top."""


def settings(folder: Path, *groups: Mapping[str, Any]) -> Settings:
    """Settings with these groups on top of each other; paths are in `folder`."""
    tree: dict[str, dict[str, Any]] = {
        "limits": {"scope": "process"},
        "identity": {"principal": ID, "trust_domain": DOMAIN},
        "envoy": {"directory": "."},
    }
    for group in groups:
        for name, values in group.items():
            tree[name] = tree.get(name, {}) | dict(values)
    for name, key in (
        ("listen", "socket"),
        ("listen", "envoy_socket"),
        ("envoy", "directory"),
        ("envoy", "certificates"),
    ):
        if tree.get(name, {}).get(key):
            tree[name][key] = folder / tree[name][key]
    return Settings.model_validate(tree)
