"""The second transport: google-genai says it, our own HTTP carries it.

google-genai turns its typed parameters into a request and the answer into its types. In between it asks an
aiohttp session, and what it is given for one is a carrier that takes the request over the exchange of the
attempt it belongs to. So timeouts, credentials, the report of what was sent, the end of a cancelled call and
the meaning of refusals are those of `http`, and google-genai never meets an answer that is not 200, a
connection error or an event that it cannot read:

- its retries are off, and nothing of its own retries is reached, since its errors are not raised here;
- a stream's response is held by our exchange: leaving closes it, whatever google-genai's generators hold;
- answers are judged by `decode`, as bytes, before google-genai reads them; its reading alone makes the reply.

What is left to fail in google-genai itself: before the request, that it does not send a parameter to this
API; after the answer, that the answer does not fit its types.
"""

import asyncio
import re
import ssl
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from google.genai import Client, types

from sidecar.config.settings import UpstreamSettings
from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.errors import FieldViolation, UpstreamError, UpstreamRejected
from sidecar.core.outcome import Reply
from sidecar.core.policy import Api, Endpoint
from sidecar.upstream import decode, encode, sdk_convert
from sidecar.upstream.chunks import Events, read_event
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.http import Body, Exchange, HttpClient, json_limit_bytes
from sidecar.upstream.judge import StreamJudge

_ELSEWHERE = "set elsewhere"
"""google-genai insists on a credential; the carrier takes it off and the exchange puts the real one on."""


