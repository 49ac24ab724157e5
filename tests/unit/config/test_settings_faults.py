"""Every way Settings can be refused: the path that is blamed and the reason that is given."""

import json
import os
import socket
from pathlib import Path

import certifi
import pytest

from tests.unit.config.builders import KEY, Folder

GOOD = {"SIDECAR_LIMITS_SCOPE": "process", "GEMINI_API_KEY": KEY}


def issuers(**issuer: object) -> str:
    """Settings with one issuer, good but for these values."""
    whole = {"name": "corp", "issuer": "https://login.test", "audiences": ["gemini"], **issuer}
    return json.dumps({"identity": {"issuers": [whole]}})


BAD_FILES = [
    ("listen: {adress: x}", "listen.adress", "is not a known key"),
    ("lisen: {}", "lisen", "is not a known key"),
    ("lisen: 5", "lisen", "is not a known key"),
    ("listen: 5", "listen", "is not a mapping"),
    ("listen: {address: 50051}", "listen.address", "is not text"),
    ("listen: {address: '50051'}", "listen.address", "is not host:port"),
    ("listen: {address: null}", "listen.address", "is not text"),
    ("listen: {address: '0.0.0.0:50051'}", "listen.address", "0.0.0.0 is not a loopback address"),
    ("listen: {address: 'gemini.example:1'}", "listen.address", "gemini.example is not a loopback address"),
    ("listen: {address: '::1:50051'}", "listen.address", "has a bare IPv6 address"),
    ("listen: {address: 'localhost:70000'}", "listen.address", "has no valid port"),
    ("listen: {address: 'local host:1'}", "listen.address", "has no valid host"),
    ("listen: {message_limit: 32MB}", "listen.message_limit", "is not a size"),
    ("listen: {message_limit: 1.5}", "listen.message_limit", "is not a size"),
    ("listen: {message_limit: 1GiB}", "listen.message_limit", "is out of range"),
    ("listen: {message_limit: 1023}", "listen.message_limit", "is out of range"),
    ("listen: {max_in_flight: 0}", "listen.max_in_flight", "is out of range"),
    ("listen: {max_in_flight: 1000001}", "listen.max_in_flight", "is out of range"),
    ("listen: {max_in_flight: many}", "listen.max_in_flight", "is not a whole number"),
    ("listen: {max_in_flight: true}", "listen.max_in_flight", "is not a whole number"),
    ("listen: {max_in_flight: 1.5}", "listen.max_in_flight", "is not a whole number"),
    ("listen: {socket: 5}", "listen.socket", "is not a path"),
    ("listen: {socket: /nowhere/local.sock}", "listen.socket", "its directory does not exist"),
    (f"listen: {{socket: /tmp/{'x' * 108}}}", "listen.socket", "is longer than 107 bytes"),
    ("listen: {envoy_socket: /nowhere/envoy.sock}", "listen.envoy_socket", "its directory does not exist"),
    ("listen: {socket: /tmp/a, envoy_socket: /tmp/a}", "listen.envoy_socket", "is listen.socket too"),
    ("deadline: {default: soon}", "deadline.default", "is not a duration"),
    ("deadline: {default: 0}", "deadline.default", "is out of range"),
    ("deadline: {default: -5}", "deadline.default", "is out of range"),
    ("deadline: {default: 25h}", "deadline.default", "is out of range"),
    ("deadline: {default: 1s, margin: 1s}", "deadline.margin", "is not shorter than deadline.default, 1s"),
    ("drain: {limit: yes}", "drain.limit", "is not a duration"),
    ("upstream: {connect_timeout: 1:30}", "upstream.connect_timeout", "is not a duration"),
    ("upstream: {total_timeout: [1s]}", "upstream.total_timeout", "is not a duration"),
    ("upstream: {ca_file: /nowhere/ca.pem}", "upstream.ca_file", "cannot be read: No such file or directory"),
    ("upstream: {transport: grpc}", "upstream.transport", "is not a known word"),
    ("limits: {scope: fleet}", "limits.scope", "is not a scope that limits can have"),
    ("identity: {principal: ''}", "identity.principal", "is empty or has white space in it"),
    ("identity: {principal: a b}", "identity.principal", "is empty or has white space in it"),
    ("identity: {trust_domain: 'spiffe://a'}", "identity.trust_domain", "is no SPIFFE trust domain"),
    ("identity: {trust_domain: Prod.example}", "identity.trust_domain", "is no SPIFFE trust domain"),
    ("envoy: {directory: /nowhere}", "envoy.directory", "is no directory"),
    ("envoy: {address: '8443'}", "envoy.address", "is not host:port"),
    ("envoy: {app_address: '0.0.0.0:50050'}", "envoy.app_address", "0.0.0.0 is not a loopback address"),
    ("envoy: {peers: all}", "envoy.peers", "is not a known word"),
    ("envoy: {peers: dns}", "envoy.peers_address", "is not set, and peers is dns"),
    ("envoy: {peers: bulletin}", "envoy.advertise", "is not set, and peers is bulletin"),
    ("envoy: {advertise: '10.0.0.7:8443'}", "envoy.advertise", "is set, and peers is none"),
    ("envoy: {peers: bulletin, advertise: 'pod:8443'}", "envoy.advertise", "has a host name"),
    ("envoy: {peers: dns, peers_address: 'peers:0'}", "envoy.peers_address", "has port 0"),
    ("envoy: {peers: bulletin, advertise: '10.0.0.7:8443'}", "envoy.peers", "is bulletin, and limits.scope"),
    ("envoy: {peers_principal: pod}", "envoy.peers_principal", "is no SPIFFE id"),
    ("envoy: {memory: 1MiB}", "envoy.memory", "is out of range"),
    ("identity: {mesh_header: X-Client}", "identity.mesh_header", "is not a valid name here"),
    ("identity: {mesh_header: authorization}", "identity.mesh_header", "means something else"),
    ("identity: {mesh_header: x-request-id}", "identity.mesh_header", "means something else"),
    ("identity: {mesh_header: x-envoy-peer}", "identity.mesh_header", "means something else"),
    ("identity: {mesh_header: grpc-timeout}", "identity.mesh_header", "means something else"),
    ("identity: {mesh_header: client-bin}", "identity.mesh_header", "means something else"),
    (issuers(issuer=""), "identity.issuers[0].issuer", "is empty or has white space in it"),
    (
        issuers(jwks_url="http://login.test/keys"),
        "identity.issuers[0].jwks_url",
        "can be replaced on its way",
    ),
    (issuers(jwks_url="https://a@login.test/"), "identity.issuers[0].jwks_url", "is not a plain URL"),
    (issuers(jwks_url="https:///keys"), "identity.issuers[0].jwks_url", "is not a plain URL"),
    (issuers(jwks_url="https://[1/"), "identity.issuers[0].jwks_url", "is not a URL"),
    (issuers(jwks_file="/nowhere/keys"), "identity.issuers[0].jwks_file", "cannot be read"),
    (issuers(jwks_file="/etc/hostname"), "identity.issuers[0].jwks_file", "holds no JSON Web Key Set"),
    (issuers(), "identity.issuers[0].name", "names not exactly one place"),
    (issuers(jwks_url="https://a/b", typ="jwt"), "identity.issuers[0].typ", "is not a known word"),
    (issuers(jwks_url="https://a/b", audiences=[]), "identity.issuers[0].audiences", "is empty"),
    (
        "identity: {issuers: [{name: a, issuer: b, audiences: [c], jwks_url: 'https://d/e'}, "
        "{name: a, issuer: c, audiences: [c], jwks_url: 'https://d/e'}]}",
        "identity.issuers",
        "have the same name twice",
    ),
    (
        "identity: {principal: 'spiffe://a/b', trust_domain: c}",
        "identity.trust_domain",
        "is not the trust domain of identity.principal",
    ),
    (
        "listen: {mesh_address: '0.0.0.0:50052'}",
        "listen.mesh_address",
        "is set, but nothing can tell who calls",
    ),
    ("policy: {file: /nowhere/policy.yaml}", "policy.file", "cannot be read: No such file or directory"),
    ("policy: {file: /}", "policy.file", "cannot be read: Is a directory"),
    ("policy: {poll: 0s}", "policy.poll", "is out of range"),
    ("telemetry: {address: '9464'}", "telemetry.address", "is not host:port"),
    (
        "telemetry: {address: '127.0.0.1:50051'}",
        "telemetry.address",
        "takes the port of listen.address, 50051",
    ),
    ("telemetry: {log_format: xml}", "telemetry.log_format", "is not a known word"),
    ("telemetry: {log_level: loud}", "telemetry.log_level", "is not a known word"),
]


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    BAD_FILES,
    ids=[f"{path}: {reason}: {text[-30:]}" for text, path, reason in BAD_FILES],
)
def test_a_bad_setting_is_blamed_where_it_stands(folder: Folder, text: str, path: str, reason: str) -> None:
    environ = {
        key: value for key, value in GOOD.items() if not (key == "SIDECAR_LIMITS_SCOPE" and "scope" in text)
    }
    (fault,) = folder.faults(text, environ)
    assert fault.path == path
    assert fault.reason.startswith(reason)
    assert fault.remedy
    assert fault.source.startswith(str(folder.path / "sidecar.yaml"))


