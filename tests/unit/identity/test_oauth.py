"""Tokens good and bad, against time that is made up."""

import asyncio
from string import ascii_letters, digits
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.errors import PermissionDenied, SidecarError, Unauthenticated
from sidecar.core.secret import Secret
from sidecar.identity.bearer import Token
from sidecar.identity.keys import FAMILIES, PublicKey, read_keys
from sidecar.identity.oauth import LEEWAY_S, REMEMBERED, Issuer, OAuth, scopes_of
from tests.support.tokens import AUDIENCE, ISSUER, NOW, SigningKey, good_claims, key_set, unsigned

KEYS = {algorithm: SigningKey(algorithm, algorithm) for algorithm in FAMILIES}
EC, RSA = KEYS["ES256"], KEYS["RS256"]
OTHER = SigningKey("ES256", "other")


class Known:
    """Keys that are simply there."""

    def __init__(self, *keys: SigningKey) -> None:
        self.is_closed = False
        self.keep(*keys)

    def keep(self, *keys: SigningKey) -> None:
        self._keys = read_keys(key_set(*(key.jwk() for key in keys)))

    def warm(self) -> None:
        pass

    async def close(self) -> None:
        self.is_closed = True

    async def find(self, algorithm: str, key_id: str) -> PublicKey:
        key = self._keys.find(algorithm, key_id)
        if key is None:
            raise Unauthenticated("no such key", "token_key")
        return key


def issuer(
    name: str = "corp",
    url: str = ISSUER,
    *keys: SigningKey,
    keys_of: Known | None = None,
    **facts: Any,
) -> Issuer:
    values = {"audiences": frozenset({AUDIENCE}), "typ": "at+jwt", "required_scopes": frozenset(), **facts}
    return Issuer(name=name, issuer=url, keys=keys_of or Known(*(keys or KEYS.values())), **values)


def oauth(*issuers: Issuer) -> OAuth:
    return OAuth(issuers or (issuer(),), now=lambda: float(NOW))


@pytest.mark.parametrize("algorithm", FAMILIES)
async def test_a_good_token_tells_whose_it_is_and_what_it_is_good_for(algorithm: str) -> None:
    token = Secret(KEYS[algorithm].token(scope="gemini.generate sidecar.admin"))
    scopes = frozenset({"gemini.generate", "sidecar.admin"})
    assert await oauth().verify(token) == Token("corp", "alice", scopes)


@pytest.mark.parametrize(
    "token",
    [
        EC.token(exp=NOW - LEEWAY_S + 1),
        EC.token(nbf=NOW + LEEWAY_S),
        EC.token(aud=["other", AUDIENCE]),
        EC.token(headers={"typ": "application/AT+JWT"}),
        EC.token(scope=None),
    ],
)
async def test_what_else_is_accepted(token: str) -> None:
    assert (await oauth().verify(Secret(token))).subject == "alice"


BAD = [
    ("expired", EC.token(exp=NOW - LEEWAY_S), "token_expired"),
    ("no expiry", EC.token(exp=None), "token_malformed"),
    ("an expiry that is no number", EC.token(exp="never"), "token_malformed"),
    ("an expiry that is NaN", EC.token(exp=float("nan")), "token_malformed"),
    ("an expiry out of all bounds", EC.token(exp=10**400), "token_malformed"),
    ("not yet valid", EC.token(nbf=NOW + LEEWAY_S + 1), "token_not_yet_valid"),
    ("another audience", EC.token(aud="other"), "token_audience"),
    ("no audience", EC.token(aud=None), "token_audience"),
    ("an audience that is no text", EC.token(aud={AUDIENCE: 1}), "token_audience"),
    ("another issuer", EC.token(iss="https://evil.test"), "token_issuer"),
    ("no issuer", EC.token(iss=None), "token_issuer"),
    ("an issuer that begins so", EC.token(iss=f"{ISSUER}/"), "token_issuer"),
    ("no subject", EC.token(sub=None), "token_malformed"),
    ("an empty subject", EC.token(sub=""), "token_malformed"),
    ("a subject of two lines", EC.token(sub="alice\nadmin"), "token_malformed"),
    ("a subject without end", EC.token(sub="a" * 257), "token_malformed"),
    ("alg none", unsigned(), "token_algorithm"),
    ("HS256 with the public key", RSA.confused(), "token_algorithm"),
    ("HS256", jwt.encode(good_claims(), "s" * 32, "HS256", headers={"typ": "at+jwt"}), "token_algorithm"),
    ("ES384", EC.token(headers={"alg": "ES384"}), "token_algorithm"),
    ("an ID token", EC.token(headers={"typ": "JWT"}), "token_type"),
    ("no type", EC.token(headers={"typ": None}), "token_type"),
    ("a critical extension", EC.token(headers={"crit": ["exp"]}), "token_malformed"),
    ("an unknown key", OTHER.token(), "token_key"),
    ("another key under a known id", OTHER.token(headers={"kid": "ES256"}), "token_signature"),
    ("a key of another family", RSA.token(headers={"kid": "ES256"}), "token_key"),
    ("three letters", "a.b.c", "token_malformed"),
    ("encrypted", "a.b.c.d.e", "token_malformed"),
    ("nothing", ".", "token_malformed"),
]


