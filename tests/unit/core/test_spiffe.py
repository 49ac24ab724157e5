import pytest

from sidecar.core.spiffe import is_prefix, is_trust_domain, namespace, trust_domain

WEB = "spiffe://corp.example/ns/shop/sa/web"


def test_an_id_tells_its_trust_domain_and_namespace() -> None:
    assert (trust_domain(WEB), namespace(WEB)) == ("corp.example", "shop")


@pytest.mark.parametrize(
    "text",
    [
        *("", "spiffe://", "spiffe://corp", "spiffe://corp/", "spiffe://corp/a/", "spiffe://corp//a"),
        *("SPIFFE://corp/a", "spiffe:/corp/a", "https://corp/a", " spiffe://corp/a", "spiffe://corp/a\n"),
        *(
            "spiffe://Corp/a",
            "spiffe://corp:80/a",
            "spiffe://me@corp/a",
            "spiffe://corp/a?b",
            "spiffe://corp/a#b",
        ),
        *("spiffe://corp/.", "spiffe://corp/a/../b", "spiffe://corp/%61", "spiffe://corp/ä", "spiffe:///a"),
        "spiffe://corp/" + "a" * 2048,
    ],
)
def test_what_is_no_id_of_a_workload_has_no_trust_domain(text: str) -> None:
    assert trust_domain(text) == ""


@pytest.mark.parametrize(
    "spiffe_id",
    ["spiffe://corp/shop/sa/web", "spiffe://corp/ns", "spiffe://corp/x/ns/shop", "ns/shop/sa/web"],
)
def test_an_id_that_is_not_of_kubernetes_has_no_namespace(spiffe_id: str) -> None:
    assert namespace(spiffe_id) == ""


@pytest.mark.parametrize("domain", ["corp", "corp.example", "a_b-c.9"])
def test_names_of_trust_domains(domain: str) -> None:
    assert is_trust_domain(domain)


@pytest.mark.parametrize("domain", ["", "Corp", "corp/", "corp:1", "spiffe://corp", "a" * 256])
def test_no_names_of_trust_domains(domain: str) -> None:
    assert not is_trust_domain(domain)


@pytest.mark.parametrize("prefix", ["spiffe://corp/", "spiffe://corp/ns/shop/", "spiffe://corp/ns/sho"])
def test_beginnings_of_ids(prefix: str) -> None:
    assert is_prefix(prefix)


@pytest.mark.parametrize(
    "prefix", ["spiffe://", "spiffe://corp", "spiffe://corp//", "spiffe:/corp/", "spiffe://Corp/"]
)
def test_a_beginning_names_the_whole_trust_domain(prefix: str) -> None:
    """`spiffe://corp*` would be true of `spiffe://corp.evil/...` too."""
    assert not is_prefix(prefix)
