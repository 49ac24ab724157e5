"""Three ways to one scripted upstream: google-genai alone, and each of our transports."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from google.genai import Client
from google.genai import types as genai
from google.protobuf.message import Message

from sidecar.config.settings import UpstreamSettings
from sidecar.core.call import Method
from sidecar.core.policy import Api, Endpoint
from sidecar.edge.convert import faces
from sidecar.upstream.credentials import Credentials
from sidecar.upstream.rest import RestTransport
from sidecar.upstream.sdk import SdkTransport
from tests.support import facts
from tests.support.upstream import Exchange, Request, Script, ScriptedUpstream, head, serving

LIMIT_BYTES = 1 << 22
FACES = faces(LIMIT_BYTES)
ANSWERS: dict[str, Any] = {
    "generateContent": {"candidates": [{"finishReason": "STOP"}]},
    "countTokens": {"totalTokens": 1},
    "batchEmbedContents": {"embeddings": [{"values": [1]}]},
    "embedContent": {"embedding": {"values": [1]}},
    "predict": {"predictions": [{"embeddings": {"values": [1]}}]},
    "models": {"models": []},
}
"""By what a path ends in."""


class _GoogleCredentials:
    """What google-genai asks of google-auth's."""

    expired = False
    token = "made up"
    quota_project_id = None


class NoCredentials(Credentials):
    """Vertex AI without a token: the oracle is about bodies."""

    async def headers(self, endpoint: Endpoint) -> dict[str, str]:
        return {}


async def good(exchange: Exchange) -> None:
    """Answers whatever is asked."""
    verb = exchange.request.target.partition("?")[0].rpartition(":")[2].rpartition("/")[2]
    body = json.dumps(ANSWERS.get(verb, {"name": "models/m"})).encode()
    exchange.send(head(content_length=len(body)) + body)


@dataclass(frozen=True)
class Wires:
    """The three, on one API."""

    api: Api
    upstream: ScriptedUpstream
    client: Client
    rest: RestTransport
    sdk: SdkTransport

    @property
    def endpoint(self) -> Endpoint:
        builder = facts.gemini if self.api is Api.GEMINI else facts.vertex
        return builder(self.upstream.base_url, api_version="v1beta")

    async def said_by_google(self, method: Method, model: str, contents: Any, config: Any) -> Request:
        """What google-genai sends of its own. Raises ValueError for what it does not send to this API."""
        models = self.client.aio.models
        if method is Method.LIST_MODELS:
            await models.list(config=config and config.model_copy())
        elif method is Method.GET_MODEL:
            await models.get(model=model)
        elif method is Method.COUNT_TOKENS:
            await models.count_tokens(model=model, contents=contents, config=config)
        elif method is Method.EMBED_CONTENT:
            await models.embed_content(model=model, contents=contents, config=config)
        else:
            quiet = (config or genai.GenerateContentConfig()).model_copy()
            quiet.automatic_function_calling = genai.AutomaticFunctionCallingConfig(disable=True)
            quiet.automatic_continuation = False
            if method is Method.STREAM_GENERATE:
                async for _ in await models.generate_content_stream(
                    model=model, contents=contents, config=quiet
                ):
                    pass
            else:
                await models.generate_content(model=model, contents=contents, config=quiet)
        return self.upstream.requests[-1]

    async def said_by_us(self, transport: str, method: Method, message: Message) -> Request:
        """What one of our transports sends for a message of sidecar.v1."""
        model, body, *_ = await FACES[method].read_request(message.SerializeToString())
        attempt = facts.attempt(self.endpoint, method, body.json, model=model)
        if method is Method.STREAM_GENERATE:
            async with getattr(self, transport).stream(attempt) as chunks:
                async for _ in chunks:
                    pass
        else:
            await getattr(self, transport).send(attempt)
        return self.upstream.requests[-1]


@asynccontextmanager
async def wires(api: Api, script: Script = good) -> AsyncIterator[Wires]:
    """The three for the time of the block; the upstream plays `script`."""
    async with AsyncExitStack() as closing:
        upstream = await closing.enter_async_context(serving(script))
        rest = RestTransport(UpstreamSettings(), NoCredentials(), LIMIT_BYTES)
        closing.push_async_callback(rest.close)
        sdk = SdkTransport(UpstreamSettings(), NoCredentials(), LIMIT_BYTES)
        closing.push_async_callback(sdk.close)
        session = await closing.enter_async_context(aiohttp.ClientSession())
        client = _client(api, upstream.base_url, session)
        closing.callback(client.close)
        closing.push_async_callback(client.aio.aclose)
        yield Wires(api, upstream, client, rest, sdk)


def _client(api: Api, base_url: str, session: aiohttp.ClientSession) -> Client:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # given, so that it loads none
    options = genai.HttpOptions(
        base_url=base_url,
        api_version="v1beta",
        client_args={"verify": tls},
        async_client_args={"verify": tls, "ssl": tls},
        aiohttp_client=session,
    )
    if api is Api.GEMINI:
        return Client(enterprise=False, api_key=facts.API_KEY, http_options=options)
    place = facts.vertex()
    return Client(
        enterprise=True,
        credentials=_GoogleCredentials(),  # type: ignore[arg-type]
        project=place.cloud_project,
        location=place.location,
        http_options=options,
    )
