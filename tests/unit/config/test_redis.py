"""The group `redis`: how servers and passwords are named, and every way that can be refused."""

from pathlib import Path

import pytest

from sidecar.config.redis import RedisSettings
from sidecar.config.show import effective
from tests.support.certificates import Authority
from tests.unit.config.builders import KEY, Folder

ENVIRON = {"SIDECAR_LIMITS_SCOPE": "process", "GEMINI_API_KEY": KEY}
PASSWORD = "a-password-nobody-may-read"

BAD_GROUPS = [
    ("{mode: fleet}", "redis.mode", "is not a known word"),
    ("{addresses: [redis]}", "redis.addresses[0]", "is not host:port"),
    ("{addresses: ['redis:0']}", "redis.addresses[0]", "has port 0"),
    ("{addresses: ['unix:']}", "redis.addresses[0]", "has no path"),
    ("{addresses: 5}", "redis.addresses", "is not a list"),
    (f"{{mode: cluster, addresses: [{', '.join(['a:1'] * 65)}]}}", "redis.addresses", "has too many"),
    ("{addresses: ['a:1', 'b:2']}", "redis.addresses", "are several, and mode is standalone"),
    ("{mode: cluster, addresses: ['unix:/x']}", "redis.addresses", "hold a unix socket, and mode is cluster"),
    ("{mode: cluster, database: 1}", "redis.database", "is not 0, and mode is cluster"),
    ("{mode: sentinel, addresses: ['a:1']}", "redis.service", "is not set, and mode is sentinel"),
    ("{service: main}", "redis.service", "is set, and mode is standalone"),
    ("{mode: cluster, sentinel_username: x}", "redis.sentinel_username", "is set, and mode is cluster"),
    ("{username: a b}", "redis.username", "is empty or has white space in it"),
    ("{prefix: ''}", "redis.prefix", "is empty or has white space in it"),
    ("{prefix: 'a{b}'}", "redis.prefix", "has a brace or a glob character in it"),
    ("{timeout: 251ms}", "redis.timeout", "is out of range"),
    ("{timeout: 0}", "redis.timeout", "is out of range"),
    ("{database: -1}", "redis.database", "is out of range"),
    ("{database: true}", "redis.database", "is not a whole number"),
    ("{tls: maybe}", "redis.tls", "is neither true nor false"),
    ("{tls: true, key_file: /k.pem}", "redis.key_file", "is set without redis.cert_file"),
    ("{tls: true, cert_file: /c.pem}", "redis.cert_file", "is set without redis.key_file"),
    ("{cert_file: /c.pem, key_file: /k.pem}", "redis.cert_file", "is set, and tls is off"),
    ("{tls: true, cert_file: /c.pem, key_file: /k.pem}", "redis.cert_file", "or its key cannot be read"),
    ("{password: {file: /nowhere/password}}", "redis.password.file", "cannot be read"),
    ("{password: {env: NOT_SET}}", "redis.password.env", "names a variable that is not set"),
    ("{password: {}}", "redis.password", "names not exactly one place"),
    ("{adresses: []}", "redis.adresses", "is not a known key"),
]


def redis(folder: Folder, group: str, **environ: str) -> RedisSettings:
    return folder.load(f"redis: {group}", {**ENVIRON, **environ}).settings.redis


@pytest.mark.parametrize(
    ("group", "path", "reason"), BAD_GROUPS, ids=[group[:50] for group, _, _ in BAD_GROUPS]
)
def test_a_bad_value_is_blamed_where_it_stands(folder: Folder, group: str, path: str, reason: str) -> None:
    (fault,) = folder.faults(f"redis: {group}", ENVIRON)
    assert fault.path == path
    assert fault.reason.startswith(reason)
    assert fault.remedy


def test_the_redis_scope_needs_a_server_and_the_fault_names_both_ways_out(folder: Folder) -> None:
    (fault,) = folder.faults("limits: {scope: redis}", {"GEMINI_API_KEY": KEY})
    assert (fault.path, fault.reason) == ("redis.addresses", "is empty, and limits.scope is redis")
    for way_out in ("SIDECAR_REDIS_ADDRESSES", "--redis", "limits.scope: process"):
        assert way_out in fault.remedy


