"""The emulator itself: a server on a socket, from start to stop.

Decides the way of a request through the parts: journal, checks (`call`), answer (`service`), playing
(`player`), and what its ending is called. Requests are handled one after the other on a connection, all on
one event loop.

Invariant: whatever happens to a request, it leaves the journal's active count exactly once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from sidecar.emulator.answer import Answer, error_answer
from sidecar.emulator.arrivals import Arrival, ArrivalLog, Verdict
from sidecar.emulator.call import MIN_SERVER_TIMEOUT_S, Request, accept, framing_of
from sidecar.emulator.clock import Clock, SystemClock
from sidecar.emulator.decode import parse_json
from sidecar.emulator.errors import ApiError
from sidecar.emulator.observed import Ending, Journal, Observed
from sidecar.emulator.player import Player
from sidecar.emulator.quota_plan import UNLIMITED, QuotaPlan
from sidecar.emulator.routes import Operation, Route, find_route, find_unplayed
from sidecar.emulator.service import Service
from sidecar.emulator.state import STATE_PATH, state_page

_MAX_BODY_BYTES = 256 << 20
_MAX_RECORDED_BYTES = 64 << 20
_MAX_HEADER_BYTES = 64 << 10


class Emulator:
    """Gemini's REST and SSE wire on a local socket.

    `port` 0 takes a free one. `ssl_context` makes it HTTPS. `min_server_timeout_s` is the smallest
    X-Server-Timeout that is not refused; Google's is 10, tests that wait for a 504 want less. `observed`
    keeps the last `max_requests` requests.

    `quotas` are the limits to hold callers to, none by default; `log` is the file to append the arrival log
    to; `clock` gives the time for both. `log` must be writable when the emulator starts.

    Start it and stop it on one event loop; an emulator runs once. A client that closes its sending side
    (half-close) counts as gone.
    """

    def __init__(  # noqa: PLR0913 - the two that a socket needs; the rest are options by name
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        ssl_context: ssl.SSLContext | None = None,
        min_server_timeout_s: float = MIN_SERVER_TIMEOUT_S,
        max_requests: int = 256,
        quotas: QuotaPlan = UNLIMITED,
        log: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._min_server_timeout_s = min_server_timeout_s
        self._journal = Journal(max_requests, _MAX_RECORDED_BYTES)
        self._clock = clock or SystemClock()
        self._service = Service(quotas, self._clock)
        self._log_path = log
        self._log: ArrivalLog | None = None
        self._player = Player()
        self._handlers: set[asyncio.Task[Any]] = set()
        self._runner: web.ServerRunner | None = None
        self._is_stopping = False
        self._base_url = ""

    def __repr__(self) -> str:
        place = self._base_url if self._runner else "not running"
        return f"<Emulator {place}, {self._journal!r}>"

    async def __aenter__(self) -> Emulator:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    @property
    def base_url(self) -> str:
        """The address for a client's base URL, without a slash at the end; empty until started."""
        return self._base_url

    @property
    def observed(self) -> Observed:
        """What the emulator has seen up to now."""
        return self._journal.snapshot()

    async def wait_for(self, predicate: Callable[[Observed], bool], timeout_s: float = 5.0) -> Observed:
        """Return the first snapshot seen that satisfies `predicate`; ask for what stays true once it is.

        Raises:
            TimeoutError: after `timeout_s` seconds; the text says what was seen last.
        """
        return await self._journal.wait_for(predicate, timeout_s)

    async def start(self) -> None:
        """Listen; the address is in `base_url` afterwards.

        Raises:
            OSError: the port is taken, the host is not ours, or the log cannot be written.
        """
        server = web.Server(
            self._handle,
            handler_cancellation=True,
            request_factory=_request,
            access_log=None,
            lingering_time=0,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        try:
            if self._log_path:
                self._log = ArrivalLog(self._log_path)
            await self._runner.setup()
            await web.TCPSite(self._runner, self._host, self._port, ssl_context=self._ssl_context).start()
        except OSError:
            await self.stop()
            raise
        host, port = self._runner.addresses[0][:2]
        scheme = "https" if self._ssl_context else "http"
        self._base_url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening, cut what is being answered and close all connections."""
        if self._runner:
            self._is_stopping = True
            for handler in self._handlers:
                handler.cancel()
            await self._runner.cleanup()
            self._runner = None
        if self._log:
            self._log.close()
            self._log = None

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        self._handlers.add(http.task)
        try:
            if http.path == STATE_PATH:
                return await self._show_state(http)
            return await self._serve(http)
        finally:
            self._handlers.discard(http.task)

    async def _show_state(self, http: web.BaseRequest) -> web.StreamResponse:
        try:
            return await state_page(self._journal, http.query)
        except ApiError as error:
            response, _ = await self._player.play(http, error_answer(error))
            return response

    async def _serve(self, http: web.BaseRequest) -> web.StreamResponse:
        """Take one API request from the journal's opening to its closing line."""
        route = find_route(http.method, http.path)
        number = self._journal.open(http.method, http.path, route.model if route else "", http.headers)
        status: int | None = None
        ending = Ending.CUT
        try:
            if self._player.is_expired(http):
                return self._player.hang_up(http)
            answer = await self._answer(http, route, number)
            status = answer.status
            self._log_arrival(http, route, number, answer)
            response, ending = await self._player.play(http, answer)
            return response
        except asyncio.CancelledError:
            # The connection is lost, unless we are stopping ourselves.
            ending = Ending.CUT if self._is_stopping else Ending.DISCONNECTED
            raise
        except ConnectionError:
            ending = Ending.DISCONNECTED
            return web.Response()
        finally:
            self._journal.close(number, ending, status)
            if self._log:
                self._log.ended(number, self._clock.now(), ending.value, status)

    async def _answer(self, http: web.BaseRequest, route: Route | None, number: int) -> Answer:
        query = http.query
        framing = framing_of(route, query) if route else None
        project = ""
        try:
            body_text = await _read(http)
            is_json = bool(body_text) and not (route and route.operation is Operation.UPLOAD_FILE)
            body = parse_json(body_text) if is_json else None
            self._journal.read(number, body, len(body_text))
            if route is None:
                raise _unknown_path(http)
            origin = f"{http.scheme}://{http.host}"
            request = Request(http.headers, query, body, body_text, origin)
            call = accept(route, request, self._min_server_timeout_s)
            project = self._service.project(call)
            return self._service.answer(call)
        except ApiError as error:
            arrival = Arrival(self._clock.now(), Verdict.REFUSED, project)
            return replace(error_answer(error, framing), arrival=arrival)

    def _log_arrival(self, http: web.BaseRequest, route: Route | None, number: int, answer: Answer) -> None:
        if self._log is None or answer.arrival is None:
            return
        request = {
            "request_id": http.headers.get("x-request-id", ""),
            "model": route.model if route else "",
            "method": route.operation.value if route else "",
        }
        self._log.arrived(number, request, answer.arrival)


async def _read(http: web.BaseRequest) -> bytes:
    """Return the request body; a client that asks first whether it may send one is told to go on."""
    if http.headers.get("Expect", "").lower() == "100-continue":
        await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        http.writer.output_size = 0  # the reply proper has not begun
    try:
        return await http.read()
    except web.HTTPRequestEntityTooLarge:
        text = f"Request payload size exceeds the limit: {_MAX_BODY_BYTES} bytes."
        raise ApiError(400, text) from None
    except web.RequestPayloadError:
        text = "The request body could not be decoded; check Content-Encoding and Transfer-Encoding."
        raise ApiError(400, text) from None


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """Make a request object that admits large bodies."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY_BYTES)


def _unknown_path(http: web.BaseRequest) -> ApiError:
    if reason := find_unplayed(http.path):
        return ApiError(501, reason)
    return ApiError(
        404,
        f"The emulator serves no {http.method} {http.path}. It serves /{{v1|v1beta|v1alpha}}/models and "
        "/{v1|v1beta1}/projects/{project}/locations/{location}/publishers/google/models, with the methods "
        "generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents, on Vertex "
        "AI also predict; cachedContents, files and upload/files; and GET /emulator/state.",
    )