def test_a_file_in_the_place_of_the_socket_is_refused_and_a_stale_socket_is_not(folder: Folder) -> None:
    file = folder.write("taken", "")
    (fault,) = folder.faults(f"listen: {{socket: {file}}}")
    assert fault.reason == "something that is not a socket stands there"
    stale = folder.path / "stale"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(stale))
    assert folder.load(f"listen: {{socket: {stale}}}").settings.listen.socket == stale


def test_a_bundle_without_certificates_is_refused(folder: Folder) -> None:
    file = folder.write("ca.pem", "no certificate")
    (fault,) = folder.faults(f"upstream: {{ca_file: {file}}}")
    assert (fault.path, fault.reason) == ("upstream.ca_file", "holds no certificate in PEM")
    bundle = Path(certifi.where())
    assert folder.load(f"upstream: {{ca_file: {bundle}}}").settings.upstream.ca_file == bundle


def test_the_sdk_transport_is_refused_where_google_genai_is_not_installed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.load("upstream: {transport: sdk}").settings.upstream.transport == "sdk"
    monkeypatch.setattr("sidecar.config.checks.find_spec", lambda name: None)
    (fault,) = folder.faults("upstream: {transport: sdk}")
    assert (fault.path, fault.reason) == ("upstream.transport", "needs google-genai, which is not installed")
    assert "gemini-sidecar[sdk]" in fault.remedy
    assert folder.load().settings.upstream.transport == "rest"


