"""Replies as the wire sends them: the corpus, made from google-genai's own types."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydantic
from google.genai import types

from sidecar.core.call import Json, Method
from sidecar.core.policy import Api
from tests.contract.oracle.samples import one_each

CHAT = "gemini-3.8-flash"


@dataclass(frozen=True)
class Answer:
    """One answer of one API."""

    name: str
    api: Api
    method: Method
    json: Json
    model: str = CHAT
    contents: int = 1
    """How many contents were asked about."""


def mechanical(api: Api) -> Iterator[Answer]:
    """One answer for every field and every enum word of google-genai's reply types."""
    for label, reply in one_each(types.GenerateContentResponse):
        yield Answer(label, api, Method.GENERATE, generated(reply, api))
    for label, reply in one_each(types.CountTokensResponse):
        yield Answer(f"count.{label}", api, Method.COUNT_TOKENS, dumped(reply))
    for label, model in one_each(types.Model):
        listed = {"models" if api is Api.GEMINI else "publisherModels": [described(model, api)]}
        yield Answer(f"models.{label}", api, Method.LIST_MODELS, listed)
        yield Answer(f"model.{label}", api, Method.GET_MODEL, described(model, api))
    for label, embedding in one_each(types.ContentEmbedding):
        yield from embedded(label, api, dumped(embedding))
    for label, reply in one_each(types.EmbedContentResponse):
        if not label.startswith("embeddings"):
            yield Answer(
                f"embed.{label}", api, Method.EMBED_CONTENT, beside(reply, api), "gemini-embedding-2"
            )


def embedded(label: str, api: Api, vector: Json) -> Iterator[Answer]:
    """A vector in each shape that this API has for one."""
    if api is Api.GEMINI:
        yield Answer(f"embed.{label}", api, Method.EMBED_CONTENT, {"embeddings": [vector]})
        return
    new, old = "gemini-embedding-2", "text-embedding-005"
    spelled = {key: value for key, value in vector.items() if value != {}}
    if statistics := spelled.pop("statistics", None):
        renamed(statistics, "tokenCount", "token_count")
        spelled["statistics"] = statistics
    elif spelled:  # an answer to one content has its statistics beside the vector
        yield Answer(f"embed.one.{label}", api, Method.EMBED_CONTENT, {"embedding": spelled}, new)
    yield Answer(f"embed.many.{label}", api, Method.EMBED_CONTENT, {"embeddings": [spelled]}, new, 2)
    answer = {"predictions": [{"embeddings": spelled}]}
    yield Answer(f"embed.predict.{label}", api, Method.EMBED_CONTENT, answer, old)


def beside(reply: types.EmbedContentResponse, api: Api) -> dict[str, Any]:
    """What an answer says beside its vector, here of one content."""
    vector: dict[str, Any] = {"values": [0.25, -1]}
    return {**({"embeddings": [vector]} if api is Api.GEMINI else {"embedding": vector}), **dumped(reply)}


def dumped(typed: pydantic.BaseModel) -> dict[str, Any]:
    """The wire's JSON of what google-genai has read."""
    return typed.model_dump(mode="json", by_alias=True, exclude_none=True)


def generated(reply: types.GenerateContentResponse, api: Api) -> dict[str, Any]:
    json = dumped(reply)
    if api is Api.GEMINI:
        for candidate in json.get("candidates", ()):
            renamed(candidate.get("citationMetadata", {}), "citations", "citationSources")
    return json


def described(model: types.Model, api: Api) -> dict[str, Any]:
    json = dumped(model)
    renamed(json, "supportedActions", "supportedGenerationMethods")
    if api is Api.VERTEX:
        renamed(json, "version", "versionId")
    return json


def renamed(json: dict[str, Any], theirs: str, wire: str) -> None:
    """Undo what google-genai calls otherwise than the wire."""
    if theirs in json:
        json[wire] = json.pop(theirs)
