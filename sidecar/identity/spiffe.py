"""The header in which Envoy hands on whose certificate it has verified. Pure.

Envoy puts `x-forwarded-client-cert` in place of whatever the caller sent (SANITIZE_SET), so it has one
element, for the one hop, such as

    By=spiffe://corp/ns/ai/sa/gemini;Hash=1f0c...;Subject="CN=web,O=corp";URI=spiffe://corp/ns/shop/sa/web

Everything else means that another hand has written it, and is refused: a second element, a key given twice
(Envoy writes one URI for each in the certificate, and a SPIFFE certificate has exactly one), an open
quotation.

Sources: Envoy's documentation of the header (config/http_conn_man/headers); X509-SVID, section 2.
"""

import re

from sidecar.core.spiffe import trust_domain

_HEADER_MAX_CHARS = 16 * 1024
_PAIR = re.compile(r'([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=\\]*))')
_ESCAPED = re.compile(r"\\(.)")


class NoSpiffeId(ValueError):
    """The header does not hold one SPIFFE id; the text says why and quotes nothing."""


def forwarded_id(header: str) -> str:
    """The SPIFFE id of the certificate in an `x-forwarded-client-cert` of one hop. Raises NoSpiffeId."""
    uri = _pairs(header).get("uri")
    if uri is None:
        raise NoSpiffeId("the certificate has no URI name")
    if not trust_domain(uri):
        raise NoSpiffeId("the certificate's URI name is no SPIFFE id of a workload")
    return uri


def _pairs(header: str) -> dict[str, str]:
    """The values of the one element by their keys, which are the same in any case."""
    if len(header) > _HEADER_MAX_CHARS:
        raise NoSpiffeId(f"the header is longer than {_HEADER_MAX_CHARS} characters")
    pairs: dict[str, str] = {}
    at = 0
    while True:
        match = _PAIR.match(header, at)
        if match is None:
            raise NoSpiffeId("the header is not made of keys and values")
        key, quoted, plain = match[1].lower(), match[2], match[3]
        if key in pairs:
            raise NoSpiffeId("the header has a key twice")
        pairs[key] = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        at = match.end()
        if at == len(header):
            return pairs
        if header[at] == ",":
            raise NoSpiffeId("the header has passed more than one hop")
        if header[at] != ";":
            raise NoSpiffeId("the header is not made of keys and values")
        at += 1
