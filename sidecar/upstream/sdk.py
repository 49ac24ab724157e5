"""The second transport: google-genai says it, our own HTTP carries it.

google-genai turns its typed parameters into a request and the answer into its types. In between it asks an
aiohttp session, and what it is given for one is a carrier (`sdk_answer`) that takes the request over the
exchange of the attempt it belongs to. So timeouts, credentials, the report of what was sent, the end of a
cancelled call and the meaning of refusals are those of `http`:

- an answer that is not 200 is classified before google-genai sees it, and so is an error inside a stream;
- its retries are off, so the connection's errors pass through it and are mapped by the exchange;
- a stream's response is held by our exchange: leaving closes it at once, whatever google-genai's nested
  generators still hold. So no task has to pump chunks, and a slow caller slows the upstream down;
- answers are judged by `decode`, as bytes, before google-genai reads them; its reading alone makes the reply.

What is left to fail in google-genai itself: before the request, that it does not send a parameter to this
API; after the answer, that the answer does not fit its types.
"""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from google.genai import Client, types

from sidecar.config.settings import UpstreamSettings
from sidecar.core.attempt import Attempt
from sidecar.core.call import Method
from sidecar.core.outcome import Reply
from sidecar.core.policy import Api, Endpoint
from sidecar.upstream import decode, encode, sdk_convert
from sidecar.upstream.chunks import read_event
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.http import HttpClient, json_limit_bytes
from sidecar.upstream.judge import StreamJudge
from sidecar.upstream.rewrite import rewritten
from sidecar.upstream.sdk_answer import ELSEWHERE, Answer, Session


class SdkTransport:
    """The Transport port by google-genai. Construct inside a running event loop; close when done."""

    def __init__(self, settings: UpstreamSettings, credentials: Credentials, reply_limit_bytes: int) -> None:
        self._http = HttpClient(settings, credentials)
        self._limit_bytes = json_limit_bytes(reply_limit_bytes)
        self._clients: dict[Endpoint, Client] = {}
        # It warns of every word that is newer than itself, quoting it; the sidecar hands such words on.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.genai\.")

    def __repr__(self) -> str:
        return f"<SdkTransport of {len(self._clients)} endpoints over {self._http!r}>"

    async def close(self) -> None:
        """Close every connection and client. Calls still running fail."""
        while self._clients:
            _, client = self._clients.popitem()
            client.close()
            await client.aio.aclose()
        self._http.close()

    async def send(self, attempt: Attempt) -> Reply:
        """Ask and return the whole answer; see `core.ports.Transport`."""
        with self._http.exchange(attempt) as exchange:
            answer = Answer(exchange, self._limit_bytes, decode.reader(attempt.call.arrival.method))
            with answer.understood():
                typed = await self._asked(attempt)
                return answer.typed(typed)

    @asynccontextmanager
    async def stream(self, attempt: Attempt) -> AsyncIterator[AsyncIterator[Reply]]:
        """Ask on entry, iterate chunks, close the connection on leaving; see `core.ports.Transport`."""
        with self._http.exchange(attempt) as exchange:
            answer = Answer(exchange, self._limit_bytes, read_event)
            with answer.understood():
                chunks = await self._asked(attempt)
            # google-genai asks when its first chunk is asked for, and that waits for more than the headers.
            first = asyncio.create_task(_next(answer, chunks), name="sdk-first-chunk")
            try:
                await asyncio.wait({first, answer.has_come}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.has_come.done():
                    await first
                yield _Chunks(answer, chunks, first, StreamJudge(exchange.has_spoken))
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
        said = method, rewritten(body.json, candidate), encode.http_request(attempt), candidate.endpoint.api
        if body.is_large:
            contents, config = await asyncio.to_thread(sdk_convert.parameters, *said)
        else:
            contents, config = sdk_convert.parameters(*said)
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
        place = replace(endpoint, project="", keys=(), credentials_file=None)
        if place not in self._clients:
            self._clients[place] = _client(place)
        return self._clients[place]


class _Chunks:
    """The chunks of one stream, judged."""

    def __init__(self, answer: Answer, chunks: Any, first: asyncio.Task[Any], judge: StreamJudge) -> None:
        self._answer = answer
        self._chunks = chunks
        self._first: asyncio.Task[Any] | None = first
        self._judge = judge

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


async def _next(answer: Answer, chunks: Any) -> Any:
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
    options.aiohttp_client = Session()  # type: ignore[assignment]  # it asks no more of one than `request`
    if place.api is Api.GEMINI:
        return Client(enterprise=False, api_key=ELSEWHERE, http_options=options)
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
    token = ELSEWHERE
    quota_project_id = None