def test_the_redis_scope_with_a_server_is_accepted(folder: Folder) -> None:
    environ = {
        "GEMINI_API_KEY": KEY,
        "SIDECAR_LIMITS_SCOPE": "redis",
        "SIDECAR_REDIS_ADDRESSES": "redis:6379",
    }
    assert folder.load("", environ).settings.limits.scope == "redis"


def test_a_variable_names_several_servers_with_commas(folder: Folder) -> None:
    found = redis(folder, "{mode: cluster}", SIDECAR_REDIS_ADDRESSES="a:1, b:2,[::1]:3")
    assert found.addresses == ("a:1", "b:2", "[::1]:3")
    assert redis(folder, "{}", SIDECAR_REDIS_ADDRESSES="").addresses == ()


def test_a_standalone_server_may_be_a_unix_socket(folder: Folder) -> None:
    assert redis(folder, "{addresses: ['unix:/run/redis.sock']}").addresses == ("unix:/run/redis.sock",)


@pytest.mark.parametrize("written", ["{env: MY_PASSWORD}", "env:MY_PASSWORD", "{file: $}", "file:$"])
def test_a_password_is_read_from_where_it_stands(folder: Folder, written: str) -> None:
    file = folder.write("password", f"{PASSWORD}\n")
    found = redis(folder, f"{{password: {written.replace('$', str(file))}}}", MY_PASSWORD=PASSWORD)
    assert found.password is not None
    assert found.password.current().reveal() == PASSWORD


def test_a_password_file_is_read_again_and_the_last_one_stays_while_it_is_gone(folder: Folder) -> None:
    file = folder.write("password", "first")
    reference = redis(folder, f"{{password: {{file: {file}}}}}").password
    assert reference is not None
    file.write_text("second")
    assert reference.current().reveal() == "second"
    file.write_text("")
    assert reference.current().reveal() == "second"
    file.unlink()
    assert reference.current().reveal() == "second"


@pytest.mark.parametrize("written", [PASSWORD, f"{{file: {PASSWORD}}}", f"{{env: {PASSWORD}}}"])
def test_a_password_in_the_place_of_its_reference_is_refused_and_not_shown(
    folder: Folder, written: str
) -> None:
    faults = folder.faults(f"redis: {{password: {written}}}", ENVIRON)
    assert faults[0].path.startswith("redis.password")
    assert PASSWORD not in "".join(map(str, faults))


def test_a_password_in_its_variable_is_refused_and_not_shown(folder: Folder) -> None:
    (fault,) = folder.faults("", {**ENVIRON, "SIDECAR_REDIS_PASSWORD": PASSWORD})
    assert (fault.path, fault.value) == ("redis.password", "****")
    assert "password: {file: PATH}" in fault.remedy


def test_neither_repr_nor_dump_has_the_password(folder: Folder) -> None:
    loaded = folder.load("redis: {password: {env: MY_PASSWORD}}", {**ENVIRON, "MY_PASSWORD": PASSWORD})
    for printed in (repr(loaded), str(loaded.settings.model_dump()), str(effective(loaded))):
        assert PASSWORD not in printed


def test_a_client_certificate_and_its_key_are_accepted_and_another_s_key_is_not(
    folder: Folder, tmp_path: Path
) -> None:
    authority = Authority()
    bundle = authority.bundle(tmp_path)
    certificate, key = authority.client(tmp_path, "sidecar")
    _, other_key = authority.client(tmp_path, "other")
    group = f"{{tls: true, ca_file: {bundle}, cert_file: {certificate}, key_file: $}}"
    assert redis(folder, group.replace("$", str(key))).key_file == key
    (fault,) = folder.faults(f"redis: {group.replace('$', str(other_key))}", ENVIRON)
    assert (fault.path, fault.reason) == (
        "redis.cert_file",
        "is no certificate in PEM, or not that of the key",
    )


def test_empty_variables_stand_for_none(folder: Folder) -> None:
    names = ("SERVICE", "USERNAME", "PASSWORD", "SENTINEL_USERNAME", "CA_FILE", "CERT_FILE", "KEY_FILE")
    found = redis(folder, "{}", **{f"SIDECAR_REDIS_{name}": "" for name in names})
    assert found == RedisSettings()
