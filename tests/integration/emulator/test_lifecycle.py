"""Start, stop, addresses and TLS."""

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import aiohttp
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sidecar.emulator import Emulator
from tests.integration.emulator.wire import STREAM, UNARY, fetch


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "emulator")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "emulator.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return pem


async def test_an_emulator_takes_a_free_port_and_says_where_it_is():
    emulator = Emulator()
    assert emulator.base_url == ""
    assert repr(emulator) == "<Emulator not running, <Journal 0 received, 0 active>>"
    await emulator.start()
    assert emulator.base_url.startswith("http://127.0.0.1:")
    assert emulator.base_url in repr(emulator)
    await emulator.stop()
    await emulator.stop()


async def test_a_taken_port_is_an_os_error(emulator):
    port = int(emulator.base_url.rpartition(":")[2])
    second = Emulator(port=port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()


async def test_an_address_of_version_six_is_written_in_brackets():
    emulator = Emulator("::1")
    try:
        await emulator.start()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    assert emulator.base_url.startswith("http://[::1]:")
    await emulator.stop()


async def test_after_stop_nobody_listens(http, emulator):
    await emulator.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(http, UNARY)


def _serve_over_tls(certificate: Path) -> Emulator:
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate)
    return Emulator(ssl_context=server_side)


async def _ask_over_tls(certificate: Path) -> None:
    client_side = ssl.create_default_context(cafile=str(certificate))
    async with _serve_over_tls(certificate) as emulator:
        assert emulator.base_url.startswith("https://")
        connector = aiohttp.TCPConnector(ssl=client_side)
        headers = {"x-goog-api-key": "any"}
        async with aiohttp.ClientSession(emulator.base_url, headers=headers, connector=connector) as http:
            assert (await fetch(http, UNARY))[0] == 200
            assert (await fetch(http, STREAM, "chunks=3"))[2].count(b"data: ") == 3
            for fault in ("cut", "reset", "close"):
                with pytest.raises(aiohttp.ClientError):
                    await fetch(http, STREAM, f"fault={fault}")
            assert (await fetch(http, UNARY, "fault=stale"))[0] == 200
            with pytest.raises(aiohttp.ClientError):
                await fetch(http, UNARY)
            asking = asyncio.create_task(fetch(http, STREAM, "gap=1m"))
            await emulator.wait_for(lambda seen: seen.active == 1)
            asking.cancel()
            await emulator.wait_for(lambda seen: seen.disconnected == 1)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_the_emulator_speaks_tls(certificate, run):
    run(_ask_over_tls(certificate))
