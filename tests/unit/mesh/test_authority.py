"""Certificates of the development authority, as TLS and SPIFFE want them."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from sidecar.mesh.authority import Authority, Pair

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = "spiffe://mesh.test/ns/shop/sa/cart"


def test_a_leaf_has_one_uri_and_is_no_authority() -> None:
    authority = Authority.new("mesh.test", NOW, HOUR)
    leaf = x509.load_pem_x509_certificate(authority.issue(ID, NOW, HOUR).certificate)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [ID]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc == NOW + HOUR


def test_an_authority_that_is_read_again_issues_for_the_same_name() -> None:
    authority = Authority.new("mesh.test", NOW, HOUR)
    again = Authority(authority.pair)
    leaf = x509.load_pem_x509_certificate(again.issue(ID, NOW, HOUR).certificate)
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pair.certificate))


def test_tls_takes_the_pair(tmp_path: Path) -> None:
    pair = Authority.new("mesh.test", NOW, HOUR).issue(ID, NOW, HOUR)
    (tmp_path / "pem").write_bytes(pair.certificate + pair.key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "pem")


def test_no_key_is_shown() -> None:
    authority = Authority.new("mesh.test", NOW, HOUR)
    assert "PRIVATE" not in repr(authority.pair) + repr(authority)


def test_what_is_no_authority_is_refused() -> None:
    with pytest.raises(ValueError, match=r"(?i)pem"):
        Authority(Pair(b"no certificate", b"no key"))