@pytest.mark.parametrize(("token", "cause"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
async def test_a_bad_token_is_refused_for_what_is_wrong_with_it(token: str, cause: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await oauth().verify(Secret(token))
    assert refusal.value.metadata == {"cause": cause}
    assert_tells_nothing_of(token, refusal.value)


async def test_changed_claims_are_noticed() -> None:
    head, _, signature = EC.token().split(".")
    _, claims, _ = EC.token(sub="admin").split(".")
    with pytest.raises(Unauthenticated, match="signature"):
        await oauth().verify(Secret(f"{head}.{claims}.{signature}"))


@given(st.data())
def test_a_token_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    """But for the last character of a part, some bits of which base64 does not use."""
    token = KEYS["EdDSA"].token()
    ends = {len(token) - 1, *(at + step for at, char in enumerate(token) if char == "." for step in (-1, 0))}
    at = data.draw(st.sampled_from([place for place in range(len(token)) if place not in ends]))
    letter = data.draw(st.sampled_from(ascii_letters + digits + "-_").filter(lambda char: char != token[at]))
    with pytest.raises(Unauthenticated):
        asyncio.run(oauth().verify(Secret(token[:at] + letter + token[at + 1 :])))


async def test_a_token_without_a_scope_that_all_need_is_refused() -> None:
    strict = oauth(issuer(required_scopes=frozenset({"gemini", "gemini.generate"})))
    token = EC.token()
    with pytest.raises(PermissionDenied, match=r"lacks scope gemini,") as refusal:
        await strict.verify(Secret(token))
    assert refusal.value.metadata == {"cause": "token_scope"}
    assert_tells_nothing_of(token, refusal.value)


async def test_an_issuer_may_write_another_type() -> None:
    assert await oauth(issuer(typ="")).verify(Secret(EC.token(headers={"typ": "JWT"})))


async def test_each_issuer_has_its_own_keys() -> None:
    both = oauth(issuer(), issuer("other", "https://other.test", OTHER))
    assert (await both.verify(Secret(OTHER.token(iss="https://other.test")))).issuer == "other"
    with pytest.raises(Unauthenticated):
        await both.verify(Secret(OTHER.token()))
    with pytest.raises(Unauthenticated):
        await both.verify(Secret(EC.token(iss="https://other.test")))
    assert repr(both) == "<OAuth of corp, other>"


async def test_a_token_seen_before_is_held_to_its_time_and_to_its_key() -> None:
    now = [float(NOW)]
    known = Known(EC)
    verifier = OAuth((issuer(keys_of=known),), now=lambda: now[0])
    token = Secret(EC.token())
    assert await verifier.verify(token) is await verifier.verify(token)

    known.keep(EC)  # loaded anew, so another object
    assert (await verifier.verify(token)).subject == "alice"
    known.keep(OTHER)
    with pytest.raises(Unauthenticated, match="no such key"):
        await verifier.verify(token)
    known.keep(EC)
    assert (await verifier.verify(token)).subject == "alice"
    now[0] = NOW + 300 + LEEWAY_S
    with pytest.raises(Unauthenticated, match="expired"):
        await verifier.verify(token)


async def test_only_the_tokens_seen_last_are_remembered() -> None:
    verifier = oauth()
    tokens = [Secret(EC.token(sub=f"caller-{number}")) for number in range(REMEMBERED + 1)]
    found = [await verifier.verify(token) for token in tokens]
    assert await verifier.verify(tokens[-1]) is found[-1]
    assert await verifier.verify(tokens[0]) == found[0]
    assert await verifier.verify(tokens[0]) is not found[0]


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a b"}, {"a", "b"}),
        ({"scp": ["a", "b"]}, {"a", "b"}),
        ({"scp": "a b"}, {"a", "b"}),
        ({"scope": "a", "scp": ["b"]}, {"a"}),
        ({"scope": " a  "}, {"a"}),
        ({"scope": 5}, set()),
        ({"scope": {"a": 1}}, set()),
        ({"scp": ["a", 5, ["b"], ""]}, {"a"}),
        ({}, set()),
    ],
)
def test_scopes_are_one_text_or_a_list(claims: dict[str, Any], scopes: set[str]) -> None:
    assert scopes_of(claims) == scopes


def assert_tells_nothing_of(token: str, error: SidecarError) -> None:
    told = f"{error} {error!r} {error.metadata} {error.__cause__}"
    assert all(part not in told for part in token.split(".") if len(part) > 5)
    assert "alice" not in told
