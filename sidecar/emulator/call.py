"""From the plain facts of an HTTP request to an API call that may be answered.

Decides the order of the checks: credentials, then X-Server-Timeout, then the form of the body, then the
script. The work of each check is in its own module. Pure: takes strings and bytes, opens nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.emulator.answer import Framing
from sidecar.emulator.auth import authenticate, caller
from sidecar.emulator.decode import decode
from sidecar.emulator.errors import ApiError, Json, deadline_too_short
from sidecar.emulator.routes import Operation, Route
from sidecar.emulator.script import HEADER, Script, find_script

MIN_SERVER_TIMEOUT_S = 10.0
"""The smallest X-Server-Timeout that Google accepts."""

_MESSAGES = {
    Operation.GENERATE: "GenerateContentRequest",
    Operation.STREAM: "GenerateContentRequest",
    Operation.COUNT: "CountTokensRequest",
    Operation.EMBED: "EmbedContentRequest",
    Operation.BATCH_EMBED: "BatchEmbedContentsRequest",
    Operation.PREDICT: "PredictRequest",
    Operation.CREATE_CACHE: "CachedContent",
    Operation.UPDATE_CACHE: "CachedContent",
}


@dataclass(frozen=True, slots=True)
class Request:
    """The plain facts of an HTTP request; `headers` ignores case, `body` is the parsed JSON of `body_text`
    (None for an upload), `origin` is the address that the client used."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    body_text: bytes
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """An API call that passed all checks of form.

    `body` is canonical (see `decode`); empty for a GET. `server_timeout_s` is None when the client set none.
    `caller` names whose use this is (see `auth`); `request` is the request as it came.
    """

    route: Route
    framing: Framing | None
    body: Json
    query: Mapping[str, str]
    script: Script
    server_timeout_s: float | None
    request_id: str
    caller: str
    request: Request


def framing_of(route: Route, query: Mapping[str, str]) -> Framing | None:
    """Return how the reply to `route` is framed; None for a unary reply."""
    if route.operation is not Operation.STREAM:
        return None
    return Framing.SSE if query.get("alt", query.get("$alt")) == "sse" else Framing.ARRAY


def accept(route: Route, request: Request, min_server_timeout_s: float) -> Call:
    """Return the call that `request` makes on `route`.

    Raises:
        ApiError: 400, 401 or 403, the first check that fails.
    """
    headers, query = request.headers, request.query
    # The address of an upload under way is itself the credential, as with Google.
    if route.operation is not Operation.UPLOAD_FILE or "upload_id" not in query:
        authenticate(route.face, headers, query)
    server_timeout_s = _server_timeout(headers.get("X-Server-Timeout"), min_server_timeout_s)
    message = _MESSAGES.get(route.operation)
    return Call(
        route=route,
        framing=framing_of(route, query),
        body=decode(message, request.body if request.body_text else {}) if message else {},
        query=query,
        script=_script(request),
        server_timeout_s=server_timeout_s,
        request_id=headers.get("x-request-id", ""),
        caller=caller(route, headers, query),
        request=request,
    )


def _script(request: Request) -> Script:
    header = request.headers.get(HEADER)
    if request.body is not None:
        return find_script(header, request.body, request.body_text)
    # A listing has no other text than its page token.
    token = request.query.get("pageToken", "")
    return find_script(header, token, token.encode())


def _server_timeout(text: str | None, minimum_s: float) -> float | None:
    if text is None:
        return None
    try:
        timeout_s = float(text)
    except ValueError:
        timeout_s = math.nan
    if not math.isfinite(timeout_s):
        raise ApiError(400, f'Invalid X-Server-Timeout header: "{text}" is not a number of seconds.')
    if timeout_s < minimum_s:
        raise deadline_too_short(text, minimum_s)
    return timeout_s
