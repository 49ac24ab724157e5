"""What an upstream body means: bytes to canonical JSON, checked where the sidecar itself relies on it.

Checked are the things that decide: the shape of candidates and feedback, for `judge`; token counts, for
settlement. Everything else passes through; `edge/convert` checks types against the schema when it builds the
typed reply, so null or empty may stand for absent here. Vertex words some answers differently (embeddings by
`predict`, publisher models); they are brought into the Developer API's words here, so nobody else has to
know.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from sidecar.core.call import Json, Method
from sidecar.core.errors import Reason, UpstreamUnavailable
from sidecar.core.outcome import Modalities, Reply, Usage

LARGE_BYTES = 256 * 1024
"""Bodies above this are parsed in a thread: base64 and JSON of 10 MB would hold the event loop for tens of
milliseconds.
"""


async def decode(raw: bytes, read: Callable[[bytes], Reply]) -> Reply:
    """Apply `read` to `raw`, off the event loop when it is large. Raises UpstreamUnavailable
    (UPSTREAM_MALFORMED).
    """
    if len(raw) > LARGE_BYTES:
        return (await asyncio.to_thread(read, raw))._replace(is_large=True)
    return read(raw)


def reader(method: Method) -> Callable[[bytes], Reply]:
    """The function that reads a whole answer to `method`."""
    return _READERS[method]


def parse(raw: bytes) -> Json:
    """The JSON object in `raw`. Raises UpstreamUnavailable (UPSTREAM_MALFORMED) for anything else."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise malformed(
            f"the upstream's body is not JSON: {error.msg} at byte {error.pos} of {len(raw)}"
        ) from None
    if not isinstance(value, dict):
        raise malformed(f"the upstream's body is a JSON {type(value).__name__}, not an object")
    return value


def malformed(message: str) -> UpstreamUnavailable:
    """The error for an answer that is not in Gemini's wire format."""
    return UpstreamUnavailable(message, reason=Reason.UPSTREAM_MALFORMED)


def _read_generate(raw: bytes) -> Reply:
    """A GenerateContentResponse, whole or a chunk."""
    return generate_reply(parse(raw))


def generate_reply(json: Json) -> Reply:
    """Check the parts of a GenerateContentResponse that decisions rest on, and lift out its usage."""
    for candidate in _objects(json, "candidates"):
        if type(candidate.get("index") or 0) is not int:
            raise malformed("candidates.index is not an integer")
        reason = candidate.get("finishReason")
        if reason is not None and type(reason) is not str:
            raise malformed("candidates.finishReason is not a string")
    if type(json.get("promptFeedback") or {}) is not dict:
        raise malformed("promptFeedback is not an object")
    usage = _usage(json)
    if usage is None:
        return Reply(json, None)
    tier = json["usageMetadata"].get("serviceTier")
    return Reply(json, usage, tier if isinstance(tier, str) else "")


def _read_count(raw: bytes) -> Reply:
    json = parse(raw)
    if type(json.get("totalTokens") or 0) is not int:
        raise malformed("totalTokens is not an integer")
    return Reply(json=json, usage=None)


def _read_embeddings(raw: bytes) -> Reply:
    json = parse(raw)
    usage = _usage(json)
    if "predictions" in json:  # Vertex `predict`
        vectors = [_from_prediction(prediction) for prediction in _objects(json, "predictions")]
    elif "embedding" in json:  # Vertex `embedContent`, one at a time
        vectors = [_from_single(json)]
    else:
        vectors = [_spelled(vector) for vector in _objects(json, "embeddings")]
    rest = _without(json, "predictions", "embedding", "truncated", "embeddings")
    return Reply(json={"embeddings": vectors, **rest}, usage=usage)


def _from_prediction(prediction: Json) -> Json:
    vector = prediction.get("embeddings")
    if not isinstance(vector, dict):
        raise malformed("predictions.embeddings is not an object")
    return _spelled(vector)


def _from_single(answer: Json) -> Json:
    """The one vector, with what the answer says of the whole request as its statistics."""
    vector = answer["embedding"]
    if not isinstance(vector, dict):
        raise malformed("embedding is not an object")
    usage = answer.get("usageMetadata") or {}
    statistics = {
        "truncated": answer.get("truncated"),
        "tokenCount": usage.get("promptTokenCount"),
        "tokensDetails": usage.get("promptTokensDetails"),
    }
    said = {key: value for key, value in statistics.items() if value}
    return {**vector, "statistics": said} if said else vector