class SdkTransport:
    """The Transport port by google-genai. Construct inside a running event loop; close when done."""

    def __init__(self, settings: UpstreamSettings, credentials: Credentials, reply_limit_bytes: int) -> None:
        self._http = HttpClient(settings, credentials)
        self._limit_bytes = json_limit_bytes(reply_limit_bytes)
        self._clients: dict[Endpoint, Client] = {}
        # It warns of every word that is newer than itself; the sidecar hands such words on.
        warnings.filterwarnings("ignore", r".* is not a valid \w+", UserWarning, r"google\.genai\.")

    def __repr__(self) -> str:
        return f"<SdkTransport of {len(self._clients)} endpoints over {self._http!r}>"

    async def close(self) -> None:
        """Close every connection and client. Calls still running fail."""
        while self._clients:
            _, client = self._clients.popitem()
            client.close()
            await client.aio.aclose()
        await self._http.close()

    async def send(self, attempt: Attempt) -> Reply:
        """Ask and return the whole answer; see `core.ports.Transport`."""
        async with self._http.exchange(attempt) as exchange:
            answer = _Answer(exchange, self._limit_bytes, decode.reader(attempt.call.arrival.method))
            with answer.understood():
                typed = await self._asked(attempt)
                return answer.typed(typed)

    @asynccontextmanager
    async def stream(self, attempt: Attempt) -> AsyncIterator[AsyncIterator[Reply]]:
        """Ask on entry, iterate chunks, close the connection on leaving; see `core.ports.Transport`."""
        async with self._http.exchange(attempt) as exchange:
            answer = _Answer(exchange, self._limit_bytes, read_event)
            with answer.understood():
                chunks = await self._asked(attempt)
            # google-genai asks when its first chunk is asked for, and that waits for more than the headers.
            first = asyncio.create_task(_next(answer, chunks), name="sdk-first-chunk")
            try:
                await asyncio.wait({first, answer.has_come}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.has_come.done():
                    await first
                yield _Chunks(answer, chunks, first)
            finally:
                first.cancel()
                await asyncio.wait({first})
                if not first.cancelled():
                    first.exception()  # known to who asked for the chunk, and to nobody else if nobody did
                await chunks.aclose()

    async def _asked(self, attempt: Attempt) -> Any:
        """google-genai's answer, or for a stream its iterator, which has asked nothing yet."""
        candidate, method = attempt.candidate, attempt.call.arrival.method
        body = attempt.call.body
        ask = encode.http_request(attempt), candidate.endpoint.api
        if body.is_large:
            contents, config = await asyncio.to_thread(sdk_convert.parameters, method, body.json, *ask)
        else:
            contents, config = sdk_convert.parameters(method, body.json, *ask)
        models = self._client(candidate.endpoint).aio.models
        if method is Method.LIST_MODELS:
            return await models.list(config=config)
        if method is Method.GET_MODEL:
            return await models.get(model=candidate.model, config=config)
        ask_model: Any = {
            Method.GENERATE: models.generate_content,
            Method.STREAM_GENERATE: models.generate_content_stream,
            Method.COUNT_TOKENS: models.count_tokens,
            Method.EMBED_CONTENT: models.embed_content,
        }[method]
        return await ask_model(model=candidate.model, contents=contents, config=config)

    def _client(self, endpoint: Endpoint) -> Client:
        place = replace(endpoint, project="", key=None, credentials_file=None)
        if place not in self._clients:
            self._clients[place] = _client(place)
        return self._clients[place]


class _Answer:
    """The answer to one attempt: google-genai's question goes out and its answer comes in here."""

    def __init__(self, exchange: Exchange, limit_bytes: int, read: Callable[[bytes], Reply]) -> None:
        self.has_come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the headers of a good answer are here."""
        self._exchange = exchange
        self._limit_bytes = limit_bytes
        self._read = read
        self._judged: deque[Reply] = deque()
        """As `decode` read it, until google-genai has read it too."""
        self._is_lost = False

    def __repr__(self) -> str:
        return f"<_Answer {'come' if self.has_come.done() else 'awaited'}>"

    def typed(self, typed: Any) -> Reply:
        """What google-genai read, with what `decode` judged of the same bytes."""
        attempt = self._exchange.attempt
        json = sdk_convert.reply(attempt.call.arrival.method, typed, attempt.candidate.endpoint.api)
        return replace(self._judged.popleft(), json=json)

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
            return decode.malformed("the upstream's answer does not fit google-genai's types")
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
        body.response.content = _Content(self, body)  # type: ignore[assignment]  # the part that is read
        return body.response

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


_ANSWER: ContextVar[_Answer] = ContextVar("_ANSWER")
"""The answer that the running task waits for: one session serves all calls of google-genai."""

_REFUSED = re.compile(
    r"(\w{1,60}) (?:parameter )?is (?:only|not) (?:supported|known) (?:in|to) [\w ,-]{1,160}"
)


class _Session:
    """What google-genai takes for its aiohttp session."""

    async def request(
        self, method: str, url: str, headers: dict[str, str], data: bytes | None = None, **_: object
    ) -> Any:
        """Carry the request; its timeouts and TLS are the exchange's own affair."""
        ours = {key: value for key, value in headers.items() if _ELSEWHERE not in value}
        return await _ANSWER.get().carry(method.upper(), url, ours, data)


class _Content:
    """What google-genai takes for the content of an aiohttp response."""

    def __init__(self, answer: _Answer, body: Body) -> None:
        self._answer = answer
        self._body = body
        self.exception = body.response.content.exception
        self.set_exception = body.response.content.set_exception

    async def read(self) -> bytes:
        """The whole content."""
        return await self._answer.read(self._body)

    def iter_any(self) -> AsyncIterator[bytes]:
        """The content in pieces."""
        return self._answer.events(self._body)


class _Chunks:
    """The chunks of one stream, judged."""

    def __init__(self, answer: _Answer, chunks: Any, first: asyncio.Task[Any]) -> None:
        self._answer = answer
        self._chunks = chunks
        self._first: asyncio.Task[Any] | None = first
        self._judge = StreamJudge()

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> Reply:
        awaited, self._first = self._first, None
        typed = await (awaited or _next(self._answer, self._chunks))
        if typed is None:
            self._judge.check_end()
            raise StopAsyncIteration
        with self._answer.understood():
            reply = self._answer.typed(typed)
        self._judge.see(reply.json)
        return reply


async def _next(answer: _Answer, chunks: Any) -> Any:
    """google-genai's next chunk, None at the end."""
    with answer.understood():
        return await anext(chunks, None)


def _client(place: Endpoint) -> Client:
    """A client of google-genai. Cheap: it loads no certificates, since its own connections are never used."""
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    options = types.HttpOptions(
        base_url=place.base_url,
        api_version=place.api_version,
        headers={"user-agent": "gemini-sidecar"},
        retry_options=types.HttpRetryOptions(attempts=1),
        client_args={"verify": unused},
        async_client_args={"verify": unused, "ssl": unused},
    )
    options.aiohttp_client = _Session()  # type: ignore[assignment]  # it asks no more of one than `request`
    if place.api is Api.GEMINI:
        return Client(enterprise=False, api_key=_ELSEWHERE, http_options=options)
    return Client(
        enterprise=True,
        credentials=_GoogleCredentials(),  # type: ignore[arg-type]  # of google-auth, which is fenced
        project=place.cloud_project,
        location=place.location,
        http_options=options,
    )


class _GoogleCredentials:
    """What google-genai takes for Google credentials: always fresh, so it never fetches a token."""

    expired = False
    token = _ELSEWHERE
    quota_project_id = None
