"""How a call is said upstream: an attempt to an HTTP request. Pure.

The canonical body is already Gemini's JSON. What is left are the changes that a candidate asks for
(`rewrite`), and the differences between the two faces of Google.
Each is one small function here, and nothing else in the project knows about them:

- paths: `models/{m}` against `projects/{p}/locations/{l}/publishers/google/models/{m}`;
- countTokens: the Developer API counts system instruction and tools only inside `generateContentRequest`;
- embeddings: the Developer API always by batch; Vertex by `embedContent`, `batchEmbedContents` or, for older
  models, `predict`;
- service tier: a lower-case body field against a header.

Sources: google-genai 3.4.0 (`models.py`, `_api_client.py`), ai.google.dev "Service tiers", Vertex AI
"Priority PayGo".
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson

from sidecar.core.attempt import Attempt
from sidecar.core.call import Json, Method
from sidecar.core.permit import Candidate
from sidecar.core.policy import Api
from sidecar.upstream.rewrite import rewritten


class HttpRequest(NamedTuple):
    """One request, complete but for its credentials."""

    method: str
    url: str
    headers: dict[str, str]
    body: Json | None


class _Shaped(NamedTuple):
    """What a method's shaper yields: the verb after the model, the body, further headers."""

    verb: str
    body: Json
    headers: Mapping[str, str] = {}


def http_request(attempt: Attempt) -> HttpRequest:
    """The request that asks `attempt.candidate` for what the call wants."""
    call, candidate = attempt.call, attempt.candidate
    headers = {"x-request-id": call.arrival.request_id}
    base = f"{candidate.endpoint.base_url}/{candidate.endpoint.api_version}"
    if call.arrival.method is Method.LIST_MODELS:
        return HttpRequest("GET", f"{base}/{_collection(candidate)}{_query(call.body.json)}", headers, None)
    if call.arrival.method is Method.GET_MODEL:
        return HttpRequest("GET", f"{base}/{_published(candidate)}", headers, None)
    shaped = _SHAPERS[call.arrival.method](candidate, rewritten(call.body.json, candidate))
    headers |= shaped.headers
    headers["Content-Type"] = "application/json"
    return HttpRequest("POST", f"{base}/{_resource(candidate)}:{shaped.verb}", headers, shaped.body)


def to_bytes(body: Json) -> bytes:
    """The JSON text of a body."""
    return orjson.dumps(body)


def _collection(candidate: Candidate) -> str:
    return "models" if candidate.endpoint.api is Api.GEMINI else "publishers/google/models"


def _published(candidate: Candidate) -> str:
    """The name of a model as a catalogue entry: on Vertex a publisher's, without project and location."""
    if "/" in candidate.model:
        return candidate.model
    return f"{_collection(candidate)}/{candidate.model}"


def _resource(candidate: Candidate) -> str:
    """The name of a model as something that can be asked."""
    endpoint = candidate.endpoint
    if endpoint.api is Api.GEMINI or candidate.model.startswith("projects/"):
        return _published(candidate)
    return f"projects/{endpoint.cloud_project}/locations/{endpoint.location}/{_published(candidate)}"


def _query(body: Json) -> str:
    return f"?{urlencode(body)}" if body else ""


def _generate(candidate: Candidate, body: Json) -> _Shaped:
    return _tiered(candidate, "generateContent", body)


def _stream(candidate: Candidate, body: Json) -> _Shaped:
    return _tiered(candidate, "streamGenerateContent?alt=sse", body)


def _tiered(candidate: Candidate, verb: str, body: Json) -> _Shaped:
    tier = body.get("serviceTier")
    if tier is None:
        return _Shaped(verb, body)
    if candidate.endpoint.api is Api.GEMINI:
        return _Shaped(verb, {**body, "serviceTier": tier.lower()})
    rest = {key: value for key, value in body.items() if key != "serviceTier"}
    if tier == "STANDARD":  # what Vertex serves when no header asks for more or less
        return _Shaped(verb, rest)
    return _Shaped(verb, rest, {"X-Vertex-AI-LLM-Shared-Request-Type": tier.lower()})


def _count_tokens(candidate: Candidate, body: Json) -> _Shaped:
    if candidate.endpoint.api is Api.GEMINI and body.keys() - {"contents"}:
        return _Shaped("countTokens", {"generateContentRequest": {"model": _resource(candidate), **body}})
    return _Shaped("countTokens", body)


def _embed(candidate: Candidate, body: Json) -> _Shaped:
    contents = body.get("contents", [])
    options = {key: value for key, value in body.items() if key != "contents"}
    if candidate.endpoint.api is Api.GEMINI:
        model = _resource(candidate)
        return _Shaped(
            "batchEmbedContents", {"requests": [{**options, "model": model, "content": c} for c in contents]}
        )
    if "gemini" not in candidate.model:
        return _Shaped("predict", _prediction(contents, options))
    config = {"embedContentConfig": options} if options else {}
    if len(contents) == 1:
        return _Shaped("embedContent", {"content": contents[0], **config})
    return _Shaped("batchEmbedContents", {"requests": [{"content": c, **config} for c in contents]})


_PREDICT_INSTANCE_KEYS = {"taskType": "task_type", "title": "title"}


def _prediction(contents: list[Json], options: Json) -> dict[str, Any]:
    """The body of Vertex's older embedding models: plain text only, snake_case beside the text."""
    beside = {spelled: options[key] for key, spelled in _PREDICT_INSTANCE_KEYS.items() if key in options}
    parameters = {key: value for key, value in options.items() if key not in _PREDICT_INSTANCE_KEYS}
    instances = [{"content": _text(content), **beside} for content in contents]
    return {"instances": instances, "parameters": parameters} if parameters else {"instances": instances}


def _text(content: Json) -> str:
    return "".join(part.get("text", "") for part in content.get("parts", ()))


_SHAPERS: Mapping[Method, Callable[[Candidate, Json], _Shaped]] = {
    Method.GENERATE: _generate,
    Method.STREAM_GENERATE: _stream,
    Method.COUNT_TOKENS: _count_tokens,
    Method.EMBED_CONTENT: _embed,
}
