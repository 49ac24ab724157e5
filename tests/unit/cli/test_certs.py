"""`certs dev`: an authority that is kept, and certificates in the place where Envoy looks for them."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from cryptography import x509

Run = Callable[..., Result]


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_each_path_gets_a_directory_with_what_envoy_reads(run: Run, tmp_path: Path) -> None:
    result = run("certs", "dev", str(tmp_path / "certs"), "ns/shop/sa/cart", "ns/shop/sa/web")
    assert result.exit_code == 0
    for name in ("cart", "web"):
        folder = tmp_path / "certs" / name
        leaf = certificate(folder / "tls.crt")
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        spiffe_id = f"spiffe://dev.example/ns/shop/sa/{name}"
        assert names.get_values_for_type(x509.UniformResourceIdentifier) == [spiffe_id]
        assert spiffe_id in result.stdout
        assert (folder / "ca.crt").read_bytes() == (tmp_path / "certs" / "ca.crt").read_bytes()
        leaf.verify_directly_issued_by(certificate(folder / "ca.crt"))
        assert leaf.not_valid_after_utc - datetime.now(UTC) < timedelta(hours=24)


def test_keys_are_for_their_owner_alone(run: Run, tmp_path: Path) -> None:
    run("certs", "dev", str(tmp_path), "a")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ca.key", "a/tls.key")}
    assert modes == {0o600}


def test_the_authority_is_used_again_unless_another_is_wanted(run: Run, tmp_path: Path) -> None:
    run("certs", "dev", str(tmp_path), "a")
    first, leaf = (tmp_path / "ca.crt").read_bytes(), (tmp_path / "a" / "tls.crt").read_bytes()
    run("certs", "dev", str(tmp_path), "a")
    assert (tmp_path / "ca.crt").read_bytes() == first
    assert (tmp_path / "a" / "tls.crt").read_bytes() != leaf
    run("certs", "dev", str(tmp_path), "a", "--new-authority")
    assert (tmp_path / "ca.crt").read_bytes() != first


@pytest.mark.parametrize("domain", ["spiffe://a", "A.example", ""])
def test_what_is_no_trust_domain_is_a_wrong_command_line(run: Run, tmp_path: Path, domain: str) -> None:
    result = run("certs", "dev", str(tmp_path), "a", "--trust-domain", domain)
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])


@pytest.mark.parametrize("path", ["..", "a/..", "a//b", "a b", "/", "a/b\n"])
def test_what_is_no_path_of_a_spiffe_id_is_a_wrong_command_line(run: Run, tmp_path: Path, path: str) -> None:
    """Nobody would believe the certificate, and `..` is the directory above."""
    folder = tmp_path / "certs"
    result = run("certs", "dev", str(folder), path)
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])


def test_an_authority_that_cannot_be_read_is_told_and_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    (tmp_path / "ca.key").write_text("no key")
    result = run("certs", "dev", str(tmp_path), "a")
    assert result.exit_code == 1
    assert "no certificate could be made" in result.stderr
    assert (tmp_path / "ca.crt").read_text() == "no certificate"
