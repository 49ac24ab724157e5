"""Whether the caller may call: API keys on the Developer API, bearer tokens on Vertex AI.

Decides refusals by credential alone, and under which name a caller's use is counted. Any non-empty credential
is good, but for these values, which let a test play each refusal: `invalid` and, as API keys only, `expired`
and `forbidden`. Credentials are compared and forgotten; none is kept, logged or returned.
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
from sidecar.emulator.quota_plan import caller_of_key
from sidecar.emulator.routes import Face, Route

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


def caller(route: Route, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """Return who calls: the project of the path, else the project that a bearer names, else a name made of
    the credential, from which it cannot be found again."""
    if route.project:
        return route.project
    key = headers.get("x-goog-api-key") or query.get("key", "")
    bearer = headers.get("Authorization", "")
    if bearer and not key:
        return headers.get("x-goog-user-project") or caller_of_key(bearer)
    return caller_of_key(key)


def _check_key(key: str, service: str) -> None:
    refusals = {
        "": key_missing,
        _INVALID: key_invalid,
        "expired": key_expired,
        "forbidden": permission_denied,
    }
    if refusal := refusals.get(key):
        raise refusal(service)