def _spelled(vector: Json) -> Json:
    """A vector whose statistics have lowerCamel keys: Vertex spells one of them otherwise."""
    statistics = vector.get("statistics")
    if not isinstance(statistics, dict) or "token_count" not in statistics:
        return vector
    rest = _without(statistics, "token_count")
    return {**vector, "statistics": {"tokenCount": statistics["token_count"], **rest}}


def _without(json: Json, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in json.items() if key not in keys}


def _read_models(raw: bytes) -> Reply:
    json = parse(raw)
    if "publisherModels" not in json:  # the Developer API
        return Reply(json=json, usage=None)
    rest = {key: value for key, value in json.items() if key != "publisherModels"}
    return Reply(
        json={"models": [_from_publisher(m) for m in _objects(json, "publisherModels")], **rest}, usage=None
    )


def _read_model(raw: bytes) -> Reply:
    return Reply(json={"model": _from_publisher(parse(raw))}, usage=None)


def _from_publisher(model: Json) -> Json:
    """A Vertex PublisherModel in the Developer API's words; a Developer API Model unchanged."""
    return {"version" if key == "versionId" else key: value for key, value in model.items()}


def _objects(json: Json, key: str) -> list[dict[str, Any]]:
    """The list of objects under `key`, empty when absent."""
    value = json.get(key) or []
    if type(value) is list:
        for item in value:
            if type(item) is not dict:
                break
        else:
            return value
    raise malformed(f"{key} is not a list of objects")


def _usage(json: Json) -> Usage | None:
    metadata = json.get("usageMetadata")
    if metadata is None:
        return None
    if type(metadata) is not dict:
        raise malformed("usageMetadata is not an object")
    counts: list[int] = []
    for key in _COUNTS:
        count = metadata.get(key) or 0
        if type(count) is not int or not 0 <= count < _COUNTS_END:
            raise malformed(f"usageMetadata.{key} is not a token count")
        counts.append(count)
    prompt, cached, candidates, thoughts, tool_use, total = counts
    if _DETAILS.isdisjoint(metadata):
        return Usage(prompt, cached, candidates, thoughts, tool_use, total)
    return Usage(prompt, cached, candidates, thoughts, tool_use, total, *_details_of(metadata))


def _details_of(metadata: Mapping[str, Any]) -> tuple[Modalities, Modalities, Modalities]:
    return (
        _details(metadata, "promptTokensDetails") or _details(metadata, "promptTokenDetails"),
        _details(metadata, "cacheTokensDetails"),
        _details(metadata, "candidatesTokensDetails"),
    )


def _details(metadata: Mapping[str, Any], key: str) -> Modalities:
    if not metadata.get(key):
        return ()
    return tuple((_modality(item), _count(item, "tokenCount")) for item in _objects(metadata, key))


def _modality(item: Mapping[str, Any]) -> str:
    modality = item.get("modality")
    return modality if isinstance(modality, str) else ""


def _count(metadata: Mapping[str, Any], key: str) -> int:
    value = metadata.get(key) or 0
    if type(value) is not int or not 0 <= value < _COUNTS_END:
        raise malformed(f"usageMetadata.{key} is not a token count")
    return value


_COUNTS = (
    "promptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
    "totalTokenCount",
)
"""In the order of the fields of Usage."""
_COUNTS_END = 2**31
_DETAILS = frozenset(
    {
        "promptTokensDetails",
        "promptTokenDetails",  # how the Developer API's embeddings spell it
        "cacheTokensDetails",
        "candidatesTokensDetails",
    }
)
"""Which tell the counts apart by modality; most chunks have none, and this is the hot path."""


_READERS: Mapping[Method, Callable[[bytes], Reply]] = {
    Method.GENERATE: _read_generate,
    Method.COUNT_TOKENS: _read_count,
    Method.EMBED_CONTENT: _read_embeddings,
    Method.LIST_MODELS: _read_models,
    Method.GET_MODEL: _read_model,
}
