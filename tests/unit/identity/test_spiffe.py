from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.identity.spiffe import NoSpiffeId, forwarded_id

WEB = "spiffe://corp/ns/shop/sa/web"
HASH = "Hash=" + "1f" * 32


@pytest.mark.parametrize(
    "header",
    [
        f"URI={WEB}",
        f'By=spiffe://corp/ns/ai/sa/gemini;{HASH};Subject="CN=web,O=corp;x=\\"y\\"";URI={WEB}',
        f'uri="{WEB}";by=',
        f'Cert="-----BEGIN%20CERTIFICATE-----";Subject="";URI={WEB};DNS=web.shop',
    ],
)
def test_what_envoy_writes_names_the_one_certificate(header: str) -> None:
    assert forwarded_id(header) == WEB


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "not made of keys"),
        (HASH, "no URI"),
        ("URI=", "no SPIFFE id"),
        ("URI=https://corp/web", "no SPIFFE id"),
        ("URI=spiffe://corp", "no SPIFFE id"),
        ("URI=spiffe://corp/../web", "no SPIFFE id"),
        (f"URI={WEB};URI=spiffe://corp/ns/shop/sa/admin", "key twice"),
        (f"URI={WEB};uri={WEB}", "key twice"),
        (f"{HASH};{HASH};URI={WEB}", "key twice"),
        (f"URI={WEB},URI={WEB}", "more than one hop"),
        (f"By=spiffe://corp/a;URI={WEB},By=spiffe://corp/b;URI={WEB}", "more than one hop"),
        (f"URI={WEB},", "more than one hop"),
        (f"URI={WEB};", "not made of keys"),
        (f" URI={WEB}", "not made of keys"),
        (f"URI ={WEB}", "not made of keys"),
        (f"{WEB}", "not made of keys"),
        (f'URI="{WEB}', "not made of keys"),
        (f'URI="{WEB}"x', "not made of keys"),
        (f'Subject="CN=a";;URI={WEB}', "not made of keys"),
        (f"Subject=CN=a;URI={WEB}", "not made of keys"),
        ("x" * 20_000, "longer than"),
    ],
)
def test_whatever_else_is_refused(header: str, words: str) -> None:
    with pytest.raises(NoSpiffeId, match=words) as refusal:
        forwarded_id(header)
    assert WEB not in str(refusal.value)


@given(st.text(alphabet='URIuriBy=;,"\\/:spfe.ab', max_size=60))
def test_any_text_is_one_id_or_a_refusal(header: str) -> None:
    with suppress(NoSpiffeId):
        assert forwarded_id(header) in header.replace("\\", "")
