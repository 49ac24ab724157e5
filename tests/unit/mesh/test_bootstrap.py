"""What an Envoy is told: the whole of it, as golden files, and what settings lack for one."""

import json
from pathlib import Path
from typing import Any

import pytest

from sidecar.config.faults import ConfigError
from sidecar.mesh.bootstrap import render
from tests.support.mesh_settings import (
    BULLETIN,
    DNS,
    INSIDE,
    ISSUER,
    OUTSIDE,
    VARIANTS,
    settings,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy"
PLACE = "/run/gemini-sidecar"


def rendered(folder: Path, *groups: Any) -> dict[str, Any]:
    return render(settings(folder, *groups))


def cluster(bootstrap: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in bootstrap["static_resources"]["clusters"] if each["name"] == name]
    return dict(found)


@pytest.mark.parametrize("variant", ["inside", "replicas-by-dns"])
def test_the_whole_is_what_was_agreed(variant: str, tmp_path: Path) -> None:
    """After a change that is meant: write `told` into the file, and read the difference."""
    told = json.dumps(rendered(tmp_path, *VARIANTS[variant]), indent=1).replace(str(tmp_path), PLACE) + "\n"
    assert told == (GOLDEN / f"{variant}.json").read_text()


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_word_of_ours_and_no_nothing_is_left(variant: str, tmp_path: Path) -> None:
    text = json.dumps(rendered(tmp_path, *VARIANTS[variant]))
    assert '"$' not in text
    assert "null" not in text


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_cluster_that_is_named_is_there(variant: str, tmp_path: Path) -> None:
    bootstrap = rendered(tmp_path, *VARIANTS[variant])
    clusters = {each["name"] for each in bootstrap["static_resources"]["clusters"]}
    assert {*_named(bootstrap)} <= clusters


def _named(tree: Any) -> list[str]:
    """Names of clusters anywhere in a tree."""
    found: list[str] = []
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == "cluster_min_healthy_percentages":
                found += value
            elif key in ("cluster", "cluster_name") and value != "gemini-sidecar":
                found.append(value)
            elif key == "clusters" and value and isinstance(value[0], str):
                found += value
            else:
                found += _named(value)
    elif isinstance(tree, list):
        for item in tree:
            found += _named(item)
    return found


def test_what_a_sidecar_answers_is_never_held_against_it(tmp_path: Path) -> None:
    for name in ("local", "peers"):
        outliers = cluster(rendered(tmp_path, *VARIANTS["replicas-by-dns"]), name)["outlier_detection"]
        enforced = {key for key, value in outliers.items() if key.startswith("enforcing") and value}
        assert enforced == {"enforcing_consecutive_local_origin_failure"}


def test_repeats_are_bounded_by_the_calls_that_a_sidecar_takes(tmp_path: Path) -> None:
    bootstrap = rendered(tmp_path, DNS, {"listen": {"max_in_flight": 70}})
    for name in ("local", "peers", "local_then_peers"):
        (limits,) = cluster(bootstrap, name)["circuit_breakers"]["thresholds"]
        assert (limits["max_retries"], limits["max_requests"]) == (70, 70)


def test_a_sidecar_that_does_not_look_well_is_asked_where_nobody_else_can_be(tmp_path: Path) -> None:
    def panic(*groups: Any) -> Any:
        return cluster(rendered(tmp_path, *groups), "local")["common_lb_config"]["healthy_panic_threshold"]

    assert (panic(INSIDE), panic(DNS)) == ({"value": 50}, {"value": 0})


def test_peers_must_be_replicas_unless_said_otherwise(tmp_path: Path) -> None:
    def accepted(*groups: Any) -> Any:
        tls = cluster(rendered(tmp_path, *groups), "peers")["transport_socket"]["typed_config"]
        context = tls["common_tls_context"]["combined_validation_context"]["default_validation_context"]
        return [names["matcher"] for names in context["match_typed_subject_alt_names"]]

    assert accepted(DNS) == [{"exact": "spiffe://mesh.test/ns/shop/sa/cart"}]
    other = "spiffe://mesh.test/ns/gemini/sa/gateway"
    assert accepted(DNS, {"envoy": {"peers_principal": other}}) == [{"exact": other}]


@pytest.mark.parametrize(
    ("mesh_header", "thrown_away"), [("l5d-client-id", ["l5d-client-id"]), ("x-forwarded-client-cert", [])]
)
def test_what_envoy_itself_says_of_a_caller_reaches_the_sidecar(
    mesh_header: str, thrown_away: list[str], tmp_path: Path
) -> None:
    """The mesh's proxy may use the header that Envoy uses."""
    bootstrap = rendered(tmp_path, INSIDE, OUTSIDE, {"identity": {"mesh_header": mesh_header}})
    for name in ("inbound", "app"):
        (listener,) = [each for each in bootstrap["static_resources"]["listeners"] if each["name"] == name]
        filters = listener["filter_chains"][0]["filters"]
        removed = filters[0]["typed_config"]["route_config"]["request_headers_to_remove"]
        assert removed == ["x-forwarded-for", "x-envoy-external-address", *thrown_away]


def test_what_administers_this_sidecar_never_goes_to_a_peer(tmp_path: Path) -> None:
    """With a token a drain would be taken there."""
    listeners = rendered(tmp_path, DNS)["static_resources"]["listeners"]
    (app,) = [each for each in listeners if each["name"] == "app"]
    connections = app["filter_chains"][0]["filters"][0]["typed_config"]
    routes = connections["route_config"]["virtual_hosts"][0]["routes"]
    taken = {each["match"]["prefix"]: each["route"]["cluster"] for each in routes if "route" in each}
    assert taken["/sidecar.v1.AdminService/"] == "local"
    assert taken["/sidecar.v1.GeminiService/"] == "local_then_peers"


def test_envoy_looks_at_tokens_when_it_can_know_all_issuers(tmp_path: Path) -> None:
    def filters(*issuers: Any) -> list[str]:
        told = rendered(tmp_path, INSIDE, OUTSIDE, {"identity": {"issuers": issuers}})
        manager = told["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        return [each["name"].rpartition(".")[2] for each in manager["http_filters"]]

    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    by_file = {"name": "own", "issuer": "own", "audiences": ["a"], "jwks_file": keys}
    assert filters() == ["health_check", "router"]
    assert filters(ISSUER) == ["health_check", "jwt_authn", "router"]
    assert filters(ISSUER, by_file) == ["health_check", "router"]


LACKING = [
    ((), ["listen.socket"]),
    ((INSIDE, {"envoy": {"directory": ""}}), ["envoy.directory"]),
    ((OUTSIDE, {"identity": {"trust_domain": "", "principal": "pod"}}), ["identity.trust_domain"]),
    (({"listen": {"envoy_socket": "envoy.sock"}},), ["envoy.certificates"]),
    ((DNS, {"listen": {"socket": None}}, OUTSIDE), ["listen.socket"]),
    ((DNS, {"identity": {"principal": "pod"}}), ["envoy.peers_principal"]),
    ((BULLETIN, {"envoy": {"certificates": ""}}), ["envoy.certificates"]),
    (({"envoy": {"directory": ""}},), ["envoy.directory", "listen.socket"]),
]


@pytest.mark.parametrize(("groups", "blamed"), LACKING, ids=str)
def test_all_that_is_lacking_is_told(groups: Any, blamed: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rendered(tmp_path, *groups)
    assert [fault.path for fault in caught.value.faults] == blamed
    assert all(fault.reason and fault.remedy for fault in caught.value.faults)
