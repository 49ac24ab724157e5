"""The real Envoy reads what it would be told, and finds nothing wrong and nothing deprecated."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sidecar.mesh.authority import Authority
from sidecar.mesh.bootstrap import ARGUMENTS, render
from sidecar.mesh.files import install
from tests.support.mesh import PROGRAM
from tests.support.mesh_settings import DOMAIN, ID, VARIANTS, settings

COMPLAINTS = ("deprecated", "warning", "error", "rejected", "critical")


@pytest.mark.parametrize("variant", VARIANTS)
def test_envoy_accepts_every_variant_without_a_complaint(variant: str, tmp_path: Path) -> None:
    certificates = tmp_path / "certs"
    certificates.mkdir()
    now, lasts = datetime.now(UTC), timedelta(hours=1)
    authority = Authority.new(DOMAIN, now, lasts)
    pair = authority.issue(ID, now, lasts)
    (certificates / "ca.crt").write_bytes(authority.pair.certificate)
    (certificates / "tls.crt").write_bytes(pair.certificate)
    (certificates / "tls.key").write_bytes(pair.key)

    chosen = settings(tmp_path, *VARIANTS[variant])
    bootstrap = install(chosen, render(chosen))
    command = [PROGRAM, "--mode", "validate", "-c", str(bootstrap), "--log-level", "warning", *ARGUMENTS]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stderr
    assert not [word for word in COMPLAINTS if word in ended.stderr.lower()], ended.stderr
