"""Requests as google-genai words them: one for each field, and what the wire's JSON is in sidecar.v1."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from google.genai import types
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from sidecar.core.call import Json, Method
from sidecar.core.policy import Api
from sidecar.edge.json_reader import JsonReader
from sidecar.v1 import count_tokens_pb2, embed_content_pb2, generate_pb2, model_pb2
from tests.contract.oracle.normal import camel, normal
from tests.contract.oracle.samples import one_each
from tests.support.upstream import Request

HELLO = [types.Content(role="user", parts=[types.Part(text="hi")])]
CHAT = "gemini-3.8-flash"
MESSAGES: dict[Method, type[Message]] = {
    Method.GENERATE: generate_pb2.GenerateRequest,
    Method.COUNT_TOKENS: count_tokens_pb2.CountTokensRequest,
    Method.EMBED_CONTENT: embed_content_pb2.EmbedContentRequest,
    Method.LIST_MODELS: model_pb2.ListModelsRequest,
    Method.GET_MODEL: model_pb2.GetModelRequest,
}


@dataclass(frozen=True)
class Case:
    """One request."""

    name: str
    method: Method
    contents: Any
    config: Any = None
    model: str = CHAT
    api: Api | None = None
    """The one API it is for, None for both."""


def mechanical() -> Iterator[Case]:
    """One request for every field and every enum word of google-genai's request types."""
    met: set[Any] = set()
    for label, content in one_each(types.Content, met):
        yield Case(f"contents.{label}", Method.GENERATE, [content])
    for label, config in one_each(types.GenerateContentConfig, met):
        yield Case(f"config.{label}", Method.GENERATE, HELLO, config)
    for label, config in one_each(types.CountTokensConfig, met):
        yield Case(f"count.{label}", Method.COUNT_TOKENS, HELLO, config, api=Api.VERTEX)
    for label, config in one_each(types.EmbedContentConfig):
        for model in ("gemini-embedding-2", "text-embedding-005"):
            yield Case(f"embed.{model}.{label}", Method.EMBED_CONTENT, HELLO, config, model)


def said(request: Request) -> Any:
    """What a request says: its body, or its query."""
    if request.body:
        return request.json
    query = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
    return {key: int(value) if key == "pageSize" else value for key, value in query.items()}


def place(request: Request) -> tuple[str, str]:
    """Where a request goes, without its query."""
    return request.method, request.target.partition("?")[0]


def message_of(method: Method, model: str, json: Any) -> Message:
    """The message of sidecar.v1 that says what was seen on the wire."""
    message = MESSAGES[method]()
    if method is Method.EMBED_CONTENT:
        json = _embed_request(json)
    JsonReader(MESSAGES[method]).read(camel(json, descriptor(method)), message)
    if hasattr(message, "model"):
        message.model = model
    return message


def unified(method: Method, json: Any) -> Any:
    """What was seen on the wire, in one spelling; see `normal` for what that forgives."""
    if method is Method.EMBED_CONTENT:
        return [normal(each, descriptor(method)) for each in _embed_requests(json)]
    said = normal(json, descriptor(method))
    if said.get("generationconfig") == {}:
        del said["generationconfig"]  # google-genai always sends the object
    return said


def descriptor(method: Method) -> Descriptor:
    found: Descriptor = MESSAGES[method].DESCRIPTOR
    return found


def _embed_request(json: Json) -> Json:
    """All that is embedded, as one request: what differs between contents is not in google-genai's words."""
    requests = _embed_requests(json)
    return {**requests[0], "contents": [each for request in requests for each in request["contents"]]}


def _embed_requests(json: Json) -> list[dict[str, Any]]:
    """One for each vector, whichever of the four shapes they have on the wire."""
    if "instances" in json:
        return [
            {
                **{key: value for key, value in instance.items() if key != "content"},
                **json.get("parameters", {}),
                "contents": [{"parts": [{"text": instance["content"]}], "role": "user"}],
            }
            for instance in json["instances"]
        ]
    return [_one(request) for request in json.get("requests", [json])]


def _one(request: Json) -> dict[str, Any]:
    options = {k: v for k, v in request.items() if k not in ("content", "embedContentConfig", "model")}
    return {**options, **request.get("embedContentConfig", {}), "contents": [request["content"]]}


def is_googles_own_affair(case: Case, api: Api) -> bool:
    """Whether google-genai would open connections of its own: it asks Vertex AI's servers of tools itself."""
    return api is Api.VERTEX and any(
        isinstance(tool, types.Tool) and tool.mcp_servers is not None
        for tool in getattr(case.config, "tools", None) or ()
        if case.method is Method.GENERATE
    )


# ---------------------------------------------------------------------------------------------- coverage

NOT_ON_THE_WIRE = {
    "GenerateRequest.prompt",
    "GenerateRequest.allow_fallback",
    "GenerateRequest.project",
    "CountTokensRequest.project",
    "CountTokensRequest.prompt",
    "EmbedContentRequest.prompt",
    "TextResponseFormat.schema_json",
}
"""Typed fields that no request of google-genai has: what is for the sidecar alone, and a key that it spells
by its own name for it, `jsonSchema`, which Gemini does not know.
"""


def fields_below(message: type[Message]) -> set[str]:
    """Every typed field that a message can carry, as `Message.field`."""
    found: set[str] = set()
    todo = [message.DESCRIPTOR]
    met = set()
    while todo:
        here = todo.pop()
        if here.full_name in met or here.full_name.startswith("google.protobuf."):
            continue
        met.add(here.full_name)
        entry = here.GetOptions().map_entry
        found |= {
            f"{here.name}.{field.name}" for field in here.fields if not entry and field.name not in OURS
        }
        todo += [field.message_type for field in here.fields if field.message_type and field.name not in OURS]
    return found


OURS = ("extra_json", "call")
"""What is in every message, and what the sidecar itself adds to replies."""


def fields_set(message: Message) -> set[str]:
    """Every field that is set anywhere in a message."""
    found: set[str] = set()
    for field, value in message.ListFields():
        found.add(f"{field.containing_type.name}.{field.name}")
        if field.message_type is None or field.message_type.full_name.startswith("google.protobuf."):
            continue
        entry = field.message_type.GetOptions().map_entry
        children = value.values() if entry else value if field.is_repeated else [value]
        for child in children:
            found |= fields_set(child) if isinstance(child, Message) else set()
    return found
