"""The public keys of an issuer, as its JSON Web Key Set has them. Pure.

Which algorithms are accepted stands here alone: each belongs to one family of keys, so a token cannot choose
to have a public key taken for a shared secret (the HS256 confusion), and `none` is no algorithm. Of a set,
what is of no use here is passed over, as RFC 7517, section 5, asks; secret and private keys, short RSA keys
and keys for encryption are of no use.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from jwt import PyJWK
from jwt.exceptions import PyJWTError

FAMILIES: Mapping[str, str] = MappingProxyType(
    {"RS256": "RSA", "PS256": "RSA", "ES256": "P-256", "EdDSA": "Ed25519"}
)
"""The kind of key that each accepted algorithm takes; whatever is not listed is refused."""

PublicKey: TypeAlias = Any
"""A public key of `cryptography`, of the kind that its family says."""

_KEYS_MAX = 64
_RSA_LEAST_BITS = 2048
_DECLARED = {"RSA": "RS256", "P-256": "ES256", "Ed25519": "EdDSA"}
"""An algorithm of each family: what the library reads a key for that names none."""


class NoKeys(ValueError):
    """A document is no key set, or has no key that could verify anything; the text quotes nothing."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """Public keys by family and id."""

    keys: Mapping[tuple[str, str], PublicKey]
    """An id is empty for a key that has none."""

    def __repr__(self) -> str:
        return f"<KeySet of {len(self.keys)} keys>"

    def find(self, algorithm: str, key_id: str) -> PublicKey | None:
        """The key that verifies an accepted algorithm. A token without a key id fits the only key there
        is.
        """
        family = FAMILIES[algorithm]
        if key_id:
            return self.keys.get((family, key_id))
        fitting = [key for (kind, _), key in self.keys.items() if kind == family]
        return fitting[0] if len(fitting) == 1 else None


def read_keys(document: bytes) -> KeySet:
    """The usable keys of a JSON Web Key Set. Raises NoKeys."""
    try:
        tree = json.loads(document)
    except (ValueError, RecursionError):
        raise NoKeys("it is no JSON") from None
    entries = tree.get("keys") if isinstance(tree, dict) else None
    if not isinstance(entries, list):
        raise NoKeys("it has no list of keys")
    keys: dict[tuple[str, str], PublicKey] = {}
    for entry in entries[:_KEYS_MAX]:
        family = _family(entry)
        key = _public_key(entry, family) if family else None
        if key is not None:
            keys[family, str(entry.get("kid", ""))] = key
    if not keys:
        raise NoKeys(f"it has no public key for any of {', '.join(FAMILIES)}")
    return KeySet(MappingProxyType(keys))


def _family(entry: Any) -> str:
    """The family of a key that may verify signatures; empty for every other."""
    if not isinstance(entry, dict) or "d" in entry or not _is_for_signatures(entry):
        return ""
    kind = entry.get("kty")
    family = "RSA" if kind == "RSA" else str(entry.get("crv", "")) if kind in ("EC", "OKP") else ""
    declared = entry.get("alg")
    fits = declared is None or (isinstance(declared, str) and FAMILIES.get(declared) == family)
    return family if family in _DECLARED and fits else ""


def _is_for_signatures(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _public_key(entry: Mapping[str, Any], family: str) -> PublicKey | None:
    try:
        key = PyJWK({**entry, "alg": _DECLARED[family]}).key
    except (PyJWTError, ValueError, TypeError, KeyError):  # whatever the library makes of odd members
        return None
    return None if family == "RSA" and key.key_size < _RSA_LEAST_BITS else key
