"""The headers that prove us to Google: an API key, or an OAuth token of google-auth.

google-auth is imported with the first Vertex call, and its blocking work (reading files, fetching tokens)
runs in a thread. An endpoint's token is fetched once for all callers that wait for it, and a caller who goes
away takes nothing from the others; a token near its end, or refused, is renewed by the next caller.

Of several keys each request takes the next; one that was refused is left out for a while (`key_ring`).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

from sidecar.core.errors import UpstreamCredentials, UpstreamUnavailable
from sidecar.core.policy import Api, Endpoint
from sidecar.core.secret import Secret
from sidecar.upstream.key_ring import REST_S, KeyRing

if TYPE_CHECKING:
    from google.auth.credentials import Credentials as GoogleCredentials

_log = logging.getLogger(__name__)

_KEY_HEADER = "x-goog-api-key"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_UNAUTHENTICATED = 401
_FETCH_TIMEOUT_S = 10.0
"""For an answer of the token service; google-auth would wait for two minutes, and all callers with it."""


class Credentials:
    """Authorization headers by endpoint. `refused` is told the project of every key that was refused."""

    def __init__(self, refused: Callable[[str], None] = lambda project: None) -> None:
        self._fetches: dict[Endpoint, Future[GoogleCredentials]] = {}
        self._rings: dict[tuple[Secret, ...], KeyRing] = {}
        self._refused = refused

    def __repr__(self) -> str:
        return f"<Credentials with tokens of {sorted(endpoint.project for endpoint in self._fetches)}>"

    async def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """The headers to add to a request to `endpoint`.

        Raises UpstreamCredentials when Google or the credentials file refuses for good, UpstreamUnavailable
        when the token could not be fetched now. In both cases nothing was sent to the model.
        """
        if endpoint.api is Api.GEMINI:
            return {_KEY_HEADER: self._key(endpoint).reveal()} if endpoint.keys else {}
        fetch = self._fetches.get(endpoint)
        google = _fetched(fetch)
        if google is None or google.token_state.name != "FRESH":
            if fetch is None or fetch.done():
                fetch = self._fetches[endpoint] = _fetch(endpoint, google)
            google = await asyncio.wrap_future(fetch)
        if google.token is None:
            raise UpstreamCredentials(f"project {endpoint.project}: Google issued no access token")
        headers = {"Authorization": _authorization(google)}
        if quota_project := getattr(google, "quota_project_id", None):
            headers["x-goog-user-project"] = quota_project
        return headers

    def refuse(self, endpoint: Endpoint, headers: Mapping[str, str], http_status: int) -> bool:
        """Note that the upstream refused with this status what `headers` gave. Whether the endpoint has
        another key, so that asking it again may help.

        A token that is not accepted (401) is not shown again: it may have been revoked, or our clock may be
        slow. One that is not allowed to (403) is as good as the next.
        """
        if _KEY_HEADER not in headers:
            google = _fetched(self._fetches.get(endpoint))
            if http_status == _UNAUTHENTICATED and google and _authorization(google) in headers.values():
                del self._fetches[endpoint]
            return False
        ring, now = self._ring(endpoint), asyncio.get_running_loop().time()
        key = Secret(headers[_KEY_HEADER])
        self._refused(endpoint.project)
        if ring.refuse(key, now):
            place = {"project": endpoint.project, "key": endpoint.keys.index(key) + 1}
            told = {**place, "of": len(endpoint.keys), "rests_s": REST_S}
            _log.error("the upstream refused a key; it is left out for a while", extra={"fields": told})
        return ring.has_other(key, now)

    def forget(self) -> None:
        """Read credentials anew from now on: the files behind them may have changed."""
        self._fetches.clear()
        self._rings.clear()

    def _key(self, endpoint: Endpoint) -> Secret:
        if len(endpoint.keys) == 1:
            return endpoint.keys[0]
        return self._ring(endpoint).take(asyncio.get_running_loop().time())

    def _ring(self, endpoint: Endpoint) -> KeyRing:
        if endpoint.keys not in self._rings:
            self._rings[endpoint.keys] = KeyRing(endpoint.keys)
        return self._rings[endpoint.keys]


def _authorization(google: "GoogleCredentials") -> str:
    return f"Bearer {google.token}"


def _fetched(fetch: "Future[GoogleCredentials] | None") -> "GoogleCredentials | None":
    return fetch.result() if fetch and fetch.done() and fetch.exception() is None else None


def _fetch(endpoint: Endpoint, known: "GoogleCredentials | None") -> "Future[GoogleCredentials]":
    """Renew in a thread of its own. Nothing can cancel it, so it is a daemon: for an executor's thread the
    exit would wait.
    """
    fetched: Future[GoogleCredentials] = Future()
    fetched.set_running_or_notify_cancel()  # from now on a caller who is cancelled leaves it alone

    def fetch() -> None:
        try:
            fetched.set_result(_renewed(endpoint, known))
        except BaseException as error:  # whatever it is belongs to those who wait
            fetched.set_exception(error)

    Thread(target=fetch, name="token-fetch", daemon=True).start()
    return fetched


def _renewed(endpoint: Endpoint, known: "GoogleCredentials | None") -> "GoogleCredentials":
    """Load the credentials if need be and fetch a token. Blocking: for a thread."""
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.auth.transport.requests import Request

    try:
        credentials = known or _loaded(endpoint)
        credentials.refresh(partial(Request(), timeout=_FETCH_TIMEOUT_S))
    except (GoogleAuthError, OSError, ValueError) as error:
        if known is not None and known.token_state.name == "STALE":  # near its end, but good enough for now
            return known
        # the metadata server's TransportError comes wrapped in a RefreshError that does not say it will pass
        if isinstance(error, TransportError) or isinstance(error.__cause__, TransportError):
            raise UpstreamUnavailable(
                f"project {endpoint.project}: Google's token service cannot be reached"
            ) from error
        if isinstance(error, GoogleAuthError) and error.retryable:
            raise UpstreamUnavailable(f"project {endpoint.project}: Google's token service failed") from error
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
