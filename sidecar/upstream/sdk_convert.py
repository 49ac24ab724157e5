"""Canonical JSON to google-genai's parameters, and its replies back to canonical JSON. Pure.

What google-genai's types can hold is given to it as its own types, key by key; it then does its own
conversion to the wire. A key that they cannot hold (a field newer than google-genai, or a shape it does not
allow) goes into `extra_body`, which it merges into the request unread. So nothing that a caller may say is
lost, and everything that google-genai knows is said its way.

Automatic function calling and automatic continuation are off: they would make several billed requests of one.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import orjson
from google.genai import types
from pydantic import ConfigDict, TypeAdapter, ValidationError

from sidecar.core.call import Json, Method
from sidecar.core.policy import Api
from sidecar.upstream.encode import HttpRequest

Config: TypeAlias = (
    types.GenerateContentConfig
    | types.CountTokensConfig
    | types.EmbedContentConfig
    | types.ListModelsConfig
    | types.GetModelConfig
)


class Parameters(NamedTuple):
    """What a method of google-genai is called with, beside the model."""

    contents: list[types.Content] | None
    config: Any
    """One of Config; Any because each method of google-genai takes another."""


def parameters(method: Method, body: Json, request: HttpRequest, api: Api) -> Parameters:
    """The parameters that say what `body` says. `request` is the same as `encode` would send it."""
    contents, config, extra = _ASKERS[method](body, request, api)
    config.http_options = types.HttpOptions(headers=dict(request.headers), extra_body=extra or None)
    return Parameters(contents, config)


def reply(method: Method, typed: Any, api: Api) -> Json:
    """What google-genai understood of an answer, in canonical JSON."""
    return _TELLERS[method](typed, api)


def misfit(error: Exception) -> str:
    """Where a value does not fit google-genai's types, to put behind words; empty when it does not say."""
    if not isinstance(error, ValidationError):
        return ""
    path = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
    return f" at {'.'.join(map(str, path))}"


# ---------------------------------------------------------------------------------------------- requests

_Asked: TypeAlias = tuple[list[types.Content] | None, Config, dict[str, Any]]
"""Contents, config and extra body."""


class _Key(NamedTuple):
    """Where google-genai keeps the value of a wire key, and as what."""

    attribute: str
    adapter: TypeAdapter[Any]


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if isinstance(kind, type) and hasattr(kind, "model_config"):
        return TypeAdapter(kind)
    return TypeAdapter(kind, config=ConfigDict(val_json_bytes="base64", defer_build=True))


def _keys(config: type[Any], *names: str, **kinds: Any) -> dict[str, _Key]:
    """The wire keys of some fields of a config; `kinds` overrule annotations that allow too much."""
    fields = config.model_fields
    annotated = {name: fields[name].annotation for name in names} | kinds
    return {
        _WIRE_KEY.get(name) or fields[name].alias or name: _Key(name, _adapter(kind))
        for name, kind in annotated.items()
    }


_WIRE_KEY = {"model_selection_config": "modelConfig", "generation_output_config": "outputConfig"}

_GENERATE = types.GenerateContentConfig
_TOP_KEYS = _keys(
    _GENERATE,
    *("tool_config", "safety_settings", "cached_content", "labels", "service_tier", "continuation_token"),
    *("store", "model_armor_config", "generation_output_config"),
    system_instruction=types.Content,
    tools=list[types.Tool],
)
_GENERATION_KEYS = _keys(
    _GENERATE,
    *("temperature", "top_p", "top_k", "candidate_count", "max_output_tokens", "stop_sequences", "seed"),
    *("response_logprobs", "logprobs", "presence_penalty", "frequency_penalty", "response_mime_type"),
    *("response_json_schema", "routing_config", "model_selection_config", "response_modalities"),
    *("media_resolution", "audio_timestamp", "thinking_config", "image_config", "audio_transcription_config"),
    "enable_enhanced_civic_answers",
    response_schema=types.Schema,
    speech_config=types.SpeechConfig,
)
_COUNT_KEYS = _keys(
    types.CountTokensConfig,
    system_instruction=types.Content,
    tools=list[types.Tool],
    generation_config=types.GenerationConfig,
)
_EMBED_KEYS = _keys(
    types.EmbedContentConfig,
    *("task_type", "title", "output_dimensionality", "mime_type", "auto_truncate", "document_ocr"),
    "audio_track_extraction",
)
_LIST_KEYS = _keys(types.ListModelsConfig, "page_size", "page_token")
_CONTENTS = _adapter(list[types.Content])


def _typed(adapter: TypeAdapter[Any], value: object) -> Any:
    """The value as google-genai's type, None when it does not fit."""
    try:
        return adapter.validate_json(orjson.dumps(value))  # from JSON alone, bytes are read as base64
    except ValidationError:
        return None


def _fill(config: Config, values: Json, keys: Mapping[str, _Key]) -> dict[str, Any]:
    """Set what fits; returns the rest."""
    rest: dict[str, Any] = {}
    for name, value in values.items():
        key = keys.get(name)
        if key is None or value == {} or (typed := _typed(key.adapter, value)) is None:
            rest[name] = value  # google-genai refuses an empty schema, so empty goes unread as well
        else:
            setattr(config, key.attribute, typed)
    return rest


