"""What google-genai is given for its aiohttp session: a carrier that takes its requests over our exchanges.

An Answer belongs to one attempt. While google-genai works for it, inside `understood`, its requests find it
by a context variable, because google-genai has one session for all of them. The response it gets is aiohttp's
by type alone, since it takes no other; behind it are the bytes of our exchange, judged as they are read.
"""

import re
from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp

from sidecar.core.errors import FieldViolation, UpstreamError, UpstreamRejected
from sidecar.core.outcome import Reply
from sidecar.upstream import decode, sdk_convert
from sidecar.upstream.chunks import Events
from sidecar.upstream.http import Body, Exchange

ELSEWHERE = "set elsewhere"
"""google-genai insists on a credential; the carrier takes it off and the exchange puts the real one on."""

_ANSWER: ContextVar["Answer"] = ContextVar("_ANSWER")
"""The answer that the running task waits for: one session serves all calls of google-genai."""

_REFUSED = re.compile(
    r"(\w{1,60}) (?:parameter )?is (?:only|not) (?:supported|known) (?:in|to) [\w ,-]{1,160}"
)


class Answer:
    """The answer to one attempt: google-genai's question goes out and its answer comes in here."""

    def __init__(self, exchange: Exchange, limit_bytes: int, read: Callable[[bytes], Reply]) -> None:
        self.has_come: Future[None] = get_running_loop().create_future()
        """Done when the headers of a good answer are here."""
        self._exchange = exchange
        self._limit_bytes = limit_bytes
        self._read = read
        self._judged: deque[Reply] = deque()
        """As `decode` read it, until google-genai has read it too."""
        self._is_lost = False

    def __repr__(self) -> str:
        return f"<Answer {'come' if self.has_come.done() else 'awaited'}>"

    def typed(self, typed: Any) -> Reply:
        """What google-genai read, with what `decode` judged of the same bytes."""
        attempt = self._exchange.attempt
        json = sdk_convert.reply(attempt.call.arrival.method, typed, attempt.candidate.endpoint.api)
        return self._judged.popleft()._replace(json=json)

    @contextmanager
    def understood(self) -> Iterator[None]:
        """For a call of google-genai: what it asks is asked for this answer, what it raises is mapped.

        Its own errors may quote the prompt or the answer, so they are not chained.
        """
        token = _ANSWER.set(self)
        try:
            yield
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            if self._is_lost:  # the connection's errors, on their way to the exchange
                raise
            raise self._misunderstood(error) from None
        finally:
            _ANSWER.reset(token)

    def _misunderstood(self, error: Exception) -> UpstreamError:
        if self.has_come.done():
            place = sdk_convert.misfit(error)
            return decode.malformed(f"the upstream's answer does not fit google-genai's types{place}")
        if field := _REFUSED.match(str(error)):
            refusal = UpstreamRejected(f"google-genai refuses the request: {field[0]}")
            refusal.violations = (FieldViolation(field[1], "is not sent to this API by google-genai"),)
            return refusal
        return UpstreamRejected("google-genai refuses the request: it does not fit its types")

    async def carry(self, method: str, url: str, headers: dict[str, str], data: bytes | None) -> Any:
        """Ask over the exchange; an aiohttp response whose content is judged before it is read."""
        with self._losing():
            body = await self._exchange.ask(method, url, headers, data)
        self.has_come.set_result(None)
        return _Response(self, body)

    async def read(self, body: Body) -> bytes:
        """The whole body, judged."""
        with self._losing():
            raw = await body.read_all(self._limit_bytes)
            self._judged.append(await decode.decode(raw, self._read))
        return raw

    async def events(self, body: Body) -> AsyncIterator[bytes]:
        """The events of the body one by one, judged, in the one framing that google-genai reads."""
        events = Events(body, self._limit_bytes)
        while True:
            with self._losing():
                event = await events.next()
                if event is None:
                    return
                self._judged.append(await decode.decode(event, self._read))
            yield b"data: " + event.replace(b"\n", b"\ndata: ") + b"\n\n"

    @contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._is_lost = True
            raise


class Session:
    """What google-genai takes for its aiohttp session."""

    async def request(
        self, method: str, url: str, headers: dict[str, str], data: bytes | None = None, **_: object
    ) -> Any:
        """Carry the request; its timeouts and TLS are the exchange's own affair."""
        ours = {key: value for key, value in headers.items() if ELSEWHERE not in value}
        return await _ANSWER.get().carry(method.upper(), url, ours, data)


class _Response(aiohttp.ClientResponse):
    """What google-genai takes for an aiohttp response: of aiohttp's own it has the type and no connection."""

    _closed = True  # aiohttp has nothing to close here

    def __init__(self, answer: Answer, body: Body) -> None:
        self.status = 200
        self.content = _Content(answer, body)  # type: ignore[assignment]  # the part of one that is used
        self._text = partial(answer.read, body)

    @property
    def headers(self) -> dict[str, str]:  # type: ignore[override]
        """None: google-genai only hands them on, to nobody here."""
        return {}

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:
        """The whole answer."""
        return (await self._text()).decode(encoding or "utf-8", errors)

    def release(self) -> None:
        """Nothing: the exchange owns the connection."""


class _Content:
    """What google-genai takes for the content of a streamed response."""

    def __init__(self, answer: Answer, body: Body) -> None:
        self._answer = answer
        self._body = body

    def iter_any(self) -> AsyncIterator[bytes]:
        """The content in pieces."""
        return self._answer.events(self._body)