def test_the_scope_of_limits_must_be_said(folder: Folder) -> None:
    (fault,) = folder.faults("", {"GEMINI_API_KEY": KEY})
    assert (fault.path, fault.reason, fault.source) == ("limits.scope", "is not set", "")
    assert "limits.scope: process" in fault.remedy
    assert "limits.scope: redis" in fault.remedy


def test_a_misspelled_key_is_answered_with_its_neighbour(folder: Folder) -> None:
    (fault,) = folder.faults("upstream: {conect_timeout: 5s}")
    assert fault.remedy.startswith("did you mean upstream.connect_timeout")


@pytest.mark.parametrize(
    ("name", "neighbour"),
    [
        ("SIDECAR_LISTEN_ADRESS", "SIDECAR_LISTEN_ADDRESS"),
        ("SIDECAR_UPSTREAM_CONNECT_TIMEOUTS", "SIDECAR_UPSTREAM_CONNECT_TIMEOUT"),
        ("SIDECAR_CONFG", "SIDECAR_CONFIG"),
        ("SIDECAR_LISTEN_PORT", "SIDECAR_LISTEN_SOCKET"),
    ],
)
def test_an_unknown_variable_is_answered_with_its_neighbour(
    folder: Folder, name: str, neighbour: str
) -> None:
    (fault,) = folder.faults("", {**GOOD, name: "some-secret"})
    assert (fault.path, fault.reason, fault.source) == (name, "is not a known variable", "environment")
    assert neighbour in fault.remedy
    assert "some-secret" not in str(fault)