def _contents(body: Json, extra: dict[str, Any]) -> list[types.Content]:
    contents: list[types.Content] | None = _typed(_CONTENTS, body["contents"])
    if contents is None:
        extra["contents"] = body["contents"]
        return [types.Content()]  # required, and overruled by the extra body
    return contents


def _generate(body: Json, request: HttpRequest, api: Api) -> _Asked:
    said = request.body or {}  # with the service tier where this API wants it
    config = types.GenerateContentConfig(
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
    )
    extra = _fill(
        config, {k: v for k, v in said.items() if k not in ("contents", "generationConfig")}, _TOP_KEYS
    )
    if generation := _fill(config, said.get("generationConfig", {}), _GENERATION_KEYS):
        extra["generationConfig"] = generation
    if api is Api.VERTEX and any("mcpServers" in tool for tool in said.get("tools", ())):
        config.tools = None  # google-genai would connect to those servers itself
        extra["tools"] = said["tools"]
    return _contents(said, extra), config, extra


def _count(body: Json, request: HttpRequest, api: Api) -> _Asked:
    config = types.CountTokensConfig()
    if api is Api.GEMINI and body.keys() - {"contents"}:
        return None, config, dict(request.body or {})  # google-genai knows no `generateContentRequest`
    extra = _fill(config, {key: value for key, value in body.items() if key != "contents"}, _COUNT_KEYS)
    return _contents(body, extra), config, extra


def _embed(body: Json, request: HttpRequest, api: Api) -> _Asked:
    config = types.EmbedContentConfig()
    misfits = _fill(config, {key: value for key, value in body.items() if key != "contents"}, _EMBED_KEYS)
    contents = _contents(body, misfits)
    return contents, config, dict(request.body or {}) if misfits else {}  # they are in lists: all or nothing


def _list(body: Json, request: HttpRequest, api: Api) -> _Asked:
    config = types.ListModelsConfig()
    if misfits := _fill(config, body, _LIST_KEYS):
        raise ValueError(f"{min(misfits)} parameter is not known to google-genai")
    return None, config, {}


def _get(body: Json, request: HttpRequest, api: Api) -> _Asked:
    return None, types.GetModelConfig(), {}


_ASKERS: Mapping[Method, Callable[[Json, HttpRequest, Api], _Asked]] = {
    Method.GENERATE: _generate,
    Method.STREAM_GENERATE: _generate,
    Method.COUNT_TOKENS: _count,
    Method.EMBED_CONTENT: _embed,
    Method.LIST_MODELS: _list,
    Method.GET_MODEL: _get,
}


# ----------------------------------------------------------------------------------------------- replies

_NOT_THE_REPLY = {"sdk_http_response", "automatic_function_calling_history", "parsed"}


def _dumped(typed: Any) -> dict[str, Any]:
    json: dict[str, Any] = typed.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude=_NOT_THE_REPLY
    )
    return json


def _generated(typed: types.GenerateContentResponse, api: Api) -> Json:
    json = _dumped(typed)
    if api is Api.GEMINI:  # whose word for citations google-genai translates to Vertex's
        for candidate in json.get("candidates", ()):
            _rename(candidate.get("citationMetadata", {}), "citations", "citationSources")
    return json


def _counted(typed: types.CountTokensResponse, api: Api) -> Json:
    return _dumped(typed)


def _embedded(typed: types.EmbedContentResponse, api: Api) -> Json:
    json = _dumped(typed)
    if api is Api.VERTEX:
        json.pop("truncated", None)  # google-genai says it once more in the statistics of the one vector
        for vector in json.get("embeddings", ()):
            if not vector.get("statistics"):
                vector.pop("statistics", None)  # made by google-genai, of nothing
    return json


def _listed(typed: Any, api: Api) -> Json:
    models = [_model(model) for model in typed.page]
    token = typed.config.get("page_token")
    return {"models": models, "nextPageToken": token} if token else {"models": models}


def _got(typed: types.Model, api: Api) -> Json:
    return {"model": _model(typed)}


def _model(typed: types.Model) -> dict[str, Any]:
    json = _dumped(typed)
    _rename(json, "supportedActions", "supportedGenerationMethods")
    if not json.get("tunedModelInfo"):
        json.pop("tunedModelInfo", None)  # made by google-genai, of nothing
    return json


def _rename(json: dict[str, Any], theirs: str, wire: str) -> None:
    if theirs in json:
        json[wire] = json.pop(theirs)


_TELLERS: Mapping[Method, Callable[[Any, Api], Json]] = {
    Method.GENERATE: _generated,
    Method.STREAM_GENERATE: _generated,
    Method.COUNT_TOKENS: _counted,
    Method.EMBED_CONTENT: _embedded,
    Method.LIST_MODELS: _listed,
    Method.GET_MODEL: _got,
}
