"""The headers that prove us to Google: an API key, or an OAuth token of google-auth.

google-auth is imported with the first Vertex call, and its blocking work (reading files, fetching tokens)
runs in a thread. Each endpoint's token is fetched by one caller while the others wait for it; a token near
its end is renewed by the next caller.
"""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sidecar.core.errors import UpstreamCredentials, UpstreamUnavailable
from sidecar.core.policy import Api, Endpoint

if TYPE_CHECKING:
    from google.auth.credentials import Credentials as GoogleCredentials

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


@dataclass(slots=True)
class _Token:
    """One endpoint's google-auth credentials and the lock under which they are loaded and refreshed."""

    google: "GoogleCredentials | None" = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Credentials:
    """Authorization headers by endpoint."""

    def __init__(self) -> None:
        self._tokens: dict[Endpoint, _Token] = {}

    def __repr__(self) -> str:
        return f"<Credentials with tokens of {sorted(endpoint.project for endpoint in self._tokens)}>"

    async def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """The headers to add to a request to `endpoint`.

        Raises UpstreamCredentials when Google or the credentials file refuses for good, UpstreamUnavailable
        when the token could not be fetched now. In both cases nothing was sent to the model.
        """
        if endpoint.api is Api.GEMINI:
            return {"x-goog-api-key": endpoint.key.reveal()} if endpoint.key else {}
        token = self._tokens.setdefault(endpoint, _Token())
        if not _is_fresh(token.google):
            async with token.lock:
                if not _is_fresh(token.google):
                    token.google = await asyncio.to_thread(_renewed, endpoint, token.google)
        google = token.google
        if google is None or google.token is None:
            raise UpstreamCredentials(f"project {endpoint.project}: Google issued no access token")
        headers = {"Authorization": f"Bearer {google.token}"}
        if quota_project := getattr(google, "quota_project_id", None):
            headers["x-goog-user-project"] = quota_project
        return headers

    def forget(self) -> None:
        """Read credentials anew from now on: the files behind them may have changed."""
        self._tokens.clear()


def _is_fresh(google: "GoogleCredentials | None") -> bool:
    return google is not None and google.token_state.name == "FRESH"


def _renewed(endpoint: Endpoint, known: "GoogleCredentials | None") -> "GoogleCredentials":
    """Load the credentials if need be and fetch a token. Blocking: for a thread."""
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.auth.transport.requests import Request

    try:
        credentials = known or _loaded(endpoint)
        credentials.refresh(Request())
    except TransportError as error:
        raise UpstreamUnavailable(
            f"project {endpoint.project}: Google's token service cannot be reached"
        ) from error
    except (GoogleAuthError, OSError, ValueError) as error:
        raise UpstreamCredentials(
            f"project {endpoint.project}: its Google credentials were refused"
        ) from error
    return credentials


def _loaded(endpoint: Endpoint) -> "GoogleCredentials":
    import google.auth

    if endpoint.credentials_file is None:
        credentials, _ = google.auth.default(scopes=_SCOPES)
    else:
        credentials, _ = google.auth.load_credentials_from_file(
            str(endpoint.credentials_file), scopes=_SCOPES
        )
    return credentials
