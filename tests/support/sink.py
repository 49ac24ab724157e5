"""An upstream for large messages: takes any body, and answers with one that the test has made beforehand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Sink:
    """Keeps the bodies that it is sent; answers every request with `answer`, a stream's with one event."""

    def __init__(self) -> None:
        self.base_url = ""
        self.bodies: list[bytes] = []
        self.answer = b'{"candidates": [{"finishReason": "STOP"}]}'

    def __repr__(self) -> str:
        return f"<Sink of {len(self.bodies)} bodies>"

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        """Keep the body of a request and answer it."""
        self.bodies.append(await request.content.read())
        if "alt=sse" in request.query_string:
            event = b"data: " + self.answer + b"\r\n\r\n"
            return web.Response(body=event, content_type="text/event-stream")
        return web.Response(body=self.answer, content_type="application/json")


@asynccontextmanager
async def sinking() -> AsyncIterator[Sink]:
    """A Sink on loopback for the time of the block."""
    sink = Sink()
    runner = web.ServerRunner(web.Server(sink.take))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        sink.base_url = f"http://127.0.0.1:{site.port}"
        yield sink
    finally:
        await runner.cleanup()
