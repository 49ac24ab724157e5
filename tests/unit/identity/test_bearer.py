import pytest

from sidecar.core.errors import Unauthenticated
from sidecar.core.secret import Secret
from sidecar.identity.bearer import Token, shown_token
from tests.unit.identity.fakes import FakeVerifier

VERIFIER = FakeVerifier({"a.b-c_d~e+f/g==": ["read"]})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER  "])
async def test_a_token_is_taken_out_and_verified(scheme: str) -> None:
    shown = (("authorization", Secret(f"{scheme} a.b-c_d~e+f/g==")),)
    assert await shown_token(shown, VERIFIER) == Token("corp", "alice", frozenset({"read"}))


async def test_who_shows_none_has_none() -> None:
    assert await shown_token((), VERIFIER) is None


@pytest.mark.parametrize(
    "values",
    [
        ["Basic YTpi"],
        ["Bearer"],
        ["Bearer "],
        ["Bearer a b"],
        ["Bearer a\tb"],
        ["Bearer \u00e4"],
        ["token"],
        [""],
        ["Bearer " + "a" * 20_000],
        ["Bearer a.b-c_d~e+f/g==", "Bearer a.b-c_d~e+f/g=="],
    ],
    ids=str,
)
async def test_what_is_no_single_bearer_token_is_refused_unquoted(values: list[str]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await shown_token(tuple(("authorization", Secret(value)) for value in values), VERIFIER)
    assert refusal.value.metadata == {"cause": "token_malformed"}
    assert "YTpi" not in str(refusal.value)


def test_no_spiffe_id_is_the_owner_of_a_token() -> None:
    assert Token("corp", "spiffe://corp/ns/a/sa/b", frozenset()).owner == "jwt:corp/spiffe://corp/ns/a/sa/b"
