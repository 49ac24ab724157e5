"""The HTTP port of the operator: `/metrics`, `/healthz` and `/readyz`, for GET and HEAD, and nothing else.

`/healthz` says that the process runs and its event loop turns; `/readyz` says whether it should be sent
calls, and on a second line how its limits are kept: no other sidecar would fare better there. A scrape is
rendered in a thread, because with many label sets it takes tens of milliseconds that the event loop does not
have.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import hdrs, web

from sidecar.config.units import split_address
from sidecar.core.ports import LimitsView
from sidecar.telemetry.instruments import Instruments

_MAX_SCRAPES = 4
"""Scrapes at once; more than one Prometheus may ask, a crowd may not."""
_MAX_LINE_BYTES = 2048
_MAX_HEADERS = 64
_KEEPALIVE_S = 120.0
"""Longer than the common scrape intervals, so that a Prometheus keeps its connection."""
_CLOSE_TIMEOUT_S = 1.0


class TelemetryServer:
    """Serves one address, written `host:port` or `[v6]:port`; port 0 picks a free one.

    `why_unready` is asked on every `/readyz`: None when the sidecar should be sent calls, else one word for
    why not. Raises ValueError when the address is not of that form.
    """

    def __init__(
        self,
        address: str,
        instruments: Instruments,
        limits: LimitsView,
        why_unready: Callable[[], str | None],
    ) -> None:
        self._host, self._port = split_address(address)
        self._limits = limits
        self._instruments = instruments
        self._why_unready = why_unready
        self._scrapes = 0
        self._renderer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")
        self._runner: web.AppRunner | None = None

    def __repr__(self) -> str:
        state = "serving" if self._runner else "not serving"
        return f"<TelemetryServer {state} {self._host}:{self._port}>"

    @property
    def port(self) -> int:
        """The port in use; before `start`, the one asked for."""
        return self._port

    async def start(self) -> None:
        """Bind and serve. Raises OSError when the address cannot be bound; the server is then closed."""
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            keepalive_timeout=_KEEPALIVE_S,
            lingering_time=0,  # no request here has a body worth waiting for
            max_line_size=_MAX_LINE_BYTES,
            max_headers=_MAX_HEADERS,
            shutdown_timeout=_CLOSE_TIMEOUT_S,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError:
            await self.close()
            raise
        self._port = site.port

    async def close(self) -> None:
        """Stop serving; a scrape under way gets a second to finish. Idempotent."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        self._renderer.shutdown(wait=False, cancel_futures=True)

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/healthz", _health)
        application.router.add_get("/readyz", self._readiness)
        application.on_response_prepare.append(_hide_versions)
        return application

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._scrapes >= _MAX_SCRAPES:
            return web.Response(status=503, text="too many scrapes at once\n")
        self._scrapes += 1
        try:
            self._instruments.limits.reading = await self._limits.reading()
            content_type, body = await asyncio.get_running_loop().run_in_executor(
                self._renderer, self._instruments.exposition, request.headers.get(hdrs.ACCEPT, "")
            )
        finally:
            self._scrapes -= 1
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})

    async def _readiness(self, _: web.Request) -> web.Response:
        why_not = self._why_unready()
        text = f"{why_not or 'ready'}\nlimits: {self._limits.mode.name.lower()}\n"
        return web.Response(status=200 if why_not is None else 503, text=text)


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _hide_versions(_: web.Request, response: web.StreamResponse) -> None:
    """Take out the Server header, which names the versions of Python and aiohttp."""
    response.headers.pop(hdrs.SERVER, None)
