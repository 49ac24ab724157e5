import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sidecar.identity.keys import FAMILIES, NoKeys, read_keys
from tests.support.tokens import SigningKey, key_set

GOOD = SigningKey("ES256", "good")


@pytest.mark.parametrize("algorithm", FAMILIES)
def test_a_key_is_found_by_its_id_for_its_algorithm(algorithm: str) -> None:
    key = SigningKey(algorithm, "k")
    keys = read_keys(key_set(key.jwk(), GOOD.jwk()))
    assert keys.find(algorithm, "k") is not None
    assert keys.find(algorithm, "other") is None


def test_a_token_without_a_key_id_fits_the_only_key_alone() -> None:
    one, other = SigningKey("ES256", "1"), SigningKey("ES256", "2")
    assert read_keys(key_set(one.jwk(), SigningKey("EdDSA", "3").jwk())).find("ES256", "") is not None
    assert read_keys(key_set(one.jwk(), other.jwk())).find("ES256", "") is None


def test_a_key_is_of_no_use_for_an_algorithm_of_another_family() -> None:
    keys = read_keys(key_set(SigningKey("RS256", "k").jwk()))
    assert keys.find("ES256", "k") is None
    assert keys.find("EdDSA", "k") is None


def short_key() -> dict[str, object]:
    public = rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505 - it is to be refused
    return {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "good"}


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "good", "alg": "HS256"},
        {**GOOD.jwk(), "use": "enc"},
        {**GOOD.jwk(), "alg": "ES384"},
        {**GOOD.jwk(), "alg": "HS256"},
        {**GOOD.jwk(), "alg": ["ES256"]},
        {**GOOD.jwk(), "key_ops": ["encrypt"]},
        {**GOOD.jwk(), "key_ops": "verify"},
        {**GOOD.jwk(), "x": "AAAA"},
        {**GOOD.jwk(), "crv": "P-521"},
        {"kty": "EC", "crv": "P-256", "kid": "good"},
        GOOD.private_jwk(),
        short_key(),
        "text",
        None,
    ],
)
def test_what_is_of_no_use_is_passed_over(entry: object) -> None:
    keys = read_keys(json.dumps({"keys": [entry, SigningKey("EdDSA", "other").jwk()]}).encode())
    assert repr(keys) == "<KeySet of 1 keys>"
    with pytest.raises(NoKeys, match="no public key"):
        read_keys(json.dumps({"keys": [entry]}).encode())


@pytest.mark.parametrize("document", [b"", b"<html>", b"[]", b'{"keys": {}}', b"{}", b"[" * 100_000])
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(NoKeys):
        read_keys(document)
