"""Whether the caller may call: API keys on the Developer API, bearer tokens on Vertex AI.

Decides refusals by credential alone. Any non-empty credential is good, but for these values, which let a test
play each refusal: `invalid` and, as API keys only, `expired` and `forbidden`. Credentials are compared and
forgotten; none is kept, logged or returned.
"""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.emulator.errors import (
    DEVELOPER_SERVICE,
    VERTEX_SERVICE,
    key_expired,
    key_invalid,
    key_missing,
    permission_denied,
    unauthenticated,
)
from sidecar.emulator.routes import Face

_INVALID = "invalid"


def authenticate(face: Face, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
    """Accept or refuse the credentials of a call on `face`; `headers` must ignore case.

    Raises:
        ApiError: 400, 401 or 403 in the words that Google uses on that face.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    has_token = scheme.lower() == "bearer" and bool(token)
    service = DEVELOPER_SERVICE if face is Face.DEVELOPER else VERTEX_SERVICE
    if has_token or face is Face.VERTEX:
        if not has_token or token == _INVALID:
            raise unauthenticated(service)
        return
    _check_key(headers.get("x-goog-api-key") or query.get("key", ""), service)


def _check_key(key: str, service: str) -> None:
    refusals = {
        "": key_missing,
        _INVALID: key_invalid,
        "expired": key_expired,
        "forbidden": permission_denied,
    }
    if refusal := refusals.get(key):
        raise refusal(service)
