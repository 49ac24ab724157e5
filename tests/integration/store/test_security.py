"""Whom the store trusts, who it says it is, and that its password stands nowhere."""

import asyncio
import logging
import shutil
import traceback
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sidecar.store.client import Store, connected
from sidecar.store.errors import Outage, StoreUnavailable
from tests.integration.store.conftest import patiently
from tests.support.certificates import Authority
from tests.support.redis.cluster import cluster
from tests.support.redis.server import RedisServer, Tls, standalone

LIMIT_S = 0.25
PASSWORD = "a-password-nobody-may-read"
ACL = Path(__file__).parents[3] / "deploy" / "redis" / "users.acl"
WRITE = "return redis.call('HSET', KEYS[1], 'field', ARGV[1])"


async def write(store: Store, key: str = "gs:n") -> Any:
    return await store.script(WRITE).run([key], [1], LIMIT_S)


async def fails(store: Store) -> StoreUnavailable:
    """The lasting failure: one that the machine being busy does not explain."""
    while True:
        with pytest.raises(StoreUnavailable) as raised:
            await write(store)
        if raised.value.outage not in (Outage.TIMEOUT, Outage.OPEN):
            return raised.value
        await asyncio.sleep(0.01)


@pytest.fixture
def authority() -> Authority:
    return Authority()


def tls(authority: Authority, folder: Path, **values: Any) -> Tls:
    certificate, key = authority.server(folder, **values)
    return Tls(certificate, key, authority.bundle(folder))


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "r"
    made.mkdir()
    return made


async def test_a_server_of_a_trusted_authority_is_used(authority: Authority, tmp_path: Path) -> None:
    with standalone(folder(tmp_path), tls=tls(authority, tmp_path)) as server:
        async with connected(server.settings(tls=True, ca_file=authority.bundle(tmp_path))) as store:
            await patiently(partial(write, store))


async def test_a_server_of_another_authority_is_not(authority: Authority, tmp_path: Path) -> None:
    with standalone(folder(tmp_path), tls=tls(authority, tmp_path)) as server:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        async with connected(server.settings(tls=True, ca_file=Authority().bundle(elsewhere))) as store:
            assert (await fails(store)).outage is Outage.UNTRUSTED


async def test_without_an_authority_named_those_of_the_system_count(
    authority: Authority, tmp_path: Path
) -> None:
    with standalone(folder(tmp_path), tls=tls(authority, tmp_path)) as server:
        async with connected(server.settings(tls=True)) as store:
            assert (await fails(store)).outage is Outage.UNTRUSTED


async def test_a_server_with_another_name_is_refused(authority: Authority, tmp_path: Path) -> None:
    with standalone(folder(tmp_path), tls=tls(authority, tmp_path, address="127.0.0.2")) as server:
        async with connected(server.settings(tls=True, ca_file=authority.bundle(tmp_path))) as store:
            assert (await fails(store)).outage is Outage.UNTRUSTED


async def test_a_server_whose_certificate_has_expired_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    expired = tls(authority, tmp_path, lasts=-timedelta(minutes=1))
    with standalone(folder(tmp_path), tls=expired) as server:
        async with connected(server.settings(tls=True, ca_file=authority.bundle(tmp_path))) as store:
            assert (await fails(store)).outage is Outage.UNTRUSTED


async def test_plain_text_to_a_tls_server_fails(authority: Authority, tmp_path: Path) -> None:
    with standalone(folder(tmp_path), tls=tls(authority, tmp_path)) as server:
        async with connected(server.settings()) as store:
            assert (await fails(store)).outage is Outage.UNREACHABLE