def test_variables_that_kubernetes_makes_of_services_are_passed_over(folder: Folder) -> None:
    links = {
        "SIDECAR_SERVICE_HOST": "10.0.0.1",
        "SIDECAR_SERVICE_PORT": "80",
        "SIDECAR_SERVICE_PORT_GRPC": "80",
        "SIDECAR_PORT": "tcp://10.0.0.1:80",
        "SIDECAR_PORT_80_TCP": "tcp://10.0.0.1:80",
        "SIDECAR_PORT_80_TCP_ADDR": "10.0.0.1",
        "SIDECAR_METRICS_SERVICE_HOST": "10.0.0.2",
    }
    assert folder.load("", {**GOOD, **links}).policy is not None


def test_a_bad_variable_is_blamed_by_its_name(folder: Folder) -> None:
    (fault,) = folder.faults("", {**GOOD, "SIDECAR_DRAIN_LIMIT": "soon"})
    assert (fault.path, fault.value, fault.source) == (
        "drain.limit",
        "'soon'",
        "environment SIDECAR_DRAIN_LIMIT",
    )


def test_a_key_given_twice_is_blamed_with_both_lines(folder: Folder) -> None:
    (fault,) = folder.faults("drain: {limit: 1s}\nlisten: {}\ndrain: {limit: 2s}\n")
    assert (fault.path, fault.reason) == ("drain", "is given twice, first in line 1")
    assert fault.source.endswith("sidecar.yaml:3")


def test_without_credentials_nothing_is_served(folder: Folder) -> None:
    (fault,) = folder.faults("", {"SIDECAR_LIMITS_SCOPE": "process", "GEMINI_API_KEY": ""})
    assert fault.reason.startswith("no credentials")
    for way_out in ("GEMINI_API_KEY", "policy.file", "--emulator"):
        assert way_out in fault.remedy


@pytest.mark.parametrize("value", ["two words", "two\nlines", "caf\xe9", "\udcff"])
def test_a_variable_that_holds_no_key_is_refused_without_showing_it(folder: Folder, value: str) -> None:
    (fault,) = folder.faults("", {"SIDECAR_LIMITS_SCOPE": "process", "GEMINI_API_KEY": value})
    assert (fault.path, fault.reason) == ("GEMINI_API_KEY", "holds something else than one key")
    assert fault.value == ""


def test_a_settings_file_that_cannot_be_read_hides_nothing_else_and_invents_nothing(folder: Folder) -> None:
    faults = folder.faults("drain: [", {"SIDECAR_LISTEN_ADRESS": "x", "SIDECAR_POLICY_FILE": "/nowhere"})
    assert [fault.path for fault in faults] == [
        str(folder.path / "sidecar.yaml"),
        "SIDECAR_LISTEN_ADRESS",
        "policy.file",
    ]


def test_faults_of_file_environment_settings_and_policy_come_in_one_list(folder: Folder) -> None:
    policy = folder.write("policy.yaml", "projects: []\nunlisted_models: maybe\n")
    faults = folder.faults(
        f"listen: {{address: 'x', address: 'y'}}\ndrain: {{limit: never}}\npolicy: {{file: {policy}}}",
        {"SIDECAR_UPSTREAM_CA": "x"},
    )
    assert [fault.path for fault in faults] == [
        "listen.address",  # twice
        "SIDECAR_UPSTREAM_CA",
        "listen.address",  # no address
        "drain.limit",
        "limits.scope",
        "projects",
        "unlisted_models",
    ]


def test_a_fifo_named_by_mistake_is_a_fault_and_no_hang(folder: Folder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (fault,) = folder.faults(f"policy: {{file: {tmp_path / 'pipe'}}}")
    assert fault.reason == "is not a regular file"