async def test_a_client_certificate_is_shown_and_read_again(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.client(tmp_path, "sidecar")
    strict = Tls(*authority.server(tmp_path), authority.bundle(tmp_path), asks_clients=True)
    with standalone(folder(tmp_path), tls=strict) as server:
        files = {"cert_file": certificate, "key_file": key, "ca_file": authority.bundle(tmp_path)}
        async with connected(server.settings(tls=True, **files)) as store:
            await patiently(partial(write, store))
            renewed, renewed_key = authority.client(tmp_path, "renewed")
            shutil.copy(renewed, certificate)
            shutil.copy(renewed_key, key)
            server.restart_empty()
            await patiently(partial(write, store))
        async with connected(server.settings(tls=True, ca_file=authority.bundle(tmp_path))) as store:
            assert (await fails(store)).outage in (Outage.UNREACHABLE, Outage.UNTRUSTED)


async def test_a_cluster_is_reached_by_tls(authority: Authority, tmp_path: Path) -> None:
    with cluster(folder(tmp_path), tls=tls(authority, tmp_path)) as nodes:
        async with connected(nodes.settings(tls=True, ca_file=authority.bundle(tmp_path))) as store:
            for number in range(10):
                await patiently(partial(write, store, f"key-{number}"))


@pytest.fixture
def guarded(tmp_path: Path) -> RedisServer:
    """A server with the ACL file that we deploy."""
    acl = ACL.read_text().replace("CHANGE-ME", PASSWORD)
    with standalone(tmp_path, acl=acl) as server:
        yield server  # type: ignore[misc]


async def test_the_deployed_rights_are_enough_for_scripts_and_the_bulletin(guarded: RedisServer) -> None:
    settings = guarded.settings(username="sidecar", password=PASSWORD)
    async with connected(settings) as first, connected(settings) as second:
        await patiently(partial(write, first))
        guarded.flush_scripts()
        await patiently(partial(write, first))
        until = asyncio.get_running_loop().time() + 60
        seen = second.bulletin().watch("kind")
        first.bulletin().put("kind", "key", "value", until)
        async with asyncio.timeout(5):
            seen = await second.bulletin().changed("kind", seen)
        assert seen.notices["key"].value == "value"
        assert set(first.outages) | set(second.outages) <= {Outage.TIMEOUT}


@pytest.mark.parametrize(
    "words",
    [
        ("GET", "gs:n"),
        ("HGETALL", "other:n"),
        ("PUBLISH", "other", "x"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("KEYS", "*"),
        ("CLIENT", "LIST"),
        ("SCRIPT", "FLUSH"),
        ("ACL", "LIST"),
        ("CLUSTER", "NODES"),
        ("EVAL", "return redis.call('HGET', KEYS[1], 'a')", 1, "other:n"),
    ],
    ids=lambda words: " ".join(map(str, words))[:40],
)
async def test_the_deployed_rights_allow_nothing_else(guarded: RedisServer, words: tuple[Any, ...]) -> None:
    settings = guarded.settings(username="sidecar", password=PASSWORD)
    async with connected(settings) as store:
        with pytest.raises(StoreUnavailable) as raised:
            await store.command(*words, keys=[], timeout_s=LIMIT_S)
        assert raised.value.outage is Outage.DENIED


@pytest.mark.parametrize(
    ("username", "password"), [("sidecar", "wrong"), ("nobody", PASSWORD), (None, None), (None, PASSWORD)]
)
async def test_a_wrong_user_or_password_is_an_outage_and_stands_nowhere(
    guarded: RedisServer, caplog: pytest.LogCaptureFixture, username: str | None, password: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    async with connected(guarded.settings(username=username, password=password)) as store:
        store.bulletin().watch("kind")
        refusal = await fails(store)
        assert refusal.outage is Outage.DENIED
        assert "redis.username" in str(refusal)
        told = [repr(refusal), *traceback.format_exception(refusal), caplog.text, repr(store)]
        told.append(repr(store.bulletin()))
    for secret in filter(None, (password, PASSWORD)):
        assert secret not in "".join(told)


async def test_a_password_that_is_changed_in_its_file_is_used_at_the_next_connection(
    guarded: RedisServer,
) -> None:
    settings = guarded.settings(username="sidecar", password=PASSWORD)
    async with connected(settings) as store:
        await patiently(partial(write, store))
        guarded.command("ACL", "SETUSER", "sidecar", "resetpass", ">another")
        guarded.disconnect_clients()
        assert (await fails(store)).outage in (Outage.DENIED, Outage.UNREACHABLE)
        (guarded.folder / "client-password").write_text("another")
        await patiently(partial(write, store))
